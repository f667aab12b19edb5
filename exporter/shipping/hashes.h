/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What streaming leaves behind: how far a drive is, and the MD5 of every block written so far. Both
 * go into one transaction after the drive was flushed, so that a killed export goes on where the
 * drive really is.
 */
#ifndef SEEDSHIP_SHIPPING_HASHES_H
#define SEEDSHIP_SHIPPING_HASHES_H

#include <stddef.h>
#include <stdint.h>

#include "exporter/shipping/drives.h"
#include "exporter/shipping/shipping.h"

struct shipping_hash {
	int64_t placement;
	uint64_t idx; /* of the block in its file */
	uint8_t md5[SHIPPING_MD5_BYTES];
};

/*
 * Records that everything below streamed_bytes of the drive's volume is on the medium, and the
 * hashes of the blocks that came to it. Opens its own transaction; durable on return. Blocks
 * repeated after a crash replace theirs.
 */
int shipping_commit_progress(struct shipping *s, int64_t drive, uint64_t streamed_bytes,
			     const struct shipping_hash *hashes, size_t n_hashes, struct err *e)
	_warn_unused_result_;

/*
 * Reads hashes of a placement from block first_idx on, n at most, into ret_md5 (n *
 * SHIPPING_MD5_BYTES). *ret_n: how many there are in one piece from first_idx; 0 when that block
 * has none.
 */
int shipping_hashes_read(struct shipping *s, int64_t placement, uint64_t first_idx, size_t n,
			 uint8_t *ret_md5, size_t *ret_n, struct err *e) _warn_unused_result_;

#endif
