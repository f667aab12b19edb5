/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The reader over a store made by hand with SQL and frame_pack(): walking, reading, damage, a mount
 * that moves frames meanwhile, and the views for people.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

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
	uint64_t next_dentry;
};

static void run_sql(struct maker *m, const char *fmt, ...) _printf_(2, 3);
static void run_sql(struct maker *m, const char *fmt, ...)
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

static int make_store(void **state)
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

static int drop_store(void **state)
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

static void add_inode(struct maker *m, uint64_t ino, mode_t mode, uint64_t size_bytes)
{
	run_sql(m,
		"INSERT INTO inode (ino, mode, nlink, uid, gid, size_bytes, atime_ns, mtime_ns,"
		" ctime_ns, btime_ns, content_version)"
		" VALUES (%" PRIu64 ", %u, 1, 10, 20, %" PRIu64
		", 1, 1700000000123456789, 3, 4, 5)",
		ino, mode, size_bytes);
}

static void add_name(struct maker *m, uint64_t parent, const char *name, uint64_t ino)
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

static void add_dir(struct maker *m, uint64_t parent, const char *name, uint64_t ino)
{
	add_inode(m, ino, S_IFDIR | 0750, 0);
	add_name(m, parent, name, ino);
}

static void add_file(struct maker *m, uint64_t parent, const char *name, uint64_t ino,
		     uint64_t size_bytes)
{
	add_inode(m, ino, S_IFREG | 0640, size_bytes);
	add_name(m, parent, name, ino);
}

static void pack_path(const struct maker *m, uint32_t pack, char out[128])
{
	(void)snprintf(out, 128, "%s/packs/%08" PRIu32 ".pack", m->dir, pack);
}

/* Appends a record to a pack; fills in h. Returns where the frame stands. */
static uint64_t append_record(struct maker *m, uint32_t pack, const void *raw,
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

static uint64_t add_chunk(struct maker *m, uint64_t ino, uint64_t idx, uint32_t pack,
			  const void *raw, uint32_t raw_bytes)
{
	struct frame_header h = {.ino = ino, .off_bytes = idx * CHUNK, .raw_bytes = raw_bytes};
	uint64_t at = append_record(m, pack, raw, &h);

	run_sql(m,
		"INSERT OR REPLACE INTO chunk VALUES (%" PRIu64 ", %" PRIu64 ", %u, %" PRIu64
		", %u, %u, %" PRId64 ");"
		"UPDATE inode SET stored_bytes = stored_bytes + %u WHERE ino = %" PRIu64,
		ino, idx, pack, at, h.stored_bytes, raw_bytes, (int64_t)h.checksum, h.stored_bytes,
		ino);
	return at;
}

static struct reader *open_reader(const struct maker *m)
{
	struct reader *reader;
	struct err e;

	if (reader_open(m->dir, &reader, &e) < 0)
		fail_msg("%s", e.text);
	return reader;
}

/* Bytes that no compressor shrinks, the same on every run. */
static void fill_noise(uint8_t *p, size_t len_bytes)
{
	uint32_t x = 12345;

	for (size_t i = 0; i < len_bytes; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (uint8_t)(x >> 24);
	}
}

/* ---- opening --------------------------------------------------------------------------------- */

static void test_open(void **state)
{
	struct maker *m = *state;
	struct reader *reader = open_reader(m);

	assert_int_equal(reader_chunk_bytes(reader), CHUNK);
	assert_memory_equal(reader_uuid(reader), "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16);
	reader_free(reader);
	reader_free(NULL);
}

static void test_open_no_store(void **state)
{
	struct maker *m = *state;
	char path[128];
	struct reader *reader = NULL;
	struct err e;

	(void)snprintf(path, sizeof(path), "%s/packs", m->dir);
	assert_int_equal(reader_open(path, &reader, &e), -ENOENT);
	assert_non_null(strstr(e.text, "/packs' is not a Seedship store"));
	assert_string_not_equal(e.hint, "");
	(void)snprintf(path, sizeof(path), "%s/index.db", m->dir);
	assert_int_equal(reader_open(path, &reader, &e), -ENOENT);
	assert_null(reader);
}

static void test_open_refused(void **state)
{
	struct maker *m = *state;
	struct reader *reader = NULL;
	struct err e;

	run_sql(m, "PRAGMA user_version=99");
	assert_int_equal(reader_open(m->dir, &reader, &e), -ENOTSUP);
	assert_non_null(strstr(e.text, "format 99"));
	run_sql(m, "PRAGMA user_version=1; PRAGMA application_id=5");
	assert_int_equal(reader_open(m->dir, &reader, &e), -EMEDIUMTYPE);
	run_sql(m, "PRAGMA application_id=%u; UPDATE store SET chunk_bytes = 65537",
		schema_index.application_id);
	assert_int_equal(reader_open(m->dir, &reader, &e), -EBADMSG);
	run_sql(m, "DELETE FROM store");
	assert_int_equal(reader_open(m->dir, &reader, &e), -EBADMSG);
	assert_null(reader);
}

/* ---- walking --------------------------------------------------------------------------------- */

struct seen {
	struct buf text;
	int stop_after;
};

static int note_entry(const struct staged_entry *entry, void *arg, struct err *e)
{
	struct seen *seen = arg;

	(void)e;
	buf_puts(&seen->text, entry->path);
	if (entry->symlink_target)
		buf_printf(&seen->text, " -> %s", entry->symlink_target);
	buf_puts(&seen->text, "\n");
	assert_string_equal(entry->path + strlen(entry->path) - strlen(entry->name), entry->name);
	assert_true(entry->name == entry->path || entry->name[-1] == '/');
	return seen->stop_after > 0 && --seen->stop_after == 0 ? 42 : 0;
}

static void check_walk(const struct maker *m, const char *expected)
{
	struct seen seen = {.text = BUF_INIT};
	struct reader *reader = open_reader(m);

	for (int i = 0; i < 2; i++) { /* the same twice */
		buf_reset(&seen.text);
		assert_int_equal(reader_walk(reader, note_entry, &seen, NULL), 0);
		assert_string_equal(buf_text(&seen.text), expected);
	}
	buf_done(&seen.text);
	reader_free(reader);
}

static void test_walk_empty(void **state)
{
	check_walk(*state, "");
}

static void make_tree(struct maker *m)
{
	add_file(m, 1, "z", 2, 0);
	add_dir(m, 1, "a", 3);
	add_file(m, 1, "a.b", 4, 0);
	add_file(m, 1, "\xC3\xA9", 5, 0); /* valid UTF-8: TEXT */
	add_file(m, 1, "\xC3", 6, 0);	  /* not valid: BLOB, between two TEXTs */
	add_file(m, 1, "\x80", 7, 0);	  /* BLOB below that TEXT, above "z" */
	add_file(m, 1, "a\xFF", 8, 0);	  /* BLOB between the TEXTs "a.b" and "b" */
	add_file(m, 1, "\xF0\x9F\x98\x80", 9, 0);
	add_file(m, 1, "b", 10, 0);
	add_dir(m, 3, "sub", 11);
	add_dir(m, 3, "empty", 12);
	add_file(m, 11, "x", 13, 0);
	add_file(m, 11, "\xFF\xFE", 14, 0);
	add_inode(m, 15, S_IFLNK | 0777, 9);
	add_name(m, 3, "link", 15);
	run_sql(m, "INSERT INTO symlink VALUES (15, 'sub/x y z')");
	add_name(m, 12, "also z", 2);
	add_dir(m, 1, "y", 16);
	add_inode(m, 17, S_IFLNK | 0777, 2);
	add_name(m, 16, "blob", 17);
	run_sql(m, "INSERT INTO symlink VALUES (17, x'FF2F')");
}

static void test_walk_order(void **state)
{
	struct maker *m = *state;

	make_tree(m);
	check_walk(m, "a\na/empty\na/empty/also z\na/link -> sub/x y z\na/sub\na/sub/x\n"
		      "a/sub/\xFF\xFE\na.b\na\xFF\nb\ny\ny/blob -> \xFF/\nz\n\x80\n\xC3\n\xC3\xA9\n"
		      "\xF0\x9F\x98\x80\n");
}

static int check_facts(const struct staged_entry *entry, void *arg, struct err *e)
{
	int *n = arg;

	(void)e;
	(*n)++;
	assert_int_equal(entry->ino, 2);
	assert_int_equal(entry->mode, S_IFREG | 0640);
	assert_int_equal(entry->nlink, 1);
	assert_int_equal(entry->uid, 10);
	assert_int_equal(entry->gid, 20);
	assert_int_equal(entry->rdev, 0);
	assert_int_equal(entry->size_bytes, 1000);
	assert_true(entry->stored_bytes > 0 && entry->stored_bytes < 100);
	assert_int_equal(entry->mtime_ns, UINT64_C(1700000000123456789));
	assert_int_equal(entry->content_version, 5);
	return 0;
}

static void test_facts(void **state)
{
	struct maker *m = *state;
	struct reader *reader;
	struct staged_entry entry = {.ino = 7};
	int n = 0;
	char raw[1000];

	memset(raw, 'x', sizeof(raw));
	add_file(m, 1, "f", 2, 1000);
	add_chunk(m, 2, 0, 1, raw, sizeof(raw));
	reader = open_reader(m);
	assert_int_equal(reader_walk(reader, check_facts, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(reader_stat(reader, 99, &entry, NULL), -ENOENT);
	assert_int_equal(entry.ino, 7);
	assert_int_equal(reader_stat(reader, 2, &entry, NULL), 0);
	assert_int_equal(check_facts(&entry, &n, NULL), 0);
	assert_string_equal(entry.path, "");
	run_sql(m, "UPDATE inode SET nlink = 0 WHERE ino = 2"); /* unlinked, still open */
	assert_int_equal(reader_stat(reader, 2, &entry, NULL), -ENOENT);
	reader_free(reader);
}

static void test_walk_stops(void **state)
{
	struct maker *m = *state;
	struct seen seen = {.text = BUF_INIT, .stop_after = 3};
	struct reader *reader;

	make_tree(m);
	reader = open_reader(m);
	assert_int_equal(reader_walk(reader, note_entry, &seen, NULL), 42);
	assert_string_equal(buf_text(&seen.text), "a\na/empty\na/empty/also z\n");
	buf_done(&seen.text);
	/* The transaction is over: the reader sees what is committed now. */
	add_file(m, 1, "0", 100, 0);
	assert_int_equal(reader_walk(reader, note_entry, &seen, NULL), 0);
	assert_int_equal(strncmp(buf_text(&seen.text), "0\na\n", 4), 0);
	buf_done(&seen.text);
	reader_free(reader);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Thousands of names, half of them not UTF-8, come in the order of strcmp(). */
static void test_walk_many(void **state)
{
	enum { N = 3000, LEN = 8 };
	struct maker *m = *state;
	char(*names)[LEN] = calloc(N, LEN);
	_cleanup_(buf_done) struct buf expected = BUF_INIT;
	uint32_t x = 1;

	run_sql(m, "BEGIN");
	add_inode(m, 2, S_IFREG, 0);
	for (size_t i = 0; i < N; i++) {
		(void)snprintf(names[i], LEN, "%04zx", i);
		x = x * 1664525 + 1013904223;
		names[i][0] = (char)(i % 2 ? 0x80 | x >> 24 : 'a' + (x >> 24) % 26);
		names[i][4] = (char)(1 + (x >> 16) % 255);
		if (names[i][4] == '/')
			names[i][4] = ';';
		add_name(m, 1, names[i], 2);
	}
	run_sql(m, "COMMIT");
	qsort(names, N, LEN, compare_names);
	for (size_t i = 0; i < N; i++)
		buf_printf(&expected, "%s\n", names[i]);
	check_walk(m, buf_text(&expected));
	free(names);
}

static void check_walk_refused(struct maker *m, const char *part)
{
	struct seen seen = {.text = BUF_INIT};
	struct reader *reader = open_reader(m);
	struct err e;

	assert_int_equal(reader_walk(reader, note_entry, &seen, &e), -EBADMSG);
	assert_non_null(strstr(e.text, part));
	buf_done(&seen.text);
	reader_free(reader);
}

static void test_walk_damaged(void **state)
{
	static const char *const names[] = {"..", ".", "a/b", "", "/"};
	struct maker *m = *state;
	char long_name[257] = {0}, line[258];

	add_inode(m, 2, S_IFREG, 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		add_name(m, 1, names[i], 2);
		/* An empty name cannot even be reached: no name is before it. */
		if (names[i][0])
			check_walk_refused(m, "directory 1 has an impossible name");
		run_sql(m, "DELETE FROM dentry");
	}
	memset(long_name, 'n', 255);
	add_name(m, 1, long_name, 2);
	(void)snprintf(line, sizeof(line), "%s\n", long_name);
	check_walk(m, line);
	long_name[255] = 'n';
	add_name(m, 1, long_name, 2);
	check_walk_refused(m, "impossible name");
	run_sql(m, "DELETE FROM dentry; PRAGMA foreign_keys=OFF");
	add_name(m, 1, "lost", 77);
	check_walk_refused(m, "'lost' has no inode");
	run_sql(m, "DELETE FROM dentry");
	add_dir(m, 1, "a", 3);
	add_name(m, 3, "a", 3);
	check_walk_refused(m, "nested in itself");
}

/* ---- reading --------------------------------------------------------------------------------- */

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

/* ---- views for people ------------------------------------------------------------------------ */

/* One row as text: columns joined by '|'. */
static void check_row(struct maker *m, const char *query, const char *expected)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	_cleanup_free_ char *wrapped = NULL;

	assert_true(asprintf(&wrapped, "SELECT group_concat(line, ' ; ') FROM (%s)", query) > 0);
	assert_int_equal(sql_prepare(m->db, wrapped, &s, NULL), 0);
	assert_int_equal(sql_step(s, NULL), 1);
	assert_string_equal(sql_col_text(s, 0) ? sql_col_text(s, 0) : "", expected);
}

static void make_view_tree(struct maker *m)
{
	add_dir(m, 1, "d", 2);
	add_dir(m, 2, "e", 3);
	add_dir(m, 1, "empty", 4);
	add_file(m, 1, "top", 5, 1000);
	add_file(m, 2, "mid", 6, 300);
	add_file(m, 3, "deep", 7, 50);
	add_name(m, 3, "hard", 5); /* top again */
	add_inode(m, 8, S_IFLNK | 0777, 3);
	add_name(m, 2, "link", 8);
	run_sql(m,
		"INSERT INTO symlink VALUES (8, 'mid'); UPDATE inode SET nlink = 2 WHERE ino = 5;"
		"UPDATE inode SET stored_bytes = 250 WHERE ino = 5;"
		"UPDATE inode SET stored_bytes = 30 WHERE ino = 6;"
		"INSERT INTO pack VALUES (1, 1000, 280, 1), (2, 0, 0, 0);"
		"UPDATE store SET committed_ns = 1700000000000000000");
	/* Unlinked but still open. */
	add_inode(m, 9, S_IFREG | 0600, 7777);
	run_sql(m, "UPDATE inode SET nlink = 0 WHERE ino = 9; INSERT INTO orphan VALUES (9)");
}

static void test_view_files(void **state)
{
	struct maker *m = *state;

	make_view_tree(m);
	check_row(m,
		  "SELECT path || '|' || size || '|' || stored || '|' || coalesce(ratio, '') || "
		  "'|' ||"
		  " nlink || '|' || mode || '|' || uid || '|' || gid || '|' || ino AS line"
		  " FROM files ORDER BY path",
		  "d/e/deep|50|0||1|640|10|20|7 ; d/e/hard|1000|250|4.0|2|640|10|20|5 ; "
		  "d/mid|300|30|10.0|1|640|10|20|6 ; top|1000|250|4.0|2|640|10|20|5");
	check_row(m, "SELECT modified || '|' || changed AS line FROM files WHERE path = 'top'",
		  "2023-11-14 22:13:20|1970-01-01 00:00:00");
}

static void test_view_directories(void **state)
{
	struct maker *m = *state;

	make_view_tree(m);
	check_row(m,
		  "SELECT path || '|' || files || '|' || size || '|' || stored || '|' ||"
		  " coalesce(ratio, '') AS line FROM directories ORDER BY path",
		  "|4|2350|530|4.43 ; d|3|1350|280|4.82 ; d/e|2|1050|250|4.2 ; empty|0|0|0|");
}

static void test_view_packs(void **state)
{
	struct maker *m = *state;

	make_view_tree(m);
	check_row(
		m,
		"SELECT file || '|' || size || '|' || live || '|' || coalesce(live_percent, '') ||"
		" '|' || sealed AS line FROM packs ORDER BY file",
		"00000001.pack|1000|280|28.0|1 ; 00000002.pack|0|0||0");
}

/* A file counts once, whatever number of names it has; one without any name does not count. */
static void test_view_summary(void **state)
{
	struct maker *m = *state;

	make_view_tree(m);
	check_row(m,
		  "SELECT files || '|' || directories || '|' || size || '|' || stored || '|' || "
		  "ratio ||"
		  " '|' || packs || '|' || committed AS line FROM summary",
		  "3|4|1350|280|4.82|1000|2023-11-14 22:13:20");
}

static void test_views_of_nothing(void **state)
{
	struct maker *m = *state;

	check_row(m, "SELECT path AS line FROM files", "");
	check_row(m, "SELECT path || '|' || files || '|' || size AS line FROM directories", "|0|0");
	check_row(m, "SELECT file AS line FROM packs", "");
	check_row(m,
		  "SELECT files || '|' || directories || '|' || size || '|' || stored || '|' ||"
		  " coalesce(ratio, 'none') AS line FROM summary",
		  "0|1|0|0|none");
}

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, make_store, drop_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_open),
		STORE_TEST(test_open_no_store),
		STORE_TEST(test_open_refused),
		STORE_TEST(test_walk_empty),
		STORE_TEST(test_walk_order),
		STORE_TEST(test_facts),
		STORE_TEST(test_walk_stops),
		STORE_TEST(test_walk_many),
		STORE_TEST(test_walk_damaged),
		STORE_TEST(test_pread),
		STORE_TEST(test_pread_clips),
		STORE_TEST(test_stale),
		STORE_TEST(test_damaged_pack),
		STORE_TEST(test_damaged_places),
		STORE_TEST(test_many_packs),
		STORE_TEST(test_moving_frames),
		STORE_TEST(test_view_files),
		STORE_TEST(test_view_directories),
		STORE_TEST(test_view_packs),
		STORE_TEST(test_view_summary),
		STORE_TEST(test_views_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
