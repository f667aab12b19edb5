/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * faultfs MOUNTPOINT: plays the disk below a store. Everything lives in memory (faultfs_disk.h), so that a
 * power cut can take back what was not synced, and disks can fill up and fail at will.
 *
 * A file system beneath the store, and not a VFS below SQLite plus a seam below the packs, because it sees
 * every byte of every component, written by whatever call, shared memory included, and the product carries no
 * code for it: the program under test is the one that is shipped.
 *
 * The file .faultfs in its root takes one command a write, and fails as the command does:
 *
 *   cut SEED                             the power fails: only what is durable is left, and a seeded part of the rest
 *   capacity BYTES                       the size of the disk; 0 = without end
 *   room BYTES                           the capacity becomes what is used now, and so much more
 *   fail CALL NTH PATTERN [always]       EIO for the nth read, write or fsync of files of that name (fnmatch(3));
 *                                        with "always" for all that follow, too
 *   heal                                 no more failures
 *
 * Reading it gives counters, one "name value" a line. One thread serves all calls, so each is one step.
 */
#define FUSE_USE_VERSION 312

#include <errno.h>
#include <fuse.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/macros.h"
#include "tests/lib/faultfs_disk.h"

#define CONTROL "/.faultfs"
#define ENDLESS (UINT64_C(1) << 40) /* what an endless disk says of itself */

static struct disk *disk;

/* ---- the control file ---- */

static bool is_control(const char *path)
{
	return path && strcmp(path, CONTROL) == 0;
}

static int add_fault(const char *call, uint64_t nth, const char *pattern, bool always)
{
	static const char *const calls[DISK_CALLS] = {"read", "write", "fsync"};

	for (int i = 0; i < DISK_CALLS; i++)
		if (strcmp(call, calls[i]) == 0)
			return disk_add_fault(disk, (enum disk_call)i, nth, always, pattern);
	return -EINVAL;
}

static int obey(char *text)
{
	char *rest, *word = strtok_r(text, " \n", &rest);
	bool fail = word && strcmp(word, "fail") == 0;
	const char *call = fail ? strtok_r(NULL, " \n", &rest) : NULL,
		   *number_text = strtok_r(NULL, " \n", &rest),
		   *pattern = fail ? strtok_r(NULL, " \n", &rest) : NULL;
	uint64_t number = number_text ? strtoull(number_text, NULL, 10) : 0;

	if (pattern)
		return add_fault(call, number, pattern, strtok_r(NULL, " \n", &rest));
	if (!word || fail)
		return -EINVAL;
	if (strcmp(word, "cut") == 0)
		disk_cut(disk, number);
	else if (strcmp(word, "capacity") == 0)
		disk->capacity_blocks = number / DISK_BLOCK_BYTES;
	else if (strcmp(word, "room") == 0)
		disk->capacity_blocks = disk->used_blocks + number / DISK_BLOCK_BYTES;
	else if (strcmp(word, "heal") == 0)
		disk->n_faults = 0;
	else
		return -EINVAL;
	return 0;
}

static int control_write(const char *data, size_t len_bytes)
{
	char text[512];
	int r;

	if (len_bytes >= sizeof(text))
		return -EINVAL;
	memcpy(text, data, len_bytes);
	text[len_bytes] = '\0';
	r = obey(text);
	return r < 0 ? r : (int)len_bytes;
}

static uint64_t pending_bytes(void)
{
	uint64_t sum = 0;

	for (struct node *n = disk->all; n; n = n->next)
		for (struct pending *p = n->pending; p; p = p->next)
			sum += p->len_bytes;
	return sum;
}

static int control_read(char *data, size_t size_bytes, off_t off)
{
	char text[512];
	int n = snprintf(
		text, sizeof(text),
		"reads %" PRIu64 "\nwrites %" PRIu64 "\nfsyncs %" PRIu64 "\nfailed %" PRIu64
		"\ncuts %" PRIu64 "\nused_bytes %" PRIu64 "\npending_bytes %" PRIu64 "\n",
		disk->calls[DISK_READ], disk->calls[DISK_WRITE], disk->calls[DISK_FSYNC],
		disk->struck, disk->cuts, disk->used_blocks * DISK_BLOCK_BYTES, pending_bytes());

	if (off >= n)
		return 0;
	size_bytes = MIN(size_bytes, (size_t)(n - off));
	memcpy(data, text + off, size_bytes);
	return (int)size_bytes;
}

/* ---- nodes ---- */

static struct node *handle(const struct fuse_file_info *fi)
{
	return (struct node *)(uintptr_t)fi->fh; /* NOLINT(performance-no-int-to-ptr): FUSE's */
}

/* Of an open handle, or of a path. */
static struct node *node_of(const char *path, const struct fuse_file_info *fi)
{
	return fi && fi->fh ? handle(fi) : disk_find(disk, path);
}

static void *ff_init(struct fuse_conn_info *conn, struct fuse_config *config)
{
	(void)conn;
	config->use_ino = 1;
	config->nullpath_ok = 1;
	config->hard_remove = 1; /* what is unlinked and open lives on by itself */
	/* A cut changes everything behind the kernel's back. */
	config->entry_timeout = config->negative_timeout = config->attr_timeout = 0;
	return NULL;
}

static int ff_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	struct node *n;

	if (is_control(path)) {
		*st = (struct stat){.st_mode = S_IFREG | 0600, .st_nlink = 1, .st_ino = UINT32_MAX};
		return 0;
	}
	n = node_of(path, fi);
	if (!n)
		return -ENOENT;
	*st = n->st;
	st->st_nlink = S_ISDIR(n->st.st_mode) ? 2 : n->links;
	st->st_size = S_ISDIR(n->st.st_mode) ? DISK_BLOCK_BYTES : (off_t)n->seen.size_bytes;
	st->st_blocks = (blkcnt_t)(n->allocated_blocks * (DISK_BLOCK_BYTES / 512));
	st->st_blksize = DISK_BLOCK_BYTES;
	return 0;
}

static int ff_chmod(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	struct node *n = node_of(path, fi);

	if (!n)
		return -ENOENT;
	n->st.st_mode = (n->st.st_mode & S_IFMT) | (mode & 07777);
	return 0;
}

static int ff_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi)
{
	struct node *n = node_of(path, fi);

	if (!n)
		return -ENOENT;
	if (uid != (uid_t)-1)
		n->st.st_uid = uid;
	if (gid != (gid_t)-1)
		n->st.st_gid = gid;
	return 0;
}

static int ff_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *fi)
{
	struct node *n = node_of(path, fi);

	if (!n)
		return -ENOENT;
	n->st.st_atim = times[0];
	n->st.st_mtim = times[1];
	return 0;
}

/* ---- names ---- */

static int ff_mkdir(const char *path, mode_t mode)
{
	const struct fuse_context *who = fuse_get_context();
	struct node *n;

	return disk_create(disk, path, S_IFDIR | (mode & 07777), who->uid, who->gid, &n);
}

static int ff_remove(const char *path)
{
	return disk_remove(disk, path);
}

static int ff_rename(const char *from, const char *to, unsigned flags)
{
	return flags ? -EINVAL : disk_rename(disk, from, to);
}

static int ff_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t off,
		      struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	struct node *n = node_of(path, fi);

	(void)off;
	(void)flags;
	if (!n)
		return -ENOENT;
	(void)fill(buf, ".", NULL, 0, 0);
	(void)fill(buf, "..", NULL, 0, 0);
	for (size_t i = 0; i < n->names.n; i++)
		if (fill(buf, n->names.items[i].name, &n->names.items[i].node->st, 0, 0))
			return -ENOMEM;
	return 0;
}

/* ---- handles ---- */

static int ff_open(const char *path, struct fuse_file_info *fi)
{
	struct node *n;

	fi->direct_io = is_control(path);
	if (fi->direct_io)
		return 0;
	n = disk_find(disk, path);
	if (!n)
		return -ENOENT;
	disk_open(n);
	fi->fh = (uintptr_t)n;
	return 0;
}

static int ff_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	const struct fuse_context *who = fuse_get_context();
	struct node *n;
	int r = disk_create(disk, path, S_IFREG | (mode & 07777), who->uid, who->gid, &n);

	return r < 0 ? r : ff_open(path, fi);
}

static int ff_release(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	if (fi->fh)
		disk_close(disk, handle(fi));
	return 0;
}

static int ff_read(const char *path, char *data, size_t size, off_t off, struct fuse_file_info *fi)
{
	if (!fi->fh)
		return control_read(data, size, off);
	return (int)disk_read(disk, node_of(path, fi), data, size, (uint64_t)off);
}

static int ff_write(const char *path, const char *data, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct node *n;

	if (!fi->fh)
		return control_write(data, size);
	n = node_of(path, fi);
	(void)clock_gettime(CLOCK_REALTIME, &n->st.st_mtim);
	return (int)disk_write(disk, n, data, size, (uint64_t)off);
}

static int ff_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	struct node *n;

	if (is_control(path)) /* a shell opens it with O_TRUNC */
		return 0;
	n = node_of(path, fi);
	return n ? disk_resize(disk, n, (uint64_t)size) : -ENOENT;
}

static int ff_fallocate(const char *path, int mode, off_t off, off_t len, struct fuse_file_info *fi)
{
	struct node *n = node_of(path, fi);

	if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		return disk_punch(disk, n, (uint64_t)off, (uint64_t)len);
	if (mode & ~FALLOC_FL_KEEP_SIZE)
		return -EOPNOTSUPP;
	return disk_allocate(disk, n, (uint64_t)off, (uint64_t)len, mode & FALLOC_FL_KEEP_SIZE);
}

static int ff_fsync(const char *path, int datasync, struct fuse_file_info *fi)
{
	(void)datasync; /* the size is data: fdatasync covers it, too */
	return fi->fh ? disk_fsync(disk, node_of(path, fi)) : 0;
}

static int ff_statfs(const char *path, struct statvfs *st)
{
	uint64_t total = disk->capacity_blocks ? disk->capacity_blocks : ENDLESS / DISK_BLOCK_BYTES;
	uint64_t free_blocks = total > disk->used_blocks ? total - disk->used_blocks : 0;

	(void)path;
	*st = (struct statvfs){.f_bsize = DISK_BLOCK_BYTES,
			       .f_frsize = DISK_BLOCK_BYTES,
			       .f_blocks = total,
			       .f_bfree = free_blocks,
			       .f_bavail = free_blocks,
			       .f_files = disk->last_ino,
			       .f_namemax = NAME_MAX};
	return 0;
}

static const struct fuse_operations operations = {
	.init = ff_init,
	.getattr = ff_getattr,
	.chmod = ff_chmod,
	.chown = ff_chown,
	.utimens = ff_utimens,
	.mkdir = ff_mkdir,
	.unlink = ff_remove,
	.rmdir = ff_remove,
	.rename = ff_rename,
	.opendir = ff_open,
	.readdir = ff_readdir,
	.releasedir = ff_release,
	.fsyncdir = ff_fsync,
	.open = ff_open,
	.create = ff_create,
	.release = ff_release,
	.read = ff_read,
	.write = ff_write,
	.truncate = ff_truncate,
	.fallocate = ff_fallocate,
	.fsync = ff_fsync,
	.statfs = ff_statfs,
};

int main(int argc, char **argv)
{
	static const char *const options[] = {"faultfs", "-f", "-s",
					      "-odefault_permissions,allow_other,fsname=faultfs"};
	struct fuse_args arguments = FUSE_ARGS_INIT(0, NULL);
	bool complete = true;
	int status;

	if (argc != 2) {
		(void)fprintf(stderr, "Usage: faultfs MOUNTPOINT\n");
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		complete &= fuse_opt_add_arg(&arguments, options[i]) == 0;
	complete &= fuse_opt_add_arg(&arguments, argv[1]) == 0;
	disk = disk_new();
	if (!disk || !complete) {
		(void)fprintf(stderr, "faultfs: out of memory\n");
		return 1;
	}
	status = fuse_main(arguments.argc, arguments.argv, &operations, NULL);
	fuse_opt_free_args(&arguments);
	return status;
}
