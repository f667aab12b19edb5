/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The volume header, byte for byte as Windows writes it except for its boot code and messages. */
#include "exporter/bitlocker/header.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/le.h"
#include "common/ext/guid.h"

static const uint8_t jump[] = {0xeb, 0x58, 0x90};
static const uint8_t guid_normal[GUID_BYTES] = FVE_GUID_NORMAL;
static const uint8_t guid_converting[GUID_BYTES] = FVE_GUID_CONVERTING;

/* cli; hlt; jump back to hlt: nobody boots from a data volume. */
static const uint8_t boot_code[] = {0xfa, 0xf4, 0xeb, 0xfc};

static bool sizes_fit(uint32_t sector_bytes, uint32_t sectors_per_cluster)
{
	return (sector_bytes == 512 || sector_bytes == 4096) && sectors_per_cluster >= 1 &&
	       sectors_per_cluster <= 128 && (sectors_per_cluster & (sectors_per_cluster - 1)) == 0;
}

/* The disguise of a FAT32 boot sector. */
static void encode_fat(const struct volume_header *h, uint8_t *p)
{
	memcpy(p + FVE_HEADER_OFF_JUMP, jump, sizeof(jump));
	memcpy(p + FVE_HEADER_OFF_SIGNATURE, FVE_SIGNATURE, FVE_SIGNATURE_BYTES);
	le16_store(p + FVE_HEADER_OFF_SECTOR_BYTES, (uint16_t)h->sector_bytes);
	p[FVE_HEADER_OFF_SECTORS_PER_CLUSTER] = (uint8_t)h->sectors_per_cluster;
	p[FVE_HEADER_OFF_MEDIA] = FVE_HEADER_MEDIA;
	le16_store(p + FVE_HEADER_OFF_SECTORS_PER_TRACK, FVE_HEADER_SECTORS_PER_TRACK);
	le16_store(p + FVE_HEADER_OFF_HEADS, FVE_HEADER_HEADS);
	le32_store(p + FVE_HEADER_OFF_HIDDEN_SECTORS, (uint32_t)h->hidden_sectors);
	le32_store(p + FVE_HEADER_OFF_SECTORS_PER_FAT, FVE_HEADER_SECTORS_PER_FAT);
	le16_store(p + FVE_HEADER_OFF_FSINFO_SECTOR, FVE_HEADER_FSINFO_SECTOR);
	le16_store(p + FVE_HEADER_OFF_BACKUP_SECTOR, FVE_HEADER_BACKUP_SECTOR);
	p[FVE_HEADER_OFF_DRIVE_NUMBER] = FVE_HEADER_DRIVE_NUMBER;
	p[FVE_HEADER_OFF_EXT_BOOT_SIGNATURE] = FVE_HEADER_EXT_BOOT_SIGNATURE;
	memcpy(p + FVE_HEADER_OFF_LABEL, FVE_HEADER_LABEL, sizeof(FVE_HEADER_LABEL) - 1);
	memcpy(p + FVE_HEADER_OFF_FS_NAME, FVE_HEADER_FS_NAME, sizeof(FVE_HEADER_FS_NAME) - 1);
	le16_store(p + FVE_HEADER_OFF_BOOT_SIGNATURE, FVE_HEADER_BOOT_SIGNATURE);
}

int volume_header_encode(const struct volume_header *h, uint8_t ret[FVE_HEADER_BYTES],
			 struct err *e)
{
	if (!sizes_fit(h->sector_bytes, h->sectors_per_cluster) || h->hidden_sectors > UINT32_MAX)
		return err_set(e, EINVAL,
			       "no volume header for %" PRIu32 " sectors of %" PRIu32
			       " bytes a cluster from sector %" PRIu64,
			       h->sectors_per_cluster, h->sector_bytes, h->hidden_sectors);
	memset(ret, 0, FVE_HEADER_BYTES);
	encode_fat(h, ret);
	memcpy(ret + FVE_HEADER_OFF_BOOT_CODE, boot_code, sizeof(boot_code));
	memcpy(ret + FVE_HEADER_OFF_GUID, guid_normal, GUID_BYTES);
	for (size_t i = 0; i < FVE_COPIES; i++)
		le64_store(ret + FVE_HEADER_OFF_METADATA + 8 * i, h->meta_off_bytes[i]);
	/*
	 * Not zero: an all-zero MBR partition table in the boot sector would look valid to a probe.
	 */
	memset(ret + FVE_HEADER_OFF_FILLER_78, 0x78, FVE_HEADER_FILLER_78_BYTES);
	memset(ret + FVE_HEADER_OFF_FILLER_FF, 0xff, FVE_HEADER_FILLER_FF_BYTES);
	return 0;
}

static int check_guid(const uint8_t *guid, struct err *e)
{
	if (memcmp(guid, guid_converting, GUID_BYTES) == 0)
		return err_set(e, EBADMSG, "the volume's encryption is not finished");
	if (memcmp(guid, guid_normal, GUID_BYTES) != 0)
		return err_set(e, EBADMSG, "the volume header is damaged, or of an unknown kind");
	return 0;
}

int volume_header_decode(const uint8_t sector[FVE_HEADER_BYTES], struct volume_header *ret,
			 struct err *e)
{
	uint32_t sector_bytes = le16_load(sector + FVE_HEADER_OFF_SECTOR_BYTES);
	uint32_t sectors_per_cluster = sector[FVE_HEADER_OFF_SECTORS_PER_CLUSTER];
	int r;

	if (memcmp(sector + FVE_HEADER_OFF_JUMP, jump, sizeof(jump)) != 0 ||
	    memcmp(sector + FVE_HEADER_OFF_SIGNATURE, FVE_SIGNATURE, FVE_SIGNATURE_BYTES) != 0)
		return err_set(e, EBADMSG, "not a BitLocker volume");
	r = check_guid(sector + FVE_HEADER_OFF_GUID, e);
	if (r < 0)
		return r;
	if (!sizes_fit(sector_bytes, sectors_per_cluster))
		return err_set(e, EBADMSG,
			       "the volume header says sectors of %" PRIu32 " bytes, %" PRIu32
			       " a cluster",
			       sector_bytes, sectors_per_cluster);
	ret->sector_bytes = sector_bytes;
	ret->sectors_per_cluster = sectors_per_cluster;
	ret->hidden_sectors = le32_load(sector + FVE_HEADER_OFF_HIDDEN_SECTORS);
	for (size_t i = 0; i < FVE_COPIES; i++)
		ret->meta_off_bytes[i] = le64_load(sector + FVE_HEADER_OFF_METADATA + 8 * i);
	return 0;
}
