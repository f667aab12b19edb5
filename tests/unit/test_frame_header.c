/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Record headers: golden bytes, round trips, damage, hostile bytes, records of another time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/le.h"
#include "common/ext/digest.h"
#include "common/store/frame.h"

static const struct frame_header sample = {
	.type = RECORD_CHUNK,
	.store_uuid = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	.ino = 0x1122334455667788,
	.off_bytes = 0x20000,
	.raw_bytes = 0x20000,
	.stored_bytes = 0x1234,
	.checksum = 0xA1A2A3A4A5A6A7A8,
	.sequence = 42,
	.path = "a/b",
	.path_bytes = 3,
};

static const uint8_t sample_bytes[] = {
	0x53, 0x2A, 0x4D, 0x18, 0x47, 0x00, 0x00, 0x00, 'S',  'E',  'E',  'D',	1,    1,
	3,    0,    0x34, 0x12, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0,	  1,	2,    3,
	4,    5,    6,	  7,	8,    9,    10,	  11,	12,   13,   14,	  15,	0x88, 0x77,
	0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00,
	0xA8, 0xA7, 0xA6, 0xA5, 0xA4, 0xA3, 0xA2, 0xA1, 42,   0,    0,	  0,	0,    0,
	0,    0,    'a',  '/',	'b',  0x7B, 0xBB, 0x57, 0x59,
};

static void test_golden_header(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	(void)state;
	frame_header_put(&b, &sample);
	assert_int_equal(b.len_bytes, sizeof(sample_bytes));
	assert_int_equal(frame_header_bytes(3), sizeof(sample_bytes));
	assert_memory_equal(b.data, sample_bytes, sizeof(sample_bytes));
}

static void test_header_round_trip(void **state)
{
	struct frame_header h;
	size_t n;

	(void)state;
	assert_int_equal(frame_header_get(sample_bytes, sizeof(sample_bytes), &h, &n), 0);
	assert_int_equal(n, sizeof(sample_bytes));
	assert_memory_equal(h.store_uuid, sample.store_uuid, STORE_UUID_BYTES);
	assert_int_equal(h.ino, sample.ino);
	assert_int_equal(h.off_bytes, sample.off_bytes);
	assert_int_equal(h.raw_bytes, sample.raw_bytes);
	assert_int_equal(h.stored_bytes, sample.stored_bytes);
	assert_int_equal(h.checksum, sample.checksum);
	assert_int_equal(h.sequence, sample.sequence);
	assert_int_equal(h.path_bytes, 3);
	assert_ptr_equal(h.path, sample_bytes + 72);
}

static void test_header_paths(void **state)
{
	_cleanup_free_ char *path = malloc(70000);
	struct frame_header h = sample, back;
	size_t n;

	(void)state;
	memset(path, 'p', 70000);
	for (size_t len = 65530; len <= 65540; len++) {
		_cleanup_(buf_done) struct buf b = BUF_INIT;

		h.path = path;
		h.path_bytes = len;
		frame_header_put(&b, &h);
		assert_int_equal(b.len_bytes, frame_header_bytes(len));
		assert_int_equal(frame_header_get(b.data, b.len_bytes, &back, &n), 0);
		assert_int_equal(n, b.len_bytes);
		assert_int_equal(back.path_bytes, len <= FRAME_PATH_MAX_BYTES ? len : 0);
		assert_int_equal(back.path == NULL, len > FRAME_PATH_MAX_BYTES);
	}
}

/* Every prefix says "too short", every flipped bit "no header"; what follows does not matter. */
static void test_header_damage(void **state)
{
	uint8_t data[sizeof(sample_bytes) + 5] = {0};
	struct frame_header h = {.ino = 7};
	size_t n = 7;

	(void)state;
	memcpy(data, sample_bytes, sizeof(sample_bytes));
	for (size_t len = 0; len < sizeof(sample_bytes); len++) {
		_cleanup_free_ uint8_t *exact = malloc(len + 1);

		memcpy(exact, data, len);
		assert_int_equal(frame_header_get(exact, len, &h, &n), -ENODATA);
	}
	for (size_t bit = 0; bit < sizeof(sample_bytes) * 8; bit++) {
		int r;

		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		r = frame_header_get(data, sizeof(data), &h, &n);
		/* A changed length may also ask for more bytes than there are. */
		assert_true(r == -EBADMSG || (r == -ENODATA && bit / 8 >= 4 && bit / 8 < 8));
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(h.ino, 7);
	assert_int_equal(n, 7);
	assert_int_equal(frame_header_get(data, sizeof(data), &h, &n), 0);
	assert_int_equal(n, sizeof(sample_bytes));
}

/* Puts a matching CRC under altered bytes, then decodes them. */
static int get_forged(uint8_t *data, size_t len_bytes, struct frame_header *h)
{
	size_t n;

	le32_store(data + len_bytes - 4, crc32_of(data, len_bytes - 4));
	return frame_header_get(data, len_bytes, h, &n);
}

static void test_header_hostile(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
		int result;
	} cases[] = {
		{4, 0, -EBADMSG}, /* shorter than any record */
		{4, 15, -EBADMSG},
		{4, UINT32_MAX, -EBADMSG}, /* longer than any record */
		{4, 1 << 20, -EBADMSG},
		{4, (1 << 20) - 8, -ENODATA},
		{14, 0xFFFF, -EBADMSG},	 /* path runs out of the record; stored_bytes 0 */
		{16, 0, -EBADMSG},	 /* nothing stored */
		{16, 0x20014, -EBADMSG}, /* more than any frame of that content */
		{20, 0, -EBADMSG},	 /* no content */
		{20, (1 << 20) + 1, -EBADMSG},
		{20, UINT32_MAX, -EBADMSG},
		{52, UINT32_MAX, -EBADMSG}, /* behind the end of any file */
		{16, 0x1235, 0},
		{64, UINT32_MAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t data[sizeof(sample_bytes)];
		struct frame_header h;

		memcpy(data, sample_bytes, sizeof(data));
		le32_store(data + cases[i].at, cases[i].value);
		assert_int_equal(get_forged(data, sizeof(data), &h), cases[i].result);
	}
}

static void test_header_unknown(void **state)
{
	uint8_t data[sizeof(sample_bytes)], small[24] = {0};
	struct frame_header h;

	(void)state;
	memcpy(data, sample_bytes, sizeof(data));
	data[13] = 3;
	assert_int_equal(get_forged(data, sizeof(data), &h), 1);
	assert_int_equal(h.stored_bytes, 0x1234);
	assert_null(h.path);
	data[12] = 2;
	assert_int_equal(get_forged(data, sizeof(data), &h), -ENOTSUP);

	memcpy(small, sample_bytes, 20);
	le32_store(small + 4, 16);
	small[13] = 9;
	assert_int_equal(get_forged(small, sizeof(small), &h), 1);
	small[13] = 1; /* a chunk needs more than that */
	assert_int_equal(get_forged(small, sizeof(small), &h), -EBADMSG);
}

static void test_header_noise(void **state)
{
	uint8_t noise[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)(i * i * 2654435761u >> 13);
	for (size_t i = 0; i + 256 < sizeof(noise); i++) {
		struct frame_header h;
		size_t n;

		assert_int_equal(frame_header_get(noise + i, 256, &h, &n), -EBADMSG);
		memcpy(noise + i, sample_bytes, 13); /* past the magics */
		assert_true(frame_header_get(noise + i, 256, &h, &n) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_header),  cmocka_unit_test(test_header_round_trip),
		cmocka_unit_test(test_header_paths),   cmocka_unit_test(test_header_damage),
		cmocka_unit_test(test_header_hostile), cmocka_unit_test(test_header_unknown),
		cmocka_unit_test(test_header_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
