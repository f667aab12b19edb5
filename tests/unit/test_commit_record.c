/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commit records: golden bytes, every kind of entry and back, damage at every byte, hostile payloads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/varint.h"
#include "common/store/commit_entry.h"
#include "common/store/commit_record.h"

static const uint8_t uuid[STORE_UUID_BYTES] = {0, 1, 2,	 3,  4,	 5,  6,	 7,
					       8, 9, 10, 11, 12, 13, 14, 15};

static const struct commit_entry samples[] = {
	{.kind = COMMIT_STORE,
	 .sequence = 7,
	 .store = {131072, 1 << 30, 1700000000000000000, 9, 1800000000000000000, 301, 18}},
	{.kind = COMMIT_INODE,
	 .sequence = 7,
	 .ino = 300,
	 .row = {.mode = 0100644,
		 .nlink = 1,
		 .uid = 1000,
		 .gid = 4294967295,
		 .rdev = 5,
		 .size_bytes = INT64_MAX,
		 .mtime_ns = 1700000000000000001,
		 .atime_ns = 1700000000000000000,
		 .ctime_ns = 1800000000000000000,
		 .btime_ns = UINT64_MAX,
		 .content_version = 9}},
	{.kind = COMMIT_INODE_GONE, .sequence = 5, .ino = 299},
	{.kind = COMMIT_DENTRY,
	 .sequence = 8,
	 .ino = 300,
	 .dentry = {17, 1},
	 .name = "a\xff"
		 "b",
	 .name_bytes = 3},
	{.kind = COMMIT_DENTRY_GONE,
	 .sequence = 8,
	 .dentry = {.parent = 2},
	 .name = "old",
	 .name_bytes = 3},
	{.kind = COMMIT_SYMLINK, .sequence = 9, .ino = 301, .value = "to", .value_bytes = 2},
	{.kind = COMMIT_XATTR,
	 .sequence = 9,
	 .ino = 300,
	 .name = "user.x",
	 .name_bytes = 6,
	 .value = "\0v",
	 .value_bytes = 2},
	{.kind = COMMIT_XATTR_GONE, .sequence = 10, .ino = 300, .name = "user.y", .name_bytes = 6},
	{.kind = COMMIT_CHUNKS_GONE, .sequence = 1, .ino = 300, .range = {3, INT64_MAX}},
};

/* All samples in one payload. */
static void put_samples(struct buf *payload)
{
	uint64_t as_of = 0;

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		commit_entry_put(payload, &as_of, &samples[i]);
	assert_int_equal(buf_error(payload), 0);
}

static void assert_same(const struct commit_entry *a, const struct commit_entry *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->sequence, b->sequence);
	assert_int_equal(a->ino, b->ino);
	assert_int_equal(a->name_bytes, b->name_bytes);
	assert_int_equal(a->value_bytes, b->value_bytes);
	if (a->name_bytes)
		assert_memory_equal(a->name, b->name, a->name_bytes);
	if (a->value_bytes)
		assert_memory_equal(a->value, b->value, a->value_bytes);
	assert_memory_equal(&a->row, &b->row, sizeof(a->row)); /* the whole union */
}

static void test_entries_round_trip(void **state)
{
	_cleanup_(buf_done) struct buf payload = BUF_INIT;
	struct commit_entry entry;
	struct cursor c;
	uint64_t as_of = 0;

	(void)state;
	put_samples(&payload);
	c = cursor_over(payload.data, payload.len_bytes);
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		assert_int_equal(commit_entry_get(&c, &as_of, &entry), 1);
		assert_same(&entry, &samples[i]);
	}
	assert_int_equal(commit_entry_get(&c, &as_of, &entry), 0);
}

static void test_golden_entries(void **state)
{
	static const uint8_t want[] = {0, 14, 3,    0xAB, 2,	0,    1,   9,
				       4, 3,  0x80, 0x80, 0x80, 0x80, 0x10};
	const struct commit_entry gone = {.kind = COMMIT_INODE_GONE, .sequence = 7, .ino = 299};
	const struct commit_entry range = {.kind = COMMIT_CHUNKS_GONE,
					   .sequence = 6,
					   .ino = 4,
					   .range = {3, UINT64_C(1) << 32}};
	_cleanup_(buf_done) struct buf payload = BUF_INIT;
	uint64_t as_of = 0;

	(void)state;
	commit_entry_put(&payload, &as_of, &gone);
	commit_entry_put(&payload, &as_of, &range);
	assert_int_equal(payload.len_bytes, sizeof(want));
	assert_memory_equal(payload.data, want, sizeof(want));
}

static void test_varints(void **state)
{
	static const uint8_t eleven[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
					 0x80, 0x80, 0x80, 0x80, 1};
	static const uint8_t too_great[] = {0xff, 0xff, 0xff, 0xff, 0xff,
					    0xff, 0xff, 0xff, 0xff, 2};
	struct cursor c = cursor_over(eleven, sizeof(eleven));

	(void)state;
	(void)cursor_get_varint(&c);
	assert_true(c.bad);
	c = cursor_over(too_great, sizeof(too_great));
	(void)cursor_get_varint(&c);
	assert_true(c.bad);
	for (unsigned shift = 0; shift < 64; shift++) {
		for (uint64_t v = (UINT64_C(1) << shift) - 1; v <= (UINT64_C(1) << shift) + 1;
		     v++) {
			_cleanup_(buf_done) struct buf b = BUF_INIT;

			buf_put_varint(&b, v);
			c = cursor_over(b.data, b.len_bytes);
			assert_true(cursor_get_varint(&c) == v && !c.bad && cursor_left(&c) == 0);
			assert_true(unzigzag(zigzag(v)) == v && unzigzag(zigzag(0 - v)) == 0 - v);
		}
	}
	assert_int_equal(zigzag(UINT64_MAX), 1);
	assert_int_equal(zigzag(1), 2);
}

/* A payload that ends early, wherever that is, gives an entry less or -EBADMSG, and never reads on. */
static void test_cut_payload(void **state)
{
	_cleanup_(buf_done) struct buf payload = BUF_INIT;

	(void)state;
	put_samples(&payload);
	for (size_t n = 0; n < payload.len_bytes; n++) {
		_cleanup_free_ uint8_t *copy = malloc(n + 1);
		struct commit_entry entry;
		struct cursor c = cursor_over(copy, n);
		uint64_t as_of = 0;
		int r;

		memcpy(copy, payload.data, n);
		while ((r = commit_entry_get(&c, &as_of, &entry)) == 1)
			;
		assert_true(r == 0 || r == -EBADMSG);
	}
}

static void test_unknown_kind(void **state)
{
	static const uint8_t payload[] = {200, 1, 2, 3};
	struct cursor c = cursor_over(payload, sizeof(payload));
	struct commit_entry entry;
	uint64_t as_of = 0;

	(void)state;
	assert_int_equal(commit_entry_get(&c, &as_of, &entry), -ENOTSUP);
}

static void test_record_round_trip_and_damage(void **state)
{
	_cleanup_(buf_done) struct buf payload = BUF_INIT, record = BUF_INIT, back = BUF_INIT;
	struct frame_codec *codec;
	struct frame_header h;
	size_t header_bytes;
	struct err e;

	(void)state;
	assert_int_equal(frame_codec_new(&codec, NULL), 0);
	put_samples(&payload);
	assert_int_equal(commit_record_put(codec, uuid, 10, 1, 3, &payload, &record), 0);
	assert_int_equal(frame_header_get(record.data, record.len_bytes, &h, &header_bytes), 0);
	assert_int_equal(h.type, RECORD_COMMIT);
	assert_int_equal(h.part, 1);
	assert_int_equal(h.n_parts, 3);
	assert_int_equal(h.sequence, 10);
	assert_memory_equal(h.store_uuid, uuid, sizeof(uuid));
	assert_int_equal(header_bytes + h.stored_bytes, record.len_bytes);
	assert_int_equal(commit_record_get(codec, &h, record.data + header_bytes, &back, &e), 0);
	assert_int_equal(back.len_bytes, payload.len_bytes);
	assert_memory_equal(back.data, payload.data, payload.len_bytes);
	for (size_t i = header_bytes; i < record.len_bytes; i++) {
		record.data[i] ^= 0x10;
		assert_int_equal(
			commit_record_get(codec, &h, record.data + header_bytes, &back, &e),
			-EBADMSG);
		record.data[i] ^= 0x10;
	}
	frame_codec_free(codec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_round_trip),
		cmocka_unit_test(test_golden_entries),
		cmocka_unit_test(test_varints),
		cmocka_unit_test(test_cut_payload),
		cmocka_unit_test(test_unknown_kind),
		cmocka_unit_test(test_record_round_trip_and_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
