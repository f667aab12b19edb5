/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the index says at a commit that comes while content is still in memory. Nothing is pushed by its age here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/ext/sql.h"
#include "common/store/reader.h"
#include "fs/stage.h"
#include "tests/unit/stage_fixture.h"

#define CHUNK	   (64u << 10)
#define AN_HOUR_MS 3600000

struct fixture {
	char dir[64];
	struct stage *stage;
	uint64_t other; /* a file whose fsync commits what was submitted, and pushes nothing else */
};

static const struct stage_caller caller = {0};
static const uint8_t data[2 * CHUNK] = {1};

static uint64_t create(struct fixture *f, const char *name)
{
	struct stat st;

	assert_int_equal(stage_create(f->stage, &caller, STAGE_ROOT_INO, name, 0600, &st), 0);
	return st.st_ino;
}

static void put(struct fixture *f, uint64_t ino, size_t len_bytes, uint64_t off_bytes)
{
	assert_int_equal(stage_write(f->stage, ino, data, len_bytes, off_bytes, 0), len_bytes);
}

static int setup(void **state)
{
	struct store_options so = {.create = true, .chunk_bytes = CHUNK};
	struct stage_options options = {
		.writer = {.level = 1, .n_workers = 1, .queue_depth = 64, .commit_ms = AN_HOUR_MS},
		.dirty_age_ms = AN_HOUR_MS,
		.memory_bytes = 64 << 20,
	};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test_stage_commits.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->stage = make_stage(f->dir, &so, &options);
	f->other = create(f, "other");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	assert_int_equal(stage_close(f->stage, NULL), 0);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static struct staged_entry look(struct fixture *f, uint64_t ino)
{
	_cleanup_(reader_freep) struct reader *reader = NULL;
	struct staged_entry entry;

	assert_int_equal(reader_open(f->dir, &reader, NULL), 0);
	assert_int_equal(reader_stat(reader, ino, &entry, NULL), 0);
	return entry;
}

/* An export that saw the first commit must not take the second one for the same content. */
static void test_version_changes_with_what_is_committed(void **state)
{
	struct fixture *f = *state;
	uint64_t ino = create(f, "f");
	struct stat want = {.st_mode = 0640}, st;
	struct staged_entry before, after;

	put(f, ino, 50000, 0);
	assert_int_equal(stage_setattr(f->stage, ino, &want, STAGE_SET_MODE, &st), 0);
	assert_int_equal(stage_fsync(f->stage, f->other), 0);
	before = look(f, ino);
	assert_int_equal(before.size_bytes, 0);
	assert_int_equal(stage_fsync(f->stage, ino), 0);
	after = look(f, ino);
	assert_int_equal(after.size_bytes, 50000);
	assert_int_not_equal(before.content_version, after.content_version);
}

static int64_t rows_behind_the_end(struct fixture *f)
{
	_cleanup_(sql_closep) struct sql *db = NULL;
	char path[128];
	int64_t n;

	(void)snprintf(path, sizeof(path), "%s/index.db", f->dir);
	assert_int_equal(sql_open(path, SQL_READ_ONLY, &db, NULL), 0);
	assert_int_equal(sql_get_i64(db,
				     "SELECT count(*) FROM chunk JOIN inode USING (ino)"
				     " WHERE idx * 65536 + raw_bytes > size_bytes",
				     &n, NULL),
			 0);
	return n;
}

/* After a crash such a row would show up where the file has a hole. */
static void test_no_chunk_behind_the_recorded_size(void **state)
{
	struct fixture *f = *state;
	uint64_t ino = create(f, "f");

	put(f, ino, 100, 0);
	put(f, ino, CHUNK, CHUNK);
	assert_int_equal(stage_fsync(f->stage, f->other), 0);
	assert_int_equal(rows_behind_the_end(f), 0);
	put(f, ino, 100, 3 * CHUNK);
	put(f, ino, CHUNK, 4 * CHUNK);
	assert_int_equal(stage_fsync(f->stage, f->other), 0);
	assert_int_equal(rows_behind_the_end(f), 0);
	assert_int_equal(stage_fsync(f->stage, ino), 0);
	assert_int_equal(look(f, ino).size_bytes, 5 * CHUNK);
}

static void test_exchange_takes_content_along(void **state)
{
	struct fixture *f = *state;
	uint64_t a = create(f, "a"), b = create(f, "b");

	put(f, a, 1000, 0);
	put(f, b, 2000, 0);
	assert_int_equal(
		stage_rename(f->stage, STAGE_ROOT_INO, "a", STAGE_ROOT_INO, "b", RENAME_EXCHANGE),
		0);
	assert_int_equal(stage_fsync(f->stage, f->other), 0);
	assert_int_equal(look(f, a).size_bytes, 1000);
	assert_int_equal(look(f, b).size_bytes, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_version_changes_with_what_is_committed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_chunk_behind_the_recorded_size, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_exchange_takes_content_along, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
