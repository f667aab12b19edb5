/* SPDX-License-Identifier: GPL-3.0-or-later */
/* target_slice: a window of another target, such as a partition of a disk. */
#ifndef SEEDSHIP_BLOCK_TARGET_SLICE_H
#define SEEDSHIP_BLOCK_TARGET_SLICE_H

#include "exporter/block/target.h"

/*
 * A window of size_bytes at off_bytes of base, which is lent and must outlive it. Flushing the
 * window flushes all of base. -EINVAL when the window is not inside base or not made of its
 * sectors.
 */
int target_slice_new(struct target *base, uint64_t off_bytes, uint64_t size_bytes,
		     struct target **ret, struct err *e) _warn_unused_result_;

#endif
