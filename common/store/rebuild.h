/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a store's index again from its packs alone (replay.h). The old one is kept beside it. Whatever the
 * packs know by no name any more goes to a folder "lost+found".
 */
#ifndef SEEDSHIP_STORE_REBUILD_H
#define SEEDSHIP_STORE_REBUILD_H

#include <stdint.h>

#include "common/base/err.h"

struct rebuild_options {
	void (*started)(void *arg, uint64_t pack_bytes); /* so much is to be gone over */
	void (*progress)(void *arg, uint64_t pack_bytes);
	void (*damaged)(void *arg, uint32_t pack, uint64_t off_bytes, const char *text);
	void *arg;
};

struct rebuild_summary {
	uint64_t files, directories, size_bytes, stored_bytes; /* brought back */
	uint64_t packs, commits;
	uint64_t damages;    /* reported by damaged() */
	uint64_t tail_bytes; /* behind the last complete commit: never committed */
	uint64_t lost_found; /* put into lost+found */
	char kept_as[64];    /* the old index's new name, "" when there was none */
};

/*
 * Blocks for as long as reading all headers takes. -EBUSY while mounted, -ENOENT when it is no store,
 * -ENODATA when the packs hold nothing to make an index from; the index stays what it was in all cases of
 * failure.
 */
int rebuild_store(const char *path, const struct rebuild_options *options,
		  struct rebuild_summary *ret, struct err *e);

#endif
