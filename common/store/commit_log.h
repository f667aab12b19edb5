/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct commit_log: gathers what a batch changes besides content while its sets are applied, and makes the
 * commit records of it. Belongs to the committer.
 */
#ifndef SEEDSHIP_STORE_COMMIT_LOG_H
#define SEEDSHIP_STORE_COMMIT_LOG_H

#include "common/base/err.h"
#include "common/store/change.h"
#include "common/store/commit_entry.h"
#include "common/store/frame.h"

struct commit_log;

int commit_log_new(struct commit_log **ret, struct err *e);
void commit_log_free(struct commit_log *log); /* NULL is fine */

/* Forgets all entries: before the first set of a batch. */
void commit_log_reset(struct commit_log *log);

/*
 * Notes a change that was applied. Content needs no entry, its record is one, unless it became a hole;
 * stored_delta: how the inode's stored bytes changed. Inode rows are added at the commit, once each.
 */
void commit_log_change(struct commit_log *log, uint64_t sequence, const struct change *c,
		       int64_t stored_delta);

void commit_log_entry(struct commit_log *log, const struct commit_entry *entry);

bool commit_log_is_empty(const struct commit_log *log);

/* Appends the records of the commit, one behind the other, to out. */
int commit_log_put(struct commit_log *log, const uint8_t uuid[STORE_UUID_BYTES], uint64_t sequence,
		   struct buf *out, struct err *e);

#endif
