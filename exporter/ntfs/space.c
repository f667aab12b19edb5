/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much of a volume NTFS and BitLocker take for themselves: mkntfs's fixed files, and bounds for what
 * libntfs-3g allocates while names are added. Every term errs upward.
 */
#include "exporter/ntfs/space.h"

#include "common/base/macros.h"

#define INDEX_BLOCK_BYTES UINT64_C(4096)
#define INDEX_ROOM_BYTES  UINT64_C(3984) /* of a block, behind its header and before its end entry */
#define INDEX_ENTRY_BYTES UINT64_C(89)	 /* without the name: 16 + 66, and at most 7 of padding */
#define RECORDS_FIXED	  UINT64_C(96) /* 64 that are not for files, System Volume Information, spare */
#define RUNS_PER_RECORD \
	UINT64_C(128) /* of a directory's scattered blocks, in one extension record */

static uint64_t clusters_of(const struct ntfs_geometry *g, uint64_t bytes)
{
	return (bytes + g->cluster_bytes - 1) / g->cluster_bytes;
}

/* Full blocks split in the middle: sorted input leaves them half full, mixed name lengths less. */
static uint64_t index_blocks(const struct ntfs_tree_size *tree)
{
	uint64_t n = tree->n_files + tree->n_dirs + tree->n_links;
	uint64_t entries_bytes = n * INDEX_ENTRY_BYTES + 2 * tree->name_units;

	return entries_bytes * 5 / 2 / INDEX_ROOM_BYTES + 1;
}

/*
 * Directories that may outgrow their MFT record. The library finds no room in a full record for the
 * attributes of a larger index: it adds a second record and a cluster that lists both. The last cluster
 * of the index itself may be all but unused.
 */
static uint64_t large_dirs(const struct ntfs_tree_size *tree)
{
	return MIN(tree->n_dirs + 1, tree->n_files + tree->n_dirs + tree->n_links);
}

/* A further name of a file may need a record of its own. */
static uint64_t records(const struct ntfs_tree_size *tree)
{
	return RECORDS_FIXED + tree->n_files + tree->n_dirs + tree->n_links + large_dirs(tree) +
	       index_blocks(tree) / RUNS_PER_RECORD;
}

struct ntfs_reserve ntfs_reserve_for(const struct ntfs_geometry *g,
				     const struct ntfs_tree_size *tree)
{
	uint64_t record_bytes = MAX(g->sector_bytes, 1024u);
	uint64_t n_records = records(tree);
	uint64_t index_bytes = index_blocks(tree) * INDEX_BLOCK_BYTES +
			       large_dirs(tree) * MAX(INDEX_BLOCK_BYTES, g->cluster_bytes);
	uint64_t lists = large_dirs(tree) + tree->n_links / 8 + 2;

	return (struct ntfs_reserve){
		.mft_clusters = clusters_of(g, n_records * record_bytes) +
				clusters_of(g, n_records / 8) + clusters_of(g, 16 * record_bytes),
		.index_clusters = clusters_of(g, index_bytes) + lists,
	};
}

/* As mkntfs chooses it. */
static uint64_t logfile_bytes(uint64_t volume_bytes)
{
	if (volume_bytes >= 12 * GiB)
		return 64 * MiB;
	return volume_bytes > 200 * MiB ? volume_bytes / 200 : 2 * MiB;
}

/* $Boot, $MFTMirr, $LogFile, $Bitmap, $AttrDef, $UpCase, $Secure, the MFT's bitmap, the tail. */
static uint64_t system_clusters(const struct ntfs_geometry *g)
{
	uint64_t n_clusters = clusters_of(g, g->volume_bytes);

	return clusters_of(g, 16 * KiB) +
	       clusters_of(g, 4 * (uint64_t)MAX(g->sector_bytes, 1024u)) +
	       clusters_of(g, logfile_bytes(g->volume_bytes)) +
	       clusters_of(g, n_clusters / 8 + 16) + clusters_of(g, 2560) +
	       clusters_of(g, 128 * KiB) + clusters_of(g, 320 * KiB) + 4;
}

static uint64_t fve_clusters(const struct ntfs_geometry *g)
{
	return 3 * clusters_of(g, NTFS_FVE_META_BYTES) + clusters_of(g, NTFS_FVE_VBB_BYTES) +
	       clusters_of(g, NTFS_FVE_ICE_BYTES) + clusters_of(g, INDEX_BLOCK_BYTES);
}

uint64_t ntfs_image_overhead(const struct ntfs_geometry *g, const struct ntfs_tree_size *tree)
{
	struct ntfs_reserve reserve = ntfs_reserve_for(g, tree);

	return (system_clusters(g) + fve_clusters(g) + reserve.mft_clusters +
		reserve.index_clusters) *
	       g->cluster_bytes;
}
