/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The partition table of a drive: a protective MBR and a GUID partition table with one basic-data
 * partition, which starts at 1 MiB (LBA 2048) and ends at the last whole MiB the backup table
 * leaves. Format: UEFI specification 2.10, chapter 5.
 */
#ifndef SEEDSHIP_BLOCK_GPT_H
#define SEEDSHIP_BLOCK_GPT_H

#include <stdbool.h>

#include "common/ext/guid.h"
#include "exporter/block/target.h"

struct gpt_partition {
	uint64_t off_bytes, size_bytes; /* on the disk */
	uint8_t guid[GUID_BYTES];
	uint8_t disk_guid[GUID_BYTES];
	bool primary_damaged; /* gpt_read() had to take the backup table */
};

/*
 * Where the data partition of a disk of disk_bytes will lie; its GUIDs are the caller's to fill in.
 * -EINVAL (user) when the disk is too small or its sectors are not of 512 or 4096 bytes.
 */
int gpt_plan(uint64_t disk_bytes, uint32_t sector_bytes, struct gpt_partition *ret, struct err *e)
	_warn_unused_result_;

/*
 * Writes the table of a planned partition and flushes. Every byte outside the partition is written,
 * so that no label of the disk's former life (RAID, LVM, another table) is left for anybody to
 * find.
 */
int gpt_write(struct target *disk, const struct gpt_partition *data, struct err *e)
	_warn_unused_result_;

/*
 * Finds the first basic-data partition. The disk may hold anything: signatures, checksums and
 * bounds are checked, and the backup table stands in for a damaged primary one. -EBADMSG: no sound
 * table or no such partition.
 */
int gpt_read(struct target *disk, struct gpt_partition *ret, struct err *e) _warn_unused_result_;

#endif
