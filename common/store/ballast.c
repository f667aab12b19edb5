/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file with real blocks. */
#include "common/store/ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/macros.h"

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

void ballast_init(struct ballast *b, int store_fd)
{
	b->held = false;
	b->fd = openat(store_fd, BALLAST_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (b->fd >= 0)
		(void)allocate(b);
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
