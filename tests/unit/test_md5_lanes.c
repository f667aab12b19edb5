/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MD5 of many messages at once: the same as OpenSSL's, in every way that this machine offers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/macros.h"
#include "common/base/md5_lanes.h"
#include "tests/lib/expect.h"

#define MANY 300

/* Messages of lengths to be set, in memory that ends where each ends: a read beyond is seen by ASan. */
struct batch {
	struct md5_message messages[MANY];
	uint8_t md5[MANY][MD5_BYTES];
	size_t n;
};

static void fill(void *data, size_t len_bytes, uint32_t seed)
{
	uint8_t *p = data;

	for (size_t i = 0; i < len_bytes; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (uint8_t)(seed >> 24);
	}
}

static void batch_add(struct batch *b, size_t len_bytes)
{
	void *data = malloc(len_bytes);

	assert_true(b->n < MANY && (data || len_bytes == 0));
	fill(data, len_bytes, (uint32_t)(b->n * 7919 + len_bytes));
	b->messages[b->n] = (struct md5_message){data, len_bytes, b->md5[b->n]};
	b->n++;
}

static void batch_empty(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		free((void *)b->messages[i].data);
	b->n = 0;
}

static void expect_as_openssl(const struct md5_message *messages, size_t n)
{
	_cleanup_(digest_freep) struct digest *d = NULL;
	uint8_t want[MD5_BYTES];

	assert_int_equal(digest_new(DIGEST_MD5, &d, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(digest_once(d, messages[i].data, messages[i].len_bytes, want), 0);
		assert_memory_equal(messages[i].md5, want, sizeof(want));
	}
}

/* Hashes the batch in every way, and compares. */
static void check_batch(struct batch *b)
{
	for (enum md5_way way = 0; way < MD5_WAYS; way++) {
		if (!md5_way_offered(way))
			continue;
		memset(b->md5, 0xee, sizeof(b->md5));
		md5_many_by(way, b->messages, b->n);
		expect_as_openssl(b->messages, b->n);
	}
	memset(b->md5, 0xee, sizeof(b->md5));
	md5_many(b->messages, b->n);
	expect_as_openssl(b->messages, b->n);
}

/* RFC 1321, appendix A.5. */
static void test_rfc(void **state _unused_)
{
	static const struct {
		const char *text, *md5;
	} suite[] = {
		{"", "d41d8cd98f00b204e9800998ecf8427e"},
		{"a", "0cc175b9c0f1b6a831c399e269772661"},
		{"abc", "900150983cd24fb0d6963f7d28e17f72"},
		{"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
		{"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
		 "d174ab98d277d9f5a5611c2c9f419d9f"},
		{"1234567890123456789012345678901234567890123456789012345678901234567890123456789"
		 "0",
		 "57edf4a22be3c955ac49da2e2107b67a"},
	};
	uint8_t md5[ARRAY_SIZE(suite)][MD5_BYTES] = {0};
	struct md5_message messages[ARRAY_SIZE(suite)];

	for (size_t i = 0; i < ARRAY_SIZE(suite); i++)
		messages[i] = (struct md5_message){suite[i].text, strlen(suite[i].text), md5[i]};
	for (enum md5_way way = 0; way < MD5_WAYS; way++) {
		if (!md5_way_offered(way))
			continue;
		memset(md5, 0, sizeof(md5));
		md5_many_by(way, messages, ARRAY_SIZE(suite));
		for (size_t i = 0; i < ARRAY_SIZE(suite); i++)
			expect_hex(md5[i], MD5_BYTES, suite[i].md5);
	}
}

/* The tail is one block or two, and empty or not: all lengths around a block's end. */
static void test_lengths_alone(void **state _unused_)
{
	struct batch b = {0};

	for (size_t len_bytes = 0; len_bytes <= 300; len_bytes++) {
		batch_add(&b, len_bytes);
		check_batch(&b);
		batch_empty(&b);
	}
}

static void test_lengths_together(void **state _unused_)
{
	struct batch b = {0};

	for (size_t len_bytes = 0; len_bytes < MANY; len_bytes++)
		batch_add(&b, len_bytes);
	check_batch(&b);
	batch_empty(&b);
}

/* As many as lanes, fewer and more; lanes that end at once, and one that outlasts all others. */
static void test_counts(void **state _unused_)
{
	struct batch b = {0};

	check_batch(&b);
	for (size_t n = 1; n <= 40; n++) {
		for (size_t i = 0; i < n; i++)
			batch_add(&b, 1000);
		check_batch(&b);
		batch_empty(&b);
		for (size_t i = 0; i < n; i++)
			batch_add(&b, i == n / 2 ? 20000 : i * 64);
		check_batch(&b);
		batch_empty(&b);
	}
}

static void test_random_mixes(void **state _unused_)
{
	struct batch b = {0};
	uint32_t seed = 1321;

	for (unsigned round = 0; round < 60; round++) {
		size_t n = 1 + (size_t)(seed >> 8) % (MANY - 1);

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			/* Mostly short, some long. */
			batch_add(&b, (seed >> 8) % (seed >> 28 ? 700 : 40000));
		}
		check_batch(&b);
		batch_empty(&b);
	}
}

/* From every address within a vector. */
static void test_alignment(void **state _unused_)
{
	uint8_t data[64 + 200];
	struct batch b = {0};

	fill(data, sizeof(data), 1);
	for (size_t i = 0; i < 64; i++)
		b.messages[b.n++] = (struct md5_message){data + i, 200, b.md5[i]};
	check_batch(&b);
}

/* The length in bits needs more than 32 of them. */
static void test_half_a_gibibyte(void **state _unused_)
{
	size_t len_bytes = 512 * MiB + 17;
	/* Untouched pages cost nothing. */
	void *zeros = mmap(NULL, len_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			   -1, 0);
	uint8_t md5[2][MD5_BYTES] = {0};
	struct md5_message messages[2];

	assert_true(zeros != MAP_FAILED);
	for (unsigned i = 0; i < 2; i++)
		messages[i] = (struct md5_message){zeros, len_bytes - i, md5[i]};
	md5_many(messages, 2);
	expect_as_openssl(messages, 2);
	assert_int_equal(munmap(zeros, len_bytes), 0);
}

/* The fallbacks are everywhere, and the best is what there is. */
static void test_ways(void **state _unused_)
{
	assert_true(md5_way_offered(MD5_SCALAR) && md5_way_offered(MD5_VECTOR));
	assert_true(md5_way_offered(md5_way_best()));
	assert_int_equal(md5_way_lanes(MD5_SCALAR), 1);
	for (enum md5_way way = 0; way < MD5_WAYS; way++)
		print_message("%s: %u lanes%s\n", md5_way_name(way), md5_way_lanes(way),
			      md5_way_offered(way) ? "" : ", not on this machine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc),
		cmocka_unit_test(test_lengths_alone),
		cmocka_unit_test(test_lengths_together),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_random_mixes),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_half_a_gibibyte),
		cmocka_unit_test(test_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
