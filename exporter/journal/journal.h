/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The journal of a drive: an append-only file of records (record.h), readable by its owner alone,
 * for it holds the drive's recovery password. It is what the export is resumed from and what the
 * portal takes when an import job is created by hand. It must not lie on the drive.
 *
 * An append is one write and one fsync. A crash can leave the last record torn: reading reports and
 * passes over it, the next append cuts it off. Anything else that is wrong is -EBADMSG with the
 * line's number.
 *
 * Every function refuses (-EPERM) a journal that group or others may access. All of them block.
 */
#ifndef SEEDSHIP_JOURNAL_JOURNAL_H
#define SEEDSHIP_JOURNAL_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "exporter/journal/record.h"

#define JOURNAL_MAX_BYTES 2000000 /* what the portal takes */

#define JOURNAL_TYPE_NEW      "NewJournalFile"
#define JOURNAL_TYPE_ACTIVITY "ActivityRecord"

/* Makes a journal with its first record: it is there whole, durably, or not at all. -EEXIST. */
int journal_create(const char *path, uint64_t time_ns, struct err *e) _warn_unused_result_;

/*
 * Appends a record; durable on return. -EFBIG when the journal would grow beyond JOURNAL_MAX_BYTES.
 */
int journal_append(const char *path, const struct record *record, struct err *e)
	_warn_unused_result_;

/*
 * Calls fn for every record in order. A record's texts lie in key memory and are lent until fn
 * returns. A non-zero return of fn ends it and is returned. *ret_torn_bytes (may be NULL): what a
 * crash left of a last record that was never acknowledged, 0 = the journal ends well.
 */
int journal_replay(const char *path,
		   int (*fn)(const struct record *record, void *arg, struct err *e), void *arg,
		   size_t *ret_torn_bytes, struct err *e) _warn_unused_result_;

#endif
