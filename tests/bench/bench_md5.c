/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench-md5: MD5 on one core, of messages as an export has them. Driven by tools/bench.
 *
 *   bench-md5 ways             the ways of md5_lanes that this machine offers, one a line
 *   bench-md5 WAY COUNT MIB    hashes MIB in messages of 4 MiB, COUNT at once; prints seconds and CPU seconds.
 *                              WAY: one of those, or `openssl` (one after the other) or `best` (md5_many)
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/macros.h"
#include "common/base/md5_lanes.h"
#include "common/ext/digest.h"

#define MESSAGE_BYTES (4 * MiB)
#define COUNT_MAX     64

static double seconds(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		err(1, "clock_gettime");
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned long number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || value == 0 || value > max)
		errx(2, "'%s' is no number from 1 to %lu", text, max);
	return value;
}

static void print_ways(void)
{
	for (enum md5_way way = 0; way < MD5_WAYS; way++) {
		if (md5_way_offered(way))
			(void)printf("%s\n", md5_way_name(way));
	}
}

static enum md5_way way_of(const char *name)
{
	enum md5_way way = 0;

	if (strcmp(name, "best") == 0)
		return md5_way_best();
	while (way < MD5_WAYS && strcmp(name, md5_way_name(way)) != 0)
		way++;
	if (way == MD5_WAYS || !md5_way_offered(way))
		errx(2, "no way '%s' on this machine", name);
	return way;
}

static void hash_by_openssl(struct digest *d, const struct md5_message *messages, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (digest_once(d, messages[i].data, messages[i].len_bytes, messages[i].md5) < 0)
			errx(1, "OpenSSL failed");
	}
}

/* Messages with something in them, so that no page is that of zeros. */
static void make_messages(struct md5_message *messages, uint8_t (*md5)[MD5_BYTES], size_t n)
{
	uint8_t *data = malloc(n * MESSAGE_BYTES);

	if (!data)
		err(1, "malloc");
	for (size_t i = 0; i < n * MESSAGE_BYTES; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	for (size_t i = 0; i < n; i++)
		messages[i] = (struct md5_message){data + i * MESSAGE_BYTES, MESSAGE_BYTES, md5[i]};
}

static void measure(const char *name, size_t n, size_t total_mib)
{
	static uint8_t md5[COUNT_MAX][MD5_BYTES];
	struct md5_message messages[COUNT_MAX];
	struct digest *openssl = NULL;
	enum md5_way way = MD5_SCALAR;
	double began, cpu_began;

	if (strcmp(name, "openssl") != 0)
		way = way_of(name);
	else if (digest_new(DIGEST_MD5, &openssl, NULL) < 0)
		errx(1, "OpenSSL has no MD5");
	make_messages(messages, md5, n);
	began = seconds(CLOCK_MONOTONIC);
	cpu_began = seconds(CLOCK_THREAD_CPUTIME_ID);
	for (size_t done = 0; done < total_mib * MiB; done += n * MESSAGE_BYTES) {
		if (openssl)
			hash_by_openssl(openssl, messages, n);
		else
			md5_many_by(way, messages, n);
	}
	(void)printf("%.6f %.6f\n", seconds(CLOCK_MONOTONIC) - began,
		     seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_began);
	digest_free(openssl);
	free((void *)messages[0].data);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "ways") == 0)
		print_ways();
	else if (argc == 4)
		measure(argv[1], number(argv[2], COUNT_MAX), number(argv[3], 1 << 20));
	else
		errx(2, "usage: bench-md5 ways | WAY COUNT MIB");
	return 0;
}
