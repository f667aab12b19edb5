/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The face of jansson: ownership by scope, and documents that hold keys. */
#ifndef SEEDSHIP_EXT_JSON_H
#define SEEDSHIP_EXT_JSON_H

#include <jansson.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"

static inline void json_freep(json_t **p)
{
	json_decref(*p);
}
#define _cleanup_json_ _cleanup_(json_freep)

/*
 * Makes jansson wipe all memory it gives back, for the whole process and for good. Call before a
 * document with keys is built; calling it again, or with documents alive, is fine.
 */
void json_wipe_memory(void);

/* The document as indented text in key memory: *ret goes to secret_free(). */
int json_format_secret(const json_t *document, char **ret, struct err *e);

#endif
