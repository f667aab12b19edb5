/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stage against a model in memory: random operations, everything observable compared, across reopening. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/macros.h"
#include "fs/stage.h"
#include "tests/unit/stage_fixture.h"

#define N_FILES	 6
#define FILE_MAX (700u << 10)
#define OPS	 4000

struct model_file {
	uint64_t ino; /* 0 = not there */
	char name[32];
	size_t size;
	uint8_t data[FILE_MAX];
};

struct fixture {
	char dir[64];
	struct stage *stage;
	unsigned workers;
	unsigned seed;
	struct model_file files[N_FILES];
	uint8_t scratch[FILE_MAX];
};

static const struct stage_caller caller = {.uid = 1000, .gid = 1000};

static void open_stage(struct fixture *f)
{
	struct store_options so = {.create = true, .chunk_bytes = 64 << 10, .pack_bytes = 4 << 20};
	struct stage_options options = {
		.writer = {.level = 1,
			   .n_workers = f->workers,
			   .queue_depth = f->workers ? 16 : 4096,
			   .commit_ms = 20},
		.dirty_age_ms = 10,
		.memory_bytes = 64 << 20,
	};

	f->stage = make_stage(f->dir, &so, &options);
}

static void close_stage(struct fixture *f)
{
	struct err e = {0};

	if (stage_close(f->stage, &e) < 0)
		fail_msg("%s", e.text);
	f->stage = NULL;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test_stage.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->workers = 2;
	*state = f;
	open_stage(f);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	if (f->stage)
		close_stage(f);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static unsigned pick(struct fixture *f, unsigned n)
{
	return (unsigned)rand_r(&f->seed) % n;
}

static void fill_random(struct fixture *f, uint8_t *data, size_t n)
{
	unsigned kind = pick(f, 3);

	for (size_t i = 0; i < n; i++)
		data[i] = kind == 0 ? 0 : kind == 1 ? (uint8_t)(i / 97) : (uint8_t)rand_r(&f->seed);
}

static void op_create_file(struct fixture *f, struct model_file *m)
{
	struct stat st;

	if (m->ino)
		return;
	assert_int_equal(stage_create(f->stage, &caller, STAGE_ROOT_INO, m->name, 0644, &st), 0);
	m->ino = st.st_ino;
	m->size = 0;
	stage_release(f->stage, m->ino);
}

static void op_write(struct fixture *f, struct model_file *m)
{
	size_t off = pick(f, FILE_MAX), len = pick(f, pick(f, 2) ? 300u << 10 : 5000);

	len = MIN(len, FILE_MAX - off);
	fill_random(f, f->scratch, len);
	assert_int_equal(stage_write(f->stage, m->ino, f->scratch, len, off, 0), len);
	if (len == 0)
		return;
	if (off > m->size)
		memset(m->data + m->size, 0, off - m->size);
	memcpy(m->data + off, f->scratch, len);
	m->size = MAX(m->size, off + len);
}

static void op_truncate(struct fixture *f, struct model_file *m)
{
	struct stat st = {.st_size = (off_t)pick(f, FILE_MAX)};
	size_t size = (size_t)st.st_size;

	assert_int_equal(stage_setattr(f->stage, m->ino, &st, STAGE_SET_SIZE, &st), 0);
	if (size > m->size)
		memset(m->data + m->size, 0, size - m->size);
	m->size = size;
	assert_int_equal(st.st_size, size);
}

static void op_punch(struct fixture *f, struct model_file *m)
{
	size_t off = pick(f, FILE_MAX), len = 1 + pick(f, 200u << 10);

	assert_int_equal(stage_fallocate(f->stage, m->ino,
					 FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len, 0),
			 0);
	if (off < m->size)
		memset(m->data + off, 0, MIN(len, m->size - off));
}

static void check_file(struct fixture *f, struct model_file *m)
{
	struct stat st;

	if (!m->ino) {
		assert_int_equal(stage_lookup(f->stage, STAGE_ROOT_INO, m->name, &st), -ENOENT);
		return;
	}
	assert_int_equal(stage_lookup(f->stage, STAGE_ROOT_INO, m->name, &st), 0);
	assert_int_equal(st.st_ino, m->ino);
	assert_int_equal(st.st_size, m->size);
	stage_forget(f->stage, m->ino, 1);
	assert_int_equal(stage_read(f->stage, m->ino, f->scratch, FILE_MAX, 0), m->size);
	assert_memory_equal(f->scratch, m->data, m->size);
}

static void op_read(struct fixture *f, struct model_file *m)
{
	size_t off = pick(f, FILE_MAX), len = pick(f, 100u << 10);
	size_t want = off >= m->size ? 0 : MIN(len, m->size - off);

	assert_int_equal(stage_read(f->stage, m->ino, f->scratch, len, off), want);
	assert_memory_equal(f->scratch, m->data + off, want);
}

static void op_rename_over(struct fixture *f, struct model_file *m, struct model_file *to)
{
	if (m == to)
		return;
	assert_int_equal(
		stage_rename(f->stage, STAGE_ROOT_INO, m->name, STAGE_ROOT_INO, to->name, 0), 0);
	to->ino = m->ino;
	to->size = m->size;
	memcpy(to->data, m->data, m->size);
	m->ino = 0;
}

static void op_unlink(struct fixture *f, struct model_file *m)
{
	assert_int_equal(stage_unlink(f->stage, STAGE_ROOT_INO, m->name), 0);
	m->ino = 0;
}

static void one_op(struct fixture *f)
{
	struct model_file *m = &f->files[pick(f, N_FILES)];
	unsigned what = pick(f, 100);

	if (!m->ino) {
		op_create_file(f, m);
		return;
	}
	if (what < 45)
		op_write(f, m);
	else if (what < 70)
		op_read(f, m);
	else if (what < 78)
		op_truncate(f, m);
	else if (what < 84)
		op_punch(f, m);
	else if (what < 88)
		assert_int_equal(stage_fsync(f->stage, m->ino), 0);
	else if (what < 92)
		assert_int_equal(stage_flush(f->stage, m->ino), 0);
	else if (what < 95)
		op_rename_over(f, m, &f->files[pick(f, N_FILES)]);
	else if (what < 97)
		op_unlink(f, m);
	else
		check_file(f, m);
}

static void run_model(struct fixture *f, unsigned seed)
{
	f->seed = seed;
	for (int i = 0; i < N_FILES; i++)
		(void)snprintf(f->files[i].name, sizeof(f->files[i].name), "file-%d", i);
	for (int n = 0; n < OPS; n++) {
		one_op(f);
		if (pick(f, 500) == 0) {
			close_stage(f);
			open_stage(f);
			for (int i = 0; i < N_FILES; i++)
				check_file(f, &f->files[i]);
		}
	}
	for (int i = 0; i < N_FILES; i++)
		check_file(f, &f->files[i]);
}

static void test_random_operations(void **state)
{
	run_model(*state, 20261122);
}

static void test_random_operations_serial(void **state)
{
	struct fixture *f = *state;

	close_stage(f);
	f->workers = 0;
	open_stage(f);
	run_model(f, 7);
}

static bool count_entry(void *arg, const char *name, const struct stat *attr _unused_,
			uint64_t off _unused_)
{
	if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
		++*(unsigned *)arg;
	return true;
}

static void test_directory_of_many_names(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;
	struct stat st;
	char name[32];

	for (int i = 0; i < 1500; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(stage_mknod(f->stage, &caller, STAGE_ROOT_INO, name,
					     S_IFREG | 0600, 0, &st),
				 0);
		stage_forget(f->stage, st.st_ino, 1);
		if (i == 700)
			assert_int_equal(stage_syncfs(f->stage), 0);
	}
	for (int i = 0; i < 1500; i += 3) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(stage_unlink(f->stage, STAGE_ROOT_INO, name), 0);
	}
	assert_int_equal(stage_readdir(f->stage, STAGE_ROOT_INO, 0, false, count_entry, &n), 0);
	assert_int_equal(n, 1000);
	close_stage(f);
	open_stage(f);
	n = 0;
	assert_int_equal(stage_readdir(f->stage, STAGE_ROOT_INO, 0, false, count_entry, &n), 0);
	assert_int_equal(n, 1000);
}

static void test_directories_links_and_symlinks(void **state)
{
	struct fixture *f = *state;
	struct stat a, b, st;
	char *target = NULL;

	assert_int_equal(stage_mkdir(f->stage, &caller, STAGE_ROOT_INO, "d", 02755, &a), 0);
	assert_int_equal(a.st_nlink, 2);
	assert_int_equal(
		stage_mkdir(f->stage, &(struct stage_caller){0, 0, 0}, a.st_ino, "e", 0755, &b), 0);
	assert_int_equal(b.st_gid, 1000);
	assert_true(b.st_mode & S_ISGID);
	assert_int_equal(stage_getattr(f->stage, a.st_ino, &st), 0);
	assert_int_equal(st.st_nlink, 3);
	assert_int_equal(stage_rmdir(f->stage, STAGE_ROOT_INO, "d"), -ENOTEMPTY);
	assert_int_equal(stage_unlink(f->stage, a.st_ino, "e"), -EISDIR);
	assert_int_equal(stage_symlink(f->stage, &caller, b.st_ino, "s", "../x", &st), 0);
	assert_int_equal(stage_readlink(f->stage, st.st_ino, &target), 0);
	assert_string_equal(target, "../x");
	free(target);
	assert_int_equal(stage_link(f->stage, st.st_ino, STAGE_ROOT_INO, "s2", &st), 0);
	assert_int_equal(st.st_nlink, 2);
	close_stage(f);
	open_stage(f);
	assert_int_equal(stage_readlink(f->stage, st.st_ino, &target), 0);
	assert_string_equal(target, "../x");
	free(target);
	assert_int_equal(stage_rename(f->stage, a.st_ino, "e", STAGE_ROOT_INO, "s2", 0), -ENOTDIR);
	assert_int_equal(
		stage_rename(f->stage, a.st_ino, "e", STAGE_ROOT_INO, "s2", RENAME_NOREPLACE),
		-EEXIST);
	assert_int_equal(
		stage_rename(f->stage, a.st_ino, "e", STAGE_ROOT_INO, "s2", RENAME_EXCHANGE), 0);
	assert_int_equal(stage_lookup(f->stage, STAGE_ROOT_INO, "s2", &st), 0);
	assert_int_equal(st.st_ino, b.st_ino);
	assert_int_equal(stage_getattr(f->stage, a.st_ino, &st), 0);
	assert_int_equal(st.st_nlink, 2);
}

static void test_unlinked_but_open(void **state)
{
	struct fixture *f = *state;
	struct stat st, gone;
	char data[16];

	assert_int_equal(stage_create(f->stage, &caller, STAGE_ROOT_INO, "u", 0600, &st), 0);
	assert_int_equal(stage_unlink(f->stage, STAGE_ROOT_INO, "u"), 0);
	assert_int_equal(stage_write(f->stage, st.st_ino, "still here", 10, 0, 0), 10);
	assert_int_equal(stage_fsync(f->stage, st.st_ino), 0);
	assert_int_equal(stage_read(f->stage, st.st_ino, data, sizeof(data), 0), 10);
	assert_memory_equal(data, "still here", 10);
	/* A crash here leaves an orphan; opening removes it. */
	close_stage(f);
	open_stage(f);
	assert_int_equal(stage_getattr(f->stage, st.st_ino, &gone), -ENOENT);
}

static void test_xattrs(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char value[32], list[64];

	assert_int_equal(stage_create(f->stage, &caller, STAGE_ROOT_INO, "x", 0600, &st), 0);
	assert_int_equal(stage_setxattr(f->stage, st.st_ino, "user.a", "1", 1, 0), 0);
	assert_int_equal(stage_setxattr(f->stage, st.st_ino, "user.a", "2", 1, XATTR_CREATE),
			 -EEXIST);
	assert_int_equal(stage_setxattr(f->stage, st.st_ino, "user.b", "2", 1, XATTR_REPLACE),
			 -ENODATA);
	assert_int_equal(stage_setxattr(f->stage, st.st_ino, "user.a", "33", 2, 0), 0);
	assert_int_equal(stage_setxattr(f->stage, st.st_ino, "user.empty", NULL, 0, 0), 0);
	close_stage(f);
	open_stage(f);
	assert_int_equal(stage_getxattr(f->stage, st.st_ino, "user.a", value, sizeof(value)), 2);
	assert_memory_equal(value, "33", 2);
	assert_int_equal(stage_getxattr(f->stage, st.st_ino, "user.a", value, 1), -ERANGE);
	assert_int_equal(stage_listxattr(f->stage, st.st_ino, true, list, sizeof(list)), 18);
	assert_int_equal(stage_removexattr(f->stage, st.st_ino, "user.a"), 0);
	assert_int_equal(stage_getxattr(f->stage, st.st_ino, "user.a", value, 0), -ENODATA);
}

static void test_write_clears_suid(void **state)
{
	struct fixture *f = *state;
	struct stat st, want = {.st_mode = 06755};

	assert_int_equal(stage_create(f->stage, &caller, STAGE_ROOT_INO, "p", 0755, &st), 0);
	assert_int_equal(stage_setattr(f->stage, st.st_ino, &want, STAGE_SET_MODE, &st), 0);
	assert_int_equal(st.st_mode & 07777, 06755);
	assert_int_equal(stage_setxattr(f->stage, st.st_ino, "security.capability", "c", 1, 0), 0);
	assert_int_equal(stage_write(f->stage, st.st_ino, "x", 1, 0, STAGE_KILL_PRIV), 1);
	assert_int_equal(stage_getattr(f->stage, st.st_ino, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stage_getxattr(f->stage, st.st_ino, "security.capability", NULL, 0),
			 -ENODATA);
}

static void test_seek_data_and_hole(void **state)
{
	struct fixture *f = *state;
	struct stat st, want = {.st_size = 10 << 20};
	uint64_t c = 64 << 10;

	assert_int_equal(stage_create(f->stage, &caller, STAGE_ROOT_INO, "h", 0600, &st), 0);
	assert_int_equal(stage_setattr(f->stage, st.st_ino, &want, STAGE_SET_SIZE, &st), 0);
	assert_int_equal(stage_write(f->stage, st.st_ino, "x", 1, 20 * c + 5, 0), 1);
	for (int committed = 0; committed < 2; committed++) {
		assert_int_equal(stage_lseek(f->stage, st.st_ino, 0, SEEK_DATA), 20 * c);
		assert_int_equal(stage_lseek(f->stage, st.st_ino, 20 * c + 1, SEEK_HOLE), 21 * c);
		assert_int_equal(stage_lseek(f->stage, st.st_ino, 21 * c, SEEK_DATA), -ENXIO);
		assert_int_equal(stage_lseek(f->stage, st.st_ino, 0, SEEK_HOLE), 0);
		assert_int_equal(stage_fsync(f->stage, st.st_ino), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random_operations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_operations_serial, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directory_of_many_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directories_links_and_symlinks, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_unlinked_but_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_xattrs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write_clears_suid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seek_data_and_hole, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
