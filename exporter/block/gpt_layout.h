/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GPT on disk: offsets and constants of the UEFI specification 2.10 (sections 5.2, 5.3) and the
 * pure codec.
 */
#ifndef SEEDSHIP_BLOCK_GPT_LAYOUT_H
#define SEEDSHIP_BLOCK_GPT_LAYOUT_H

#include "exporter/block/gpt.h"

/* 5.2.3: the protective MBR. */
#define MBR_OFF_ENTRY		0x1be
#define MBR_ENTRY_BYTES		16
#define MBR_ENTRIES		4
#define MBR_ENTRY_OFF_FIRST_CHS 1
#define MBR_ENTRY_OFF_TYPE	4
#define MBR_ENTRY_OFF_LAST_CHS	5
#define MBR_ENTRY_OFF_FIRST_LBA 8
#define MBR_ENTRY_OFF_SECTORS	12
#define MBR_OFF_SIGNATURE	0x1fe
#define MBR_SIGNATURE		0xaa55
#define MBR_TYPE_PROTECTIVE	0xee

/* 5.3.2: the header. */
#define GPT_SIGNATURE		 UINT64_C(0x5452415020494645) /* "EFI PART" */
#define GPT_OFF_REVISION	 8
#define GPT_OFF_HEADER_BYTES	 12
#define GPT_OFF_HEADER_CRC	 16
#define GPT_OFF_MY_LBA		 24
#define GPT_OFF_OTHER_LBA	 32
#define GPT_OFF_FIRST_USABLE_LBA 40
#define GPT_OFF_LAST_USABLE_LBA	 48
#define GPT_OFF_DISK_GUID	 56
#define GPT_OFF_ENTRIES_LBA	 72
#define GPT_OFF_ENTRY_COUNT	 80
#define GPT_OFF_ENTRY_BYTES	 84
#define GPT_OFF_ENTRIES_CRC	 88
#define GPT_HEADER_BYTES	 92
#define GPT_REVISION_1		 0x00010000
#define GPT_PRIMARY_LBA		 1

/* 5.3.3: the entries. */
#define GPT_ENTRY_OFF_TYPE	 0
#define GPT_ENTRY_OFF_GUID	 16
#define GPT_ENTRY_OFF_FIRST_LBA	 32
#define GPT_ENTRY_OFF_LAST_LBA	 40
#define GPT_ENTRY_OFF_ATTRIBUTES 48
#define GPT_ENTRY_OFF_NAME	 56
#define GPT_ENTRY_BYTES		 128
#define GPT_ENTRY_COUNT		 128
#define GPT_ENTRIES_BYTES	 (GPT_ENTRY_BYTES * GPT_ENTRY_COUNT)

/* ebd0a0a2-b9e5-4433-87c0-68b6b72699c7, as Windows calls it; the stored form. */
#define GPT_BASIC_DATA_NAME "Basic data partition"
#define GPT_BASIC_DATA_TYPE                                                                   \
	{                                                                                     \
		0xa2, 0xa0, 0xd0, 0xeb, 0xe5, 0xb9, 0x33, 0x44, 0x87, 0xc0, 0x68, 0xb6, 0xb7, \
			0x26, 0x99, 0xc7                                                      \
	}

#define GPT_ALIGN_BYTES MiB

/* What a hostile table may ask us to read at most. */
#define GPT_MAX_ENTRY_COUNT 1024
#define GPT_MAX_ENTRY_BYTES 1024

/* The disk that a table describes. */
struct gpt_disk {
	uint64_t sectors;
	uint32_t sector_bytes;
};

struct gpt_header {
	uint64_t first_usable_lba, last_usable_lba, entries_lba;
	uint32_t entry_count, entry_bytes, entries_crc;
	uint8_t disk_guid[GUID_BYTES];
};

/*
 * head: the disk's bytes in front of the partition, GPT_ALIGN_BYTES of them; tail: all bytes behind
 * it. Both come zeroed.
 */
void gpt_encode(const struct gpt_disk *disk, const struct gpt_partition *data, uint8_t *head,
		uint8_t *tail, size_t tail_bytes);

/* sector 0: -EBADMSG when it is no protective MBR. */
int gpt_decode_mbr(const uint8_t *sector, struct err *e) _warn_unused_result_;

/* The header that was read at my_lba. -EBADMSG. */
int gpt_decode_header(const struct gpt_disk *disk, const uint8_t *sector, uint64_t my_lba,
		      struct gpt_header *ret, struct err *e) _warn_unused_result_;

/* The entries that header asks for; the first basic-data partition among them. -EBADMSG. */
int gpt_decode_entries(const struct gpt_disk *disk, const struct gpt_header *header,
		       const uint8_t *entries, struct gpt_partition *ret, struct err *e)
	_warn_unused_result_;

#endif
