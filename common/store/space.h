/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct space: what may still be promised to writers. Bytes are reserved when a write is acknowledged,
 * at their worst-case stored size, and given back once they are stored; a margin is kept for the index,
 * its log and commits. Thread-safe.
 */
#ifndef SEEDSHIP_STORE_SPACE_H
#define SEEDSHIP_STORE_SPACE_H

#include <pthread.h>
#include <stdint.h>

#include "common/base/macros.h"

#define SPACE_MARGIN_BYTES (24 * MiB) /* index growth, its log, commits */

struct space {
	int dir_fd; /* on the filesystem in question; lent */
	pthread_mutex_t lock;
	uint64_t reserved_bytes; /* lock */
	uint64_t free_bytes;	 /* lock: as last asked, minus what was reserved since */
	uint64_t total_bytes;	 /* lock */
	uint64_t asked_ns;	 /* lock */
};

int space_init(struct space *s, int dir_fd);
void space_done(struct space *s);

/* -ENOSPC when len_bytes more could not be stored in the worst case. */
int space_reserve(struct space *s, uint64_t len_bytes);
void space_release(struct space *s, uint64_t len_bytes);

/* What is promised and not stored yet. */
uint64_t space_reserved(struct space *s);

/* What can still be promised, and the size of the filesystem. */
int space_get(struct space *s, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes);

#endif
