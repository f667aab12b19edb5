/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rebuilding from packs that have lost names, or never were a tree: everything gets a name, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/store/check.h"
#include "common/store/reader.h"
#include "common/store/rebuild.h"
#include "tests/unit/pack_fixture.h"

#define DIR_MODE  (S_IFDIR | 0755)
#define FILE_MODE (S_IFREG | 0644)

struct seen {
	char paths[4096]; /* each followed by a newline */
};

static int see(const struct staged_entry *entry, void *arg, struct err *e _unused_)
{
	struct seen *seen = arg;
	size_t n = strlen(seen->paths);

	(void)snprintf(seen->paths + n, sizeof(seen->paths) - n, "%s\n", entry->path);
	return 0;
}

/* Rebuilds; expects these paths, in the order of a walk, and nothing to find in it. */
static struct rebuild_summary expect_tree(const struct packs *p, const char *want)
{
	const struct rebuild_options options = {0};
	const struct check_options check = {0};
	struct rebuild_summary sum = {0};
	struct check_summary checked = {0};
	struct reader *reader;
	struct seen seen = {0};
	struct err e = {0};

	if (rebuild_store(p->dir, &options, &sum, &e) < 0 || reader_open(p->dir, &reader, &e) < 0 ||
	    reader_walk(reader, see, &seen, &e) < 0)
		fail_msg("%s", e.text);
	reader_free(reader);
	assert_string_equal(seen.paths, want);
	/* What was changed by hand is in the packs, too. */
	if (check_store(p->dir, &check, &checked, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(checked.findings, 0);
	return sum;
}

static void put_root(struct packs *p, uint32_t nlink)
{
	entry_store(p, 1);
	entry_inode(p, 1, 1, DIR_MODE, nlink, 0);
}

static void test_whole_tree(void **state)
{
	struct packs *p = *state;
	struct rebuild_summary sum;

	(void)put_chunk(p, 3, 0, 1, 100);
	put_root(p, 3);
	entry_inode(p, 1, 2, DIR_MODE, 2, 0);
	entry_inode(p, 1, 3, FILE_MODE, 2, 100);
	entry_name(p, 1, 20, 1, "d", 2);
	entry_name(p, 1, 21, 2, "f", 3);
	entry_name(p, 1, 22, 1, "link", 3);
	(void)put_commit(p, 1);
	sum = expect_tree(p, "d\nd/f\nlink\n");
	assert_int_equal(sum.files, 1);
	assert_int_equal(sum.directories, 2);
	assert_int_equal(sum.lost_found, 0);
	assert_string_equal(sum.kept_as, "");
	/* Again, over an index that is there. */
	sum = expect_tree(p, "d\nd/f\nlink\n");
	assert_true(sum.kept_as[0]);
	assert_int_equal(sum.commits, 1);
}

static void test_nameless_inodes(void **state)
{
	struct packs *p = *state;
	struct rebuild_summary sum;

	put_root(p, 2);
	entry_inode(p, 1, 5, FILE_MODE, 1, 0);
	entry_inode(p, 1, 6, DIR_MODE, 2, 0);
	entry_inode(p, 1, 7, FILE_MODE, 1, 0);
	entry_name(p, 1, 20, 6, "inside", 7);
	entry_inode(p, 1, 8, FILE_MODE, 1, 0);
	entry_name(p, 1, 21, 1, "lost+found", 8); /* the name is taken */
	(void)put_commit(p, 1);
	sum = expect_tree(p, "lost+found\nlost+found.1\nlost+found.1/#5\nlost+found.1/#6\n"
			     "lost+found.1/#6/inside\n");
	assert_int_equal(sum.lost_found, 2);
}

static void test_circle(void **state)
{
	struct packs *p = *state;

	put_root(p, 2);
	entry_inode(p, 1, 5, DIR_MODE, 3, 0);
	entry_inode(p, 1, 6, DIR_MODE, 3, 0);
	entry_inode(p, 1, 7, FILE_MODE, 1, 0);
	entry_name(p, 1, 20, 5, "six", 6);
	entry_name(p, 1, 21, 6, "five", 5);
	entry_name(p, 1, 22, 6, "seven", 7);
	(void)put_commit(p, 1);
	(void)expect_tree(p, "lost+found\nlost+found/#5\nlost+found/#6\nlost+found/#6/seven\n");
}

/* Names that make a tree of 2^n paths of n directories. */
static void test_directories_with_two_names(void **state)
{
	struct packs *p = *state;

	put_root(p, 3);
	for (uint64_t ino = 2; ino < 40; ino++) {
		entry_inode(p, 1, ino, DIR_MODE, 4, 0);
		entry_name(p, 1, 2 * ino + 20, ino - 1, "a", ino);
		entry_name(p, 1, 2 * ino + 21, ino - 1, "b", ino);
	}
	entry_name(p, 1, 150, 39, "root", 1);
	(void)put_commit(p, 1);
	{
		const struct rebuild_options options = {0};
		struct rebuild_summary sum;
		struct err e = {0};

		if (rebuild_store(p->dir, &options, &sum, &e) < 0)
			fail_msg("%s", e.text);
		assert_int_equal(sum.directories, 39);
		assert_int_equal(sum.lost_found, 0);
	}
}

static void test_root_is_lost(void **state)
{
	struct packs *p = *state;

	entry_store(p, 1);
	entry_inode(p, 1, 5, FILE_MODE, 1, 0);
	entry_name(p, 1, 20, 1, "five", 5);
	(void)put_commit(p, 1);
	(void)expect_tree(p, "five\n");
}

static void test_wrong_link_counts(void **state)
{
	struct packs *p = *state;

	put_root(p, 9);
	entry_inode(p, 1, 5, FILE_MODE, 7, 0);
	entry_name(p, 1, 20, 1, "five", 5);
	(void)put_commit(p, 1);
	(void)expect_tree(p, "five\n");
}

static void test_nothing_to_rebuild_from(void **state)
{
	struct packs *p = *state;
	const struct rebuild_options options = {0};
	struct rebuild_summary sum;
	struct err e = {0};

	assert_int_equal(rebuild_store(p->dir, &options, &sum, &e), -ENODATA);
	assert_int_equal(rebuild_store("/nonexistent", &options, &sum, &e), -ENOENT);
	(void)put_chunk(p, 2, 0, 1, 100);
	assert_int_equal(rebuild_store(p->dir, &options, &sum, &e), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PACK_TEST(test_whole_tree),
		PACK_TEST(test_nameless_inodes),
		PACK_TEST(test_circle),
		PACK_TEST(test_directories_with_two_names),
		PACK_TEST(test_root_is_lost),
		PACK_TEST(test_wrong_link_counts),
		PACK_TEST(test_nothing_to_rebuild_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
