/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A target on a disk or on an image file, through the page cache. */
#include "exporter/block/target_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/base/units.h"

#define IMAGE_SECTOR_BYTES 512
#define IMAGE_MODE	   0600

struct target_file {
	struct target target;
	int fd; /* owned, and with it the lock */
	bool is_disk;
	atomic_bool flush_failed, written;
};

static struct target_file *file_of(struct target *t)
{
	return container_of(t, struct target_file, target);
}

static int file_pread(struct target *t, void *data, size_t len_bytes, uint64_t off_bytes,
		      struct err *e)
{
	int r;

	if (!target_has_range(t, len_bytes, off_bytes))
		return err_set(e, ENODATA, "%s: read of %zu bytes at %" PRIu64 " is past the end",
			       t->name, len_bytes, off_bytes);
	r = fd_pread_full(file_of(t)->fd, data, len_bytes, off_bytes);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "%s: cannot read %zu bytes at %" PRIu64, t->name, len_bytes,
			       off_bytes);
	}
	return 0;
}

static int file_pwrite(struct target *t, const void *data, size_t len_bytes, uint64_t off_bytes,
		       struct err *e)
{
	int r;

	if (!target_has_range(t, len_bytes, off_bytes))
		return err_set(e, ENOSPC, "%s: write of %zu bytes at %" PRIu64 " is past the end",
			       t->name, len_bytes, off_bytes);
	r = fd_pwrite_full(file_of(t)->fd, data, len_bytes, off_bytes);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "%s: cannot write %zu bytes at %" PRIu64, t->name, len_bytes,
			       off_bytes);
	}
	atomic_store(&file_of(t)->written, true);
	return 0;
}

static int file_flush(struct target *t, struct err *e)
{
	struct target_file *f = file_of(t);

	if (atomic_load(&f->flush_failed))
		return err_set(e, EIO, "%s: an earlier flush failed", t->name);
	if (fdatasync(f->fd) < 0) {
		atomic_store(&f->flush_failed, true);
		return err_sys(e, "%s: cannot flush", t->name);
	}
	return 0;
}

/* Only clean pages can be dropped, hence the flush. */
static int file_drop_caches(struct target *t, struct err *e)
{
	int r = file_flush(t, e);

	if (r < 0)
		return r;
	/* Of a disk, pages that buffers still point to as well; that takes root. */
	if (file_of(t)->is_disk)
		(void)ioctl(file_of(t)->fd, BLKFLSBUF, 0);
	errno = posix_fadvise(file_of(t)->fd, 0, 0, POSIX_FADV_DONTNEED);
	return errno ? err_sys(e, "%s: cannot drop caches", t->name) : 0;
}

static void file_close(struct target *t)
{
	struct target_file *f = file_of(t);

	/* Drops what the kernel knew of the disk's former partitions; loop devices may have none. */
	if (f->is_disk && atomic_load(&f->written))
		(void)ioctl(f->fd, BLKRRPART, 0);
	(void)close(f->fd);
	free(f);
}

static const struct target_ops file_ops = {
	.pread = file_pread,
	.pwrite = file_pwrite,
	.flush = file_flush,
	.drop_caches = file_drop_caches,
	.close = file_close,
};

static int lock_exclusively(int fd, const char *path, struct err *e)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return err_sys(e, "cannot lock '%s'", path);
	return err_hint(e, err_set(e, EBUSY, "'%s' is being written by another program", path),
			"wait until it is done, or stop it");
}

/* Kind, size and logical sector size of an open image file or disk. */
static int measure(int fd, const char *path, struct target_file *ret, struct err *e)
{
	struct stat st;
	struct target *t = &ret->target;
	int sector;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot stat '%s'", path);
	if (S_ISREG(st.st_mode)) {
		t->size_bytes = (uint64_t)st.st_size;
		t->sector_bytes = IMAGE_SECTOR_BYTES;
	} else if (S_ISBLK(st.st_mode)) {
		if (ioctl(fd, BLKGETSIZE64, &t->size_bytes) < 0 ||
		    ioctl(fd, BLKSSZGET, &sector) < 0)
			return err_sys(e, "cannot ask '%s' for its size", path);
		t->sector_bytes = (uint32_t)sector;
		ret->is_disk = true;
	} else {
		return err_user(e, "'%s' is neither an image file nor a disk", path);
	}
	if (t->size_bytes == 0 || t->size_bytes % t->sector_bytes)
		return err_user(e, "'%s': its size, %" PRIu64 " bytes, is not a number of sectors",
				path, t->size_bytes);
	return 0;
}

/* Wraps an open and, if need be, locked descriptor, which it takes over only when it succeeds. */
static int wrap(int *fd, const char *path, struct target **ret, struct err *e)
{
	_cleanup_free_ struct target_file *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return err_oom(e);
	r = measure(*fd, path, f, e);
	if (r < 0)
		return r;
	f->target.ops = &file_ops;
	(void)snprintf(f->target.name, sizeof(f->target.name), "%s", path);
	f->fd = take_fd(fd);
	*ret = &take_ptr(f)->target;
	return 0;
}

int target_file_open(const char *path, bool writable, struct target **ret, struct err *e)
{
	int flags = O_CLOEXEC | (writable ? O_RDWR : O_RDONLY);
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return err_sys(e, "cannot find '%s'", path);
	if (writable && S_ISBLK(st.st_mode))
		flags |= O_EXCL;
	fd = open(path, flags);
	if (fd < 0 && errno == EBUSY)
		return err_hint(e, err_set(e, EBUSY, "disk '%s' is in use", path),
				"unmount what is on it; 'lsblk %s' shows it", path);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	r = writable ? lock_exclusively(fd, path, e) : 0;
	return r < 0 ? r : wrap(&fd, path, ret, e);
}

/* An empty image file to fill, made here or found. */
static int open_empty(const char *path, int *ret_fd, bool *ret_made, struct err *e)
{
	_cleanup_fd_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, IMAGE_MODE);
	bool made = fd >= 0;
	struct stat st;
	int r;

	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot create '%s'", path);
	r = lock_exclusively(fd, path, e);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot stat '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_user(e, "'%s' exists and is not a file", path);
	if (st.st_size > 0)
		return err_hint(e, err_user_code(e, EEXIST, "'%s' exists and is not empty", path),
				"remove it, or name another file");
	*ret_fd = take_fd(&fd);
	*ret_made = made;
	return 0;
}

static int size_and_wrap(int *fd, const char *path, uint64_t size_bytes, struct target **ret,
			 struct err *e)
{
	char size[32];
	int r;

	if (ftruncate(*fd, (off_t)size_bytes) < 0)
		return err_hint(e,
				err_sys(e, "cannot make '%s' %s large", path,
					format_size(size_bytes, size, sizeof(size))),
				"the filesystem it is on may not allow files of that size");
	if (fsync(*fd) < 0)
		return err_sys(e, "cannot flush '%s'", path);
	r = fsync_parent(path);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "cannot make the name '%s' durable", path);
	}
	return wrap(fd, path, ret, e);
}

int target_file_create(const char *path, uint64_t size_bytes, struct target **ret, struct err *e)
{
	_cleanup_fd_ int fd = -1;
	bool made;
	int r;

	if (size_bytes == 0 || size_bytes % IMAGE_SECTOR_BYTES || size_bytes > INT64_MAX)
		return err_user(e, "'%s': %" PRIu64 " bytes is no size for a disk image", path,
				size_bytes);
	r = open_empty(path, &fd, &made, e);
	if (r < 0)
		return r;
	r = size_and_wrap(&fd, path, size_bytes, ret, e);
	if (r < 0 && made)
		(void)unlink(path);
	return r;
}

int target_file_fd(struct target *t)
{
	return file_of(t)->fd;
}

bool target_file_is_disk(struct target *t, dev_t *ret)
{
	struct stat st;

	if (!file_of(t)->is_disk || fstat(file_of(t)->fd, &st) < 0)
		return false;
	*ret = st.st_rdev;
	return true;
}
