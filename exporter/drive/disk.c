/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A real disk as the target: which one it is, and what its former life has left on it.
 *
 * The GUIDs of its partition table are made from the drive's recovery key id, which is random and on record:
 * so a disk that was begun is known by what stands on it, whatever its name is by now and whether or not it
 * has a serial number.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "exporter/block/target_slice.h"
#include "exporter/drive/drive_impl.h"

#define EDGE_BYTES MiB

void drive_partition_guids(const struct shipping_drive *row, struct gpt_partition *ret)
{
	uint8_t space[GUID_BYTES];

	if (!row->recovery_key_id || guid_parse(row->recovery_key_id, space) < 0) {
		guid_random(ret->guid);
		guid_random(ret->disk_guid);
		return;
	}
	guid_of_name(space, "seedship disk", ret->disk_guid);
	guid_of_name(space, "seedship partition", ret->guid);
}

/* Whether the partition table of this drive stands on the disk. */
static bool has_our_table(struct target *disk, const struct shipping_drive *row)
{
	struct gpt_partition ours = {0}, found;

	drive_partition_guids(row, &ours);
	return gpt_read(disk, &found, NULL) == 0 &&
	       memcmp(found.disk_guid, ours.disk_guid, GUID_BYTES) == 0;
}

static int check_disk(struct target *disk, const struct shipping_drive *row, struct err *e)
{
	int r = 0;

	if (disk->size_bytes != row->size_bytes)
		r = err_user(e, "drive %s was begun on a disk of %ju bytes, '%s' has %ju",
			     row->drive_id, (uintmax_t)row->size_bytes, disk->name,
			     (uintmax_t)disk->size_bytes);
	else if (row->phase >= SHIPPING_STREAMING && !has_our_table(disk, row))
		r = err_user(e, "'%s' is not the disk that drive %s was begun on", disk->name,
			     row->drive_id);
	return r < 0 ? err_hint(e, r,
				"find the disk that was begun; to begin one anew, give it to a new "
				"job or, if it has no serial number of its own, another --serial")
		     : 0;
}

int drive_recognise(const struct drive_request *request, bool serial_is_sure, bool *ret,
		    struct err *e)
{
	_cleanup_(shipping_drive_done) struct shipping_drive row = {0};
	int r = shipping_drive_get(request->shipping, request->job->id, request->serial, &row,
				   NULL);

	*ret = false;
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return shipping_drive_get(request->shipping, request->job->id, request->serial,
					  &row, e);
	r = check_disk(request->disk, &row, e);
	if (r == 0)
		*ret = row.phase >= SHIPPING_STREAMING || serial_is_sure ||
		       has_our_table(request->disk, &row);
	return r;
}

int drive_open_disk(struct drive *d, struct err *e)
{
	int r = check_disk(d->request->disk, &d->row, e);

	return r < 0 ? r
		     : target_slice_new(d->request->disk, 0, d->request->disk->size_bytes, &d->disk,
					e);
}

int drive_follow_disk(struct drive *d, struct err *e)
{
	char *target;

	if (strcmp(d->row.target, d->request->target) == 0)
		return 0;
	target = strdup(d->request->target);
	if (!target)
		return err_oom(e);
	free(d->row.target);
	d->row.target = target;
	return shipping_drive_update(d->request->shipping, &d->row, e);
}

int drive_wipe_edges(struct drive *d, struct err *e)
{
	_cleanup_free_ void *zeros = calloc(1, EDGE_BYTES);
	size_t len_bytes = (size_t)MIN(EDGE_BYTES, d->partition->size_bytes);
	int r = zeros ? target_pwrite(d->partition, zeros, len_bytes, 0, e) : err_oom(e);

	return r < 0 ? r
		     : target_pwrite(d->partition, zeros, len_bytes,
				     d->partition->size_bytes - len_bytes, e);
}
