/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct replay_stage: the newest record about each thing, gathered in a database of its own beside the one
 * that is made from it. What was put since the last replay_stage_commit() is pending.
 */
#ifndef SEEDSHIP_STORE_REPLAY_STAGE_H
#define SEEDSHIP_STORE_REPLAY_STAGE_H

#include <stdbool.h>

#include "common/ext/sql.h"
#include "common/store/commit_entry.h"

struct replay_stage;

/* Makes both databases. */
int replay_stage_new(const char *index_path, const char *staging_path, struct replay_stage **ret,
		     struct err *e);
void replay_stage_free(struct replay_stage *st); /* NULL is fine; what is pending is dropped */
static inline void replay_stage_freep(struct replay_stage **st)
{
	replay_stage_free(*st);
}

/* Content of a chunk. late: a newer record was there before, so this one was copied from elsewhere. */
int replay_stage_chunk(struct replay_stage *st, uint64_t ino, uint64_t idx, uint64_t sequence,
		       const struct chunk_place *place, bool late, struct err *e);

/* A commit entry. -EBADMSG when there can be no such thing; nothing was put then. */
int replay_stage_entry(struct replay_stage *st, const struct commit_entry *entry, struct err *e);

/* A pack is part of the store up to size_bytes, of which its commit records take log_bytes. */
int replay_stage_pack(struct replay_stage *st, uint32_t pack, uint64_t size_bytes,
		      uint64_t log_bytes, struct err *e);

/* What is pending counts. */
int replay_stage_commit(struct replay_stage *st, struct err *e);

/*
 * Drops what is pending and makes the index of the rest. *ret: its connection, the caller's from then on;
 * the stage is of no more use.
 */
int replay_stage_resolve(struct replay_stage *st, const uint8_t uuid[16], uint64_t sequence,
			 struct sql **ret, struct err *e);

#endif
