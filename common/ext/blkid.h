/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The face of libblkid: what superblocks and partition tables say of the bytes of a disk. It only
 * reads. Every signature is told, also those left from a former life that others would pass over:
 * who is about to overwrite a disk wants to know them all.
 */
#ifndef SEEDSHIP_EXT_BLKID_H
#define SEEDSHIP_EXT_BLKID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct signature {
	char type
		[32]; /* libblkid's word: "ext4", "ntfs", "BitLocker", "linux_raid_member", "gpt" */
	char label[64]; /* "" = none; any bytes, whoever formatted it chose them */
	bool table;	/* a partition table */
};

/*
 * The signatures in [off_bytes, off_bytes + len_bytes) of a disk or image that is open for reading,
 * room of them at most, in *ret_n. -EIO when it cannot be read. Blocks.
 */
int signature_list(int fd, uint64_t off_bytes, uint64_t len_bytes, struct signature *ret,
		   size_t room, size_t *ret_n, struct err *e) _warn_unused_result_;

struct signature_partition {
	uint64_t off_bytes, size_bytes; /* on the disk */
};

/*
 * The partitions of a whole disk of size_bytes, containers of logical ones left out. *ret_n = 0
 * when it has no partition table. Errors as above.
 */
int signature_partitions(int fd, uint64_t size_bytes, struct signature_partition *ret, size_t room,
			 size_t *ret_n, struct err *e) _warn_unused_result_;

#endif
