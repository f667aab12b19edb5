/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of ops share: replies, and the operations of the table. */
#ifndef SEEDSHIP_FS_OPS_PRIV_H
#define SEEDSHIP_FS_OPS_PRIV_H

#define FUSE_USE_VERSION 314

#include <fuse_lowlevel.h>

#include "fs/ops.h"

/* How long the kernel may keep a name, and the attributes of what is at rest. */
#define KEEP_SECONDS 86400.0

static inline struct ops *ops_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static inline struct stage *stage_of(fuse_req_t req)
{
	return ops_of(req)->stage;
}

/* Who made the request. */
struct stage_caller ops_caller(fuse_req_t req);

/* Whether who made the request is of a group; asked of /proc, so only when it matters. */
bool ops_in_group(fuse_req_t req, gid_t gid);

/* Replies with what the stage returned: 0 or -errno. */
void ops_reply_status(fuse_req_t req, int r);

/* Replies with the inode st, whose kernel reference is given back if the kernel does not want it any more. */
void ops_reply_entry(fuse_req_t req, int r, const struct stat *st);
void ops_reply_attr(fuse_req_t req, int r, const struct stat *st);

/* st as the kernel is told of it, with how long it may believe that. */
struct fuse_entry_param ops_entry(const struct stat *st);

/* This thread's buffer of at least len_bytes, for replies; content undefined. NULL: out of memory. */
void *ops_buffer(size_t len_bytes);

/* ops_names.c */
void ops_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void ops_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n_lookups);
void ops_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void ops_readlink(fuse_req_t req, fuse_ino_t ino);
void ops_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void ops_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void ops_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void ops_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void ops_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void ops_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		const char *new_name, unsigned flags);
void ops_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);

/* ops_dirs.c */
void ops_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ops_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void ops_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		     struct fuse_file_info *fi);
void ops_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);

/* ops_files.c */
unsigned ops_kills_priv(fuse_req_t req, fuse_ino_t ino, bool asked); /* STAGE_KILL_* */
void ops_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ops_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		struct fuse_file_info *fi);
void ops_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ops_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void ops_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t off,
	       struct fuse_file_info *fi);
void ops_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ops_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void ops_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
		   struct fuse_file_info *fi);
void ops_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi);

/* ops_attrs.c */
void ops_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ops_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *want, int to_set,
		 struct fuse_file_info *fi);
void ops_statfs(fuse_req_t req, fuse_ino_t ino);
void ops_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
		  int flags);
void ops_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void ops_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void ops_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);

#endif
