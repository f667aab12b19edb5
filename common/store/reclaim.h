/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct reclaim: gives the space of dead frames back to the filesystem, by holes in packs, and removes packs
 * without a row. A thread of its own, fed by the committer after each commit; what a crash keeps it from
 * doing is done when the pack is compacted. Whoever reads a place that dies meanwhile finds zeros, and looks
 * the place up again.
 */
#ifndef SEEDSHIP_STORE_RECLAIM_H
#define SEEDSHIP_STORE_RECLAIM_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/store/index.h"

struct reclaim;

/* packs_fd: the folder of the packs, lent. */
int reclaim_new(int packs_fd, struct reclaim **ret, struct err *e);

/* Waits until everything handed over is done. NULL is fine. */
void reclaim_free(struct reclaim *r);

/* Takes both arrays over (free()). Does not block: when too much is waiting, it is left to compaction. */
void reclaim_add(struct reclaim *r, struct dead_frame *frames, size_t n_frames, uint32_t *packs,
		 size_t n_packs);

/* Bytes given back since the start. */
uint64_t reclaim_freed_bytes(struct reclaim *r);

#endif
