/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shorthands used everywhere; nothing here has state. */
#ifndef SEEDSHIP_BASE_MACROS_H
#define SEEDSHIP_BASE_MACROS_H

#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)		 (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, m) ((type *)(void *)((char *)(p)-offsetof(type, m)))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define KiB (UINT64_C(1) << 10)
#define MiB (UINT64_C(1) << 20)
#define GiB (UINT64_C(1) << 30)
#define TiB (UINT64_C(1) << 40)

#define NSEC_PER_SEC UINT64_C(1000000000)

#define _warn_unused_result_ __attribute__((warn_unused_result))
#define _printf_(f, a)	     __attribute__((format(printf, f, a)))
#define _unused_	     __attribute__((unused))

/* value rounded up / down to a multiple of align (any non-zero align). */
static inline uint64_t round_up_u64(uint64_t value, uint64_t align)
{
	return (value + align - 1) / align * align;
}

static inline uint64_t round_down_u64(uint64_t value, uint64_t align)
{
	return value / align * align;
}

#endif
