/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One pack's compaction; see compact.h. */
#ifndef SEEDSHIP_STORE_COMPACT_PACK_H
#define SEEDSHIP_STORE_COMPACT_PACK_H

#include <stdatomic.h>

#include "common/store/catalog.h"
#include "common/store/commit_entry.h"
#include "common/store/writer.h"

/*
 * Copies what matters in a sealed pack and removes it. lowest: there is no older pack, so nothing is left
 * that its tombstones could keep dead. -EBADMSG when something alive in it is damaged: nothing is removed
 * then; what was copied is good where it is now. -ECANCELED after *stop.
 */
int compact_pack(struct store *store, struct writer *w, struct catalog *c, uint32_t pack,
		 bool lowest, const atomic_bool *stop, struct err *e);

/* Whether an entry of a pack that goes must be copied. 1, 0 or -errno. */
int compact_keeps_entry(struct catalog *c, const struct commit_entry *entry, bool lowest);

/* Whether what a copied entry speaks of is not there any more; then *entry becomes its tombstone. 1, 0, -errno. */
int compact_entry_went(struct catalog *c, struct commit_entry *entry);

#endif
