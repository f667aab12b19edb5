/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct cache: reads chunks from packs for any number of threads and keeps the last decoded ones. A
 * place in a pack never changes its content, so entries never become stale.
 */
#ifndef SEEDSHIP_FS_CACHE_H
#define SEEDSHIP_FS_CACHE_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/store/change.h"
#include "common/store/fetcher.h"

struct cache;

/* packs_fd: duplicated. capacity_bytes of decoded content are kept. */
int cache_new(int packs_fd, uint32_t chunk_bytes, size_t capacity_bytes, struct cache **ret,
	      struct err *e);
void cache_free(struct cache *c); /* NULL is fine */

/*
 * Fetches n parts (fetcher.h). Parts of chunks go through the cache, whole chunks past it. -EBADMSG names
 * pack and offset of a frame that is not what its place says: damaged, or dead by now.
 */
int cache_fetch(struct cache *c, struct fetch *wanted, size_t n, struct err *e);

/* Packs may have been removed: closes those that are open, or their space stays taken. */
void cache_forget_packs(struct cache *c);

#endif
