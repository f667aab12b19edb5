/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct record: one record of a journal, and its text form. Pure functions on memory.
 *
 *   [BeginUpdateRecord][2016/11/02 18:24:14.749][Type:ActivityRecord]
 *   ActivityId: DriveInfo
 *   DriveState: [BeginValue]
 *   a value of
 *   several lines
 *   [EndValue]
 *   [EndUpdateRecord]
 *
 * Source: the samples in "Tool output" of Microsoft's page on preparing hard drives with
 * WAImportExport. Lines end with CR LF when written, as that tool's surroundings do; either end is
 * read. Times are UTC.
 */
#ifndef SEEDSHIP_JOURNAL_RECORD_H
#define SEEDSHIP_JOURNAL_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

#define RECORD_FIELDS_MAX 32

struct record_field {
	const char *key;   /* letters and digits */
	const char *value; /* lines joined by \n; no other control characters but tabs */
};

/* All texts are lent. */
struct record {
	uint64_t time_ns; /* since 1970 UTC; the text form keeps milliseconds */
	const char *type; /* "NewJournalFile", "ActivityRecord" */
	size_t n_fields;
	struct record_field fields[RECORD_FIELDS_MAX];
};

/*
 * Adds a field; NULL values are left out. More than RECORD_FIELDS_MAX is a mistake of the program.
 */
void record_add(struct record *r, const char *key, const char *value);

/* The value of the first field of this key; NULL when there is none. Lent. */
const char *record_get(const struct record *r, const char *key);

/*
 * The text form, NUL-terminated, in key memory: *ret goes to secret_free(). -EINVAL for a record
 * that has none: a key or type with other characters, a value with control characters or a line
 * that is an end itself.
 */
int record_encode(const struct record *r, char **ret, size_t *ret_bytes, struct err *e)
	_warn_unused_result_;

/*
 * Decodes the record at the start of text, which is changed: *ret points into it. *ret_bytes: its
 * length, with blank lines before it. The end of its last line may be missing. *ret_lines, set in
 * any case: lines that were read, so that after -EBADMSG the last of them is the bad one.
 *   -ENODATA  the text ends inside the record, or holds none
 *   -EBADMSG  not a record
 */
int record_decode(char *text, size_t len_bytes, struct record *ret, size_t *ret_bytes,
		  unsigned *ret_lines) _warn_unused_result_;

#endif
