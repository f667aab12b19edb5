/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes one inode: its name, its security, its content's place, its time stamps. The directory stays
 * open between calls, and each new inode is closed through it, so that nothing is open twice.
 */
#include <stdlib.h>
#include <string.h>

#include "exporter/ntfs/image_private.h"

/* FILETIME: 100 ns steps since 1601 (MS-DTYP 2.3.3). */
static ntfs_time ticks_of(int64_t ns)
{
	int64_t ticks = ns / 100 - (ns % 100 < 0);

	return cpu_to_le64((u64)(ticks + INT64_C(116444736000000000)));
}

int ntfs_names_full(int r, struct err *e)
{
	if (r != -ENOSPC)
		return r;
	if (e)
		e->code = EOVERFLOW;
	return err_hint(e, -EOVERFLOW,
			"the volume has no room for more names: plan fewer files for it");
}

int ntfs_parent_close(struct ntfs_image *img, struct err *e)
{
	ntfs_inode *dir = take_ptr(img->parent);

	if (dir && ntfs_inode_close(dir) < 0)
		return ntfs_session_fail(img->session, e, "cannot write directory %llu",
					 (unsigned long long)MREF(img->parent_ref));
	return 0;
}

int ntfs_parent_open(struct ntfs_image *img, uint64_t ref, struct err *e)
{
	int r;

	if (img->parent && MREF(img->parent_ref) == MREF(ref))
		return 0;
	r = ntfs_parent_close(img, e);
	if (r < 0)
		return r;
	img->parent = ntfs_inode_open(img->session->vol, ref);
	img->parent_ref = ref;
	if (!img->parent)
		return ntfs_session_fail(img->session, e, "cannot open directory %llu",
					 (unsigned long long)MREF(ref));
	if (!(img->parent->mrec->flags & MFT_RECORD_IS_DIRECTORY))
		return err_set(e, ENOTDIR, "inode %llu is not a directory",
			       (unsigned long long)MREF(ref));
	return 0;
}

int ntfs_parent_check_name(struct ntfs_image *img, const char *text, struct ntfs_name *ret,
			   struct err *e)
{
	uint64_t ref;
	int r;

	r = ntfs_name_encode(text, strlen(text), ret, e);
	if (r == 0)
		r = ntfs_name_check(img->session, ret, text, e);
	if (r < 0)
		return r;
	r = ntfs_name_lookup(img->session, img->parent, ret, &ref, e);
	if (r == 0)
		return err_set(e, EEXIST,
			       "'%s': its directory already holds that name, for Windows", text);
	return r == -ENOENT ? 0 : ntfs_image_spoil(img, r);
}

/*
 * Gives an inode whose data attribute is empty and resident these runs. Everything counts as
 * initialised: what will lie at the runs when the volume is first used is the file's content.
 */
static int attach_runs(struct ntfs_session *s, ntfs_inode *ni, struct ntfs_node *node,
		       struct err *e)
{
	ntfs_attr_search_ctx *ctx = NULL;
	ntfs_attr *na = ntfs_attr_open(ni, AT_DATA, AT_UNNAMED, 0);
	uint64_t clusters = 0;
	int r = -1;

	if (!na || ntfs_attr_force_non_resident(na) < 0)
		goto out;
	for (const runlist *run = node->runs; run->length; run++)
		clusters += (uint64_t)run->length;
	free(na->rl);
	na->rl = take_ptr(node->runs);
	na->allocated_size = (s64)(clusters * s->vol->cluster_size);
	NAttrSetFullyMapped(na);
	if (ntfs_attr_update_mapping_pairs(na, 0) < 0)
		goto out;
	ctx = ntfs_attr_get_search_ctx(ni, NULL);
	if (!ctx || ntfs_attr_lookup(AT_DATA, AT_UNNAMED, 0, CASE_SENSITIVE, 0, NULL, 0, ctx) < 0)
		goto out;
	ctx->attr->data_size = cpu_to_le64(node->size_bytes);
	ctx->attr->initialized_size = cpu_to_le64(node->size_bytes);
	na->data_size = na->initialized_size = (s64)node->size_bytes;
	ni->data_size = na->data_size;
	ni->allocated_size = na->allocated_size;
	ntfs_inode_mark_dirty(ctx->ntfs_ino);
	r = 0;
out:
	r = r < 0 ? ntfs_session_fail(s, e, "cannot place the content") : 0;
	if (ctx)
		ntfs_attr_put_search_ctx(ctx);
	if (na)
		ntfs_attr_close(na);
	return r;
}

/* The inode's copy of its name also bears times and sizes; the library updates the directory's only. */
static int stamp(struct ntfs_session *s, ntfs_inode *ni, const struct ntfs_node *node,
		 struct err *e)
{
	ntfs_attr_search_ctx *ctx = ntfs_attr_get_search_ctx(ni, NULL);
	ntfs_time t = ticks_of(node->mtime_ns);
	FILE_NAME_ATTR *fn;

	if (!ctx ||
	    ntfs_attr_lookup(AT_FILE_NAME, AT_UNNAMED, 0, CASE_SENSITIVE, 0, NULL, 0, ctx)) {
		int r = ntfs_session_fail(s, e, "cannot set time stamps");

		if (ctx)
			ntfs_attr_put_search_ctx(ctx);
		return r;
	}
	ni->flags = node->flags;
	ni->creation_time = ni->last_data_change_time = t;
	ni->last_mft_change_time = ni->last_access_time = t;
	fn = (FILE_NAME_ATTR *)(void *)((uint8_t *)ctx->attr +
					le16_to_cpu(ctx->attr->value_offset));
	fn->creation_time = fn->last_data_change_time = t;
	fn->last_mft_change_time = fn->last_access_time = t;
	fn->file_attributes = node->flags | (node->is_dir ? FILE_ATTR_I30_INDEX_PRESENT : 0);
	if (!node->is_dir) {
		fn->data_size = cpu_to_le64((u64)ni->data_size);
		fn->allocated_size = cpu_to_le64((u64)ni->allocated_size);
	}
	ntfs_attr_put_search_ctx(ctx);
	NInoFileNameSetDirty(ni);
	ntfs_inode_mark_dirty(ni);
	return 0;
}

static int fill(struct ntfs_image *img, ntfs_inode *ni, struct ntfs_node *node, struct err *e)
{
	le32 *id = &img->security_ids[node->access];
	int r = 0;

	if (!*id)
		r = ntfs_security_set(img->session, ni, node->access, id, e);
	if (r == 0 && node->runs)
		r = attach_runs(img->session, ni, node, e);
	return r < 0 ? r : stamp(img->session, ni, node, e);
}

int ntfs_node_make(struct ntfs_image *img, const struct ntfs_name *name, struct ntfs_node *node,
		   uint64_t *ret_ref, struct err *e)
{
	ntfs_inode *ni;
	uint64_t ref;
	int r;

	ni = ntfs_create(img->parent, img->security_ids[node->access], name->units, name->n_units,
			 node->is_dir ? S_IFDIR : S_IFREG);
	if (!ni) {
		r = ntfs_session_fail(img->session, e, "cannot create '%s'", node->text);
		return ntfs_image_spoil(img, ntfs_names_full(r, e));
	}
	ref = MK_MREF(ni->mft_no, le16_to_cpu(ni->mrec->sequence_number));
	r = fill(img, ni, node, e);
	if (ntfs_inode_close_in_dir(ni, img->parent) < 0 && r == 0)
		r = ntfs_session_fail(img->session, e, "cannot write the inode");
	if (r == 0)
		r = ntfs_layout_settle(img, e);
	if (r < 0)
		return ntfs_image_spoil(img,
					err_wrap(e, ntfs_names_full(r, e), "'%s'", node->text));
	*ret_ref = ref;
	return 0;
}
