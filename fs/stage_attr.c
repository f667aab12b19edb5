/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attributes: stat, chmod, chown, times, size, and what a write takes away. */
#include <errno.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "fs/stage_priv.h"

int stage_getattr(struct stage *s, uint64_t ino, struct stat *st)
{
	struct inode *i;
	int r = inode_get(&s->inodes, ino, &i);

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&i->lock);
	inode_stat(i, st);
	(void)pthread_mutex_unlock(&i->lock);
	inode_unpin(&s->inodes, i);
	return 0;
}

/* What 64 bits of nanoseconds cannot say (before 1677, after 2262) becomes the nearest that they can. */
static uint64_t from_timespec(const struct timespec *ts)
{
	int64_t ns;

	if (__builtin_mul_overflow((int64_t)ts->tv_sec, (int64_t)NSEC_PER_SEC, &ns) ||
	    __builtin_add_overflow(ns, ts->tv_nsec, &ns))
		ns = ts->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return (uint64_t)ns;
}

static void set_times(struct inode *i, const struct stat *want, unsigned valid)
{
	uint64_t now = stage_now_ns();

	if (valid & STAGE_SET_ATIME)
		i->row.atime_ns = from_timespec(&want->st_atim);
	if (valid & STAGE_SET_ATIME_NOW)
		i->row.atime_ns = now;
	if (valid & STAGE_SET_MTIME)
		i->row.mtime_ns = from_timespec(&want->st_mtim);
	if (valid & STAGE_SET_MTIME_NOW)
		i->row.mtime_ns = now;
	i->row.ctime_ns = valid & STAGE_SET_CTIME ? from_timespec(&want->st_ctim) : now;
}

static int set_owner(struct op *op, struct inode *i, const struct stat *want, unsigned valid)
{
	if (valid & STAGE_SET_UID)
		i->row.uid = want->st_uid;
	if (valid & STAGE_SET_GID)
		i->row.gid = want->st_gid;
	/* As on a local filesystem, unless the same call sets the mode itself. */
	return S_ISDIR(i->row.mode) || valid & STAGE_SET_MODE
		       ? 0
		       : stage_kill_priv(op, i, STAGE_KILL_PRIV | (valid & STAGE_KILL_SGID));
}

int stage_setattr(struct stage *s, uint64_t ino, const struct stat *want, unsigned valid,
		  struct stat *st)
{
	_cleanup_(op_end) struct op op = {0};
	struct inode *i;
	int r = stage_check_writable(s);

	if (r == 0)
		r = op_begin(&op, s, false);
	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r == 0)
		r = stage_kill_priv(&op, i, valid);
	if (r == 0 && valid & STAGE_SET_SIZE)
		r = stage_truncate(&op, i, (uint64_t)want->st_size);
	if (r == 0 && valid & (STAGE_SET_UID | STAGE_SET_GID))
		r = set_owner(&op, i, want, valid);
	if (r < 0)
		return r;
	if (valid & STAGE_SET_MODE) {
		i->row.mode = (i->row.mode & S_IFMT) | (want->st_mode & 07777);
		r = stage_chmod_acl(&op, i);
		if (r < 0)
			return r;
	}
	set_times(i, want, valid);
	r = op_submit(&op);
	if (r == 0)
		inode_stat(i, st);
	return r;
}
