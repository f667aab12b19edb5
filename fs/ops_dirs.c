/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations on open directories. Positions are the stage's: an open directory has no state here. */
#include <errno.h>
#include <string.h>

#include "fs/ops_priv.h"

/* A listing as the kernel wants it. */
struct listing {
	fuse_req_t req;
	char *data;
	size_t capacity_bytes, len_bytes;
	bool plus;
};

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The kernel counts no reference on "." and "..": they come without an inode to refer to. */
static struct fuse_entry_param plus_entry(const char *name, const struct stat *attr)
{
	if (!attr)
		return (struct fuse_entry_param){0};
	if (is_dots(name))
		return (struct fuse_entry_param){.attr = *attr};
	return ops_entry(attr);
}

static bool add_entry(void *arg, const char *name, const struct stat *attr, uint64_t off)
{
	struct listing *l = arg;
	size_t room = l->capacity_bytes - l->len_bytes, n;
	char *at = l->data + l->len_bytes;

	if (l->plus) {
		struct fuse_entry_param entry = plus_entry(name, attr);

		n = fuse_add_direntry_plus(l->req, at, room, name, &entry, (off_t)off);
	} else {
		n = fuse_add_direntry(l->req, at, room, name, attr, (off_t)off);
	}
	if (n > room)
		return false;
	l->len_bytes += n;
	return true;
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, bool plus)
{
	struct listing l = {
		.req = req, .data = ops_buffer(size), .capacity_bytes = size, .plus = plus};
	int r = l.data ? stage_readdir(stage_of(req), ino, (uint64_t)off, plus, add_entry, &l)
		       : -ENOMEM;

	/* Entries that were counted must reach the kernel, even if what follows could not be read. */
	if (r < 0 && l.len_bytes == 0)
		ops_reply_status(req, r);
	else
		(void)fuse_reply_buf(req, l.data, l.len_bytes);
}

void ops_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->cache_readdir = 1;
	fi->keep_cache = 1;
	(void)fuse_reply_open(req, fi);
}

void ops_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, false);
}

void ops_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, true);
}

void ops_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)datasync;
	(void)fi;
	ops_reply_status(req, stage_fsync(stage_of(req), ino));
}
