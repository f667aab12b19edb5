/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading content: any range, holes, changed files, damage, and a mount that moves frames meanwhile. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_fixture.h"

enum { CHUNKS = 150, SIZE = CHUNKS * CHUNK - 12345 };

/*
 * A file of 150 chunks and what it should read as: compressible, noise, holes, chunks whose content
 * ends early, frames in two packs, in and out of order, with another file's between them.
 */
static uint8_t *make_file(struct maker *m, uint64_t ino)
{
	uint8_t *model = calloc(1, SIZE + CHUNK);
	uint8_t *noise = malloc(CHUNK);

	assert_true(model && noise);
	run_sql(m, "BEGIN");
	add_file(m, 1, "file", ino, SIZE);
	add_inode(m, ino + 1, S_IFREG, 0);
	fill_noise(noise, CHUNK);
	for (size_t n = 0; n < CHUNKS; n++) {
		size_t idx = n >= 100 ? 249 - n : n; /* the last third is written backwards */
		uint32_t len = idx % 11 == 4 ? 777 : CHUNK;

		if (idx % 7 == 3)
			continue; /* hole */
		if (idx == CHUNKS - 1)
			len = CHUNK - 12345;
		for (size_t i = 0; i < len; i++)
			model[idx * CHUNK + i] = (uint8_t)(idx % 3 ? i / 50 + idx : noise[i]);
		(void)add_chunk(m, ino, idx, n < 40 ? 1 : 2, model + idx * CHUNK, len);
		if (idx % 5 == 0)
			(void)add_chunk(m, ino + 1, idx, n < 40 ? 1 : 2, noise, CHUNK);
	}
	run_sql(m, "COMMIT");
	free(noise);
	return model;
}

static void test_pread(void **state)
{
	struct maker *m = *state;
	_cleanup_free_ uint8_t *model = make_file(m, 2);
	_cleanup_free_ uint8_t *data = malloc(SIZE + CHUNK);
	struct reader *reader = open_reader(m);
	uint64_t x = 88172645463325252;

	assert_non_null(data);
	assert_int_equal(reader_pread(reader, 2, 5, data, SIZE + CHUNK, 0, NULL), 0);
	assert_memory_equal(data, model, SIZE + CHUNK);
	for (int i = 0; i < 400; i++) {
		size_t off, len;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		off = x % (SIZE + CHUNK);
		len = (x >> 32) % (i % 4 ? 200000 : SIZE);
		len = MIN(len, SIZE + CHUNK - off);
		if (i % 3 == 0)
			off = off / CHUNK * CHUNK;
		memset(data, 0xEE, SIZE + CHUNK);
		assert_int_equal(reader_pread(reader, 2, 5, data, len, off, NULL), 0);
		assert_memory_equal(data, model + off, len);
		assert_true(off + len >= SIZE + CHUNK || data[len] == 0xEE);
	}
	memset(data, 0xEE, 1000);
	assert_int_equal(reader_pread(reader, 2, 5, data, 1000, INT64_MAX - 1000, NULL), 0);
	assert_true(all_zero(data, 1000));
	assert_int_equal(reader_pread(reader, 2, 5, data, 1000, INT64_MAX - 999, NULL), -EFBIG);
	assert_int_equal(reader_pread(reader, 2, 5, data, 0, 0, NULL), 0);
	reader_free(reader);
}

/* Bytes behind a file's end that are still in its last chunk stay unseen. */
static void test_pread_clips(void **state)
{
	struct maker *m = *state;
	struct reader *reader;
	char raw[3000], data[3000];

	memset(raw, 'x', sizeof(raw));
	add_file(m, 1, "f", 2, 1000);
	add_chunk(m, 2, 0, 1, raw, sizeof(raw));
	reader = open_reader(m);
	assert_int_equal(reader_pread(reader, 2, 5, data, sizeof(data), 0, NULL), 0);
	assert_memory_equal(data, raw, 1000);
	assert_true(all_zero(data + 1000, 2000));
	assert_int_equal(reader_pread(reader, 2, 5, data, 10, 995, NULL), 0);
	assert_memory_equal(data, "xxxxx\0\0\0\0\0", 10);
	assert_int_equal(reader_pread(reader, 2, 5, data, 10, 1000, NULL), 0);
	assert_true(all_zero(data, 10));
	reader_free(reader);
}

static void test_stale(void **state)
{
	struct maker *m = *state;
	struct reader *reader;
	struct err e;
	char data[10];

	add_file(m, 1, "f", 2, 1000);
	reader = open_reader(m);
	assert_int_equal(reader_pread(reader, 2, 5, data, 10, 0, &e), 0);
	assert_int_equal(reader_pread(reader, 2, 4, data, 10, 0, &e), -ESTALE);
	run_sql(m, "UPDATE inode SET content_version = 6 WHERE ino = 2");
	assert_int_equal(reader_pread(reader, 2, 5, data, 10, 0, &e), -ESTALE);
	assert_non_null(strstr(e.text, "changed"));
	assert_int_equal(reader_pread(reader, 2, 5, data, 0, 0, &e), -ESTALE);
	assert_int_equal(reader_pread(reader, 2, 6, data, 10, 0, &e), 0);
	run_sql(m, "UPDATE inode SET nlink = 0 WHERE ino = 2");
	assert_int_equal(reader_pread(reader, 2, 6, data, 10, 0, &e), -ESTALE);
	assert_non_null(strstr(e.text, "removed"));
	assert_int_equal(reader_pread(reader, 3, 6, data, 10, 0, &e), -ESTALE);
	reader_free(reader);
}

static void flip_byte(const struct maker *m, uint32_t pack, uint64_t at)
{
	_cleanup_fd_ int fd = -1;
	char path[128];
	uint8_t byte;

	pack_path(m, pack, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fd_pread_full(fd, &byte, 1, at), 0);
	byte ^= 1;
	assert_int_equal(fd_pwrite_full(fd, &byte, 1, at), 0);
}

static void check_read(struct reader *reader, int expected, const char *part)
{
	_cleanup_free_ uint8_t *data = malloc(4 * CHUNK);
	struct err e = {0};

	assert_int_equal(reader_pread(reader, 2, 5, data, 4 * CHUNK, 0, &e), expected);
	if (part && !strstr(e.text, part))
		fail_msg("'%s' is not in '%s'", part, e.text);
	if (expected == -EBADMSG)
		assert_int_equal(err_exit_code(&e), 3);
}

static void test_damaged_pack(void **state)
{
	struct maker *m = *state;
	struct reader *reader;
	uint8_t raw[CHUNK];
	char expected[64], path[128];
	uint64_t at = 0;

	add_file(m, 1, "f", 2, 4 * CHUNK);
	for (size_t i = 0; i < 4; i++) {
		memset(raw, 'a' + (int)i, CHUNK);
		at = add_chunk(m, 2, i, 7, raw, CHUNK);
	}
	reader = open_reader(m);
	check_read(reader, 0, NULL);

	(void)snprintf(expected, sizeof(expected), "pack 00000007 at %" PRIu64 ": checksum differs",
		       at);
	flip_byte(m, 7, at + 5);
	check_read(reader, -EBADMSG, expected);
	flip_byte(m, 7, at + 5);
	check_read(reader, 0, NULL);

	pack_path(m, 7, path);
	assert_int_equal(truncate(path, (off_t)at + 3), 0);
	(void)snprintf(expected, sizeof(expected), "pack 00000007 at %" PRIu64 ": the pack ends",
		       at);
	check_read(reader, -EBADMSG, expected);

	assert_int_equal(unlink(path), 0);
	reader_free(reader);
	reader = open_reader(m);
	check_read(reader, -EBADMSG, "'packs/00000007.pack' is missing");
	reader_free(reader);
}

static void test_damaged_places(void **state)
{
	static const char *const damage[] = {
		"raw_bytes = 65537", "raw_bytes = 0",
		"raw_bytes = -1",    "raw_bytes = 1",
		"stored_bytes = 0",  "stored_bytes = 4294967297",
		"stored_bytes = -5", "stored_bytes = 999999",
		"off_bytes = -1",    "off_bytes = 9223372036854775807",
	};
	struct maker *m = *state;
	struct reader *reader;
	uint8_t raw[CHUNK];

	for (size_t i = 0; i < CHUNK; i++)
		raw[i] = (uint8_t)(i * i >> 3);
	add_file(m, 1, "f", 2, CHUNK);
	(void)add_chunk(m, 2, 0, 7, raw, CHUNK);
	reader = open_reader(m);
	check_read(reader, 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(damage); i++) {
		run_sql(m, "CREATE TEMP TABLE kept AS SELECT * FROM chunk; UPDATE chunk SET %s",
			damage[i]);
		check_read(reader, -EBADMSG, "inode 2 at 0: impossible place");
		run_sql(m, "DELETE FROM chunk; INSERT INTO chunk SELECT * FROM temp.kept;"
			   "DROP TABLE temp.kept");
	}
	check_read(reader, 0, NULL);
	/* Possible, but not what is there. */
	run_sql(m, "UPDATE chunk SET raw_bytes = raw_bytes - 1");
	check_read(reader, -EBADMSG, "pack 00000007");
	reader_free(reader);
}

/* More packs than stay open at once. */
static void test_many_packs(void **state)
{
	enum { PACKS = 40 };
	struct maker *m = *state;
	_cleanup_free_ uint8_t *data = malloc(PACKS * CHUNK);
	struct reader *reader;
	uint8_t raw[100];

	add_file(m, 1, "f", 2, PACKS * CHUNK);
	for (size_t i = 0; i < PACKS; i++) {
		memset(raw, (int)i + 1, sizeof(raw));
		(void)add_chunk(m, 2, i, (uint32_t)i + 1, raw, sizeof(raw));
	}
	reader = open_reader(m);
	for (int pass = 0; pass < 3; pass++) {
		assert_int_equal(reader_pread(reader, 2, 5, data, PACKS * CHUNK, 0, NULL), 0);
		for (size_t i = 0; i < PACKS; i++) {
			assert_int_equal(data[i * CHUNK], i + 1);
			assert_int_equal(data[i * CHUNK + 99], i + 1);
			assert_int_equal(data[i * CHUNK + 100], 0);
		}
	}
	reader_free(reader);
}

/* ---- a mount that works meanwhile ------------------------------------------------------------ */

/* One window of the reader: while it is read, the frames not yet reached are moved away. */
enum { MOVED = 64, TURNS = 40 };

struct mover {
	struct maker *m;
	uint8_t raw[MOVED][CHUNK];
	uint32_t pack;
	atomic_bool done;
};

static void write_frames(struct mover *mover)
{
	run_sql(mover->m, "BEGIN IMMEDIATE");
	for (size_t i = 0; i < MOVED; i++)
		(void)add_chunk(mover->m, 2, i, mover->pack, mover->raw[i], CHUNK);
	run_sql(mover->m, "COMMIT");
}

/* Moves every frame to a new pack, commits, then destroys the old pack: compaction in a hurry. */
static void *move_frames(void *arg)
{
	struct mover *mover = arg;
	char path[128];

	for (int turn = 0; turn < TURNS; turn++) {
		pack_path(mover->m, mover->pack, path);
		mover->pack++;
		write_frames(mover);
		assert_int_equal(truncate(path, 0), 0);
		if (turn % 2)
			assert_int_equal(unlink(path), 0);
	}
	mover->done = true;
	return NULL;
}

static void test_moving_frames(void **state)
{
	struct mover *mover = calloc(1, sizeof(*mover));
	_cleanup_free_ uint8_t *data = malloc(sizeof(mover->raw));
	struct reader *reader;
	pthread_t thread;

	assert_true(mover && data);
	mover->m = *state;
	mover->pack = 1;
	add_file(mover->m, 1, "f", 2, sizeof(mover->raw));
	fill_noise(mover->raw[0], sizeof(mover->raw));
	write_frames(mover);
	reader = open_reader(mover->m);
	assert_int_equal(pthread_create(&thread, NULL, move_frames, mover), 0);
	while (!mover->done) {
		struct err e;

		if (reader_pread(reader, 2, 5, data, sizeof(mover->raw), 0, &e) < 0)
			fail_msg("%s", e.text);
		assert_memory_equal(data, mover->raw, sizeof(mover->raw));
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	reader_free(reader);
	free(mover);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_pread),		 STORE_TEST(test_pread_clips),
		STORE_TEST(test_stale),		 STORE_TEST(test_damaged_pack),
		STORE_TEST(test_damaged_places), STORE_TEST(test_many_packs),
		STORE_TEST(test_moving_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
