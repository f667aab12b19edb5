/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The GUID partition table of a foreign disk, checked before anything of it is believed. */
#include <inttypes.h>
#include <string.h>

#include "common/base/le.h"
#include "common/ext/digest.h"
#include "exporter/block/gpt_layout.h"

int gpt_decode_mbr(const uint8_t *sector, struct err *e)
{
	if (le16_load(sector + MBR_OFF_SIGNATURE) != MBR_SIGNATURE)
		return err_set(e, EBADMSG, "the disk has no partition table");
	for (size_t i = 0; i < MBR_ENTRIES; i++) {
		const uint8_t *entry = sector + MBR_OFF_ENTRY + i * MBR_ENTRY_BYTES;

		if (entry[MBR_ENTRY_OFF_TYPE] == MBR_TYPE_PROTECTIVE)
			return 0;
	}
	return err_set(e, EBADMSG,
		       "the disk has an MBR partition table, not a GUID partition table");
}

static int check_header_crc(const uint8_t *sector, uint32_t sector_bytes, struct err *e)
{
	uint32_t header_bytes = le32_load(sector + GPT_OFF_HEADER_BYTES);
	uint8_t copy[4096];

	if (header_bytes < GPT_HEADER_BYTES || header_bytes > MIN(sector_bytes, sizeof(copy)))
		return err_set(e, EBADMSG, "header of %" PRIu32 " bytes", header_bytes);
	memcpy(copy, sector, header_bytes);
	le32_store(copy + GPT_OFF_HEADER_CRC, 0);
	if (crc32_of(copy, header_bytes) != le32_load(sector + GPT_OFF_HEADER_CRC))
		return err_set(e, EBADMSG, "header checksum differs");
	return 0;
}

static int check_header_bounds(const struct gpt_disk *disk, const struct gpt_header *h,
			       struct err *e)
{
	uint64_t entries_sectors;

	if (h->entry_count == 0 || h->entry_count > GPT_MAX_ENTRY_COUNT ||
	    h->entry_bytes < GPT_ENTRY_BYTES || h->entry_bytes > GPT_MAX_ENTRY_BYTES ||
	    h->entry_bytes % GPT_ENTRY_BYTES)
		return err_set(e, EBADMSG, "%" PRIu32 " entries of %" PRIu32 " bytes",
			       h->entry_count, h->entry_bytes);
	if (h->first_usable_lba > h->last_usable_lba || h->last_usable_lba >= disk->sectors)
		return err_set(e, EBADMSG, "usable sectors %" PRIu64 " to %" PRIu64 " of %" PRIu64,
			       h->first_usable_lba, h->last_usable_lba, disk->sectors);
	entries_sectors =
		round_up_u64((uint64_t)h->entry_count * h->entry_bytes, disk->sector_bytes) /
		disk->sector_bytes;
	if (h->entries_lba <= GPT_PRIMARY_LBA || h->entries_lba >= disk->sectors ||
	    entries_sectors > disk->sectors - h->entries_lba)
		return err_set(e, EBADMSG, "entries at sector %" PRIu64 " of %" PRIu64,
			       h->entries_lba, disk->sectors);
	return 0;
}

int gpt_decode_header(const struct gpt_disk *disk, const uint8_t *sector, uint64_t my_lba,
		      struct gpt_header *ret, struct err *e)
{
	struct gpt_header h;
	int r;

	if (le64_load(sector) != GPT_SIGNATURE)
		return err_set(e, EBADMSG, "signature missing");
	if (le32_load(sector + GPT_OFF_REVISION) != GPT_REVISION_1)
		return err_set(e, EBADMSG, "unknown revision");
	r = check_header_crc(sector, disk->sector_bytes, e);
	if (r < 0)
		return r;
	if (le64_load(sector + GPT_OFF_MY_LBA) != my_lba)
		return err_set(e, EBADMSG, "header belongs to another place");
	h.first_usable_lba = le64_load(sector + GPT_OFF_FIRST_USABLE_LBA);
	h.last_usable_lba = le64_load(sector + GPT_OFF_LAST_USABLE_LBA);
	h.entries_lba = le64_load(sector + GPT_OFF_ENTRIES_LBA);
	h.entry_count = le32_load(sector + GPT_OFF_ENTRY_COUNT);
	h.entry_bytes = le32_load(sector + GPT_OFF_ENTRY_BYTES);
	h.entries_crc = le32_load(sector + GPT_OFF_ENTRIES_CRC);
	memcpy(h.disk_guid, sector + GPT_OFF_DISK_GUID, GUID_BYTES);
	r = check_header_bounds(disk, &h, e);
	if (r < 0)
		return r;
	*ret = h;
	return 0;
}

static int decode_partition(const struct gpt_disk *disk, const struct gpt_header *h,
			    const uint8_t *entry, struct gpt_partition *ret, struct err *e)
{
	uint64_t first = le64_load(entry + GPT_ENTRY_OFF_FIRST_LBA);
	uint64_t last = le64_load(entry + GPT_ENTRY_OFF_LAST_LBA);

	if (first < h->first_usable_lba || last < first || last > h->last_usable_lba)
		return err_set(e, EBADMSG, "partition from sector %" PRIu64 " to %" PRIu64, first,
			       last);
	*ret = (struct gpt_partition){
		.off_bytes = first * disk->sector_bytes,
		.size_bytes = (last - first + 1) * disk->sector_bytes,
	};
	memcpy(ret->guid, entry + GPT_ENTRY_OFF_GUID, GUID_BYTES);
	memcpy(ret->disk_guid, h->disk_guid, GUID_BYTES);
	return 0;
}

int gpt_decode_entries(const struct gpt_disk *disk, const struct gpt_header *h,
		       const uint8_t *entries, struct gpt_partition *ret, struct err *e)
{
	static const uint8_t type[GUID_BYTES] = GPT_BASIC_DATA_TYPE;

	if (crc32_of(entries, (size_t)h->entry_count * h->entry_bytes) != h->entries_crc)
		return err_set(e, EBADMSG, "checksum of the entries differs");
	for (size_t i = 0; i < h->entry_count; i++) {
		const uint8_t *entry = entries + i * h->entry_bytes;

		if (memcmp(entry + GPT_ENTRY_OFF_TYPE, type, GUID_BYTES) == 0)
			return decode_partition(disk, h, entry, ret, e);
	}
	return err_set(e, EBADMSG, "no data partition");
}
