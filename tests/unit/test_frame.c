/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames: golden bytes, round trips, every kind of damage, and the zstd program as the judge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/store/frame.h"

static struct frame_codec *codec;

static int make_codec(void **state)
{
	(void)state;
	return frame_codec_new(&codec, NULL);
}

static int drop_codec(void **state)
{
	(void)state;
	frame_codec_free(codec);
	return 0;
}

/* Bytes that no compressor shrinks, the same on every run (xorshift64). */
static void fill_noise(uint8_t *p, size_t len_bytes)
{
	uint64_t x = UINT64_C(0x9E3779B97F4A7C15);

	for (size_t i = 0; i < len_bytes; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (uint8_t)(x >> 32);
	}
}

static void fill_text(uint8_t *p, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		p[i] = (uint8_t) "the quick brown fox "[(i + i / 777) % 20];
}

static uint8_t *make_content(size_t len_bytes, bool noise)
{
	uint8_t *p = malloc(len_bytes + 1);

	assert_non_null(p);
	if (noise)
		fill_noise(p, len_bytes);
	else
		fill_text(p, len_bytes);
	return p;
}

static uint8_t *pack(const void *raw, size_t raw_bytes, int level, size_t *ret_bytes)
{
	uint8_t *frame = malloc(frame_bound(raw_bytes));

	assert_non_null(frame);
	assert_int_equal(frame_pack(codec, raw, raw_bytes, level, frame, ret_bytes), 0);
	assert_true(*ret_bytes <= frame_bound(raw_bytes));
	return frame;
}

static void round_trip(size_t raw_bytes, bool noise, int level)
{
	_cleanup_free_ uint8_t *raw = make_content(raw_bytes, noise);
	_cleanup_free_ uint8_t *back = malloc(raw_bytes + 1);
	size_t frame_bytes;
	_cleanup_free_ uint8_t *frame = pack(raw, raw_bytes, level, &frame_bytes);

	assert_non_null(back);
	if (noise)
		assert_true(frame_bytes > raw_bytes);
	else if (raw_bytes > 511)
		assert_true(frame_bytes < raw_bytes / 4);
	assert_int_equal(frame_unpack(codec, frame, frame_bytes, frame_checksum(frame, frame_bytes),
				      back, raw_bytes, NULL),
			 0);
	assert_memory_equal(raw, back, raw_bytes);
}

static void test_round_trips(void **state)
{
	static const size_t sizes[] = {0,     1,     2,	     255,    256,    511,
				       65791, 65792, 131071, 131072, 131073, 1048576};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (int level = 1; level <= 19; level += 3) {
			round_trip(sizes[i], true, level);
			round_trip(sizes[i], false, level);
		}
}

/* Content that shrinks by a little less than 1/16 is stored raw, by a little more compressed. */
static void test_threshold(void **state)
{
	_cleanup_free_ uint8_t *raw = make_content(131072, true);
	size_t frame_bytes;
	uint8_t *frame;

	(void)state;
	memset(raw, 'x', 131072 / 16 - 600);
	frame = pack(raw, 131072, 1, &frame_bytes);
	assert_int_equal(frame_bytes, 131072 + 3 + 9 + 4);
	free(frame);
	memset(raw, 'x', 131072 / 16 + 600);
	frame = pack(raw, 131072, 1, &frame_bytes);
	assert_true(frame_bytes <= 131072 - 131072 / 16);
	free(frame);
}

static void test_too_large(void **state)
{
	size_t frame_bytes = 7;
	char one = 0;

	(void)state;
	assert_int_equal(frame_pack(codec, &one, (size_t)UINT32_MAX + 1, 1, &one, &frame_bytes),
			 -EFBIG);
	assert_int_equal(frame_bytes, 7);
}

static void test_golden_raw_frame(void **state)
{
	/* Magic; descriptor: checksum, single segment, 1-byte size; 5; last raw block of 5; XXH64. */
	static const uint8_t expected[] = {0x28, 0xB5, 0x2F, 0xFD, 0x24, 0x05, 0x29, 0x00, 0x00,
					   'h',	 'e',  'l',  'l',  'o',	 0xA3, 0x6D, 0x9F, 0x88};
	size_t frame_bytes;
	_cleanup_free_ uint8_t *frame = pack("hello", 5, 3, &frame_bytes);

	(void)state;
	assert_int_equal(frame_bytes, sizeof(expected));
	assert_memory_equal(frame, expected, sizeof(expected));
	assert_int_equal(frame_bound(5), 9 + 3 + 5 + 4);
}

/* The starts of larger raw frames: 2-byte and 4-byte content size, two blocks. */
static void test_golden_raw_starts(void **state)
{
	static const uint8_t two_bytes[] = {0x28, 0xB5, 0x2F, 0xFD, 0x64,
					    0x2C, 0x00, 0x61, 0x09, 0x00};
	static const uint8_t two_blocks[] = {0x28, 0xB5, 0x2F, 0xFD, 0xA4, 0x01,
					     0x00, 0x02, 0x00, 0x00, 0x00, 0x10};
	_cleanup_free_ uint8_t *raw = make_content(131073, true);
	size_t frame_bytes;
	uint8_t *frame;

	(void)state;
	frame = pack(raw, 300, 1, &frame_bytes);
	assert_memory_equal(frame, two_bytes, sizeof(two_bytes));
	free(frame);
	frame = pack(raw, 131073, 1, &frame_bytes);
	assert_memory_equal(frame, two_blocks, sizeof(two_blocks));
	assert_memory_equal(frame + sizeof(two_blocks) + 131072, "\x09\x00\x00", 3);
	free(frame);
}

/* Any flipped byte is found by the frame's checksum. */
static void sweep(bool noise)
{
	_cleanup_free_ uint8_t *raw = make_content(3000, noise);
	uint8_t back[3000];
	size_t frame_bytes;
	_cleanup_free_ uint8_t *frame = pack(raw, 3000, 3, &frame_bytes);
	uint64_t checksum = frame_checksum(frame, frame_bytes);

	for (size_t i = 0; i < frame_bytes; i++) {
		struct err e;

		frame[i] ^= 0x10;
		assert_int_equal(frame_unpack(codec, frame, frame_bytes, checksum, back, 3000, &e),
				 -EBADMSG);
		assert_string_equal(e.text, "checksum differs");
		assert_int_equal(e.class, ERR_CORRUPT);
		frame[i] ^= 0x10;
	}
}

static void test_every_byte_counts(void **state)
{
	(void)state;
	sweep(true);
	sweep(false);
}

/* Even under a matching frame checksum no wrong content comes out: zstd checks it as well. */
static void test_forged_checksum(void **state)
{
	_cleanup_free_ uint8_t *raw = make_content(3000, false);
	uint8_t back[3000];
	size_t frame_bytes, accepted = 0;
	_cleanup_free_ uint8_t *frame = pack(raw, 3000, 3, &frame_bytes);

	(void)state;
	for (size_t i = 0; i < frame_bytes * 8; i++) {
		int r;

		frame[i / 8] ^= (uint8_t)(1u << i % 8);
		memset(back, 0, sizeof(back));
		r = frame_unpack(codec, frame, frame_bytes, frame_checksum(frame, frame_bytes),
				 back, 3000, NULL);
		assert_true(r == 0 || r == -EBADMSG);
		if (r == 0) {
			assert_memory_equal(raw, back, 3000);
			accepted++;
		}
		frame[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_true(accepted < 8); /* a few bits of a frame mean nothing */
}

static void test_wrong_length(void **state)
{
	_cleanup_free_ uint8_t *raw = make_content(1000, false);
	uint8_t back[2000];
	size_t frame_bytes;
	_cleanup_free_ uint8_t *frame = pack(raw, 1000, 3, &frame_bytes);
	_cleanup_free_ uint8_t *twice = malloc(2 * frame_bytes);

	(void)state;
	for (size_t n = 0; n < frame_bytes; n++)
		assert_int_equal(
			frame_unpack(codec, frame, n, frame_checksum(frame, n), back, 1000, NULL),
			-EBADMSG);
	assert_int_equal(frame_unpack(codec, frame, frame_bytes, frame_checksum(frame, frame_bytes),
				      back, 999, NULL),
			 -EBADMSG);
	assert_int_equal(frame_unpack(codec, frame, frame_bytes, frame_checksum(frame, frame_bytes),
				      back, 1001, NULL),
			 -EBADMSG);
	memcpy(twice, frame, frame_bytes);
	memcpy(twice + frame_bytes, frame, frame_bytes);
	assert_int_equal(frame_unpack(codec, twice, 2 * frame_bytes,
				      frame_checksum(twice, 2 * frame_bytes), back, 2000, NULL),
			 -EBADMSG);
}

static void test_all_zero(void **state)
{
	uint8_t data[1000] = {0};

	(void)state;
	assert_true(all_zero(data, 0));
	for (size_t n = 1; n <= sizeof(data); n += 37) {
		assert_true(all_zero(data, n));
		for (size_t i = 0; i < n; i++) {
			data[i] = 0x80;
			assert_false(all_zero(data, n));
			data[i] = 0;
		}
	}
	memset(data, 7, sizeof(data));
	assert_false(all_zero(data, sizeof(data)));
}

static void put_record(struct buf *b, const void *raw, size_t raw_bytes, const char *path)
{
	size_t frame_bytes;
	_cleanup_free_ uint8_t *frame = pack(raw, raw_bytes, 3, &frame_bytes);
	struct frame_header h = {
		.type = RECORD_CHUNK,
		.ino = 2,
		.raw_bytes = (uint32_t)raw_bytes,
		.stored_bytes = (uint32_t)frame_bytes,
		.checksum = frame_checksum(frame, frame_bytes),
		.path = path,
		.path_bytes = path ? strlen(path) : 0,
	};

	frame_header_put(b, &h);
	buf_put(b, frame, frame_bytes);
}

static void test_zstd_reads_a_pack(void **state)
{
	enum { TEXT = 100000, NOISE = 200000 };
	_cleanup_free_ uint8_t *text = make_content(TEXT, false);
	_cleanup_free_ uint8_t *noise = make_content(NOISE, true);
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_free_ char *back = NULL;
	char dir[] = "/tmp/test_frame.XXXXXX", path[64], out[64], command[256];
	size_t n;

	(void)state;
	if (system("command -v zstd >/dev/null") != 0)
		skip();
	put_record(&b, text, TEXT, "a/file");
	put_record(&b, noise, NOISE, NULL);
	assert_int_equal(buf_error(&b), 0);
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/00000001.pack", dir);
	(void)snprintf(out, sizeof(out), "%s/out", dir);
	assert_int_equal(write_file_atomic(path, b.data, b.len_bytes, 0600, NULL), 0);

	(void)snprintf(command, sizeof(command),
		       "zstd -q -d -c <%s >%s && zstd -q -l %s >/dev/null", path, out, path);
	assert_int_equal(system(command), 0);
	assert_int_equal(read_file(out, 1 << 20, &back, &n, NULL), 0);
	assert_int_equal(n, TEXT + NOISE);
	assert_memory_equal(back, text, TEXT);
	assert_memory_equal(back + TEXT, noise, NOISE);

	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(out), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),	  cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_too_large),	  cmocka_unit_test(test_golden_raw_frame),
		cmocka_unit_test(test_golden_raw_starts), cmocka_unit_test(test_every_byte_counts),
		cmocka_unit_test(test_forged_checksum),	  cmocka_unit_test(test_wrong_length),
		cmocka_unit_test(test_all_zero),	  cmocka_unit_test(test_zstd_reads_a_pack),
	};

	return cmocka_run_group_tests(tests, make_codec, drop_codec);
}
