/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walking over packs: whole ones, punched ones, damage at every byte of a header, tails, content that looks like records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/store/pack_list.h"
#include "common/store/pack_scan.h"
#include "tests/unit/pack_fixture.h"

#define SPANS_MAX 64

struct spans {
	size_t n;
	struct pack_span at[SPANS_MAX];
};

static struct spans scan_to(const struct packs *p, uint32_t pack, uint64_t end_bytes)
{
	_cleanup_fd_ int fd = open_pack_file(p, pack);
	_cleanup_(pack_scan_freep) struct pack_scan *scan = NULL;
	struct spans s = {0};
	struct err e = {0};
	uint64_t at = 0;
	int r;

	assert_int_equal(pack_scan_new(fd, pack_uuid, end_bytes, &scan, &e), 0);
	while ((r = pack_scan_next(scan, &s.at[s.n], &e)) == 1) {
		assert_int_equal(s.at[s.n].off_bytes, at); /* no gaps */
		assert_true(s.at[s.n].end_bytes > at);
		at = s.at[s.n].end_bytes;
		assert_true(++s.n < SPANS_MAX);
	}
	assert_int_equal(r, 0);
	return s;
}

static struct spans scan_all(const struct packs *p)
{
	struct spans s = scan_to(p, 1, UINT64_MAX);

	if (s.n)
		assert_int_equal(s.at[s.n - 1].end_bytes, pack_end(p, 1));
	return s;
}

static void test_whole_pack(void **state)
{
	struct packs *p = *state;
	struct spans s;

	(void)put_chunk(p, 5, 0, 1, 100);
	(void)put_chunk(p, 5, 1, 2, CHUNK);
	entry_store(p, 2);
	(void)put_commit(p, 2);
	s = scan_all(p);
	assert_int_equal(s.n, 3);
	for (size_t i = 0; i < s.n; i++)
		assert_int_equal(s.at[i].kind, SPAN_RECORD);
	assert_int_equal(s.at[1].header.ino, 5);
	assert_int_equal(s.at[1].header.off_bytes, CHUNK);
	assert_int_equal(s.at[1].end_bytes - s.at[1].frame_off_bytes, s.at[1].header.stored_bytes);
	assert_int_equal(s.at[2].header.type, RECORD_COMMIT);
}

/* Wherever a header is damaged, the records around it are found. */
static void test_damage_at_every_byte_of_a_header(void **state)
{
	struct packs *p = *state;
	uint64_t second, third;

	(void)put_chunk(p, 5, 0, 1, 300);
	second = put_chunk(p, 6, 0, 2, 5000);
	third = put_chunk(p, 7, 0, 3, 300);
	for (uint64_t at = second; at < second + frame_header_bytes(0); at++) {
		struct spans s;

		flip_bit(p, 1, at);
		s = scan_all(p);
		assert_int_equal(s.n, 3);
		assert_int_equal(s.at[1].kind, SPAN_DAMAGED);
		assert_int_equal(s.at[1].off_bytes, second);
		assert_int_equal(s.at[2].kind, SPAN_RECORD);
		assert_int_equal(s.at[2].off_bytes, third);
		flip_bit(p, 1, at);
	}
}

/* Dead records of which whole blocks were punched, at all distances from the blocks' edges. */
static void test_punched(void **state)
{
	struct packs *p = *state;

	for (uint32_t shift = 1; shift < 4096; shift += 3) {
		uint64_t dead, live, start, end;
		struct spans s;

		p->pack = 1;
		(void)put_chunk(p, 5, 0, 1, shift);
		dead = put_chunk(p, 6, 0, 2, 20000);
		(void)put_chunk(p, 6, 1, 3, 20000);
		(void)put_chunk(p, 6, 2, 3, 10); /* its header is cut at some distances */
		live = put_chunk(p, 7, 0, 4, 1000);
		start = (dead + 4095) / 4096 * 4096;
		end = live / 4096 * 4096;
		zero_out(p, 1, start, end);
		s = scan_all(p);
		assert_int_equal(s.at[s.n - 1].off_bytes, live);
		for (size_t i = 0; i < s.n; i++)
			assert_true(s.at[i].kind == SPAN_RECORD || s.at[i].kind == SPAN_PUNCHED);
		assert_int_equal(unlinkat(p->packs_fd, "00000001.pack", 0), 0);
	}
}

#define SECTOR_BYTES 512

static void zero_tossed_sectors(const struct packs *p, uint64_t off_bytes, uint64_t end_bytes,
				uint32_t coin)
{
	for (uint64_t at = off_bytes; at < end_bytes; at += SECTOR_BYTES) {
		coin = coin * 1664525 + 1013904223; /* Numerical Recipes, 7.1 */
		if (coin >> 31)
			zero_out(p, 1, at, at + SECTOR_BYTES);
	}
}

/*
 * A power cut while space is given back: the disk kept some sectors of the dead records and lost others. Under
 * a tossed coin, at all distances from the sectors' edges.
 */
static void test_torn_hole(void **state)
{
	struct packs *p = *state;

	for (uint32_t seed = 1; seed < 2000; seed++) {
		uint64_t dead, live;
		struct spans s;

		p->pack = 1;
		(void)put_chunk(p, 5, 0, 1, 1 + seed % 600);
		dead = put_chunk(p, 6, 0, 2, 20000);
		(void)put_chunk(p, 6, 1, 3, 70000 + seed);
		(void)put_chunk(p, 6, 2, 4, 10);
		(void)put_chunk(p, 6, 3, 5, 9000);
		live = put_chunk(p, 7, 0, 6, 1000);
		zero_tossed_sectors(p, (dead + 4095) / 4096 * 4096, live / 4096 * 4096, seed);
		s = scan_all(p);
		assert_int_equal(s.at[s.n - 1].off_bytes, live);
		for (size_t i = 0; i < s.n; i++)
			assert_true(s.at[i].kind == SPAN_RECORD || s.at[i].kind == SPAN_PUNCHED);
		assert_int_equal(unlinkat(p->packs_fd, "00000001.pack", 0), 0);
	}
}

/* A damaged header beside a hole is damage still, wherever its bit flipped and whatever was punched. */
static void test_damage_beside_a_hole(void **state)
{
	struct packs *p = *state;

	for (uint32_t at = 0; at < frame_header_bytes(0); at++) {
		bool damaged = false, torn = at % 2;
		uint64_t dead, live, next;
		struct spans s;

		p->pack = 1;
		(void)put_chunk(p, 5, 0, 1, 1000);
		dead = put_chunk(p, 6, 0, 2, 30000);
		live = put_chunk(p, 7, 0, 3, 1000);
		next = put_chunk(p, 8, 0, 4, 1000);
		if (torn)
			zero_tossed_sectors(p, (dead + 511) / 512 * 512, live / 512 * 512, at);
		zero_out(p, 1, (dead + 511) / 512 * 512, torn ? dead + 600 : live / 512 * 512);
		flip_bit(p, 1, live + at);
		s = scan_all(p);
		for (size_t i = 0; i < s.n; i++)
			damaged |= s.at[i].kind == SPAN_DAMAGED;
		assert_true(damaged);
		assert_int_equal(s.at[s.n - 1].off_bytes, next);
		assert_int_equal(unlinkat(p->packs_fd, "00000001.pack", 0), 0);
	}
}

static void test_real_hole_is_skipped(void **state)
{
	struct packs *p = *state;
	_cleanup_fd_ int fd = -1;
	struct spans s;

	(void)put_chunk(p, 5, 0, 1, 1000);
	fd = open_pack_file(p, 1);
	/* A terabyte: reading it would take hours. */
	assert_int_equal(ftruncate(fd, INT64_C(1) << 40), 0);
	(void)put_chunk(p, 7, 0, 2, 1000);
	s = scan_all(p);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.at[1].kind, SPAN_PUNCHED);
	assert_int_equal(s.at[2].off_bytes, INT64_C(1) << 40);
}

static void test_tails(void **state)
{
	struct packs *p = *state;
	uint64_t second, end;
	struct spans s;

	(void)put_chunk(p, 5, 0, 1, 1000);
	second = put_chunk(p, 5, 1, 2, 1000);
	end = pack_end(p, 1);
	/* Where the index says that the pack ends, it ends. */
	s = scan_to(p, 1, second);
	assert_int_equal(s.n, 1);
	s = scan_to(p, 1, end - 1);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.at[1].kind, SPAN_TORN);
	/* A header that is cut off. */
	s = scan_to(p, 1, second + 40);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.at[1].kind, SPAN_DAMAGED);
	/* What a power cut leaves when the file has grown but its bytes are not there. */
	zero_out(p, 1, end, end + 5000);
	s = scan_all(p);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.at[2].kind, SPAN_PUNCHED);
}

/* A store that was staged in another store: its records are content here. */
static void test_records_of_another_store(void **state)
{
	static const uint8_t other[STORE_UUID_BYTES] = {9};
	struct packs *p = *state;
	uint64_t second;
	struct spans s;

	(void)put_chunk_of(p, other, 5, 0, 1, 1000);
	second = put_chunk(p, 6, 0, 1, 1000);
	s = scan_all(p);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.at[0].kind, SPAN_FOREIGN);
	/* Found by searching: not taken for ours either. */
	flip_bit(p, 1, 0);
	(void)put_chunk_of(p, other, 7, 0, 1, 100);
	flip_bit(p, 1, second);
	(void)put_chunk(p, 8, 0, 1, 100);
	s = scan_all(p);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.at[0].kind, SPAN_DAMAGED);
	assert_int_equal(s.at[1].header.ino, 8);
}

static void test_empty_pack(void **state)
{
	struct packs *p = *state;

	(void)close(open_pack_file(p, 1));
	assert_int_equal(scan_all(p).n, 0);
}

static void test_list(void **state)
{
	static const char *const others[] = {"1.pack", "00000000.pack", "x.pack", "00000004.pack~",
					     "99999999999.pack"};
	struct packs *p = *state;
	struct pack_file *list;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		(void)close(openat(p->packs_fd, others[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(symlinkat("/etc/passwd", p->packs_fd, "00000005.pack"), 0);
	assert_int_equal(mkdirat(p->packs_fd, "00000006.pack", 0700), 0);
	p->pack = 4294967295;
	(void)append_bytes(p, "abc", 3);
	p->pack = 7;
	(void)append_bytes(p, "ab", 2);
	assert_int_equal(pack_list(p->packs_fd, &list, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].pack, 7);
	assert_int_equal(list[0].size_bytes, 2);
	assert_int_equal(list[1].pack, 4294967295);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PACK_TEST(test_whole_pack),
		PACK_TEST(test_damage_at_every_byte_of_a_header),
		PACK_TEST(test_punched),
		PACK_TEST(test_torn_hole),
		PACK_TEST(test_damage_beside_a_hole),
		PACK_TEST(test_real_hole_is_skipped),
		PACK_TEST(test_tails),
		PACK_TEST(test_records_of_another_store),
		PACK_TEST(test_empty_pack),
		PACK_TEST(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
