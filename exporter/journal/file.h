/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A journal as it was read: its text in key memory, which records point into. Inside this folder
 * only.
 */
#ifndef SEEDSHIP_JOURNAL_FILE_H
#define SEEDSHIP_JOURNAL_FILE_H

#include "common/base/cleanup.h"
#include "exporter/journal/journal.h"

struct journal_file {
	int fd;
	char *text;	   /* key memory, owned */
	size_t len_bytes;  /* of the file */
	size_t good_bytes; /* of these, in whole records; set by journal_file_scan() */
};

void journal_file_done(struct journal_file *f);

/*
 * Opens with these open(2) flags, checks who may access it, reads it. Locks it when it is to be
 * written.
 */
int journal_file_open(const char *path, int flags, struct journal_file *ret, struct err *e)
	_warn_unused_result_;

/* Decodes every record in place and calls fn (may be NULL); their texts live as long as f. */
int journal_file_scan(struct journal_file *f, const char *path,
		      int (*fn)(const struct record *record, void *arg, struct err *e), void *arg,
		      struct err *e) _warn_unused_result_;

#endif
