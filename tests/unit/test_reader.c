/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening a store for reading, and walking its names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/store_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_open),	       STORE_TEST(test_open_no_store),
		STORE_TEST(test_open_refused), STORE_TEST(test_walk_empty),
		STORE_TEST(test_walk_order),   STORE_TEST(test_facts),
		STORE_TEST(test_walk_stops),   STORE_TEST(test_walk_many),
		STORE_TEST(test_walk_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
