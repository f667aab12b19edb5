/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A volume mounted by libntfs-3g on a target: the library's device operations, and its errors. */
#include "exporter/ntfs/session.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/ntfs/said.h"

static struct ntfs_session *session_of(struct ntfs_device *dev)
{
	return dev->d_private;
}

/* The library's own macros for this do not survive our warnings. */
static void clear_flag(struct ntfs_device *dev, ntfs_device_state_bits flag)
{
	dev->d_state &= ~(1ul << flag);
}

/*
 * Remembers the first failure of the target and passes it through the library. A local disk that is full
 * becomes EIO, because ENOSPC is about the volume; EINTR does too, because the library would try again.
 */
static s64 io_failed(struct ntfs_session *s, const struct err *e)
{
	if (s->io_error.code == 0) {
		s->io_error = *e;
		if (e->code == ENOSPC) {
			s->io_error.code = EIO;
			(void)err_hint(&s->io_error, -EIO, "the disk that holds '%s' is full",
				       s->target->name);
		}
	}
	errno = e->code == EINTR || e->code == ENOSPC ? EIO : e->code;
	return -1;
}

static int dev_open(struct ntfs_device *dev, int flags)
{
	struct ntfs_session *s = session_of(dev);

	if (NDevOpen(dev)) {
		errno = EBUSY;
		return -1;
	}
	if (!s->writable && (flags & O_ACCMODE) != O_RDONLY) {
		errno = EROFS;
		return -1;
	}
	if (!s->writable)
		NDevSetReadOnly(dev);
	NDevSetOpen(dev);
	return 0;
}

static int dev_close(struct ntfs_device *dev)
{
	clear_flag(dev, ND_Open);
	return 0;
}

static s64 dev_seek(struct ntfs_device *dev, s64 offset, int whence)
{
	struct ntfs_session *s = session_of(dev);
	uint64_t base = whence == SEEK_SET   ? 0
			: whence == SEEK_CUR ? s->pos_bytes
					     : s->target->size_bytes;
	s64 pos;

	if (__builtin_add_overflow((s64)base, offset, &pos) || pos < 0) {
		errno = EINVAL;
		return -1;
	}
	s->pos_bytes = (uint64_t)pos;
	return pos;
}

/* Short at the end of the target, as read(2) is. */
static s64 dev_pread(struct ntfs_device *dev, void *buf, s64 count, s64 offset)
{
	struct ntfs_session *s = session_of(dev);
	uint64_t size_bytes = s->target->size_bytes;
	struct err e = {0};

	if (count < 0 || offset < 0) {
		errno = EINVAL;
		return -1;
	}
	if ((uint64_t)offset >= size_bytes)
		return 0;
	count = (s64)MIN((uint64_t)count, size_bytes - (uint64_t)offset);
	if (target_pread(s->target, buf, (size_t)count, (uint64_t)offset, &e) < 0)
		return io_failed(s, &e);
	return count;
}

static s64 dev_pwrite(struct ntfs_device *dev, const void *buf, s64 count, s64 offset)
{
	struct ntfs_session *s = session_of(dev);
	struct err e = {0};

	if (!s->writable || count < 0 || offset < 0) {
		errno = s->writable ? EINVAL : EROFS;
		return -1;
	}
	if (target_pwrite(s->target, buf, (size_t)count, (uint64_t)offset, &e) < 0)
		return io_failed(s, &e);
	return count;
}

static s64 dev_read(struct ntfs_device *dev, void *buf, s64 count)
{
	s64 n = dev_pread(dev, buf, count, (s64)session_of(dev)->pos_bytes);

	if (n > 0)
		session_of(dev)->pos_bytes += (uint64_t)n;
	return n;
}

static s64 dev_write(struct ntfs_device *dev, const void *buf, s64 count)
{
	s64 n = dev_pwrite(dev, buf, count, (s64)session_of(dev)->pos_bytes);

	if (n > 0)
		session_of(dev)->pos_bytes += (uint64_t)n;
	return n;
}

static int dev_sync(struct ntfs_device *dev)
{
	struct ntfs_session *s = session_of(dev);
	struct err e = {0};

	if (s->writable && target_flush(s->target, &e) < 0)
		return (int)io_failed(s, &e);
	clear_flag(dev, ND_Dirty);
	return 0;
}

static int dev_stat(struct ntfs_device *dev, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFREG | 0600;
	st->st_size = (off_t)session_of(dev)->target->size_bytes;
	return 0;
}

static int dev_ioctl(struct ntfs_device *dev _unused_, unsigned long request _unused_,
		     void *arg _unused_)
{
	errno = EOPNOTSUPP;
	return -1;
}

static struct ntfs_device_operations dev_ops = {
	.open = dev_open,
	.close = dev_close,
	.seek = dev_seek,
	.read = dev_read,
	.write = dev_write,
	.pread = dev_pread,
	.pwrite = dev_pwrite,
	.sync = dev_sync,
	.stat = dev_stat,
	.ioctl = dev_ioctl,
};

/*
 * The library's LRU caches are left off: one of them keeps closed inodes open, and an inode that is
 * open twice is how libntfs-3g loses updates.
 */
int ntfs_session_open(struct target *target, bool writable, struct ntfs_session **ret,
		      struct err *e)
{
	_cleanup_free_ struct ntfs_session *s = calloc(1, sizeof(*s));
	struct ntfs_device *dev;

	ntfs_said_install();
	if (!s)
		return err_oom(e);
	s->target = target;
	s->writable = writable;
	ntfs_session_begin(s);
	dev = ntfs_device_alloc(target->name, 0, &dev_ops, s);
	if (!dev)
		return err_oom(e);
	s->vol = ntfs_device_mount(dev, writable ? NTFS_MNT_NONE : NTFS_MNT_RDONLY);
	if (!s->vol) {
		int r = ntfs_session_corrupt(s, e, "cannot open the NTFS volume on '%s'",
					     target->name);

		(void)ntfs_device_free(dev);
		return r;
	}
	*ret = take_ptr(s);
	return 0;
}

int ntfs_session_close(struct ntfs_session *s, struct err *e)
{
	_cleanup_free_ _unused_ struct ntfs_session *owned = s;

	ntfs_session_begin(s);
	if (ntfs_umount(s->vol, FALSE) < 0)
		return ntfs_session_fail(s, e, "cannot close the NTFS volume on '%s'",
					 s->target->name);
	return 0;
}

void ntfs_session_free(struct ntfs_session *s)
{
	if (s)
		(void)ntfs_session_close(s, NULL);
}

void ntfs_session_begin(struct ntfs_session *s)
{
	s->io_error.code = 0;
	ntfs_said_forget();
}

/* "text: cause" from the target's error or from code and the library's words. */
static int _printf_(4, 0)
	tell(struct ntfs_session *s, struct err *e, int code, const char *fmt, va_list ap)
{
	char what[400], cause[128];
	const char *said = ntfs_said();

	(void)vsnprintf(what, sizeof(what), fmt, ap);
	if (s->io_error.code) {
		if (e)
			*e = s->io_error;
		return err_wrap(e, -s->io_error.code, "%s", what);
	}
	return err_set(e, code, "%s: %s%s%s%s", what,
		       code == EBADMSG ? "the volume is damaged"
				       : strerror_r(code, cause, sizeof(cause)),
		       said[0] ? " (libntfs-3g: " : "", said, said[0] ? ")" : "");
}

int ntfs_session_fail(struct ntfs_session *s, struct err *e, const char *fmt, ...)
{
	int code = errno ? errno : EIO;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = tell(s, e, code, fmt, ap);
	va_end(ap);
	return r;
}

int ntfs_session_corrupt(struct ntfs_session *s, struct err *e, const char *fmt, ...)
{
	int code = errno == ENOMEM ? ENOMEM : EBADMSG;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = tell(s, e, code, fmt, ap);
	va_end(ap);
	return r;
}
