/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where libntfs-3g allocates. Left alone, it keeps an eighth of the volume for the MFT and scatters
 * directory blocks at steps of 16 MiB over the rest, so that large files come in pieces. The zones are
 * fields of its volume structure: they are set so that the MFT grows through a room of the expected size
 * and directory blocks follow one another in a room behind it. That is a matter of speed only. Both
 * allocators go by $Bitmap, and how much content may have does not depend on where things end up.
 */
#include "exporter/ntfs/image_private.h"

/* Without a place to continue, the library takes the longest free run among that many clusters. */
#define LIBRARY_WINDOW UINT64_C(32768)

/* The cluster where count free ones have been passed, from first on; the end when there are fewer. */
static int skip_free(struct ntfs_bitmap *b, uint64_t first, uint64_t count, uint64_t *ret,
		     struct err *e)
{
	uint64_t start, end = first;
	int r;

	while (count > 0) {
		r = ntfs_bitmap_next(b, false, end, b->n_clusters, &start, e);
		if (r == 0)
			r = ntfs_bitmap_next(b, true, start, MIN(start + count, b->n_clusters),
					     &end, e);
		if (r < 0)
			return r;
		if (start == b->n_clusters)
			break;
		count -= end - start;
	}
	*ret = end;
	return 0;
}

/*
 * The MFT's room, the directories' room, content: each begins at a distance from the one before, so that
 * free space at the end of a room is the longest in sight and the library stays where it is led. A small
 * volume cannot afford that and gets some fragments instead.
 */
static int make_rooms(struct ntfs_image *img, uint64_t mft_lcn, uint64_t *ret_content,
		      struct err *e)
{
	struct ntfs_bitmap *b = &img->bitmap;
	uint64_t distance = b->n_clusters > 16 * LIBRARY_WINDOW ? LIBRARY_WINDOW : 0;
	int r;

	ntfs_bitmap_forget(b);
	r = skip_free(b, mft_lcn, img->reserve.mft_clusters, &img->index_start, e);
	if (r < 0)
		return r;
	img->index_start = MIN(img->index_start + distance, b->n_clusters);
	r = skip_free(b, img->index_start, img->reserve.index_clusters, &img->index_end, e);
	if (r < 0)
		return r;
	*ret_content = MIN(img->index_end + distance, b->n_clusters);
	return 0;
}

/* Content comes last; then, if need be, in the distances and in what the rooms turn out not to need. */
static int give_content(struct ntfs_image *img, uint64_t mft_lcn, uint64_t content, struct err *e)
{
	struct ntfs_alloc *a = &img->content;
	int r;

	ntfs_alloc_init(a, &img->bitmap);
	r = ntfs_alloc_add(a, content, img->bitmap.n_clusters, e);
	if (r == 0)
		r = ntfs_alloc_add(a, img->index_end, content, e);
	if (r == 0)
		r = ntfs_alloc_add(a, img->index_start, img->index_end, e);
	if (r == 0)
		r = ntfs_alloc_add(a, mft_lcn, img->index_start, e);
	if (r < 0)
		return r;
	return ntfs_alloc_reserve(a, img->reserve.mft_clusters + img->reserve.index_clusters, e);
}

int ntfs_layout_start(struct ntfs_image *img, struct err *e)
{
	ntfs_volume *vol = img->session->vol;
	uint64_t mft_lcn = (uint64_t)vol->mft_lcn, content;
	int r;

	if (img->laid_out)
		return 0;
	r = make_rooms(img, mft_lcn, &content, e);
	if (r == 0)
		r = give_content(img, mft_lcn, content, e);
	if (r < 0)
		return r;
	img->index_lcn = img->index_start;
	vol->mft_zone_end = (LCN)img->index_start;
	vol->mft_zone_pos = vol->mft_lcn;
	vol->data1_zone_pos = (LCN)img->index_lcn;
	vol->full_zones = 0;
	img->laid_out = true;
	return 0;
}

/* Clusters of a directory's index outside its MFT record. */
static uint64_t index_clusters(ntfs_inode *dir)
{
	ntfs_attr *na = ntfs_attr_open(dir, AT_INDEX_ALLOCATION, NTFS_INDEX_I30, 4);
	uint64_t clusters = 0;

	if (na) {
		clusters = (uint64_t)na->allocated_size >> dir->vol->cluster_size_bits;
		ntfs_attr_close(na);
	}
	return clusters;
}

/*
 * Undoes the library's leap after it allocated from a zone. In the directories' room: go on behind what
 * it took for the open directory, with as much left free as that directory has already. The library
 * continues an index where it ends while it can, so a large directory comes in few pieces. At the end of
 * the room the gaps are used up.
 */
int ntfs_layout_settle(struct ntfs_image *img, struct err *e)
{
	ntfs_volume *vol = img->session->vol;
	uint64_t next = img->index_lcn, gap;
	int r;

	vol->mft_zone_pos = vol->mft_lcn;
	if (vol->data1_zone_pos == (LCN)img->index_lcn || img->index_start == img->index_end)
		return 0;
	gap = index_clusters(img->parent);
	ntfs_bitmap_forget(&img->bitmap);
	r = ntfs_bitmap_next(&img->bitmap, false, next, img->index_end, &next, e);
	if (r == 0 && gap > 1)
		r = ntfs_bitmap_next(&img->bitmap, false, MIN(next + gap, img->index_end),
				     img->index_end, &next, e);
	if (r == 0 && next == img->index_end) {
		r = ntfs_bitmap_next(&img->bitmap, false, img->index_start, img->index_end, &next,
				     e);
		img->index_start = next;
	}
	if (r < 0 || next == img->index_end)
		return r;
	img->index_lcn = next;
	vol->data1_zone_pos = (LCN)next;
	return 0;
}
