/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Space promised to writers. The filesystem is asked again when the last answer is old or looks tight. */
#include "common/store/space.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/macros.h"

#define STALE_NS (NSEC_PER_SEC / 2)

int space_init(struct space *s, int dir_fd)
{
	*s = (struct space){.dir_fd = dir_fd};
	return pthread_mutex_init(&s->lock, NULL) ? -ENOMEM : 0;
}

void space_done(struct space *s)
{
	(void)pthread_mutex_destroy(&s->lock);
}

/* With the lock held. */
static int ask(struct space *s)
{
	struct statvfs st;

	if (fstatvfs(s->dir_fd, &st) < 0)
		return -errno;
	s->free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
	s->total_bytes = (uint64_t)st.f_blocks * st.f_frsize;
	s->asked_ns = clock_monotonic_ns();
	return 0;
}

static uint64_t promisable(const struct space *s)
{
	uint64_t taken = s->reserved_bytes + SPACE_MARGIN_BYTES;

	return s->free_bytes > taken ? s->free_bytes - taken : 0;
}

int space_reserve(struct space *s, uint64_t len_bytes)
{
	int r;

	LOCK_SCOPE(&s->lock);
	if (promisable(s) < len_bytes + GiB / 4 || clock_monotonic_ns() - s->asked_ns > STALE_NS) {
		r = ask(s);
		if (r < 0)
			return r;
		if (promisable(s) < len_bytes)
			return -ENOSPC;
	}
	s->reserved_bytes += len_bytes;
	return 0;
}

void space_release(struct space *s, uint64_t len_bytes)
{
	LOCK_SCOPE(&s->lock);
	s->reserved_bytes -= MIN(s->reserved_bytes, len_bytes);
	/* What was stored is not free any more; until the next question assume the worst. */
	s->free_bytes -= MIN(s->free_bytes, len_bytes);
}

uint64_t space_reserved(struct space *s)
{
	LOCK_SCOPE(&s->lock);
	return s->reserved_bytes;
}

int space_get(struct space *s, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes)
{
	int r;

	LOCK_SCOPE(&s->lock);
	r = ask(s);
	if (r < 0)
		return r;
	*ret_free_bytes = promisable(s);
	*ret_total_bytes = s->total_bytes;
	return 0;
}
