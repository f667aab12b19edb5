/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of operations, what is asked of the kernel at its start, and the ways to reply. */
#include "fs/ops.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "fs/groups.h"
#include "fs/ops_priv.h"

#define REQUEST_BYTES_MAX   (1u << 20)
#define BACKGROUND_REQUESTS 64 /* readahead and the like, for all files together */

/* A file's stored size, hence its st_blocks, still changes for a while after its content did. */
#define SETTLE_NS      (10 * NSEC_PER_SEC)
#define SETTLE_SECONDS 1.0

static void want_if_capable(struct fuse_conn_info *conn, unsigned capability, bool wanted)
{
	conn->want &= ~capability;
	if (wanted)
		conn->want |= conn->capable & capability;
}

static void init(void *userdata, struct fuse_conn_info *conn)
{
	struct ops *ops = userdata;

	conn->max_write = REQUEST_BYTES_MAX;
	conn->max_background = BACKGROUND_REQUESTS;
	conn->congestion_threshold = BACKGROUND_REQUESTS * 3 / 4;
	conn->time_gran = 1;
	want_if_capable(conn, FUSE_CAP_ASYNC_READ, true);
	want_if_capable(conn, FUSE_CAP_ATOMIC_O_TRUNC, true);
	want_if_capable(conn, FUSE_CAP_PARALLEL_DIROPS, true);
	want_if_capable(conn, FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO, true);
	want_if_capable(conn, FUSE_CAP_CACHE_SYMLINKS, true);
	/* Bytes would reach us after the rename that relies on them, and up to 30 s late. */
	want_if_capable(conn, FUSE_CAP_WRITEBACK_CACHE, false);
	want_if_capable(conn, FUSE_CAP_EXPORT_SUPPORT, true);
	/* With ACLs the umask is ours to apply: a default ACL takes its place. */
	ops->posix_acl = ops->posix_acl && conn->capable & FUSE_CAP_POSIX_ACL;
	want_if_capable(conn, FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK, ops->posix_acl);
	/* Pages go stale only by what the kernel itself does. */
	want_if_capable(conn, FUSE_CAP_AUTO_INVAL_DATA, false);
	want_if_capable(conn, FUSE_CAP_EXPLICIT_INVAL_DATA, true);
	/* Measured elsewhere time and again: no faster than a copy, at times slower. */
	want_if_capable(conn, FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE,
			false);
}

const struct fuse_lowlevel_ops ops_table = {
	.init = init,
	.lookup = ops_lookup,
	.forget = ops_forget,
	.forget_multi = ops_forget_multi,
	.readlink = ops_readlink,
	.mknod = ops_mknod,
	.mkdir = ops_mkdir,
	.unlink = ops_unlink,
	.rmdir = ops_rmdir,
	.symlink = ops_symlink,
	.rename = ops_rename,
	.link = ops_link,
	.opendir = ops_opendir,
	.readdir = ops_readdir,
	.readdirplus = ops_readdirplus,
	.fsyncdir = ops_fsyncdir,
	.open = ops_open,
	.create = ops_create,
	.release = ops_release,
	.read = ops_read,
	.write = ops_write,
	.flush = ops_flush,
	.fsync = ops_fsync,
	.fallocate = ops_fallocate,
	.lseek = ops_lseek,
	.getattr = ops_getattr,
	.setattr = ops_setattr,
	.statfs = ops_statfs,
	.setxattr = ops_setxattr,
	.getxattr = ops_getxattr,
	.listxattr = ops_listxattr,
	.removexattr = ops_removexattr,
};

struct stage_caller ops_caller(fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (struct stage_caller){.uid = ctx->uid, .gid = ctx->gid, .umask = ctx->umask};
}

bool ops_in_group(fuse_req_t req, gid_t gid)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return ctx->gid == gid || groups_have(ctx->pid, gid);
}

void ops_reply_status(fuse_req_t req, int r)
{
	(void)fuse_reply_err(req, -r);
}

static double attr_seconds(const struct stat *st)
{
	uint64_t changed_ns =
		(uint64_t)st->st_ctim.tv_sec * NSEC_PER_SEC + (uint64_t)st->st_ctim.tv_nsec;

	if (S_ISREG(st->st_mode) && clock_realtime_ns() < changed_ns + SETTLE_NS)
		return SETTLE_SECONDS;
	return KEEP_SECONDS;
}

struct fuse_entry_param ops_entry(const struct stat *st)
{
	return (struct fuse_entry_param){
		.ino = st->st_ino,
		.attr = *st,
		.attr_timeout = attr_seconds(st),
		.entry_timeout = KEEP_SECONDS,
	};
}

void ops_reply_entry(fuse_req_t req, int r, const struct stat *st)
{
	struct stage *stage = stage_of(req); /* a reply ends the request */
	struct fuse_entry_param entry;

	if (r < 0) {
		ops_reply_status(req, r);
		return;
	}
	entry = ops_entry(st);
	if (fuse_reply_entry(req, &entry) < 0)
		stage_forget(stage, entry.ino, 1);
}

void ops_reply_attr(fuse_req_t req, int r, const struct stat *st)
{
	if (r < 0)
		ops_reply_status(req, r);
	else
		(void)fuse_reply_attr(req, st, attr_seconds(st));
}

/* ---- the buffer of a thread ---- */

struct thread_buffer {
	size_t capacity_bytes;
	char data[];
};

static pthread_once_t buffer_once = PTHREAD_ONCE_INIT;
static pthread_key_t buffer_key;
static bool buffer_key_made;

static void make_buffer_key(void)
{
	buffer_key_made = pthread_key_create(&buffer_key, free) == 0;
}

void *ops_buffer(size_t len_bytes)
{
	struct thread_buffer *buffer;

	(void)pthread_once(&buffer_once, make_buffer_key);
	if (!buffer_key_made)
		return NULL;
	buffer = pthread_getspecific(buffer_key);
	if (buffer && buffer->capacity_bytes >= len_bytes)
		return buffer->data;
	free(buffer);
	buffer = malloc(sizeof(*buffer) + len_bytes);
	if (buffer)
		buffer->capacity_bytes = len_bytes;
	if (pthread_setspecific(buffer_key, buffer) != 0) {
		free(buffer);
		return NULL;
	}
	return buffer ? buffer->data : NULL;
}
