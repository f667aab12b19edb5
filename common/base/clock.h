/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time as an interface, so that retries, timeouts and time stamps are testable. */
#ifndef SEEDSHIP_BASE_CLOCK_H
#define SEEDSHIP_BASE_CLOCK_H

#include <stdint.h>

struct clock {
	uint64_t (*realtime_ns)(const struct clock *c);	 /* since 1970-01-01 UTC */
	uint64_t (*monotonic_ns)(const struct clock *c); /* since some point; never steps back */
	void (*sleep_ns)(const struct clock *c, uint64_t ns);
};

extern const struct clock clock_system;

static inline uint64_t clock_realtime_ns(void)
{
	return clock_system.realtime_ns(&clock_system);
}

static inline uint64_t clock_monotonic_ns(void)
{
	return clock_system.monotonic_ns(&clock_system);
}

#endif
