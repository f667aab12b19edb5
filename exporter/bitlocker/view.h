/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The decrypted view: a target that shows an unlocked BitLocker volume's plaintext and takes writes
 * to it. The first 8 KiB live in the VBB; metadata and VBB themselves read as zeros, and take only
 * zeros.
 */
#ifndef SEEDSHIP_BITLOCKER_VIEW_H
#define SEEDSHIP_BITLOCKER_VIEW_H

#include "exporter/bitlocker/volume.h"

/*
 * A view of partition with keys; both are lent and must outlive it. Any offset and length will do,
 * whole sectors are fastest. Threads may read and write at once, also parts of one sector. -EINVAL
 * when the partition is smaller than the volume.
 */
int bitlocker_view_new(const struct bitlocker_keys *keys, struct target *partition,
		       struct target **ret, struct err *e) _warn_unused_result_;

#endif
