/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of the option tables that most commands share, and what is behind them. */
#ifndef SEEDSHIP_CMD_STORE_OPTION_H
#define SEEDSHIP_CMD_STORE_OPTION_H

#include "common/cli/options.h"
#include "exporter/shipping/shipping.h"

/* type: the command's struct of values, with `const char *store` and `bool json`. */
#define OPTION_STORE(type)                                                       \
	{                                                                        \
		"store", 's', OPTION_TEXT, "DIR",                                \
			"the store (default: the current folder, if it is one)", \
			offsetof(type, store)                                    \
	}
#define OPTION_JSON(type)                                                            \
	{                                                                            \
		"json", 0, OPTION_FLAG, NULL, "print the result as one JSON object", \
			offsetof(type, json)                                         \
	}

/*
 * The absolute path of the store that --store names, or of the current folder when given is NULL
 * and it holds an index.db; caller frees. -EINVAL (user) when it is no store.
 */
int store_option_path(const char *given, char **ret, struct err *e) _warn_unused_result_;

/* Opens shipping.db of that store. Reading one that is not there yet says how to begin. */
int store_option_open(const char *given, enum shipping_mode mode, struct shipping **ret,
		      struct err *e) _warn_unused_result_;

#endif
