/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commit records: the pack records in which a commit keeps what it changed besides content (see
 * commit_entry.h). A commit is as many records as its entries need; it counts once all of them are
 * there, and with it every chunk record up to its sequence. The body is a skippable zstd frame, so that
 * `zstd -d` of a pack still gives file content only. Pure functions on memory; layout: FORMAT.md.
 */
#ifndef SEEDSHIP_STORE_COMMIT_RECORD_H
#define SEEDSHIP_STORE_COMMIT_RECORD_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/store/frame.h"

/* Appends the record of part `part` of `n_parts` of a commit to out. -ENOMEM, -EFBIG. */
int commit_record_put(struct frame_codec *c, const uint8_t uuid[STORE_UUID_BYTES],
		      uint64_t sequence, uint64_t part, uint64_t n_parts, const struct buf *payload,
		      struct buf *out);

/*
 * Unpacks the body of a record whose header is h (body: its stored_bytes) into payload, which is emptied
 * first. -EBADMSG when anything differs.
 */
int commit_record_get(struct frame_codec *c, const struct frame_header *h, const void *body,
		      struct buf *payload, struct err *e);

#endif
