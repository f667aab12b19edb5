/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tree of a drive that is being laid out: directories, the manifest, files in one solid run each. */
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "exporter/drive/layout_impl.h"
#include "exporter/manifest/drive_manifest.h"

int layout_add_dirs(struct layout *l, struct err *e)
{
	uint32_t n = plan_dir_count(l->plan);

	l->dir_refs = calloc(n, sizeof(*l->dir_refs));
	if (!l->dir_refs)
		return err_oom(e);
	for (uint32_t i = 0; i < n; i++) {
		struct plan_dir d;
		int r;

		plan_get_dir(l->plan, i, &d);
		if (!share_has_dir(l->share, i))
			continue;
		r = ntfs_image_add_dir(l->image,
				       i == PLAN_DIR_ROOT ? NTFS_ROOT_REF : l->dir_refs[d.parent],
				       d.drive_name, (int64_t)l->now_ns, &l->dir_refs[i], e);
		if (r < 0)
			return err_wrap(e, r, "directory '%s'", d.drive_name);
	}
	return 0;
}

/* Allocates one file, or adds a name to one; fills in the extents of the row to insert. */
static int add_to_image(struct layout *l, uint32_t i, const struct placement *p,
			struct shipping_extent **ret, size_t *ret_n, struct err *e)
{
	const struct ntfs_extent *extents;
	uint64_t parent = l->dir_refs[p->drive_dir];
	size_t n;
	int r;

	*ret_n = 0;
	if (p->link_of != PLAN_NO_LINK)
		return ntfs_image_add_link(l->image, parent, p->drive_name,
					   l->file_refs[p->link_of], e);
	r = ntfs_image_add_file(l->image, parent, p->drive_name, p->size_bytes,
				(int64_t)p->mtime_ns, &l->file_refs[i], &extents, &n, e);
	if (r < 0 || n == 0)
		return r;
	*ret = reallocarray(NULL, n, sizeof(**ret));
	if (!*ret)
		return err_oom(e);
	for (size_t k = 0; k < n; k++)
		(*ret)[k] =
			(struct shipping_extent){.file_off_bytes = extents[k].file_off_bytes,
						 .volume_off_bytes = extents[k].volume_off_bytes,
						 .len_bytes = extents[k].len_bytes};
	*ret_n = n;
	return 0;
}

static int add_file(struct layout *l, uint32_t i, struct buf paths[3], struct err *e)
{
	_cleanup_free_ struct shipping_extent *extents = NULL;
	struct shipping_placement row = {.drive = l->row.id, .seq = i, .link_of = SHIPPING_NO_LINK};
	struct placement p;
	int r;

	share_get(l->share, i, &p);
	for (int k = 0; k < 3; k++)
		buf_reset(&paths[k]);
	plan_staged_path(l->plan, p.dir, p.name, &paths[0]);
	plan_blob_path(l->plan, &p, &paths[1]);
	plan_drive_path(l->plan, &p, &paths[2]);
	if (buf_error(&paths[0]) < 0 || buf_error(&paths[1]) < 0 || buf_error(&paths[2]) < 0)
		return err_oom(e);
	r = add_to_image(l, i, &p, &extents, &row.n_extents, e);
	if (r < 0)
		return err_wrap(e, r, "file '%s'", buf_text(&paths[0]));
	row.extents = extents;
	row.ino = p.ino;
	row.content_version = p.content_version;
	row.size_bytes = p.size_bytes;
	row.path = buf_text(&paths[0]);
	row.blob_path = buf_text(&paths[1]);
	row.drive_path = buf_text(&paths[2]);
	row.page_blob = p.blob_type == BLOBTYPE_PAGE;
	if (p.link_of != PLAN_NO_LINK)
		row.link_of = p.link_of;
	return shipping_placement_insert(l->request->shipping, &row, e);
}

int layout_add_files(struct layout *l, struct err *e)
{
	struct buf paths[3] = {BUF_INIT, BUF_INIT, BUF_INIT};
	uint32_t n = plan_count(l->plan);
	uint64_t done = 0;
	int r = 0;

	l->file_refs = calloc(n, sizeof(*l->file_refs));
	if (!l->file_refs)
		return err_oom(e);
	drive_phase(l->events, "lay out", share_totals(l->share)->files);
	for (uint32_t i = share_next(l->share, 0); r == 0 && i < n;
	     i = share_next(l->share, i + 1)) {
		r = add_file(l, i, paths, e);
		drive_progress(l->events, ++done);
		if (r == 0 && drive_stopped(l->events))
			r = err_set(e, EINTR,
				    "stopped while laying out; nothing was written to the drive");
	}
	for (int k = 0; k < 3; k++)
		buf_done(&paths[k]);
	return r;
}

int layout_add_manifest(struct layout *l, struct err *e)
{
	const struct ntfs_extent *extents;
	uint64_t ref;
	size_t n;

	return ntfs_image_add_file(l->image, NTFS_ROOT_REF, MANIFEST_PATH + 1,
				   l->row.manifest_bytes, (int64_t)l->now_ns, &ref, &extents, &n,
				   e);
}
