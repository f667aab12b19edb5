/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adds directories, files and hard links to an image. */
#include <stdlib.h>
#include <string.h>

#include "exporter/ntfs/image_private.h"

#define LINKS_MAX 1024

/* Opens the directory and makes sure that the name can go there; nothing is changed by a refusal. */
static int prepare(struct ntfs_image *img, uint64_t parent_ref, const char *text,
		   struct ntfs_name *ret, struct err *e)
{
	int r;

	r = ntfs_image_begin(img, e);
	if (r < 0)
		return r;
	r = ntfs_layout_start(img, e);
	if (r == 0)
		r = ntfs_parent_open(img, parent_ref, e);
	if (r < 0)
		return ntfs_image_spoil(img, r);
	return ntfs_parent_check_name(img, text, ret, e);
}

int ntfs_image_add_dir(struct ntfs_image *img, uint64_t parent_ref, const char *name,
		       int64_t mtime_ns, uint64_t *ret_ref, struct err *e)
{
	struct ntfs_node node = {
		.text = name, .is_dir = true, .access = NTFS_ACCESS_DIR, .mtime_ns = mtime_ns};
	struct ntfs_name encoded;
	int r;

	r = prepare(img, parent_ref, name, &encoded, e);
	return r < 0 ? r : ntfs_node_make(img, &encoded, &node, ret_ref, e);
}

/* Keeps a run list as extents, for the caller to look at. */
static int note_extents(struct ntfs_image *img, const runlist *runs, size_t *ret_n, struct err *e)
{
	uint64_t cluster_bytes = img->session->vol->cluster_size;
	size_t n = 0;

	while (runs && runs[n].length)
		n++;
	if (n > img->extents_capacity) {
		struct ntfs_extent *extents = reallocarray(img->extents, n, sizeof(*extents));

		if (!extents)
			return ntfs_image_spoil(img, err_oom(e));
		img->extents = extents;
		img->extents_capacity = n;
	}
	for (size_t i = 0; i < n; i++)
		img->extents[i] = (struct ntfs_extent){
			.file_off_bytes = (uint64_t)runs[i].vcn * cluster_bytes,
			.volume_off_bytes = (uint64_t)runs[i].lcn * cluster_bytes,
			.len_bytes = (uint64_t)runs[i].length * cluster_bytes,
		};
	*ret_n = n;
	return 0;
}

/* Clusters for the content; only a full volume leaves the image as it was. */
static int allocate(struct ntfs_image *img, struct ntfs_node *node, size_t *ret_n, struct err *e)
{
	uint64_t cluster_bytes = img->session->vol->cluster_size;
	uint64_t clusters =
		node->size_bytes / cluster_bytes + (node->size_bytes % cluster_bytes != 0);
	int r;

	if (clusters > 0) {
		r = ntfs_alloc_take(&img->content, clusters, &node->runs, e);
		if (r < 0)
			return r == -ENOSPC ? r : ntfs_image_spoil(img, r);
	}
	return note_extents(img, node->runs, ret_n, e);
}

int ntfs_image_add_file(struct ntfs_image *img, uint64_t parent_ref, const char *name,
			uint64_t size_bytes, int64_t mtime_ns, uint64_t *ret_ref,
			const struct ntfs_extent **ret_extents, size_t *ret_n, struct err *e)
{
	struct ntfs_node node = {.text = name,
				 .access = NTFS_ACCESS_FILE,
				 .flags = FILE_ATTR_ARCHIVE,
				 .mtime_ns = mtime_ns,
				 .size_bytes = size_bytes};
	struct ntfs_name encoded;
	size_t n;
	int r;

	r = prepare(img, parent_ref, name, &encoded, e);
	if (r < 0)
		return r;
	r = allocate(img, &node, &n, e);
	if (r == 0)
		r = ntfs_node_make(img, &encoded, &node, ret_ref, e);
	free(node.runs);
	if (r < 0)
		return r;
	*ret_extents = img->extents;
	*ret_n = n;
	return 0;
}

/* The names an inode has; an error when it can have no further one. */
static int check_link_target(const ntfs_inode *ni, struct err *e)
{
	if (ni->mrec->flags & MFT_RECORD_IS_DIRECTORY)
		return err_set(e, EPERM, "a directory cannot have a second name");
	if (le16_to_cpu(ni->mrec->link_count) >= LINKS_MAX)
		return err_set(e, EMLINK, "the file has %d names already, which is NTFS's limit",
			       LINKS_MAX);
	return 0;
}

/*
 * The directory is closed before the file: closing the file may open its directories to bring their
 * entries up to date.
 */
static int link_inode(struct ntfs_image *img, ntfs_inode *ni, const struct ntfs_name *name,
		      struct err *e)
{
	int r = 0;

	if (ntfs_link(ni, img->parent, name->units, name->n_units) < 0)
		r = ntfs_session_fail(img->session, e, "cannot link");
	if (r == 0)
		r = ntfs_layout_settle(img, e);
	if (r == 0)
		r = ntfs_parent_close(img, e);
	return ntfs_image_spoil(img, ntfs_names_full(r, e));
}

int ntfs_image_add_link(struct ntfs_image *img, uint64_t parent_ref, const char *name,
			uint64_t target_ref, struct err *e)
{
	struct ntfs_name encoded;
	ntfs_inode *ni;
	int r;

	r = prepare(img, parent_ref, name, &encoded, e);
	if (r < 0)
		return r;
	if (MREF(target_ref) == MREF(parent_ref))
		return err_set(e, EPERM, "'%s': a directory cannot have a second name", name);
	ni = ntfs_inode_open(img->session->vol, target_ref);
	if (!ni)
		return ntfs_image_spoil(
			img, ntfs_session_fail(img->session, e, "'%s': cannot open inode %llu",
					       name, (unsigned long long)MREF(target_ref)));
	r = check_link_target(ni, e);
	if (r == 0)
		r = link_inode(img, ni, &encoded, e);
	if (ntfs_inode_close(ni) < 0 && r == 0)
		r = ntfs_image_spoil(img,
				     ntfs_session_fail(img->session, e, "cannot write the inode"));
	return r < 0 ? err_wrap(e, r, "'%s'", name) : 0;
}
