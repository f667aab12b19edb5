/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes: content in whole clusters, what NTFS and BitLocker take, what the partition table takes. */
#include "exporter/drive/fit.h"

#include "common/base/macros.h"
#include "exporter/drive/drive_impl.h"

#define CLUSTER_MIN_BYTES   4096
#define MANIFEST_NAME_UNITS 17	      /* DriveManifest.xml */
#define TABLE_BYTES	    (2 * MiB) /* GPT before and behind, with the rounding to whole MiB */

uint32_t fit_cluster_bytes(uint64_t volume_bytes)
{
	uint32_t cluster_bytes = CLUSTER_MIN_BYTES;

	while (volume_bytes / cluster_bytes >= UINT32_MAX && cluster_bytes < 64 * KiB)
		cluster_bytes *= 2;
	return cluster_bytes;
}

struct ntfs_tree_size fit_tree(const struct plan *plan)
{
	const struct plan_totals *t = plan_totals(plan);

	return (struct ntfs_tree_size){
		.n_files = t->files - t->links + 1,
		.n_dirs = t->dirs,
		.n_links = t->links,
		.name_units = t->drive_name_units + MANIFEST_NAME_UNITS,
	};
}

static uint64_t content_bytes(const struct plan *plan, uint64_t manifest_bytes,
			      uint32_t cluster_bytes)
{
	uint64_t total = round_up_u64(manifest_bytes, cluster_bytes);
	uint32_t n = plan_count(plan);

	for (uint32_t i = 0; i < n; i++) {
		struct placement p;

		plan_get(plan, i, &p);
		if (p.link_of == PLAN_NO_LINK)
			total += round_up_u64(p.size_bytes, cluster_bytes);
	}
	return total;
}

uint64_t fit_needed_bytes(const struct plan *plan, uint64_t manifest_bytes)
{
	struct ntfs_tree_size tree = fit_tree(plan);
	uint32_t cluster_bytes = CLUSTER_MIN_BYTES;
	uint64_t content = content_bytes(plan, manifest_bytes, cluster_bytes), volume = 0, want;

	/* What NTFS takes grows slowly with the volume, so this settles after a few rounds. */
	for (want = MAX(content, NTFS_VOLUME_MIN_BYTES); want > volume;) {
		struct ntfs_geometry g = {.sector_bytes = DRIVE_SECTOR_BYTES};

		volume = round_up_u64(want, MiB);
		if (fit_cluster_bytes(volume) != cluster_bytes) {
			cluster_bytes = fit_cluster_bytes(volume);
			content = content_bytes(plan, manifest_bytes, cluster_bytes);
		}
		g.volume_bytes = volume;
		g.cluster_bytes = cluster_bytes;
		want = content + ntfs_image_overhead(&g, &tree);
	}
	return volume + TABLE_BYTES;
}
