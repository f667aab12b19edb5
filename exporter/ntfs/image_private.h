/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files that make up ntfs_image share. */
#ifndef SEEDSHIP_NTFS_IMAGE_PRIVATE_H
#define SEEDSHIP_NTFS_IMAGE_PRIVATE_H

#include "exporter/ntfs/alloc.h"
#include "exporter/ntfs/bitmap.h"
#include "exporter/ntfs/image.h"
#include "exporter/ntfs/name.h"
#include "exporter/ntfs/security.h"
#include "exporter/ntfs/session.h"

/*
 * The clusters of the volume, from the front: the MFT and room for it, room for directories, file
 * content. The two rooms are where libntfs-3g is led to allocate (see layout.c).
 */
struct ntfs_image {
	char *path;		      /* owned */
	struct target *file;	      /* owned */
	struct ntfs_session *session; /* owned; NULL once finished */
	struct ntfs_bitmap bitmap;
	struct ntfs_alloc content;
	struct ntfs_reserve reserve;
	uint64_t index_start, index_end; /* room for directories; equal once it is full */
	uint64_t index_lcn;		 /* where the next directory block is to go */
	bool laid_out;			 /* content and the room are set */
	bool broken;
	bool finished;
	int64_t now_ns;
	ntfs_inode *parent; /* the directory of the last call, kept open; no inode is open twice */
	uint64_t parent_ref;
	le32 security_ids[NTFS_ACCESS_MAX];
	struct ntfs_extent *extents; /* owned; of the last file */
	size_t extents_capacity;
};

/* One new inode. A file with runs gets them as its content; without, it is empty. */
struct ntfs_node {
	const char *text;
	bool is_dir;
	enum ntfs_access access;
	FILE_ATTR_FLAGS flags; /* as Windows shows them */
	int64_t mtime_ns;
	uint64_t size_bytes;
	runlist *runs; /* moved into the library when the node was made */
};

/* Refuses a broken or finished image; call first. */
int ntfs_image_begin(struct ntfs_image *img, struct err *e);

/* Passes r on; a negative one breaks the image. */
int ntfs_image_spoil(struct ntfs_image *img, int r);

/* Turns -ENOSPC of the library, which allocates for names only, into -EOVERFLOW with a hint. */
int ntfs_names_full(int r, struct err *e);

/* layout.c: divides the volume, once; leads the library's allocator on after each operation in a directory. */
int ntfs_layout_start(struct ntfs_image *img, struct err *e);
int ntfs_layout_settle(struct ntfs_image *img, struct err *e);

/* node.c: opens a directory as img->parent; finds out that a name is free in it; makes an inode there. */
int ntfs_parent_open(struct ntfs_image *img, uint64_t ref, struct err *e);
int ntfs_parent_close(struct ntfs_image *img, struct err *e);
int ntfs_parent_check_name(struct ntfs_image *img, const char *text, struct ntfs_name *ret,
			   struct err *e);
int ntfs_node_make(struct ntfs_image *img, const struct ntfs_name *name, struct ntfs_node *node,
		   uint64_t *ret_ref, struct err *e);

#endif
