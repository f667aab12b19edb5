/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations on names. */
#include <errno.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "fs/ops_priv.h"

void ops_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	/* inode 0: there is no such name, and the kernel may keep that in mind. */
	static const struct fuse_entry_param nothing = {.entry_timeout = KEEP_SECONDS};
	struct stat st;
	int r = stage_lookup(stage_of(req), parent, name, &st);

	if (r == -ENOENT)
		(void)fuse_reply_entry(req, &nothing);
	else
		ops_reply_entry(req, r, &st);
}

void ops_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n_lookups)
{
	stage_forget(stage_of(req), ino, n_lookups);
	fuse_reply_none(req);
}

void ops_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		stage_forget(stage_of(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

void ops_readlink(fuse_req_t req, fuse_ino_t ino)
{
	_cleanup_free_ char *target = NULL;
	int r = stage_readlink(stage_of(req), ino, &target);

	if (r < 0)
		ops_reply_status(req, r);
	else
		(void)fuse_reply_readlink(req, target);
}

void ops_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct stage_caller who = ops_caller(req);
	struct stat st;
	int r = stage_mknod(stage_of(req), &who, parent, name, mode, rdev, &st);

	ops_reply_entry(req, r, &st);
}

void ops_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct stage_caller who = ops_caller(req);
	struct stat st;
	int r = stage_mkdir(stage_of(req), &who, parent, name, mode, &st);

	ops_reply_entry(req, r, &st);
}

void ops_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct stage_caller who = ops_caller(req);
	struct stat st;
	int r = stage_symlink(stage_of(req), &who, parent, name, target, &st);

	ops_reply_entry(req, r, &st);
}

void ops_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct stat st;
	int r = stage_link(stage_of(req), ino, parent, name, &st);

	ops_reply_entry(req, r, &st);
}

void ops_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	ops_reply_status(req, stage_unlink(stage_of(req), parent, name));
}

void ops_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	ops_reply_status(req, stage_rmdir(stage_of(req), parent, name));
}

void ops_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		const char *new_name, unsigned flags)
{
	ops_reply_status(req,
			 stage_rename(stage_of(req), parent, name, new_parent, new_name, flags));
}
