/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compaction keeps what is alive, in the index and for a rebuild from packs alone, and nothing that is dead
 * comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/fdio.h"
#include "common/store/check.h"
#include "common/store/compact.h"
#include "common/store/rebuild.h"
#include "tests/unit/writer_fixture.h"

#define FILES	  60
#define FIRST_INO 10

static void remove_file(struct fixture *f, uint64_t ino, const char *name)
{
	struct change_set *set = change_set_new();

	change_dentry_gone(set, NULL, 0, 1, name, ino);
	change_inode_gone(set, NULL, ino);
	assert_int_equal(writer_submit(f->writer, &set, NULL), 0);
}

static void rename_file(struct fixture *f, uint64_t ino, const char *from, const char *to)
{
	struct change_set *set = change_set_new();

	change_dentry_gone(set, NULL, 0, 1, from, ino);
	change_dentry(set, NULL, ino + 1000, 1, to, ino);
	change_xattr(set, ino, "user.note", to, strlen(to));
	assert_int_equal(writer_submit(f->writer, &set, NULL), 0);
}

/* The file becomes a hole of the same length, or an attribute comes and goes. */
static void make_hole(struct fixture *f, uint64_t ino)
{
	struct change_set *set = change_set_new();
	struct inode_row row = {
		.mode = S_IFREG | 0600, .nlink = 1, .size_bytes = 64 << 10, .content_version = 0};

	change_chunks_gone(set, NULL, ino, 0, 5, 1);
	change_xattr(set, ino, "user.x", "1", 1);
	change_xattr_gone(set, ino, "user.x");
	change_inode(set, NULL, ino, &row);
	assert_int_equal(writer_submit(f->writer, &set, NULL), 0);
}

/* Every kind of change, over several packs. */
static void make_history(struct fixture *f)
{
	char name[16], to[16];

	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof(name), "f%u", i);
		put_file(f, FIRST_INO + i, name, i);
	}
	assert_int_equal(writer_sync(f->writer), 0);
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof(name), "f%u", i);
		(void)snprintf(to, sizeof(to), "g%u", i);
		if (i % 3 == 0)
			remove_file(f, FIRST_INO + i, name);
		else if (i % 6 == 1)
			rename_file(f, FIRST_INO + i, name, to);
		else if (i % 6 == 2)
			make_hole(f, FIRST_INO + i);
	}
	assert_int_equal(writer_sync(f->writer), 0);
}

/* Appends what a walk sees, one line a name. */
static int see(const struct staged_entry *entry, void *arg, struct err *e _unused_)
{
	buf_printf(arg, "%s %ju %o %ju %ju\n", entry->path, (uintmax_t)entry->ino, entry->mode,
		   (uintmax_t)entry->size_bytes, (uintmax_t)entry->stored_bytes);
	return 0;
}

static void see_all(struct fixture *f, struct buf *ret)
{
	_cleanup_(reader_freep) struct reader *reader = NULL;

	assert_int_equal(reader_open(f->path, &reader, NULL), 0);
	assert_int_equal(reader_walk(reader, see, ret, NULL), 0);
	assert_int_equal(buf_error(ret), 0);
}

static void check_content(struct fixture *f)
{
	for (unsigned i = 0; i < FILES; i++)
		if (i % 3 && i % 6 != 2)
			check_file(f, FIRST_INO + i, i);
}

static void expect_whole(struct fixture *f, const struct buf *want)
{
	const struct check_options how = {.read_data = true, .n_workers = 1};
	_cleanup_(buf_done) struct buf got = BUF_INIT;
	struct check_summary sum;
	struct err e = {0};

	if (check_store(f->path, &how, &sum, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(sum.findings, 0);
	see_all(f, &got);
	assert_string_equal(buf_text(&got), buf_text(want));
	check_content(f);
}

static unsigned count_packs(struct fixture *f)
{
	char path[160];
	unsigned n = 0;

	for (unsigned pack = 1; pack < 100; pack++) {
		(void)snprintf(path, sizeof(path), "%s/packs/%08u.pack", f->path, pack);
		n += access(path, F_OK) == 0;
	}
	return n;
}

static void compact(struct fixture *f, unsigned percent, struct compact_result *ret)
{
	const struct compact_plan plan = {.min_waste_percent = percent};
	struct catalog *catalog;
	struct err e = {0};

	assert_int_equal(catalog_new(f->store->path, false, &catalog, NULL), 0);
	if (compact_store(f->store, f->writer, catalog, &plan, ret, &e) < 0)
		fail_msg("%s", e.text);
	catalog_free(catalog);
}

static void test_compact_then_rebuild(void **state)
{
	struct fixture *f = *state;
	const struct rebuild_options how = {0};
	_cleanup_(buf_done) struct buf want = BUF_INIT;
	struct rebuild_summary sum;
	struct compact_result result;
	unsigned before;
	struct err e = {0};

	open_writer(f);
	make_history(f);
	see_all(f, &want);
	before = count_packs(f);
	assert_true(before > 3);
	compact(f, 0, &result);
	assert_true(result.packs >= 3);
	assert_int_equal(result.packs_kept, 0);
	close_writer(f);
	assert_true(count_packs(f) < before);
	expect_whole(f, &want);

	/* Compacted again and again, nothing is lost and nothing grows. */
	before = count_packs(f);
	for (int i = 0; i < 3; i++) {
		open_writer(f);
		put_file(f, 500 + (unsigned)i, "last", 7); /* seals nothing, but is a change */
		remove_file(f, 500 + (unsigned)i, "last");
		compact(f, 0, &result);
		close_writer(f);
	}
	expect_whole(f, &want);
	assert_in_range(count_packs(f), 1, before + 1);

	if (rebuild_store(f->path, &how, &sum, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(sum.damages, 0);
	assert_int_equal(sum.lost_found, 0);
	expect_whole(f, &want);
}

/* A live frame that is damaged keeps its pack, and what else was in it is still read. */
static void test_damaged_pack_is_kept(void **state)
{
	struct fixture *f = *state;
	struct compact_result result;
	char pack[160];
	_cleanup_fd_ int fd = -1;

	open_writer(f);
	make_history(f);
	(void)snprintf(pack, sizeof(pack), "%s/packs/00000001.pack", f->path);
	fd = open(pack, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	/* The second record's frame: that of file 1, which is alive. */
	assert_int_equal(fd_pwrite_full(fd, "damage", 6, (64 << 10) + 5000), 0);
	compact(f, 0, &result);
	assert_int_equal(result.packs_kept, 1);
	assert_int_equal(access(pack, F_OK), 0);
	check_file(f, FIRST_INO + 4, 4);
}

static void test_stop(void **state)
{
	struct fixture *f = *state;
	atomic_bool stop = true;
	const struct compact_plan plan = {.stop = &stop};
	struct compact_result result;
	struct catalog *catalog;

	open_writer(f);
	make_history(f);
	assert_int_equal(catalog_new(f->store->path, false, &catalog, NULL), 0);
	assert_int_equal(compact_store(f->store, f->writer, catalog, &plan, &result, NULL),
			 -ECANCELED);
	assert_int_equal(result.packs, 0);
	catalog_free(catalog);
	check_content(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_compact_then_rebuild, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_pack_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
