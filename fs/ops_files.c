/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations on open files. The stage counts opens by inode: an open file has no state here. */
#include <errno.h>
#include <fcntl.h>

#include "fs/ops_priv.h"
#include "fs/wire.h"

/*
 * What the request takes away, if asked to, and if the file has it: suid and sgid. The kernel says of every
 * write by a user without CAP_FSETID that it does; uid 0 stands for that capability where it does not say.
 * (The capability attribute it takes away itself.)
 */
unsigned ops_kills_priv(fuse_req_t req, fuse_ino_t ino, bool asked)
{
	unsigned kill = STAGE_KILL_PRIV;
	struct stat st;

	if (!asked || stage_getattr(stage_of(req), ino, &st) < 0 ||
	    !(st.st_mode & (S_ISUID | S_ISGID)))
		return 0;
	if (st.st_mode & S_ISGID && fuse_req_ctx(req)->uid != 0 && !ops_in_group(req, st.st_gid))
		kill |= STAGE_KILL_SGID;
	return kill;
}

/* The kernel does not expect a changed mode after a write or an open: it must look again. */
static void tell_mode_changed(fuse_req_t req, fuse_ino_t ino)
{
	const off_t attributes_only = -1;

	(void)fuse_lowlevel_notify_inval_inode(ops_of(req)->fuse, ino, attributes_only, 0);
}

/*
 * The kernel keeps pages of a file from one open to the next, and does not ask at close(): what is dirty goes on
 * its way with RELEASE, for which nobody waits. (Kernels before 5.16, and with the writeback cache, ask all
 * the same.)
 */
static void set_open_flags(struct fuse_file_info *fi)
{
	fi->keep_cache = 1;
	fi->noflush = 1;
}

static int open_file(fuse_req_t req, fuse_ino_t ino, int flags)
{
	struct stage *stage = stage_of(req);
	unsigned kill = ops_kills_priv(req, ino, wire_kills_priv());
	struct stat want = {0}, st;
	int r = stage_open(stage, ino, flags & O_TRUNC);

	if (r < 0 || !kill)
		return r;
	r = stage_setattr(stage, ino, &want, kill, &st);
	if (r < 0)
		stage_release(stage, ino);
	else
		tell_mode_changed(req, ino);
	return r;
}

static bool is_mappable(const struct fuse_file_info *fi)
{
	return (fi->flags & O_ACCMODE) == O_RDWR;
}

static void release(struct stage *stage, fuse_ino_t ino, const struct fuse_file_info *fi)
{
	if (is_mappable(fi))
		stage_drop_mappable(stage, ino);
	stage_release(stage, ino);
}

void ops_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stage *stage = stage_of(req); /* a reply ends the request */
	int r = open_file(req, ino, fi->flags);

	if (r < 0) {
		ops_reply_status(req, r);
		return;
	}
	set_open_flags(fi);
	if (is_mappable(fi))
		stage_hold_mappable(stage, ino);
	if (fuse_reply_open(req, fi) < 0)
		release(stage, ino, fi);
}

void ops_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		struct fuse_file_info *fi)
{
	struct stage *stage = stage_of(req);
	struct stage_caller who = ops_caller(req);
	struct fuse_entry_param entry;
	struct stat st;
	int r = wire_is_tmpfile() ? stage_tmpfile(stage, &who, parent, mode, &st)
				  : stage_create(stage, &who, parent, name, mode, &st);

	if (r < 0) {
		ops_reply_status(req, r);
		return;
	}
	set_open_flags(fi);
	entry = ops_entry(&st);
	if (is_mappable(fi))
		stage_hold_mappable(stage, entry.ino);
	if (fuse_reply_create(req, &entry, fi) < 0) {
		release(stage, entry.ino, fi);
		stage_forget(stage, entry.ino, 1);
	}
}

void ops_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)stage_flush(stage_of(req), ino);
	release(stage_of(req), ino, fi);
	ops_reply_status(req, 0);
}

void ops_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	char *data = ops_buffer(size);
	ssize_t n = data ? stage_read(stage_of(req), ino, data, size, (uint64_t)off) : -ENOMEM;

	(void)fi;
	if (n < 0)
		ops_reply_status(req, (int)n);
	else
		(void)fuse_reply_buf(req, data, (size_t)n);
}

void ops_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t off,
	       struct fuse_file_info *fi)
{
	unsigned kill = ops_kills_priv(req, ino, wire_kills_priv());
	ssize_t n = stage_write(stage_of(req), ino, data, size, (uint64_t)off, kill);

	(void)fi;
	if (kill) /* also when writing failed */
		tell_mode_changed(req, ino);
	if (n < 0)
		ops_reply_status(req, (int)n);
	else
		(void)fuse_reply_write(req, (size_t)n);
}

void ops_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	ops_reply_status(req, stage_flush(stage_of(req), ino));
}

void ops_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)datasync;
	(void)fi;
	ops_reply_status(req, stage_fsync(stage_of(req), ino));
}

void ops_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
		   struct fuse_file_info *fi)
{
	unsigned kill = ops_kills_priv(req, ino, fuse_req_ctx(req)->uid != 0);
	int r = stage_fallocate(stage_of(req), ino, mode, (uint64_t)off, (uint64_t)len, kill);

	(void)fi;
	if (kill)
		tell_mode_changed(req, ino);
	ops_reply_status(req, r);
}

void ops_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
	int64_t at = stage_lseek(stage_of(req), ino, (uint64_t)off, whence);

	(void)fi;
	if (at < 0)
		ops_reply_status(req, (int)at);
	else
		(void)fuse_reply_lseek(req, at);
}
