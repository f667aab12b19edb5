/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The volume header: the one plaintext sector of a BitLocker volume, by which everybody recognises
 * it.
 */
#ifndef SEEDSHIP_BITLOCKER_HEADER_H
#define SEEDSHIP_BITLOCKER_HEADER_H

#include <stdint.h>

#include "common/base/err.h"
#include "exporter/bitlocker/layout.h"

struct volume_header {
	uint32_t sector_bytes;	      /* 512 or 4096, as in the NTFS boot sector */
	uint32_t sectors_per_cluster; /* 1 to 128, a power of two; likewise */
	uint64_t hidden_sectors;      /* the partition's first LBA; at most UINT32_MAX */
	uint64_t meta_off_bytes[FVE_COPIES];
};

/* -EINVAL when a value has no place in the format. */
int volume_header_encode(const struct volume_header *h, uint8_t ret[FVE_HEADER_BYTES],
			 struct err *e) _warn_unused_result_;

/* -EBADMSG: not the header of a finished BitLocker volume. What the offsets mean is not checked. */
int volume_header_decode(const uint8_t sector[FVE_HEADER_BYTES], struct volume_header *ret,
			 struct err *e) _warn_unused_result_;

#endif
