/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strict parsing and plain printing of numbers, sizes, durations and times. */
#ifndef SEEDSHIP_BASE_UNITS_H
#define SEEDSHIP_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/* Decimal digits only, the whole text, within [min, max]. -EINVAL (user) otherwise. */
int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret, struct err *e);

/* A size: digits and an optional unit. K M G T (or KiB ...) are powers of 1024, KB MB GB TB of 1000. */
int parse_size(const char *text, uint64_t *ret_bytes, struct err *e);

/* "1.5 GiB", "312 B": for people. Returns out. */
const char *format_size(uint64_t bytes, char *out, size_t out_bytes);

/* "2h 03m 04s", "41s": for people. Returns out. */
const char *format_duration(uint64_t seconds, char *out, size_t out_bytes);

/* RFC 3339 in UTC, "2026-11-22T03:00:00Z". Returns out. */
const char *format_time_utc(uint64_t ns_since_1970, char *out, size_t out_bytes);

/* Upper- or lower-case hex of data; out holds 2 * len_bytes + 1. Returns out. */
const char *format_hex(const void *data, size_t len_bytes, int upper, char *out);

/* The inverse of format_hex(), either case: exactly len_bytes. -EINVAL otherwise. */
int parse_hex(const char *text, void *ret, size_t len_bytes);

#endif
