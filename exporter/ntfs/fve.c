/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * BitLocker's areas inside the NTFS: clusters that no file content may get, held by hidden files as
 * Windows does it. Placement: the first metadata block, the relocated boot sectors (VBB) and the inline
 * crypto area (ICE) one behind the other from 33 MiB, the other two blocks at thirds of the rest.
 */
#include "exporter/ntfs/image_private.h"

#define FOLDER	      "System Volume Information"
#define META_NAME     "FVE2.{e40ad34d-dae9-4bc7-95bd-b16218c10f72}"
#define VBB_NAME      "FVE2.{24e6f0ae-6a00-4f73-984b-75ce9942852d}"
#define ICE_NAME      "FVE2.{da392a22-cae0-4f0f-9a30-b8830385d046}"
#define HIDDEN_SYSTEM (FILE_ATTR_HIDDEN | FILE_ATTR_SYSTEM)

struct area {
	const char *name;
	uint64_t len_bytes;
	uint64_t *ret_off_bytes;
};

/* Allocates areas that follow one another, in the first free run at or behind off_bytes. */
static int claim(struct ntfs_image *img, const struct area *areas, size_t n, uint64_t off_bytes,
		 struct err *e)
{
	uint64_t cluster_bytes = img->session->vol->cluster_size;
	uint64_t first, count = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		count += round_up_u64(areas[i].len_bytes, cluster_bytes) / cluster_bytes;
	ntfs_bitmap_forget(&img->bitmap);
	r = ntfs_bitmap_find_free(&img->bitmap,
				  round_up_u64(off_bytes, cluster_bytes) / cluster_bytes, count,
				  &first, e);
	if (r == -ENOSPC)
		return err_set(e, ENOSPC,
			       "the volume is too small for BitLocker: it needs %llu MiB",
			       (unsigned long long)(NTFS_VOLUME_MIN_BYTES / MiB));
	if (r == 0)
		r = ntfs_bitmap_claim(&img->bitmap, first, count, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		*areas[i].ret_off_bytes = first * cluster_bytes;
		first += round_up_u64(areas[i].len_bytes, cluster_bytes) / cluster_bytes;
	}
	return 0;
}

/* A file that holds clusters which are allocated already. */
static int hold(struct ntfs_image *img, uint64_t folder_ref, const struct area *area, struct err *e)
{
	uint64_t cluster_bytes = img->session->vol->cluster_size;
	uint64_t count = round_up_u64(area->len_bytes, cluster_bytes) / cluster_bytes;
	struct ntfs_node node = {
		.text = area->name,
		.access = NTFS_ACCESS_SYSTEM,
		.flags = HIDDEN_SYSTEM,
		.mtime_ns = img->now_ns,
		.size_bytes = area->len_bytes,
	};
	struct ntfs_name name;
	uint64_t ref;
	int r;

	r = ntfs_parent_open(img, folder_ref, e);
	if (r == 0)
		r = ntfs_parent_check_name(img, area->name, &name, e);
	if (r < 0)
		return r;
	node.runs = ntfs_run_list_new(1);
	if (!node.runs)
		return err_oom(e);
	ntfs_run_list_add(node.runs, *area->ret_off_bytes / cluster_bytes, count);
	r = ntfs_node_make(img, &name, &node, &ref, e);
	free(node.runs);
	return r;
}

static int make_folder(struct ntfs_image *img, uint64_t *ret_ref, struct err *e)
{
	struct ntfs_node node = {
		.text = FOLDER,
		.is_dir = true,
		.access = NTFS_ACCESS_SYSTEM,
		.flags = HIDDEN_SYSTEM,
		.mtime_ns = img->now_ns,
	};
	struct ntfs_name name;
	int r;

	r = ntfs_parent_open(img, NTFS_ROOT_REF, e);
	if (r == 0)
		r = ntfs_parent_check_name(img, FOLDER, &name, e);
	return r < 0 ? r : ntfs_node_make(img, &name, &node, ret_ref, e);
}

static int place(struct ntfs_image *img, struct ntfs_fve_places *places, struct err *e)
{
	const struct area areas[] = {
		{META_NAME ".1", NTFS_FVE_META_BYTES, &places->meta_off_bytes[0]},
		{VBB_NAME, NTFS_FVE_VBB_BYTES, &places->vbb_off_bytes},
		{ICE_NAME, NTFS_FVE_ICE_BYTES, &places->ice_off_bytes},
		{META_NAME ".2", NTFS_FVE_META_BYTES, &places->meta_off_bytes[1]},
		{META_NAME ".3", NTFS_FVE_META_BYTES, &places->meta_off_bytes[2]},
	};
	uint64_t first = NTFS_FVE_FIRST_BYTES, rest = img->file->size_bytes - first, folder_ref;
	int r;

	r = claim(img, areas, 3, first, e);
	if (r == 0)
		r = claim(img, areas + 3, 1, first + rest / 3, e);
	if (r == 0)
		r = claim(img, areas + 4, 1, first + rest / 3 * 2, e);
	if (r == 0)
		r = ntfs_layout_start(img, e);
	if (r == 0)
		r = make_folder(img, &folder_ref, e);
	for (size_t i = 0; i < ARRAY_SIZE(areas) && r == 0; i++)
		r = hold(img, folder_ref, &areas[i], e);
	return r;
}

int ntfs_image_place_fve(struct ntfs_image *img, struct ntfs_fve_places *ret, struct err *e)
{
	struct ntfs_fve_places places;
	int r;

	r = ntfs_image_begin(img, e);
	if (r < 0)
		return r;
	if (img->laid_out)
		return err_set(e, EINVAL,
			       "BitLocker's areas must be placed before anything is added");
	r = place(img, &places, e);
	if (r < 0)
		return err_wrap(e, ntfs_image_spoil(img, r), "cannot place BitLocker's areas");
	*ret = places;
	return 0;
}
