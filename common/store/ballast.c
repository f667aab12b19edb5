/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file with real blocks. */
#include "common/store/ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/cleanup.h"

static bool allocate(struct ballast *b)
{
	b->held = fallocate(b->fd, 0, 0, BALLAST_BYTES) == 0;
	if (!b->held && errno == EOPNOTSUPP) {
		(void)close(b->fd);
		b->fd = -1;
	} else if (!b->held) {
		(void)!ftruncate(b->fd, 0);
	}
	return b->held;
}

void ballast_init(struct ballast *b, int store_fd, unsigned long long spare_bytes)
{
	struct stat st;

	b->fd = openat(store_fd, BALLAST_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	b->held = b->fd >= 0 && fstat(b->fd, &st) == 0 &&
		  (uint64_t)st.st_blocks * 512 >= BALLAST_BYTES;
	(void)ballast_restore(b, spare_bytes);
}

void ballast_done(struct ballast *b)
{
	if (b->fd >= 0)
		(void)close(b->fd);
	b->fd = -1;
}

bool ballast_release(struct ballast *b)
{
	if (!b->held)
		return false;
	b->held = false;
	return ftruncate(b->fd, 0) == 0;
}

bool ballast_give_up(int store_fd)
{
	_cleanup_fd_ int fd = openat(store_fd, BALLAST_NAME, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && ftruncate(fd, 0) == 0;
}

bool ballast_restore(struct ballast *b, unsigned long long spare_bytes)
{
	struct statvfs st;

	if (b->held || b->fd < 0)
		return true;
	if (fstatvfs(b->fd, &st) < 0 ||
	    (unsigned long long)st.f_bavail * st.f_frsize < BALLAST_BYTES + spare_bytes)
		return false;
	return allocate(b) || b->fd < 0;
}
