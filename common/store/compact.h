/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compaction: what is alive in a sealed pack is copied to the open one, then the pack is removed. Chunks move
 * as they are, nothing is recompressed; of the commit records the entries that still matter are copied, with
 * the sequences they have. Goes through the writer like every other change, beside a busy mount.
 */
#ifndef SEEDSHIP_STORE_COMPACT_H
#define SEEDSHIP_STORE_COMPACT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/store/catalog.h"
#include "common/store/writer.h"

struct compact_plan {
	unsigned
		min_waste_percent; /* of what a pack takes on disk; 0 = every sealed pack and, if it wastes any, the open one */
	const atomic_bool *stop; /* set by anybody: ends soon; may be NULL */
	/* After each pack; may be NULL. waste_bytes: what its removal gave back. */
	void (*done)(void *arg, uint32_t pack, uint64_t waste_bytes);
	void *arg;
};

struct compact_result {
	uint64_t packs;	      /* removed */
	uint64_t freed_bytes; /* by that, less what was copied */
	uint64_t packs_kept;  /* could not be compacted: damaged; the log says why */
};

/*
 * Compacts every sealed pack that wastes so much, the most wasteful first. Blocks; everything done is
 * durable when it returns. -ECANCELED after stop.
 */
int compact_store(struct store *store, struct writer *w, struct catalog *c,
		  const struct compact_plan *plan, struct compact_result *ret, struct err *e);

/* Whether there is anything to do for it, cheaply enough to be asked every few seconds. */
bool compact_is_due(struct store *store, struct catalog *c, unsigned min_waste_percent);

#endif
