/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers, sizes, durations, times and hex: strict in, plain out. */
#include "common/base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret, struct err *e)
{
	uint64_t v = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, UINT64_C(10), &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return err_user(e, "'%s': number is too large", text);
	}
	if (p == text || *p)
		return err_user(e, "'%s': not a whole number", text);
	if (v < min || v > max)
		return err_user(e, "'%s': must be from %" PRIu64 " to %" PRIu64, text, min, max);
	*ret = v;
	return 0;
}

static int unit_factor(const char *unit, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t factor;
	} table[] = {
		{"", 1},
		{"B", 1},
		{"K", KiB},
		{"KiB", KiB},
		{"M", MiB},
		{"MiB", MiB},
		{"G", GiB},
		{"GiB", GiB},
		{"T", TiB},
		{"TiB", TiB},
		{"KB", UINT64_C(1000)},
		{"MB", UINT64_C(1000000)},
		{"GB", UINT64_C(1000000000)},
		{"TB", UINT64_C(1000000000000)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (strcasecmp(unit, table[i].name) == 0) {
			*ret = table[i].factor;
			return 0;
		}
	}
	return -EINVAL;
}

int parse_size(const char *text, uint64_t *ret_bytes, struct err *e)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t value, factor, bytes;
	char number[32];
	int r;

	if (digits == 0 || digits >= sizeof(number) || unit_factor(text + digits, &factor) < 0)
		return err_hint(
			e, err_user(e, "'%s': not a size", text),
			"write a number and a unit, such as 500G (1024-based) or 8TB (1000-based)");
	memcpy(number, text, digits);
	number[digits] = '\0';
	r = parse_u64(number, 0, UINT64_MAX, &value, e);
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(value, factor, &bytes))
		return err_user(e, "'%s': size is too large", text);
	*ret_bytes = bytes;
	return 0;
}

const char *format_size(uint64_t bytes, char *out, size_t out_bytes)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double v = (double)bytes;
	size_t i = 0;

	while (v >= 1024 && i + 1 < ARRAY_SIZE(unit)) {
		v /= 1024;
		i++;
	}
	if (i == 0)
		(void)snprintf(out, out_bytes, "%" PRIu64 " B", bytes);
	else
		(void)snprintf(out, out_bytes,
			       v < 10	 ? "%.2f %s"
			       : v < 100 ? "%.1f %s"
					 : "%.0f %s",
			       v, unit[i]);
	return out;
}

const char *format_duration(uint64_t seconds, char *out, size_t out_bytes)
{
	uint64_t h = seconds / 3600, m = seconds / 60 % 60, s = seconds % 60;

	if (h)
		(void)snprintf(out, out_bytes, "%" PRIu64 "h %02" PRIu64 "m %02" PRIu64 "s", h, m,
			       s);
	else if (m)
		(void)snprintf(out, out_bytes, "%" PRIu64 "m %02" PRIu64 "s", m, s);
	else
		(void)snprintf(out, out_bytes, "%" PRIu64 "s", s);
	return out;
}

const char *format_time_utc(uint64_t ns_since_1970, char *out, size_t out_bytes)
{
	time_t t = (time_t)(ns_since_1970 / NSEC_PER_SEC);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(out, out_bytes, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(out, out_bytes, "?");
	return out;
}

const char *format_hex(const void *data, size_t len_bytes, int upper, char *out)
{
	const char *digit = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	const uint8_t *p = data;

	for (size_t i = 0; i < len_bytes; i++) {
		out[2 * i] = digit[p[i] >> 4];
		out[2 * i + 1] = digit[p[i] & 15];
	}
	out[2 * len_bytes] = '\0';
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int parse_hex(const char *text, void *ret, size_t len_bytes)
{
	uint8_t *out = ret;

	if (strlen(text) != 2 * len_bytes)
		return -EINVAL;
	for (size_t i = 0; i < len_bytes; i++) {
		int hi = hex_digit(text[2 * i]), lo = hex_digit(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}
