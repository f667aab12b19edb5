/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Merges $Bitmap, read in pieces, with two sorted lists of ranges that are somebody else's to write. */
#include "exporter/ntfs/runs.h"

#include <inttypes.h>
#include <stdlib.h>

#include "exporter/ntfs/bitmap.h"

#define FVE_AREAS 5

struct walk {
	const struct ntfs_range *content; /* what is left of it */
	size_t n_content;
	struct ntfs_range fve[FVE_AREAS];
	size_t n_fve, next_fve;
	uint64_t taken_end; /* of the last range taken out of either list */
	ntfs_run_fn fn;
	void *arg;
};

static int by_offset(const void *a, const void *b)
{
	const struct ntfs_range *x = a, *y = b;

	return (x->off_bytes > y->off_bytes) - (x->off_bytes < y->off_bytes);
}

static void list_fve(struct walk *w, const struct ntfs_fve_places *fve)
{
	for (size_t i = 0; i < ARRAY_SIZE(fve->meta_off_bytes); i++)
		w->fve[i] = (struct ntfs_range){fve->meta_off_bytes[i], NTFS_FVE_META_BYTES};
	w->fve[3] = (struct ntfs_range){fve->vbb_off_bytes, NTFS_FVE_VBB_BYTES};
	w->fve[4] = (struct ntfs_range){fve->ice_off_bytes, NTFS_FVE_ICE_BYTES};
	w->n_fve = FVE_AREAS;
	qsort(w->fve, FVE_AREAS, sizeof(w->fve[0]), by_offset);
}

/* The lower head of the two lists; NULL when both are used up. */
static const struct ntfs_range *peek(const struct walk *w)
{
	const struct ntfs_range *content = w->n_content ? w->content : NULL;
	const struct ntfs_range *fve = w->next_fve < w->n_fve ? &w->fve[w->next_fve] : NULL;

	if (!content || !fve)
		return content ? content : fve;
	return content->off_bytes < fve->off_bytes ? content : fve;
}

static int take(struct walk *w, const struct ntfs_range *range, struct err *e)
{
	if (range->off_bytes < w->taken_end || range->len_bytes == 0)
		return err_set(e, EINVAL, "the extents at %" PRIu64 " overlap or are out of order",
			       range->off_bytes);
	w->taken_end = range->off_bytes + range->len_bytes;
	if (range == w->content) {
		w->content++;
		w->n_content--;
	} else {
		w->next_fve++;
	}
	return 0;
}

static int not_allocated(const struct ntfs_range *range, struct err *e)
{
	return err_set(e, EBADMSG,
		       "the extent of %" PRIu64 " bytes at %" PRIu64
		       " is not allocated in the image: it belongs to another one",
		       range->len_bytes, range->off_bytes);
}

/* Reports what is left of the allocated bytes [off, end) and takes the ranges inside off the lists. */
static int report(struct walk *w, uint64_t off, uint64_t end, struct err *e)
{
	const struct ntfs_range *range;
	int r;

	while ((range = peek(w)) && range->off_bytes < end) {
		struct ntfs_range here = *range;

		r = take(w, range, e);
		if (r < 0)
			return r;
		if (here.off_bytes < off || here.len_bytes > end - here.off_bytes)
			return not_allocated(&here, e);
		if (here.off_bytes > off) {
			r = w->fn(w->arg, off, here.off_bytes - off, e);
			if (r < 0)
				return r;
		}
		off = here.off_bytes + here.len_bytes;
	}
	return off < end ? w->fn(w->arg, off, end - off, e) : 0;
}

/* Each run of used clusters; the tail belongs to one that ends with the last cluster. */
static int walk_clusters(struct walk *w, struct ntfs_bitmap *b, struct err *e)
{
	uint64_t cluster_bytes = b->session->vol->cluster_size;
	uint64_t tail = b->n_clusters * cluster_bytes, size_bytes = b->session->target->size_bytes;
	uint64_t first, end = 0;
	int r;

	for (;;) {
		r = ntfs_bitmap_next(b, true, end, b->n_clusters, &first, e);
		if (r == 0)
			r = ntfs_bitmap_next(b, false, first, b->n_clusters, &end, e);
		if (r < 0)
			return r;
		if (end == b->n_clusters)
			return report(w, first < end ? first * cluster_bytes : tail, size_bytes, e);
		r = report(w, first * cluster_bytes, end * cluster_bytes, e);
		if (r < 0)
			return r;
	}
}

int ntfs_image_metadata_runs(struct target *image, const struct ntfs_range *content,
			     size_t n_content, const struct ntfs_fve_places *fve, ntfs_run_fn fn,
			     void *arg, struct err *e)
{
	_cleanup_(ntfs_session_freep) struct ntfs_session *s = NULL;
	_cleanup_free_ struct ntfs_bitmap *bitmap = malloc(sizeof(*bitmap));
	struct walk w = {.content = content, .n_content = n_content, .fn = fn, .arg = arg};
	int r;

	if (!bitmap)
		return err_oom(e);
	if (fve)
		list_fve(&w, fve);
	r = ntfs_session_open(image, false, &s, e);
	if (r < 0)
		return r;
	ntfs_bitmap_init(bitmap, s);
	r = walk_clusters(&w, bitmap, e);
	if (r == 0 && peek(&w))
		r = not_allocated(peek(&w), e);
	return r;
}
