/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The volume of a drive that is being laid out: NTFS image, BitLocker's places, keys and metadata. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "exporter/block/target_file.h"
#include "exporter/drive/fit.h"
#include "exporter/drive/layout_impl.h"

int layout_create_image(struct layout *l, struct err *e)
{
	struct ntfs_image_params params = {
		.path = l->row.layout_path,
		.volume_bytes = l->row.partition_bytes,
		.sector_bytes = DRIVE_SECTOR_BYTES,
		.cluster_bytes = l->row.cluster_bytes,
		.hidden_sectors = l->row.partition_start_bytes / DRIVE_SECTOR_BYTES,
		.label = "Seedship",
		.now_ns = l->now_ns,
		.tree = share_totals(l->share)->load.tree,
	};
	struct ntfs_fve_places places;
	int r;

	/* One that is there without a row is left from a lay-out that was cut off. */
	if (unlink(l->row.layout_path) < 0 && errno != ENOENT)
		return err_sys(e, "removing '%s'", l->row.layout_path);
	r = ntfs_image_create(&params, &l->image, e);
	if (r == 0)
		r = ntfs_image_place_fve(l->image, &places, e);
	if (r < 0)
		return r;
	for (int i = 0; i < SHIPPING_FVE_COPIES; i++)
		l->row.fve_meta_off_bytes[i] = places.meta_off_bytes[i];
	l->row.fve_vbb_off_bytes = places.vbb_off_bytes;
	l->row.fve_ice_off_bytes = places.ice_off_bytes;
	return 0;
}

static void row_to_params(const struct shipping_drive *row, struct bitlocker_params *ret)
{
	ret->geometry = (struct bitlocker_geometry){
		.volume_bytes = row->partition_bytes,
		.sector_bytes = DRIVE_SECTOR_BYTES,
		.vbb_off_bytes = row->fve_vbb_off_bytes,
		.ice_off_bytes = row->fve_ice_off_bytes,
	};
	for (int i = 0; i < SHIPPING_FVE_COPIES; i++)
		ret->geometry.meta_off_bytes[i] = row->fve_meta_off_bytes[i];
	ret->sectors_per_cluster = row->cluster_bytes / DRIVE_SECTOR_BYTES;
	ret->hidden_sectors = row->partition_start_bytes / DRIVE_SECTOR_BYTES;
}

int layout_create_keys(struct layout *l, struct err *e)
{
	char host[64] = "", date[32];
	int r;

	if (gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '\0';
	(void)format_time_utc(l->now_ns, date, sizeof(date));
	(void)snprintf(l->description, sizeof(l->description), "%s %s %.10s", host,
		       l->request->job->name, date);
	row_to_params(&l->row, &l->params);
	l->params.cipher = l->request->cipher;
	l->params.now_filetime = filetime_of_unix_ns(l->now_ns);
	l->params.description = l->description;
	r = bitlocker_create(&l->params, &l->volume, e);
	if (r < 0)
		return r;
	l->row.recovery_key_id = strdup(bitlocker_keys_info(l->volume.keys)->recovery_key_id);
	return l->row.recovery_key_id ? 0 : err_oom(e);
}

/* The metadata block is kept in the image, at the place where the drive will have it. */
int layout_keep_metadata(struct layout *l, struct err *e)
{
	_cleanup_(target_closep) struct target *image = NULL;
	int r = target_file_open(l->row.layout_path, true, &image, e);

	if (r == 0)
		r = target_pwrite(image, l->volume.metadata, FVE_METADATA_BYTES,
				  l->row.fve_meta_off_bytes[0], e);
	return r < 0 ? r : target_flush(image, e);
}
