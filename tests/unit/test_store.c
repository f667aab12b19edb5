/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening a store, and the writer: order, durability, packs, what a crash leaves. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/store/catalog.h"
#include "common/store/reader.h"
#include "common/store/store.h"
#include "common/store/summary.h"
#include "common/store/writer.h"
#include "tests/unit/writer_fixture.h"

static void test_create_then_open(void **state)
{
	struct fixture *f = *state;
	struct store_options existing = {0};
	struct err e = {0};

	assert_int_equal(store_open(f->path, &existing, &f->store, &e), -ENOENT);
	assert_int_equal(access(f->path, F_OK), -1);
	open_writer(f);
	assert_true(f->store->created);
	assert_int_equal(f->store->next_ino, 2);
	close_writer(f);
	open_writer(f);
	assert_false(f->store->created);
	assert_int_equal(f->store->chunk_bytes, 64 << 10);
}

static void test_folder_with_other_things(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct err e = {0};

	assert_int_equal(mkdir(f->path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/precious", f->path);
	assert_int_equal(write_file_atomic(path, "x", 1, 0600, NULL), 0);
	assert_int_equal(store_open(f->path, &options, &f->store, &e), -ENOTEMPTY);
	assert_non_null(strstr(e.text, "precious"));
	(void)snprintf(path, sizeof(path), "%s/index.db", f->path);
	assert_int_equal(access(path, F_OK), -1);
}

/* Numbers of what came and went within one batch are not given out again. */
static void test_numbers_are_not_used_twice(void **state)
{
	struct fixture *f = *state;
	struct change_set *set;

	open_writer(f);
	put_file(f, 10, "stays", 1);
	close_writer(f);
	open_writer(f);
	put_file(f, 20, "goes", 2);
	set = change_set_new();
	change_dentry_gone(set, NULL, 0, 1, "goes", 20);
	change_inode_gone(set, NULL, 20);
	assert_int_equal(writer_submit(f->writer, &set, NULL), 0);
	close_writer(f);
	open_writer(f);
	assert_int_equal(f->store->next_ino, 21);
	assert_int_equal(f->store->next_dentry, 121);
}

/* Packs without an index are somebody's data: no new store is made over them. */
static void test_packs_without_index_are_not_overwritten(void **state)
{
	struct fixture *f = *state;
	struct store *store = NULL;
	char index[128], pack[128];
	struct stat before, after;
	struct err e = {0};

	open_writer(f);
	put_file(f, 10, "a", 1);
	close_writer(f);
	(void)snprintf(index, sizeof(index), "%s/index.db", f->path);
	(void)snprintf(pack, sizeof(pack), "%s/packs/00000001.pack", f->path);
	assert_int_equal(stat(pack, &before), 0);
	assert_int_equal(unlink(index), 0);
	for (int empty_index = 0; empty_index < 2; empty_index++) {
		if (empty_index)
			assert_int_equal(close(creat(index, 0600)), 0);
		assert_int_equal(store_open(f->path, &options, &store, &e), -EBADMSG);
		assert_non_null(strstr(e.hint, "rebuild"));
	}
	assert_int_equal(stat(pack, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
}

/* An old copy of the index in place of the last one: mounting it would cut off what only the packs still have. */
static void test_older_index_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store *store;
	struct writer_options wo = {
		.level = 1, .n_workers = 1, .queue_depth = 16, .commit_ms = 1000};
	struct writer_events events = {0};
	struct writer *writer;
	char command[512], pack[128];
	struct stat before, after;
	struct err e = {0};

	open_writer(f);
	put_file(f, 10, "a", 1);
	close_writer(f);
	(void)snprintf(command, sizeof(command), "cp '%s/index.db' '%s/old'", f->path, f->dir);
	assert_int_equal(system(command), 0);
	for (unsigned i = 0; i < 2; i++) {
		open_writer(f);
		put_file(f, 20 + i, i ? "c" : "b", i);
		close_writer(f);
	}
	(void)snprintf(pack, sizeof(pack), "%s/packs/00000001.pack", f->path);
	assert_int_equal(stat(pack, &before), 0);
	(void)snprintf(command, sizeof(command), "cp '%s/old' '%s/index.db'", f->dir, f->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(store_open(f->path, &options, &store, &e), 0);
	assert_int_equal(writer_new(store, &wo, &events, &writer, &e), -ESTALE);
	assert_non_null(strstr(e.hint, "rebuild"));
	store_free(store);
	assert_int_equal(stat(pack, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
}

/* A batch may have begun a pack before a crash: its sequences are given again, so it must not be seen later. */
static void test_uncommitted_packs_are_removed(void **state)
{
	struct fixture *f = *state;
	char command[256], pack[128];

	open_writer(f);
	put_file(f, 10, "a", 1);
	close_writer(f);
	(void)snprintf(command, sizeof(command),
		       "cd '%s/packs' && cp 00000001.pack 00000002.pack && cp 00000001.pack other",
		       f->path);
	assert_int_equal(system(command), 0);
	open_writer(f);
	close_writer(f);
	(void)snprintf(pack, sizeof(pack), "%s/packs/00000001.pack", f->path);
	assert_int_equal(access(pack, F_OK), 0);
	(void)snprintf(pack, sizeof(pack), "%s/packs/other", f->path);
	assert_int_equal(access(pack, F_OK), 0);
	(void)snprintf(pack, sizeof(pack), "%s/packs/00000002.pack", f->path);
	assert_int_equal(access(pack, F_OK), -1);
}

static void test_second_opener_is_told_who(void **state)
{
	struct fixture *f = *state;
	struct store_holder holder;
	struct store *second = NULL;
	struct err e = {0};

	open_writer(f);
	assert_int_equal(store_note_holder(f->store, "/mnt/some where", "mounted", NULL), 0);
	assert_int_equal(store_open(f->path, &options, &second, &e), -EBUSY);
	assert_non_null(strstr(e.text, "/mnt/some where"));
	/* Asking from another process: locks of one's own are not seen. */
	assert_int_equal(store_get_holder(f->path, &holder, NULL), 0);
	assert_true(holder.held);
	assert_int_equal(holder.pid, getpid());
	assert_string_equal(holder.mount_point, "/mnt/some where");
	close_writer(f);
	assert_int_equal(store_get_holder(f->path, &holder, NULL), 0);
	assert_false(holder.held);
}

static void test_newer_store_is_refused_untouched(void **state)
{
	struct fixture *f = *state;
	char db[128];
	struct sql *raw = NULL;
	struct store *store = NULL;
	struct err e = {0};
	int64_t version;

	open_writer(f);
	close_writer(f);
	(void)snprintf(db, sizeof(db), "%s/index.db", f->path);
	assert_int_equal(sql_open(db, SQL_READ_WRITE, &raw, NULL), 0);
	assert_int_equal(sql_exec(raw, "PRAGMA user_version=99", NULL), 0);
	sql_close(raw);
	assert_int_equal(store_open(f->path, &options, &store, &e), -ENOTSUP);
	assert_non_null(strstr(e.text, "99"));
	assert_non_null(strstr(e.hint, "newer"));
	assert_int_equal(sql_open(db, SQL_READ_ONLY, &raw, NULL), 0);
	assert_int_equal(sql_get_i64(raw, "PRAGMA user_version", &version, NULL), 0);
	assert_int_equal(version, 99);
	sql_close(raw);
}

static void test_sync_makes_visible(void **state)
{
	struct fixture *f = *state;

	open_writer(f);
	put_file(f, 10, "a", 1);
	assert_int_equal(writer_sync(f->writer), 0);
	check_file(f, 10, 1);
	assert_int_equal(f->store->sequence, 0); /* as it was when opened */
}

static void test_packs_are_sealed_at_their_limit(void **state)
{
	struct fixture *f = *state;
	struct store_summary s;

	open_writer(f);
	for (unsigned i = 0; i < 40; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "f%u", i);
		put_file(f, 10 + i, name, i + 1);
	}
	close_writer(f);
	assert_int_equal(store_summary_get(f->path, &s, NULL), 0);
	assert_int_equal(s.files, 40);
	assert_in_range(s.packs, 3, 4); /* 40 * 64 KiB of noise in packs of 1 MiB */
	for (unsigned i = 0; i < 40; i++)
		check_file(f, 10 + i, i + 1);
}

/* Everything of a batch that was not committed is gone; what was synced stays. */
static void test_crash_keeps_a_prefix(void **state)
{
	struct fixture *f = *state;
	struct store_summary s;
	char pack[128];
	struct stat before, after;
	pid_t child = fork();
	int status;

	if (child == 0) {
		open_writer(f);
		put_file(f, 10, "kept", 1);
		if (writer_sync(f->writer) < 0)
			_exit(1);
		put_file(f, 11, "lost", 2);
		(void)usleep(
			200000); /* the frame is in the pack by now, the row is not committed */
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	(void)snprintf(pack, sizeof(pack), "%s/packs/00000001.pack", f->path);
	assert_int_equal(stat(pack, &before), 0);
	open_writer(f);
	assert_int_equal(stat(pack, &after), 0);
	assert_true(after.st_size < before.st_size);
	put_file(f, 12, "next", 3);
	close_writer(f);
	assert_int_equal(store_summary_get(f->path, &s, NULL), 0);
	assert_int_equal(s.files, 2);
	check_file(f, 10, 1);
	check_file(f, 12, 3);
}

static void test_missing_pack_bytes_are_told(void **state)
{
	struct fixture *f = *state;
	char pack[128];
	struct writer_options wo = {.level = 1, .queue_depth = 16, .commit_ms = 1000};
	struct writer_events events = {0};
	struct err e = {0};

	open_writer(f);
	put_file(f, 10, "a", 1);
	close_writer(f);
	(void)snprintf(pack, sizeof(pack), "%s/packs/00000001.pack", f->path);
	assert_int_equal(truncate(pack, 100), 0);
	assert_int_equal(store_open(f->path, &options, &f->store, &e), 0);
	assert_int_equal(writer_new(f->store, &wo, &events, &f->writer, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "00000001"));
	store_free(f->store);
	f->store = NULL;
}

static void test_hole_has_no_row(void **state)
{
	struct fixture *f = *state;
	struct change_set *set = change_set_new();
	struct chunk_buf *buf;
	struct inode_row row = {.mode = S_IFREG | 0600, .nlink = 1, .size_bytes = 64 << 10};
	struct store_summary s;

	open_writer(f);
	buf = chunk_buf_new(f->store->chunk_bytes);
	assert_non_null(buf);
	buf->raw_bytes = buf->capacity_bytes;
	memset(buf->data, 0, buf->raw_bytes);
	change_inode(set, NULL, 10, &row);
	change_chunk(set, NULL, 10, 0, buf, NULL);
	chunk_buf_unref(buf);
	assert_int_equal(writer_submit(f->writer, &set, NULL), 0);
	close_writer(f);
	assert_int_equal(store_summary_get(f->path, &s, NULL), 0);
	assert_int_equal(s.stored_bytes, 0);
}

/* The pool and its serial twin write the same packs. */
static void test_serial_twin_writes_the_same(void **state)
{
	struct fixture *f = *state;
	char command[256];

	/* Both begin with one store's id and times. */
	(void)snprintf(f->path, sizeof(f->path), "%s/pool", f->dir);
	open_writer(f);
	close_writer(f);
	(void)snprintf(command, sizeof(command), "cp -r '%s/pool' '%s/serial'", f->dir, f->dir);
	assert_int_equal(system(command), 0);
	for (int serial = 0; serial < 2; serial++) {
		(void)snprintf(f->path, sizeof(f->path), "%s/%s", f->dir,
			       serial ? "serial" : "pool");
		f->n_workers = serial ? 0 : 2;
		open_writer(f);
		for (unsigned i = 0; i < 20; i++) {
			char name[16];

			(void)snprintf(name, sizeof(name), "f%u", i);
			put_file(f, 10 + i, name, i + 1);
		}
		close_writer(f);
	}
	(void)snprintf(command, sizeof(command), "diff -r '%s/pool/packs' '%s/serial/packs'",
		       f->dir, f->dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_create_then_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_are_not_used_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_older_index_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder_with_other_things, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packs_without_index_are_not_overwritten, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_uncommitted_packs_are_removed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_second_opener_is_told_who, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer_store_is_refused_untouched, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_sync_makes_visible, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packs_are_sealed_at_their_limit, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_crash_keeps_a_prefix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_pack_bytes_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hole_has_no_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_serial_twin_writes_the_same, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
