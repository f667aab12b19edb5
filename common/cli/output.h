/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct output: the result of a command, built once and printed either for people (key-value lists
 * and tables) or as one JSON object for programs: {"schema": "seedship.job/1", ...}, sizes in
 * bytes, times as RFC 3339. Keys are JSON's; people see "size_bytes" as "Size".
 *
 * A failed allocation is remembered and reported by output_print(). One thread at a time.
 */
#ifndef SEEDSHIP_CLI_OUTPUT_H
#define SEEDSHIP_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/err.h"

struct output;

/*
 * schema: name and version of the JSON form, such as "seedship.job/1"; the version changes when a
 * key's meaning does.
 */
int output_new(const char *schema, struct output **ret, struct err *e);
void output_free(struct output *o); /* NULL is fine */
static inline void output_freep(struct output **o)
{
	output_free(*o);
}

/*
 * Adds a value to the object that is open: the outermost, a group or a row. Text that is not UTF-8
 * is shown with \xHH for the bytes that are not; control characters likewise, for people only. NULL
 * text and a time of 0 are JSON's null, and "-" for people.
 */
void output_text(struct output *o, const char *key, const char *text);
void output_bool(struct output *o, const char *key, bool value);
void output_number(struct output *o, const char *key, uint64_t value);
void output_size(struct output *o, const char *key, uint64_t bytes);
void output_time(struct output *o, const char *key, uint64_t ns_since_1970);
void output_percent(struct output *o, const char *key, uint64_t part, uint64_t whole);

/* Opens an object inside the open one; closed by output_close(). */
void output_open_group(struct output *o, const char *key);

/* Opens a table; its rows are opened one after another and have the same keys. */
void output_open_table(struct output *o, const char *key);
void output_open_row(struct output *o);
void output_close(struct output *o); /* the innermost open group, row or table */

/* Prints the result. -ENOMEM when building it failed. A failed write shows in ferror(out). */
int output_print(const struct output *o, bool json, FILE *out, struct err *e);

#endif
