/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where things lie in a BitLocker volume, and so where a byte of the volume's plaintext stands on
 * the partition. Pure numbers; safe for values read from a hostile volume once geometry_check()
 * agrees.
 */
#ifndef SEEDSHIP_BITLOCKER_GEOMETRY_H
#define SEEDSHIP_BITLOCKER_GEOMETRY_H

#include <stdint.h>

#include "common/base/err.h"
#include "exporter/bitlocker/layout.h"

/* All offsets are from the partition's start. */
struct bitlocker_geometry {
	uint64_t volume_bytes;		     /* of the partition, the last sector included */
	uint32_t sector_bytes;		     /* unit of encryption: 512 or 4096 */
	uint64_t meta_off_bytes[FVE_COPIES]; /* FVE_METADATA_BYTES each */
	uint64_t vbb_off_bytes;		     /* FVE_VBB_BYTES: the plaintext's first bytes */
	uint64_t ice_off_bytes;		     /* FVE_ICE_BYTES; 0 = none (Windows 7) */
};

/*
 * -EBADMSG unless all areas are whole sectors, inside the volume, behind its first 8 KiB and apart.
 */
int geometry_check(const struct bitlocker_geometry *g, struct err *e) _warn_unused_result_;

/*
 * DATA stands encrypted at disk_off_bytes, which also is the offset that it is encrypted for. A HOLE
 * is metadata or VBB: its plaintext is zeros and never written.
 */
enum bitlocker_span_kind { BITLOCKER_SPAN_DATA, BITLOCKER_SPAN_HOLE };

struct bitlocker_span {
	enum bitlocker_span_kind kind;
	uint64_t disk_off_bytes; /* where on the partition */
	uint64_t len_bytes;
};

/*
 * The longest piece at the start of [off_bytes, off_bytes + len_bytes) of the plaintext that stands
 * in one piece on the partition: the first 8 KiB in the VBB, everything else in its own place. The
 * range must lie in the volume and have a length.
 */
struct bitlocker_span bitlocker_map(const struct bitlocker_geometry *g, uint64_t off_bytes,
				    uint64_t len_bytes);

#endif
