/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The partition table on a disk: where things lie, and in which order they are read and written. */
#include "exporter/block/gpt.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "exporter/block/gpt_layout.h"

#define SECTOR_MAX_BYTES 4096

static int check_sector_bytes(uint32_t sector_bytes, struct err *e)
{
	if (sector_bytes != 512 && sector_bytes != SECTOR_MAX_BYTES)
		return err_user(e, "sectors of %" PRIu32 " bytes are not supported", sector_bytes);
	return 0;
}

int gpt_plan(uint64_t disk_bytes, uint32_t sector_bytes, struct gpt_partition *ret, struct err *e)
{
	uint64_t end_bytes;
	int r = check_sector_bytes(sector_bytes, e);

	if (r < 0)
		return r;
	if (disk_bytes < 3 * GPT_ALIGN_BYTES)
		return err_user(e, "a disk of %" PRIu64 " bytes is too small to be partitioned",
				disk_bytes);
	end_bytes = disk_bytes / sector_bytes * sector_bytes - GPT_ENTRIES_BYTES - sector_bytes;
	*ret = (struct gpt_partition){
		.off_bytes = GPT_ALIGN_BYTES,
		.size_bytes = round_down_u64(end_bytes, GPT_ALIGN_BYTES) - GPT_ALIGN_BYTES,
	};
	return 0;
}

static struct gpt_disk geometry_of(const struct target *disk)
{
	return (struct gpt_disk){
		.sectors = disk->size_bytes / disk->sector_bytes,
		.sector_bytes = disk->sector_bytes,
	};
}

/*
 * The caller's partition must be the planned one: everything around it is going to be overwritten.
 */
static int check_planned(const struct target *disk, const struct gpt_partition *data, struct err *e)
{
	struct gpt_partition plan = {0};
	int r = gpt_plan(disk->size_bytes, disk->sector_bytes, &plan, e);

	if (r < 0)
		return r;
	if (data->off_bytes != plan.off_bytes || data->size_bytes != plan.size_bytes)
		return err_set(e, EINVAL,
			       "partition of %" PRIu64 " bytes at %" PRIu64 " was not planned",
			       data->size_bytes, data->off_bytes);
	return 0;
}

int gpt_write(struct target *disk, const struct gpt_partition *data, struct err *e)
{
	_cleanup_free_ uint8_t *head = NULL, *tail = NULL;
	struct gpt_disk geometry = geometry_of(disk);
	uint64_t end_bytes = data->off_bytes + data->size_bytes;
	size_t tail_bytes;
	int r = check_planned(disk, data, e);

	if (r < 0)
		return err_wrap(e, r, "%s: write partition table", disk->name);
	tail_bytes = (size_t)(geometry.sectors * geometry.sector_bytes - end_bytes);
	head = calloc(1, GPT_ALIGN_BYTES);
	tail = calloc(1, tail_bytes);
	if (!head || !tail)
		return err_oom(e);
	gpt_encode(&geometry, data, head, tail, tail_bytes);
	r = target_pwrite(disk, tail, tail_bytes, end_bytes, e);
	if (r == 0)
		r = target_pwrite(disk, head, GPT_ALIGN_BYTES, 0, e);
	if (r == 0)
		r = target_flush(disk, e);
	return r < 0 ? err_wrap(e, r, "write partition table") : 0;
}

/* One of the two copies: the header at my_lba and the entries it names. */
static int read_copy(struct target *disk, uint64_t my_lba, struct gpt_partition *ret, struct err *e)
{
	struct gpt_disk geometry = geometry_of(disk);
	_cleanup_free_ uint8_t *entries = NULL;
	struct gpt_header header;
	uint8_t sector[SECTOR_MAX_BYTES];
	size_t entries_bytes;
	int r;

	r = target_pread(disk, sector, disk->sector_bytes, my_lba * disk->sector_bytes, e);
	if (r == 0)
		r = gpt_decode_header(&geometry, sector, my_lba, &header, e);
	if (r < 0)
		return r;
	entries_bytes = (size_t)header.entry_count * header.entry_bytes;
	entries = malloc(entries_bytes);
	if (!entries)
		return err_oom(e);
	r = target_pread(disk, entries, entries_bytes, header.entries_lba * disk->sector_bytes, e);
	return r < 0 ? r : gpt_decode_entries(&geometry, &header, entries, ret, e);
}

static int read_either_copy(struct target *disk, struct gpt_partition *ret, struct err *e)
{
	int r = read_copy(disk, GPT_PRIMARY_LBA, ret, e);

	if (r == 0 || r == -ENOMEM)
		return r;
	if (read_copy(disk, disk->size_bytes / disk->sector_bytes - 1, ret, NULL) < 0)
		return r; /* the primary's story is the one to tell */
	ret->primary_damaged = true;
	return 0;
}

int gpt_read(struct target *disk, struct gpt_partition *ret, struct err *e)
{
	struct gpt_partition found;
	uint8_t sector[SECTOR_MAX_BYTES];
	int r = check_sector_bytes(disk->sector_bytes, e);

	if (r == 0 && disk->size_bytes / disk->sector_bytes < 3)
		r = err_set(e, EBADMSG, "the disk is too small for a partition table");
	if (r == 0)
		r = target_pread(disk, sector, disk->sector_bytes, 0, e);
	if (r == 0)
		r = gpt_decode_mbr(sector, e);
	if (r == 0)
		r = read_either_copy(disk, &found, e);
	if (r < 0)
		return err_wrap(e, r, "%s: partition table", disk->name);
	*ret = found;
	return 0;
}
