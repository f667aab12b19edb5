/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shares of a plan, one bit a file and one a directory. Whether a file fits is the same arithmetic that the
 * lay-out relies on: content in whole clusters, the manifest, and what NTFS needs for such a tree.
 */
#include "exporter/drive/share.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/bitset.h"
#include "common/base/cleanup.h"
#include "common/base/hashmap.h"
#include "common/ext/utf16.h"
#include "exporter/block/gpt.h"
#include "exporter/drive/drive_impl.h"
#include "exporter/drive/fit.h"
#include "exporter/manifest/drive_manifest.h"

#define MANIFEST_NAME_UNITS 17				     /* DriveManifest.xml */
#define VOLUME_BYTES_MAX    ((UINT64_C(1) << 44) - 64 * MiB) /* with clusters of 4 KiB */

struct shares {
	const struct plan *plan;
	struct bitset taken;
	uint64_t left_files, left_bytes;
};

struct share {
	const struct plan *plan;
	struct bitset files, dirs;
	/* Of an inode whose first placement in the plan (the key) is elsewhere: the file here that has the content. */
	struct hashmap contents;
	struct share_totals totals;
	struct ntfs_geometry geometry;
	struct buf blob_path, file_path; /* scratch */
};

int shares_new(const struct plan *plan, struct shares **ret, struct err *e)
{
	_cleanup_(shares_freep) struct shares *s = calloc(1, sizeof(*s));

	if (!s || bitset_init(&s->taken, plan_count(plan)) < 0)
		return err_oom(e);
	s->plan = plan;
	s->left_files = plan_totals(plan)->files;
	s->left_bytes = plan_totals(plan)->blob_bytes;
	*ret = take_ptr(s);
	return 0;
}

void shares_free(struct shares *s)
{
	if (!s)
		return;
	bitset_done(&s->taken);
	free(s);
}

uint64_t shares_left_files(const struct shares *s)
{
	return s->left_files;
}

uint64_t shares_left_bytes(const struct shares *s)
{
	return s->left_bytes;
}

void share_free(struct share *s)
{
	if (!s)
		return;
	bitset_done(&s->files);
	bitset_done(&s->dirs);
	hashmap_done(&s->contents);
	buf_done(&s->blob_path);
	buf_done(&s->file_path);
	free(s);
}

const struct share_totals *share_totals(const struct share *s)
{
	return &s->totals;
}

bool share_has_dir(const struct share *s, uint32_t dir)
{
	return bitset_has(&s->dirs, dir);
}

bool share_has_file(const struct share *s, uint32_t i)
{
	return bitset_has(&s->files, i);
}

uint32_t share_next(const struct share *s, uint32_t i)
{
	return bitset_next(&s->files, i);
}

/* The file of the share that has the content of placement `first`; PLAN_NO_LINK if none has. */
static uint32_t content_of(const struct share *s, uint32_t first)
{
	struct hashmap contents = s->contents; /* only looked at */
	const uint64_t *at;

	if (first == PLAN_NO_LINK || bitset_has(&s->files, first))
		return first;
	at = hashmap_find(&contents, (uint64_t)first + 1);
	return at ? (uint32_t)*at : PLAN_NO_LINK;
}

void share_get(const struct share *s, uint32_t i, struct placement *ret)
{
	uint32_t content;

	plan_get(s->plan, i, ret);
	content = content_of(s, ret->link_of);
	ret->link_of = content == i ? PLAN_NO_LINK : content;
}

/* ---- what a file costs ---- */

static void add_dirs(const struct share *s, uint32_t dir, struct share_totals *t)
{
	while (!share_has_dir(s, dir)) {
		struct plan_dir d;

		plan_get_dir(s->plan, dir, &d);
		t->load.tree.n_dirs++;
		t->load.tree.name_units += utf16_units(d.drive_name, strlen(d.drive_name));
		dir = d.parent;
	}
}

static int add_to_manifest(struct share *s, const struct placement *file, struct share_totals *t)
{
	struct manifest_blob blob = {
		.length_bytes = file->size_bytes,
		.ranges = file->blob_type == BLOBTYPE_PAGE ? MANIFEST_PAGES : MANIFEST_BLOCKS,
	};

	buf_reset(&s->blob_path);
	buf_reset(&s->file_path);
	plan_blob_path(s->plan, file, &s->blob_path);
	plan_drive_path(s->plan, file, &s->file_path);
	if (buf_error(&s->blob_path) < 0 || buf_error(&s->file_path) < 0)
		return -ENOMEM;
	blob.blob_path = buf_text(&s->blob_path);
	blob.file_path = buf_text(&s->file_path);
	t->load.manifest_bytes += manifest_blob_bound(&blob);
	return 0;
}

/* ---- taking ---- */

/* What the totals would be with this file. 1 = it fits, 0 = it does not. */
static int try_file(struct share *s, const struct placement *file, struct share_totals *t)
{
	int r;

	*t = s->totals;
	t->files++;
	t->blob_bytes += file->size_bytes;
	t->load.tree.name_units += utf16_units(file->drive_name, strlen(file->drive_name));
	if (content_of(s, file->link_of) == PLAN_NO_LINK) {
		if (file->size_bytes > s->geometry.volume_bytes)
			return 0;
		t->load.tree.n_files++;
		t->load.content_bytes += round_up_u64(file->size_bytes, s->geometry.cluster_bytes);
	} else {
		t->load.tree.n_links++;
	}
	add_dirs(s, file->drive_dir, t);
	if (!fit_fits(&t->load, &s->geometry))
		return 0; /* with what costs nothing to know */
	r = add_to_manifest(s, file, t);
	return r < 0 ? r : fit_fits(&t->load, &s->geometry);
}

static int take_file(struct share *s, uint32_t i, const struct placement *file)
{
	bool added;
	int r = 0;

	if (file->link_of != PLAN_NO_LINK && content_of(s, file->link_of) == PLAN_NO_LINK)
		r = hashmap_add(&s->contents, (uint64_t)file->link_of + 1, i, &added);
	if (r < 0)
		return r;
	for (uint32_t dir = file->drive_dir; !share_has_dir(s, dir);) {
		struct plan_dir d;

		plan_get_dir(s->plan, dir, &d);
		bitset_add(&s->dirs, dir);
		dir = d.parent;
	}
	bitset_add(&s->files, i);
	return 0;
}

static int take_all(struct shares *shares, struct share *s)
{
	uint32_t n = plan_count(s->plan);

	for (uint32_t i = 0; i < n; i++) {
		struct share_totals with;
		struct placement file;
		int r;

		if (bitset_has(&shares->taken, i))
			continue;
		plan_get(s->plan, i, &file);
		r = try_file(s, &file, &with);
		if (r > 0)
			r = take_file(s, i, &file) < 0 ? -ENOMEM : 1;
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		s->totals = with;
		bitset_add(&shares->taken, i);
		shares->left_files--;
		shares->left_bytes -= file.size_bytes;
	}
	return 0;
}

/* An empty drive: the session's directory and a manifest without blobs. */
static void begin(struct share *s)
{
	struct plan_dir root;

	plan_get_dir(s->plan, PLAN_DIR_ROOT, &root);
	bitset_add(&s->dirs, PLAN_DIR_ROOT);
	s->totals.load.manifest_bytes = MANIFEST_FRAME_BYTES_MAX;
	s->totals.load.tree = (struct ntfs_tree_size){
		.n_files = 1,
		.n_dirs = 1,
		.name_units =
			MANIFEST_NAME_UNITS + utf16_units(root.drive_name, strlen(root.drive_name)),
	};
}

static int take(struct shares *shares, uint64_t volume_bytes, struct share **ret, struct err *e)
{
	_cleanup_(share_freep) struct share *s = calloc(1, sizeof(*s));

	if (!s || bitset_init(&s->files, plan_count(shares->plan)) < 0 ||
	    bitset_init(&s->dirs, plan_dir_count(shares->plan)) < 0)
		return err_oom(e);
	s->plan = shares->plan;
	s->geometry = (struct ntfs_geometry){
		.volume_bytes = volume_bytes,
		.sector_bytes = DRIVE_SECTOR_BYTES,
		.cluster_bytes = fit_cluster_bytes(volume_bytes),
	};
	begin(s);
	if (volume_bytes >= NTFS_VOLUME_MIN_BYTES && take_all(shares, s) < 0) {
		share_give_back(shares, s);
		return err_oom(e);
	}
	*ret = take_ptr(s);
	return 0;
}

int share_take(struct shares *shares, uint64_t drive_bytes, struct share **ret, struct err *e)
{
	struct gpt_partition partition;
	int r = gpt_plan(drive_bytes / MiB * MiB, DRIVE_SECTOR_BYTES, &partition, e);

	return r < 0 ? r : take(shares, partition.size_bytes, ret, e);
}

int shares_needed_bytes(struct shares *shares, uint64_t *ret, struct err *e)
{
	_cleanup_(share_freep) struct share *s = NULL;
	uint64_t left = shares->left_files;
	int r = take(shares, VOLUME_BYTES_MAX, &s, e);

	if (r < 0)
		return r;
	share_give_back(shares, s);
	if (s->totals.files < left)
		return err_set(e, EINVAL, "no drive takes all files that are left");
	*ret = fit_needed_bytes(&s->totals.load, s->geometry.cluster_bytes);
	return 0;
}

void share_give_back(struct shares *shares, const struct share *s)
{
	for (uint32_t i = share_next(s, 0); i < s->files.n; i = share_next(s, i + 1)) {
		struct placement file;

		plan_get(s->plan, i, &file);
		bitset_remove(&shares->taken, i);
		shares->left_files++;
		shares->left_bytes += file.size_bytes;
	}
}
