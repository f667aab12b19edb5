/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What packs alone say: the newest counts, uncommitted does not, and nothing hostile gets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/store/pack_list.h"
#include "common/store/replay.h"
#include "tests/unit/pack_fixture.h"

#define DIR_MODE  (S_IFDIR | 0755)
#define FILE_MODE (S_IFREG | 0644)
#define LINK_MODE (S_IFLNK | 0777)

static void count_damage(void *arg, uint32_t pack _unused_, uint64_t off_bytes _unused_,
			 const char *text _unused_)
{
	++*(unsigned *)arg;
}

struct replayed {
	struct sql *db;
	struct replay_summary sum;
	unsigned damages;
	int result;
};

static struct replayed replay(const struct packs *p)
{
	struct replayed got = {0};
	_cleanup_free_ struct pack_file *list = NULL;
	_cleanup_free_ char *index = NULL, *staging = NULL;
	struct replay_options options = {.packs_fd = p->packs_fd,
					 .open_end = true,
					 .damaged = count_damage,
					 .arg = &got.damages};
	struct err e = {0};

	assert_int_equal(pack_list(p->packs_fd, &list, &options.n_packs, NULL), 0);
	assert_true(asprintf(&index, "%s/index.db", p->dir) > 0);
	assert_true(asprintf(&staging, "%s/staging.db", p->dir) > 0);
	(void)unlink(index);
	(void)unlink(staging);
	options.packs = list;
	options.index_path = index;
	options.staging_path = staging;
	got.result = replay_packs(&options, &got.db, &got.sum, &e);
	return got;
}

static void expect(struct replayed *got, const char *query, int64_t want)
{
	int64_t value;
	struct err e = {0};

	if (sql_get_i64(got->db, query, &value, &e) < 0)
		fail_msg("%s: %s", query, e.text);
	if (value != want)
		fail_msg("%s: %jd, wanted %jd", query, (intmax_t)value, (intmax_t)want);
}

static void done(struct replayed *got)
{
	sql_close(got->db);
}

/* Root and one file "a" (inode 2) as of a sequence. */
static void put_basis(struct packs *p, uint64_t sequence)
{
	entry_store(p, sequence);
	entry_inode(p, sequence, 1, DIR_MODE, 2, 0);
	entry_inode(p, sequence, 2, FILE_MODE, 1, 2 * CHUNK);
	entry_name(p, sequence, 20, 1, "a", 2);
}

static void test_a_store_comes_back(void **state)
{
	struct packs *p = *state;
	struct replayed got;
	uint64_t first = put_chunk(p, 2, 0, 1, 100), log, end;

	(void)put_chunk(p, 2, 1, 1, CHUNK);
	put_basis(p, 1);
	entry_inode(p, 1, 3, LINK_MODE, 1, 5);
	entry_name(p, 1, 21, 1, "l", 3);
	put_entry(p, (struct commit_entry){.kind = COMMIT_SYMLINK,
					   .sequence = 1,
					   .ino = 3,
					   .value = "a/b/c",
					   .value_bytes = 5});
	put_entry(p, (struct commit_entry){.kind = COMMIT_XATTR,
					   .sequence = 1,
					   .ino = 2,
					   .name = "user.x",
					   .name_bytes = 6,
					   .value = "",
					   .value_bytes = 0});
	log = put_commit(p, 1);
	end = pack_end(p, 1);
	got = replay(p);
	assert_int_equal(got.result, 0);
	assert_int_equal(got.damages, 0);
	assert_int_equal(got.sum.sequence, 1);
	assert_int_equal(got.sum.tail_bytes, 0);
	assert_memory_equal(got.sum.uuid, pack_uuid, sizeof(pack_uuid));
	expect(&got, "SELECT count(*) FROM inode", 3);
	expect(&got, "SELECT count(*) FROM chunk", 2);
	expect(&got, "SELECT off_bytes FROM chunk WHERE idx = 0",
	       (int64_t)(first + frame_header_bytes(0)));
	expect(&got, "SELECT length(value) FROM xattr WHERE name = 'user.x'", 0);
	expect(&got, "SELECT target = 'a/b/c' FROM symlink", 1);
	expect(&got, "SELECT stored_bytes - (SELECT live_bytes FROM pack) FROM inode WHERE ino = 2",
	       0);
	expect(&got, "SELECT size_bytes FROM pack", (int64_t)end);
	expect(&got, "SELECT log_bytes FROM pack", (int64_t)(end - log));
	expect(&got, "SELECT committed_ns FROM store", 1001);
	expect(&got, "SELECT seq FROM sqlite_sequence WHERE name = 'inode'", 99);
	expect(&got, "SELECT seq FROM sqlite_sequence WHERE name = 'dentry'", 199);
	done(&got);
}

static void test_newest_counts(void **state)
{
	struct packs *p = *state;
	struct replayed got;

	(void)put_chunk(p, 2, 0, 5, 100);
	(void)put_chunk(p, 2, 1, 5, 100);
	put_basis(p, 5);
	(void)put_commit(p, 5);
	/* A later batch: chunk 0 again, the name moves, chunk 1 becomes a hole. */
	(void)put_chunk(p, 2, 0, 7, 200);
	entry_store(p, 8);
	entry_name_gone(p, 6, 1, "a");
	entry_name(p, 6, 22, 1, "b", 2);
	put_entry(p, (struct commit_entry){
			     .kind = COMMIT_CHUNKS_GONE, .sequence = 8, .ino = 2, .range = {1, 2}});
	entry_inode(p, 8, 2, FILE_MODE, 1, 200);
	(void)put_commit(p, 8);
	/* What a compaction copied: old, and of no effect on what is newer. */
	p->pack = 2;
	(void)put_chunk(p, 2, 0, 5, 100);
	(void)put_chunk(p, 2, 1, 5, 100);
	entry_store(p, 9);
	entry_inode(p, 5, 2, FILE_MODE, 1, 999);
	entry_name(p, 5, 20, 1, "a", 2);
	(void)put_commit(p, 9);
	got = replay(p);
	assert_int_equal(got.result, 0);
	expect(&got, "SELECT count(*) FROM dentry", 1);
	expect(&got, "SELECT id FROM dentry WHERE name = 'b'", 22);
	expect(&got, "SELECT size_bytes FROM inode WHERE ino = 2", 200);
	expect(&got, "SELECT count(*) FROM chunk", 1);
	expect(&got, "SELECT raw_bytes FROM chunk WHERE idx = 0 AND pack = 1", 200);
	expect(&got, "SELECT group_concat(sealed, '') = '10' FROM pack", 1);
	done(&got);
}

/* Of two records that are the same, the one in the higher pack is the one that stays. */
static void test_copied_chunk(void **state)
{
	struct packs *p = *state;
	struct replayed got;

	(void)put_chunk(p, 2, 0, 1, 100);
	put_basis(p, 1);
	(void)put_commit(p, 1);
	p->pack = 2;
	(void)put_chunk(p, 2, 0, 1, 100);
	entry_store(p, 2);
	(void)put_commit(p, 2);
	got = replay(p);
	expect(&got, "SELECT pack FROM chunk", 2);
	done(&got);
}

static void test_uncommitted_does_not_count(void **state)
{
	struct packs *p = *state;
	struct replayed got;
	uint64_t end;

	(void)put_chunk(p, 2, 0, 1, 100);
	put_basis(p, 1);
	(void)put_commit(p, 1);
	end = pack_end(p, 1);
	/* A batch whose commit's second part never came. */
	(void)put_chunk(p, 2, 0, 2, 200);
	entry_store(p, 3);
	entry_name_gone(p, 3, 1, "a");
	(void)put_part(p, 3, 0, 2);
	(void)put_chunk(p, 2, 1, 4, 200);
	got = replay(p);
	assert_int_equal(got.sum.sequence, 1);
	assert_int_equal(got.sum.tail_bytes, pack_end(p, 1) - end);
	expect(&got, "SELECT raw_bytes FROM chunk", 100);
	expect(&got, "SELECT count(*) FROM dentry", 1);
	expect(&got, "SELECT size_bytes FROM pack", (int64_t)end);
	done(&got);
	/* Now it comes, in the next pack. */
	(void)ftruncate(open_pack_file(p, 1), (off_t)end);
	(void)put_chunk(p, 2, 0, 2, 200);
	entry_store(p, 3);
	(void)put_part(p, 3, 0, 2);
	p->pack = 2;
	entry_name(p, 3, 23, 1, "c", 2);
	(void)put_part(p, 3, 1, 2);
	got = replay(p);
	assert_int_equal(got.damages, 0);
	assert_int_equal(got.sum.sequence, 3);
	expect(&got, "SELECT raw_bytes FROM chunk", 200);
	expect(&got, "SELECT count(*) FROM dentry", 2);
	done(&got);
}

static void test_gone_inodes(void **state)
{
	struct packs *p = *state;
	struct replayed got;

	(void)put_chunk(p, 2, 0, 1, 100);
	(void)put_chunk(p, 3, 0, 1, 100);
	put_basis(p, 1);
	entry_inode(p, 1, 3, FILE_MODE, 0, 100); /* unlinked but open */
	(void)put_commit(p, 1);
	entry_store(p, 2);
	entry_name_gone(p, 2, 1, "a");
	put_entry(p, (struct commit_entry){.kind = COMMIT_INODE_GONE, .sequence = 2, .ino = 2});
	(void)put_commit(p, 2);
	got = replay(p);
	expect(&got, "SELECT count(*) FROM inode", 1);
	expect(&got, "SELECT count(*) FROM chunk", 0);
	expect(&got, "SELECT count(*) FROM dentry", 0);
	expect(&got, "SELECT live_bytes FROM pack", 0);
	done(&got);
}

/* The number of an inode that was gone before it ever got into the index is given again. */
static void test_number_used_again(void **state)
{
	struct packs *p = *state;
	struct replayed got;

	put_basis(p, 1);
	put_entry(p, (struct commit_entry){.kind = COMMIT_INODE_GONE, .sequence = 1, .ino = 3});
	(void)put_commit(p, 1);
	(void)put_chunk(p, 3, 0, 2, 100);
	entry_store(p, 2);
	entry_inode(p, 2, 3, FILE_MODE, 1, 100);
	entry_name(p, 2, 30, 1, "three", 3);
	(void)put_commit(p, 2);
	got = replay(p);
	expect(&got, "SELECT count(*) FROM inode WHERE ino = 3", 1);
	expect(&got, "SELECT count(*) FROM chunk WHERE ino = 3", 1);
	done(&got);
}

/* A damaged record in the middle costs what it said, and nothing else. */
static void test_damage_in_the_middle(void **state)
{
	struct packs *p = *state;
	struct replayed got;
	uint64_t chunk, commit;

	put_basis(p, 1);
	(void)put_commit(p, 1);
	chunk = put_chunk(p, 2, 0, 2, 100);
	(void)put_chunk(p, 2, 1, 2, 100);
	entry_store(p, 2);
	entry_name(p, 2, 23, 1, "lost", 2);
	commit = put_commit(p, 2);
	entry_store(p, 3);
	entry_name(p, 3, 24, 1, "kept", 2);
	(void)put_commit(p, 3);
	flip_bit(p, 1, chunk + 50);
	flip_bit(p, 1, commit + frame_header_bytes(0) + 20);
	got = replay(p);
	assert_int_equal(got.result, 0);
	assert_int_equal(got.damages, 2);
	expect(&got, "SELECT count(*) FROM chunk WHERE idx = 1", 1);
	expect(&got, "SELECT count(*) FROM chunk", 1);
	expect(&got, "SELECT count(*) FROM dentry WHERE name = 'kept'", 1);
	expect(&got, "SELECT count(*) FROM dentry WHERE name = 'lost'", 0);
	done(&got);
}

static void test_entries_that_cannot_be(void **state)
{
	static const char *const names[] = {"", ".", "..", "a/b", "../../etc/passwd"};
	char long_name[257];
	struct packs *p = *state;
	struct replayed got;

	memset(long_name, 'x', 256);
	long_name[256] = '\0';
	put_basis(p, 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		entry_name(p, 1, 30 + i, 1, names[i], 2);
	entry_name(p, 1, 40, 1, long_name, 2);
	entry_name(p, 1, 0, 1, "no id", 2);
	entry_name(p, 1, UINT64_MAX, 1, "great id", 2);
	entry_name(p, 1, 41, 1, "no inode", 0);
	entry_inode(p, 1, 0, FILE_MODE, 1, 0);
	entry_inode(p, 1, UINT64_MAX, FILE_MODE, 1, 0);
	entry_inode(p, 1, 50, FILE_MODE, 1, UINT64_MAX);
	(void)put_chunk(p, UINT64_MAX, 0, 1, 10);
	(void)put_chunk(p, 2, 0, UINT64_MAX, 10);
	(void)put_commit(p, 1);
	got = replay(p);
	assert_int_equal(got.result, 0);
	assert_int_equal(got.damages, 14);
	expect(&got, "SELECT count(*) FROM dentry", 1);
	expect(&got, "SELECT count(*) FROM inode", 2);
	expect(&got, "SELECT count(*) FROM chunk", 0);
	done(&got);
}

/* Rows that refer to what is not there are left out: names without inode, names in files, content of links. */
static void test_dangling(void **state)
{
	struct packs *p = *state;
	struct replayed got;

	put_basis(p, 1);
	entry_inode(p, 1, 3, LINK_MODE, 1, 5);
	entry_name(p, 1, 30, 1, "none", 77);
	entry_name(p, 1, 31, 2, "in a file", 2);
	entry_name(p, 1, 32, 99, "nowhere", 2);
	(void)put_chunk(p, 3, 0, 1, 10);
	(void)put_chunk(p, 88, 0, 1, 10);
	(void)put_commit(p, 1);
	got = replay(p);
	expect(&got, "SELECT count(*) FROM dentry", 1);
	expect(&got, "SELECT count(*) FROM chunk", 0);
	expect(&got, "SELECT count(*) FROM pragma_foreign_key_check", 0);
	done(&got);
}

static void test_nothing_to_replay(void **state)
{
	struct packs *p = *state;
	struct replayed got;

	got = replay(p);
	assert_int_equal(got.result, -ENODATA);
	(void)put_chunk(p, 2, 0, 1, 100);
	got = replay(p);
	assert_int_equal(got.result, -ENODATA);
	entry_store(p, 1);
	(void)put_part(p, 1, 0, 2);
	got = replay(p);
	assert_int_equal(got.result, -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PACK_TEST(test_a_store_comes_back),
		PACK_TEST(test_newest_counts),
		PACK_TEST(test_copied_chunk),
		PACK_TEST(test_uncommitted_does_not_count),
		PACK_TEST(test_gone_inodes),
		PACK_TEST(test_number_used_again),
		PACK_TEST(test_damage_in_the_middle),
		PACK_TEST(test_entries_that_cannot_be),
		PACK_TEST(test_dangling),
		PACK_TEST(test_nothing_to_replay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
