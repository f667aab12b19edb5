/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct option_row: one option of a command. A command has one table of rows; parsing, --help and
 * --list-options all read it, so they cannot differ. A value lands in the command's own struct.
 */
#ifndef SEEDSHIP_CLI_OPTIONS_H
#define SEEDSHIP_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"

enum option_kind {
	OPTION_FLAG,   /* bool: given or not; takes no argument */
	OPTION_TEXT,   /* const char *: the argument, lent from argv */
	OPTION_CHOICE, /* const char *: one of the words in row.argument, which reads "a|b|c" */
	OPTION_NUMBER, /* uint64_t: decimal digits */
	OPTION_SIZE,   /* uint64_t, bytes: what parse_size() takes */
	OPTION_LIST,   /* struct option_list: may be given several times */
};

struct option_row {
	const char *name; /* long name without dashes */
	char letter;	  /* short name, 0 = none */
	enum option_kind kind;
	const char *argument; /* what --help calls the argument, such as "DIR" */
	const char *help;     /* lower case, no full stop */
	size_t offset;	      /* of the value in the command's struct of values */
};

/* A row without a name is a heading in --help; one without help too ends the table. */
#define OPTION_HEADING(text)   \
	{                      \
		.help = (text) \
	}
#define OPTION_END           \
	{                    \
		.name = NULL \
	}

#define OPTION_LIST_MAX 32

struct option_list {
	size_t n;
	const char *items[OPTION_LIST_MAX]; /* lent from argv */
};

/* What every command understands. */
struct option_common {
	bool help;
	bool version;
	bool list_options;
	bool manual;
};

extern const struct option_row option_common_rows[];

/*
 * Parses argv[1..]: options anywhere before "--" go to values (by rows, which may be NULL) and
 * common; the rest is left at the end of argv, *ret_first being the index of the first. Options
 * that are not given leave their value alone. -EINVAL (user) on an unknown option, a missing or a
 * bad argument. Uses getopt's global state: one thread.
 */
int options_parse(int argc, char **argv, const struct option_row *rows, void *values,
		  struct option_common *common, int *ret_first, struct err *e);

/*
 * Sets one option as --name=text on the command line would (text NULL: --name); "_" in name counts as "-". text is
 * lent. -ENOENT (user) when no row has that name, else as options_parse(). For options that come in other
 * forms, such as mount(8)'s lists.
 */
int options_set(const struct option_row *rows, void *values, const char *name, const char *text,
		struct err *e);

/* Whether the row ends its table; whether it is a heading. */
bool option_is_end(const struct option_row *row);
bool option_is_heading(const struct option_row *row);

#endif
