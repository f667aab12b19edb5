/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct pack_writer: appends records to the packs of a store, one open pack at a time, sealed at the
 * store's pack size. Belongs to the committer. File names and record layout: FORMAT.md.
 */
#ifndef SEEDSHIP_STORE_PACK_H
#define SEEDSHIP_STORE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

#define PACK_NAME_BYTES 32

/* "00000007.pack"; out holds PACK_NAME_BYTES. Returns out. */
const char *pack_name(uint32_t pack, char out[PACK_NAME_BYTES]);

struct pack_writer {
	int packs_fd; /* lent by the store */
	uint64_t limit_bytes;
	int fd;		    /* of the open pack, -1 = none */
	uint32_t pack;	    /* its number; 0 = none yet */
	uint64_t end_bytes; /* where the next record goes */
	uint64_t log_bytes; /* of its commit records; the committer counts them */
	bool dirty;	    /* something was written since the last sync */
	bool names_dirty;   /* a pack was created since the last sync */
};

/* pack: the last unsealed one and its committed end, or 0. Cuts what lies beyond. */
int pack_writer_open(struct pack_writer *w, int packs_fd, uint64_t limit_bytes, uint32_t pack,
		     uint64_t end_bytes, struct err *e);
void pack_writer_done(struct pack_writer *w);

/* True when the next record of this length belongs into a new pack. */
bool pack_writer_full(const struct pack_writer *w, size_t len_bytes);

/* Makes the open pack durable, closes it, and creates pack number `pack`. */
int pack_writer_next(struct pack_writer *w, uint32_t pack, struct err *e);

/* Appends; *ret_off_bytes = where it stands. */
int pack_writer_append(struct pack_writer *w, const void *data, size_t len_bytes,
		       uint64_t *ret_off_bytes, struct err *e);

/* Takes back what was appended to the open pack behind end_bytes. Not for what is committed. */
void pack_writer_rewind(struct pack_writer *w, uint64_t end_bytes);

/*
 * Returns once all that was appended, and the packs' names, are durable. When it fails, what was to be written
 * may be gone while a second try succeeds: hence never -ENOSPC, which invites one.
 */
int pack_writer_sync(struct pack_writer *w, struct err *e);

#endif
