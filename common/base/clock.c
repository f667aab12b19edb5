/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real clock. */
#include "common/base/clock.h"

#include <errno.h>
#include <time.h>

#include "common/base/macros.h"

static uint64_t now_ns(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static uint64_t system_realtime_ns(const struct clock *c _unused_)
{
	return now_ns(CLOCK_REALTIME);
}

static uint64_t system_monotonic_ns(const struct clock *c _unused_)
{
	return now_ns(CLOCK_MONOTONIC);
}

static void system_sleep_ns(const struct clock *c _unused_, uint64_t ns)
{
	struct timespec left = {.tv_sec = (time_t)(ns / NSEC_PER_SEC),
				.tv_nsec = (long)(ns % NSEC_PER_SEC)};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

const struct clock clock_system = {
	.realtime_ns = system_realtime_ns,
	.monotonic_ns = system_monotonic_ns,
	.sleep_ns = system_sleep_ns,
};
