/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Protective MBR and both copies of the GUID partition table, as bytes. */
#include <string.h>

#include "common/base/le.h"
#include "common/ext/digest.h"
#include "exporter/block/gpt_layout.h"

static void encode_mbr(const struct gpt_disk *disk, uint8_t *sector)
{
	static const uint8_t first_chs[] = {0x00, 0x02, 0x00}, last_chs[] = {0xff, 0xff, 0xff};
	uint8_t *entry = sector + MBR_OFF_ENTRY;

	memcpy(entry + MBR_ENTRY_OFF_FIRST_CHS, first_chs, sizeof(first_chs));
	entry[MBR_ENTRY_OFF_TYPE] = MBR_TYPE_PROTECTIVE;
	memcpy(entry + MBR_ENTRY_OFF_LAST_CHS, last_chs, sizeof(last_chs));
	le32_store(entry + MBR_ENTRY_OFF_FIRST_LBA, 1);
	le32_store(entry + MBR_ENTRY_OFF_SECTORS, (uint32_t)MIN(disk->sectors - 1, UINT32_MAX));
	le16_store(sector + MBR_OFF_SIGNATURE, MBR_SIGNATURE);
}

static void encode_entry(const struct gpt_disk *disk, const struct gpt_partition *data,
			 uint8_t *entry)
{
	static const uint8_t type[GUID_BYTES] = GPT_BASIC_DATA_TYPE;
	static const char name[] = GPT_BASIC_DATA_NAME;
	uint64_t first_lba = data->off_bytes / disk->sector_bytes;

	memcpy(entry + GPT_ENTRY_OFF_TYPE, type, GUID_BYTES);
	memcpy(entry + GPT_ENTRY_OFF_GUID, data->guid, GUID_BYTES);
	le64_store(entry + GPT_ENTRY_OFF_FIRST_LBA, first_lba);
	le64_store(entry + GPT_ENTRY_OFF_LAST_LBA,
		   first_lba + data->size_bytes / disk->sector_bytes - 1);
	for (size_t i = 0; i + 1 < sizeof(name); i++)
		le16_store(entry + GPT_ENTRY_OFF_NAME + 2 * i, (uint8_t)name[i]);
}

static void encode_header(const struct gpt_disk *disk, const struct gpt_partition *data,
			  const uint8_t *entries, bool backup, uint8_t *header)
{
	uint64_t entries_sectors = GPT_ENTRIES_BYTES / disk->sector_bytes;
	uint64_t last_lba = disk->sectors - 1;

	le64_store(header, GPT_SIGNATURE);
	le32_store(header + GPT_OFF_REVISION, GPT_REVISION_1);
	le32_store(header + GPT_OFF_HEADER_BYTES, GPT_HEADER_BYTES);
	le64_store(header + GPT_OFF_MY_LBA, backup ? last_lba : GPT_PRIMARY_LBA);
	le64_store(header + GPT_OFF_OTHER_LBA, backup ? GPT_PRIMARY_LBA : last_lba);
	le64_store(header + GPT_OFF_FIRST_USABLE_LBA, GPT_PRIMARY_LBA + 1 + entries_sectors);
	le64_store(header + GPT_OFF_LAST_USABLE_LBA, last_lba - entries_sectors - 1);
	memcpy(header + GPT_OFF_DISK_GUID, data->disk_guid, GUID_BYTES);
	le64_store(header + GPT_OFF_ENTRIES_LBA,
		   backup ? last_lba - entries_sectors : GPT_PRIMARY_LBA + 1);
	le32_store(header + GPT_OFF_ENTRY_COUNT, GPT_ENTRY_COUNT);
	le32_store(header + GPT_OFF_ENTRY_BYTES, GPT_ENTRY_BYTES);
	le32_store(header + GPT_OFF_ENTRIES_CRC, crc32_of(entries, GPT_ENTRIES_BYTES));
	le32_store(header + GPT_OFF_HEADER_CRC, crc32_of(header, GPT_HEADER_BYTES));
}

void gpt_encode(const struct gpt_disk *disk, const struct gpt_partition *data, uint8_t *head,
		uint8_t *tail, size_t tail_bytes)
{
	uint8_t *primary = head + disk->sector_bytes;
	uint8_t *entries = primary + disk->sector_bytes;
	uint8_t *backup = tail + tail_bytes - disk->sector_bytes;
	uint8_t *backup_entries = backup - GPT_ENTRIES_BYTES;

	encode_mbr(disk, head);
	encode_entry(disk, data, entries);
	encode_header(disk, data, entries, false, primary);
	memcpy(backup_entries, entries, GPT_ENTRIES_BYTES);
	encode_header(disk, data, backup_entries, true, backup);
}
