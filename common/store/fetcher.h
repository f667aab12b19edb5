/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct fetcher: from places in packs to content in memory. Frames that lie close together are read
 * from the pack in one go; each is checked and unpacked straight to where it is wanted. One thread at a
 * time.
 */
#ifndef SEEDSHIP_STORE_FETCHER_H
#define SEEDSHIP_STORE_FETCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/store/change.h"

struct fetcher;

/* A part of one chunk that is wanted. */
struct fetch {
	struct chunk_place place; /* stored_bytes and raw_bytes not 0 */
	uint32_t from_bytes;	  /* first wanted byte of the chunk */
	uint32_t len_bytes;	  /* what lies behind the content comes as zeros */
	void *data;		  /* room for len_bytes */
};

/* Takes over packs_fd, the descriptor of the folder packs/, also when it fails. */
int fetcher_new(int packs_fd, struct fetcher **ret, struct err *e);
void fetcher_free(struct fetcher *f); /* NULL is fine */
static inline void fetcher_freep(struct fetcher **f)
{
	fetcher_free(*f);
}

/*
 * Whether a place read from an index can be one: its sizes fit a chunk of chunk_bytes. fetcher_read()
 * expects that of every place.
 */
bool chunk_place_possible(const struct chunk_place *place, uint32_t chunk_bytes);

/*
 * Fetches n parts, fastest when sorted by place. Blocks on disk reads. -EBADMSG (names pack and offset)
 * when a frame is damaged or not there.
 */
int fetcher_read(struct fetcher *f, const struct fetch *wanted, size_t n, struct err *e);

/* Forgets open packs: they may have been replaced since. */
void fetcher_forget(struct fetcher *f);

#endif
