/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes: content in whole clusters, what NTFS and BitLocker take, what the partition table takes. */
#include "exporter/drive/fit.h"

#include "common/base/macros.h"
#include "exporter/drive/drive_impl.h"

#define CLUSTER_MIN_BYTES 4096
#define TABLE_BYTES	  (2 * MiB) /* GPT before and behind, with the rounding to whole MiB */

uint32_t fit_cluster_bytes(uint64_t volume_bytes)
{
	uint32_t cluster_bytes = CLUSTER_MIN_BYTES;

	while (volume_bytes / cluster_bytes >= UINT32_MAX && cluster_bytes < 64 * KiB)
		cluster_bytes *= 2;
	return cluster_bytes;
}

bool fit_fits(const struct fit_load *load, const struct ntfs_geometry *volume)
{
	uint64_t manifest = round_up_u64(load->manifest_bytes, volume->cluster_bytes);
	uint64_t room = volume->volume_bytes;

	if (load->content_bytes > room || manifest > room - load->content_bytes)
		return false;
	return ntfs_image_overhead(volume, &load->tree) <= room - load->content_bytes - manifest;
}

uint64_t fit_needed_bytes(const struct fit_load *load, uint32_t cluster_bytes)
{
	uint64_t volume = 0, want;

	/* What NTFS takes grows slowly with the volume, so this settles after a few rounds. */
	for (want = MAX(load->content_bytes, NTFS_VOLUME_MIN_BYTES); want > volume;) {
		struct ntfs_geometry g = {.sector_bytes = DRIVE_SECTOR_BYTES};
		uint64_t padding;

		volume = round_up_u64(want, MiB);
		g.volume_bytes = volume;
		g.cluster_bytes = fit_cluster_bytes(volume);
		/* Larger clusters: each file may take one more, less one of the old ones. */
		padding = g.cluster_bytes > cluster_bytes
				  ? load->tree.n_files * (g.cluster_bytes - cluster_bytes)
				  : 0;
		want = load->content_bytes + padding +
		       round_up_u64(load->manifest_bytes, g.cluster_bytes) +
		       ntfs_image_overhead(&g, &load->tree);
	}
	return volume + TABLE_BYTES;
}
