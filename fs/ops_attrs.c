/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations on attributes, plain and extended, and on the filesystem as a whole. */
#include <errno.h>
#include <string.h>

#include "common/base/macros.h"
#include "fs/acl.h"
#include "fs/ops_priv.h"
#include "fs/wire.h"

void ops_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;
	int r = stage_getattr(stage_of(req), ino, &st);

	(void)fi;
	ops_reply_attr(req, r, &st);
}

static unsigned attrs_meant(int to_set)
{
	static const struct {
		int fuse;
		unsigned stage;
	} pairs[] = {
		{FUSE_SET_ATTR_MODE, STAGE_SET_MODE},
		{FUSE_SET_ATTR_UID, STAGE_SET_UID},
		{FUSE_SET_ATTR_GID, STAGE_SET_GID},
		{FUSE_SET_ATTR_SIZE, STAGE_SET_SIZE},
		{FUSE_SET_ATTR_ATIME, STAGE_SET_ATIME},
		{FUSE_SET_ATTR_MTIME, STAGE_SET_MTIME},
		{FUSE_SET_ATTR_ATIME_NOW, STAGE_SET_ATIME_NOW},
		{FUSE_SET_ATTR_MTIME_NOW, STAGE_SET_MTIME_NOW},
		{FUSE_SET_ATTR_CTIME, STAGE_SET_CTIME},
	};
	unsigned valid = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (to_set & pairs[i].fuse)
			valid |= pairs[i].stage;
	return valid;
}

void ops_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *want, int to_set,
		 struct fuse_file_info *fi)
{
	struct stat st;
	bool chown = to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID);
	unsigned kill = ops_kills_priv(req, ino, chown || wire_kills_priv());
	int r = stage_setattr(stage_of(req), ino, want, attrs_meant(to_set) | kill, &st);

	(void)fi;
	ops_reply_attr(req, r, &st);
}

void ops_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st = {0};
	int r = stage_statfs(stage_of(req), &st);

	(void)ino;
	if (r < 0)
		ops_reply_status(req, r);
	else
		(void)fuse_reply_statfs(req, &st);
}

/* ---- extended attributes ---- */

/* An ACL that nobody enforces must not be accepted. */
static bool is_unsupported(fuse_req_t req, const char *name)
{
	static const char acl[] = "system.posix_acl_";

	return !ops_of(req)->posix_acl && strncmp(name, acl, strlen(acl)) == 0;
}

/* Replies to a request for at most size bytes, 0 of which asks for the length. */
static void reply_sized(fuse_req_t req, ssize_t n, const char *data, size_t size)
{
	if (n < 0)
		ops_reply_status(req, (int)n);
	else if (size == 0)
		(void)fuse_reply_xattr(req, (size_t)n);
	else
		(void)fuse_reply_buf(req, data, (size_t)n);
}

void ops_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	char *data = ops_buffer(size);
	ssize_t n = -EOPNOTSUPP;

	if (!data)
		n = -ENOMEM;
	else if (!is_unsupported(req, name))
		n = stage_getxattr(stage_of(req), ino, name, data, size);
	reply_sized(req, n, data, size);
}

void ops_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	bool is_admin = fuse_req_ctx(req)->uid == 0;
	char *data = ops_buffer(size);
	ssize_t n = data ? stage_listxattr(stage_of(req), ino, is_admin, data, size) : -ENOMEM;

	reply_sized(req, n, data, size);
}

/*
 * Who sets an ACL and is not of the file's group takes its sgid bit away. (The protocol has a flag for it,
 * which libfuse 3.14 does not know.)
 */
static int acl_flags(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct stat st;
	bool kills = fuse_req_ctx(req)->uid != 0 && strcmp(name, ACL_ACCESS_NAME) == 0 &&
		     stage_getattr(stage_of(req), ino, &st) == 0 && st.st_mode & S_ISGID &&
		     !ops_in_group(req, st.st_gid);

	return kills ? STAGE_ACL_KILL_SGID : 0;
}

void ops_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
		  int flags)
{
	int r = -EOPNOTSUPP;

	if (!is_unsupported(req, name))
		r = stage_setxattr(stage_of(req), ino, name, value, size,
				   flags | acl_flags(req, ino, name));
	ops_reply_status(req, r);
}

void ops_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	int r = -EOPNOTSUPP;

	if (!is_unsupported(req, name))
		r = stage_removexattr(stage_of(req), ino, name);
	ops_reply_status(req, r);
}
