/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store made by hand with SQL and frame_pack(), for the tests of those who read stores. */
#ifndef SEEDSHIP_TESTS_STORE_FIXTURE_H
#define SEEDSHIP_TESTS_STORE_FIXTURE_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/ext/sql.h"
#include "common/store/frame.h"
#include "common/store/reader.h"

#define CHUNK 65536

/* A store under construction. */
struct maker {
	char dir[64];
	struct sql *db;
	struct frame_codec *codec;
};

static void run_sql(struct maker *m, const char *fmt, ...) _printf_(2, 3);
static _unused_ void run_sql(struct maker *m, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	struct err e;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (sql_exec(m->db, text, &e) < 0)
		fail_msg("%s: %s", text, e.text);
}

static _unused_ int make_store(void **state)
{
	struct maker *m = calloc(1, sizeof(*m));
	char path[128];

	assert_non_null(m);
	(void)strcpy(m->dir, "/tmp/test_reader.XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	(void)snprintf(path, sizeof(path), "%s/packs", m->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/index.db", m->dir);
	assert_int_equal(sql_open(path, SQL_CREATE, &m->db, NULL), 0);
	assert_int_equal(sql_migrate(m->db, path, &schema_index, NULL), 0);
	assert_int_equal(frame_codec_new(&m->codec, NULL), 0);
	run_sql(m,
		"INSERT INTO store (id, uuid, created_ns, chunk_bytes, pack_bytes)"
		" VALUES (1, x'000102030405060708090A0B0C0D0E0F', 0, %d, 1000000)",
		CHUNK);
	run_sql(m,
		"INSERT INTO inode (ino, mode, nlink, uid, gid, atime_ns, mtime_ns, ctime_ns, "
		"btime_ns)"
		" VALUES (1, %d, 2, 0, 0, 0, 0, 0, 0)",
		S_IFDIR | 0755);
	*state = m;
	return 0;
}

static _unused_ int drop_store(void **state)
{
	struct maker *m = *state;
	char command[128];

	frame_codec_free(m->codec);
	sql_close(m->db);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", m->dir);
	assert_int_equal(system(command), 0);
	free(m);
	return 0;
}

static _unused_ void add_inode(struct maker *m, uint64_t ino, mode_t mode, uint64_t size_bytes)
{
	run_sql(m,
		"INSERT INTO inode (ino, mode, nlink, uid, gid, size_bytes, atime_ns, mtime_ns,"
		" ctime_ns, btime_ns, content_version)"
		" VALUES (%" PRIu64 ", %u, 1, 10, 20, %" PRIu64
		", 1, 1700000000123456789, 3, 4, 5)",
		ino, mode, size_bytes);
}

static _unused_ void add_name(struct maker *m, uint64_t parent, const char *name, uint64_t ino)
{
	struct sql_stmt *s;

	assert_int_equal(sql_prepare(m->db,
				     "INSERT INTO dentry (parent, name, ino) VALUES (?, ?, ?)", &s,
				     NULL),
			 0);
	sql_bind_i64(s, 1, (int64_t)parent);
	sql_bind_name(s, 2, name, strlen(name));
	sql_bind_i64(s, 3, (int64_t)ino);
	assert_int_equal(sql_run(s, NULL), 0);
	sql_finalize(s);
}

static _unused_ void add_dir(struct maker *m, uint64_t parent, const char *name, uint64_t ino)
{
	add_inode(m, ino, S_IFDIR | 0750, 0);
	add_name(m, parent, name, ino);
}

static _unused_ void add_file(struct maker *m, uint64_t parent, const char *name, uint64_t ino,
			      uint64_t size_bytes)
{
	add_inode(m, ino, S_IFREG | 0640, size_bytes);
	add_name(m, parent, name, ino);
}

static _unused_ void pack_path(const struct maker *m, uint32_t pack, char out[128])
{
	(void)snprintf(out, 128, "%s/packs/%08" PRIu32 ".pack", m->dir, pack);
}

/* Appends a record to a pack; fills in h. Returns where the frame stands. */
static _unused_ uint64_t append_record(struct maker *m, uint32_t pack, const void *raw,
				       struct frame_header *h)
{
	uint8_t *frame = malloc(frame_bound(h->raw_bytes));
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_fd_ int fd = -1;
	char path[128];
	size_t frame_bytes;
	off_t end;

	assert_int_equal(frame_pack(m->codec, raw, h->raw_bytes, 1, frame, &frame_bytes), 0);
	h->stored_bytes = (uint32_t)frame_bytes;
	h->checksum = frame_checksum(frame, frame_bytes);
	frame_header_put(&b, h);
	buf_put(&b, frame, frame_bytes);
	free(frame);
	assert_int_equal(buf_error(&b), 0);

	pack_path(m, pack, path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	end = lseek(fd, 0, SEEK_END);
	assert_int_equal(fd_pwrite_full(fd, b.data, b.len_bytes, (uint64_t)end), 0);
	run_sql(m,
		"INSERT OR IGNORE INTO pack (id, size_bytes, live_bytes) VALUES (%u, 0, 0);"
		"UPDATE pack SET size_bytes = %jd, live_bytes = live_bytes + %zu WHERE id = %u",
		pack, (intmax_t)end + (intmax_t)b.len_bytes, frame_bytes, pack);
	return (uint64_t)end + (b.len_bytes - frame_bytes);
}

static _unused_ uint64_t add_chunk(struct maker *m, uint64_t ino, uint64_t idx, uint32_t pack,
				   const void *raw, uint32_t raw_bytes)
{
	struct frame_header h = {
		.type = RECORD_CHUNK, .ino = ino, .off_bytes = idx * CHUNK, .raw_bytes = raw_bytes};
	uint64_t at = append_record(m, pack, raw, &h);

	run_sql(m,
		"INSERT OR REPLACE INTO chunk VALUES (%" PRIu64 ", %" PRIu64 ", %u, %" PRIu64
		", %u, %u, %" PRId64 ");"
		"UPDATE inode SET stored_bytes = stored_bytes + %u WHERE ino = %" PRIu64,
		ino, idx, pack, at, h.stored_bytes, raw_bytes, (int64_t)h.checksum, h.stored_bytes,
		ino);
	return at;
}

static _unused_ struct reader *open_reader(const struct maker *m)
{
	struct reader *reader;
	struct err e;

	if (reader_open(m->dir, &reader, &e) < 0)
		fail_msg("%s", e.text);
	return reader;
}

/* Bytes that no compressor shrinks, the same on every run. */
static _unused_ void fill_noise(uint8_t *p, size_t len_bytes)
{
	uint32_t x = 12345;

	for (size_t i = 0; i < len_bytes; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (uint8_t)(x >> 24);
	}
}

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, make_store, drop_store)

#endif
