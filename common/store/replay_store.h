/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which store packs belong to and how it cuts files, told by the first whole commit record in them. */
#ifndef SEEDSHIP_STORE_REPLAY_STORE_H
#define SEEDSHIP_STORE_REPLAY_STORE_H

#include "common/store/replay.h"

struct replay_store {
	uint8_t uuid[STORE_UUID_BYTES];
	uint32_t chunk_bytes;
};

/* -ENODATA when no pack has a commit record (of the store options->uuid, if that is given). */
int replay_find_store(const struct replay_options *options, struct replay_store *ret,
		      struct err *e);

/* Opens a pack for reading, never through a link. */
int replay_open_pack(int packs_fd, uint32_t pack, int *ret_fd, struct err *e);

/*
 * Reads the payload of a commit record. body: for the raw bytes; payload: for the result; both are reused.
 * -EBADMSG when it is damaged.
 */
int replay_read_commit(struct frame_codec *codec, int fd, const struct frame_header *h,
		       uint64_t frame_off_bytes, struct buf *body, struct buf *payload,
		       struct err *e);

#endif
