/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct replay: what packs alone say, as an index. All records are read in the order in which they were
 * appended; of what they say about one thing the newest counts, and nothing behind the last complete
 * commit does (FORMAT.md). The result is a database with the schema of index.db. Packs are untrusted: what
 * cannot be is reported and left out. Memory is bounded; what is gathered stands in a second file.
 */
#ifndef SEEDSHIP_STORE_REPLAY_H
#define SEEDSHIP_STORE_REPLAY_H

#include <stdbool.h>

#include "common/base/err.h"
#include "common/ext/sql.h"
#include "common/store/frame.h"
#include "common/store/pack_list.h"

struct replay_options {
	int packs_fd;		  /* the folder packs/; lent */
	const uint8_t *uuid;	  /* of the store if it is known, else NULL */
	const char *index_path;	  /* the database to be made; must not exist */
	const char *staging_path; /* likewise; of no use afterwards */
	/* Packs in ascending order, each read up to its size_bytes. */
	const struct pack_file *packs;
	size_t n_packs;
	bool open_end; /* the last pack may end in what was never committed; else its end is committed */
	/* Something in a pack is damaged. */
	void (*damaged)(void *arg, uint32_t pack, uint64_t off_bytes, const char *text);
	void (*progress)(void *arg, uint64_t pack_bytes); /* so much more was gone over */
	void *arg;
};

struct replay_summary {
	uint8_t uuid[STORE_UUID_BYTES];
	uint64_t sequence;   /* of the last complete commit */
	uint64_t commits;    /* that were complete */
	uint64_t damages;    /* reported */
	uint64_t tail_bytes; /* behind the last complete commit: never committed */
};

/*
 * -ENODATA when the packs hold no complete commit. On success *ret_db is the open database, not synced
 * (durability is the caller's business).
 */
int replay_packs(const struct replay_options *options, struct sql **ret_db,
		 struct replay_summary *ret, struct err *e);

#endif
