/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Targets: image files, disks, windows, and the failing disk that other tests stand on. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/fdio.h"
#include "exporter/block/target_file.h"
#include "exporter/block/target_slice.h"
#include "tests/lib/expect.h"
#include "tests/lib/target_fault.h"
#include "tests/lib/target_mem.h"

struct fixture {
	char dir[64], path[128];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->dir, "/tmp/seedship-target-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "%s/image", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->path);
	if (rmdir(f->dir) < 0)
		return -1;
	free(f);
	return 0;
}

static void put_file(const char *path, const char *text)
{
	struct err e = {0};

	expect_ok(write_file_atomic(path, text, strlen(text), 0644, &e), &e);
}

static void test_file_create(void **state)
{
	struct fixture *f = *state;
	struct target *t;
	struct err e = {0};
	uint8_t data[3000];
	struct stat st;

	expect_ok(target_file_create(f->path, 3 * TiB, &t, &e), &e);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 3 * TiB);
	assert_true(st.st_blocks < 1000);
	assert_int_equal(t->size_bytes, 3 * TiB);
	assert_int_equal(t->sector_bytes, 512);
	assert_string_equal(t->name, f->path);

	memset(data, 0x5a, sizeof(data));
	expect_ok(target_pwrite(t, data, sizeof(data), 2 * TiB + 77, &e), &e);
	memset(data, 0, sizeof(data));
	expect_ok(target_drop_caches(t, &e), &e);
	expect_ok(target_pread(t, data, sizeof(data), 2 * TiB + 77, &e), &e);
	for (size_t i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], 0x5a);
	target_close(t);
}

static void test_file_ends(void **state)
{
	struct fixture *f = *state;
	struct target *t;
	struct err e = {0};
	uint8_t data[1024] = {0};

	expect_ok(target_file_create(f->path, 4096, &t, &e), &e);
	expect_ok(target_pwrite(t, data, 512, 4096 - 512, &e), &e);
	expect_err(target_pwrite(t, data, 513, 4096 - 512, &e), &e, ENOSPC, ERR_SYSTEM,
		   "past the end");
	expect_err(target_pread(t, data, 1, 4096, &e), &e, ENODATA, ERR_SYSTEM, "past the end");
	expect_err(target_pread(t, data, 2, UINT64_MAX, &e), &e, ENODATA, ERR_SYSTEM,
		   "past the end");
	expect_ok(target_pread(t, data, 0, 4096, &e), &e);
	target_close(t);
}

static void test_file_create_refuses(void **state)
{
	struct fixture *f = *state;
	struct target *t = NULL;
	struct err e = {0};
	struct stat st;

	expect_err(target_file_create(f->path, 0, &t, &e), &e, EINVAL, ERR_USER, "no size");
	expect_err(target_file_create(f->path, 1000, &t, &e), &e, EINVAL, ERR_USER, "no size");
	assert_int_equal(access(f->path, F_OK), -1);

	/* The filesystem cannot hold it: the file made for it goes away again. */
	assert_true(target_file_create(f->path, UINT64_C(1) << 62, &t, &e) < 0);
	assert_non_null(strstr(e.text, "large"));
	assert_int_equal(access(f->path, F_OK), -1);

	put_file(f->path, "somebody's");
	expect_err(target_file_create(f->path, 4096, &t, &e), &e, EEXIST, ERR_USER, "not empty");
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_size, strlen("somebody's"));

	expect_err(target_file_create("/dev/null", 4096, &t, &e), &e, EINVAL, ERR_USER,
		   "not a file");
	expect_err(target_file_create(f->dir, 4096, &t, &e), &e, EISDIR, ERR_SYSTEM,
		   "cannot create");
	assert_null(t);

	put_file(f->path, "");
	expect_ok(target_file_create(f->path, 4096, &t, &e), &e);
	target_close(t);
}

static void test_file_open(void **state)
{
	struct fixture *f = *state;
	struct target *t = NULL;
	struct err e = {0};
	char data[4] = {0};

	expect_err(target_file_open(f->path, false, &t, &e), &e, ENOENT, ERR_SYSTEM, "cannot find");
	put_file(f->path, "");
	expect_err(target_file_open(f->path, false, &t, &e), &e, EINVAL, ERR_USER, "sectors");
	put_file(f->path, "short");
	expect_err(target_file_open(f->path, true, &t, &e), &e, EINVAL, ERR_USER, "sectors");
	expect_err(target_file_open("/dev/null", false, &t, &e), &e, EINVAL, ERR_USER, "neither");
	assert_null(t);

	assert_int_equal(truncate(f->path, 1024), 0);
	expect_ok(target_file_open(f->path, true, &t, &e), &e);
	expect_ok(target_pwrite(t, "long", 4, 1, &e), &e);
	target_close(t);
	expect_ok(target_file_open(f->path, false, &t, &e), &e);
	expect_ok(target_pread(t, data, 4, 0, &e), &e);
	assert_memory_equal(data, "slon", 4);
	expect_err(target_pwrite(t, data, 4, 0, &e), &e, EBADF, ERR_SYSTEM,
		   "cannot write 4 bytes at 0");
	target_close(t);
}

/* The descriptor that this process has open on path. */
static int descriptor_of(const char *path)
{
	char link[64], name[256];

	for (int fd = 3; fd < 256; fd++) {
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(link, name, sizeof(name) - 1);

		if (n > 0 && (size_t)n == strlen(path) && memcmp(name, path, (size_t)n) == 0)
			return fd;
	}
	return -1;
}

/*
 * A flush that failed once is not forgiven: a pipe, which cannot be flushed, stands in for the
 * file.
 */
static void test_file_flush_fails_for_good(void **state)
{
	struct fixture *f = *state;
	struct target *t;
	struct err e = {0};
	int fd, saved, ends[2];

	expect_ok(target_file_create(f->path, 4096, &t, &e), &e);
	expect_ok(target_flush(t, &e), &e);
	fd = descriptor_of(f->path);
	saved = dup(fd);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[0], fd), fd);
	expect_err(target_flush(t, &e), &e, EINVAL, ERR_SYSTEM, "cannot flush");
	assert_int_equal(dup2(saved, fd), fd);
	expect_err(target_flush(t, &e), &e, EIO, ERR_SYSTEM, "earlier flush failed");
	expect_err(target_drop_caches(t, &e), &e, EIO, ERR_SYSTEM, "earlier flush failed");
	target_close(t);
	assert_int_equal(close(saved), 0);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
}

/* One writer at a time, readers beside it. */
static void test_file_lock(void **state)
{
	struct fixture *f = *state;
	struct target *t, *second = NULL, *reader;
	struct err e = {0};
	int fd;

	expect_ok(target_file_create(f->path, 4096, &t, &e), &e);
	expect_err(target_file_open(f->path, true, &second, &e), &e, EBUSY, ERR_SYSTEM,
		   "being written");
	assert_true(e.hint[0]);
	expect_err(target_file_create(f->path, 4096, &second, &e), &e, EBUSY, ERR_SYSTEM,
		   "being written");
	assert_null(second);
	expect_ok(target_file_open(f->path, false, &reader, &e), &e);
	target_close(reader);
	target_close(t);

	expect_ok(target_file_open(f->path, true, &t, &e), &e);
	fd = open(f->path, O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
	target_close(t);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(close(fd), 0);
}

/* A disk, by a loop device where one can be had. */
static void test_disk(void **state)
{
	struct fixture *f = *state;
	struct target *t, *second = NULL;
	struct err e = {0};
	char command[256], loop[64] = "";
	bool got_one;
	FILE *p;

	if (geteuid() != 0)
		skip();
	expect_ok(target_file_create(f->path, 4 * MiB, &t, &e), &e);
	target_close(t);
	(void)snprintf(command, sizeof(command), "losetup -f --show %s 2>/dev/null", f->path);
	p = popen(command, "r");
	assert_non_null(p);
	got_one = fgets(loop, sizeof(loop), p) != NULL;
	if (pclose(p) != 0 || !got_one)
		skip();
	loop[strcspn(loop, "\n")] = '\0';

	int r = target_file_open(loop, true, &t, &e), busy = 0, in_use, wrote = 0, fd;
	uint64_t size_bytes = 0;

	if (r == 0) {
		size_bytes = t->size_bytes;
		wrote = target_pwrite(t, "disk", 4, MiB, &e) == 0 && target_drop_caches(t, &e) == 0;
		busy = target_file_open(loop, true, &second, NULL);
		target_close(t);
	}
	fd = open(loop, O_RDONLY | O_EXCL); /* as a mount has it */
	in_use = target_file_open(loop, true, &second, &e);
	(void)close(fd);
	(void)snprintf(command, sizeof(command), "losetup -d %s", loop);
	assert_int_equal(system(command), 0);
	assert_int_equal(r, 0);
	expect_err(in_use, &e, EBUSY, ERR_SYSTEM, "is in use");
	assert_int_equal(size_bytes, 4 * MiB);
	assert_true(wrote);
	assert_int_equal(busy, -EBUSY);
}

static void test_slice(void **state)
{
	struct target *base, *slice, *none = NULL;
	struct err e = {0};
	char data[8] = {0};

	(void)state;
	assert_int_equal(target_mem_new(64 * KiB, 512, &base), 0);
	expect_err(target_slice_new(base, 512, 64 * KiB, &none, &e), &e, EINVAL, ERR_SYSTEM,
		   "window");
	expect_err(target_slice_new(base, UINT64_MAX - 511, 1024, &none, &e), &e, EINVAL,
		   ERR_SYSTEM, "window");
	expect_err(target_slice_new(base, 100, 512, &none, &e), &e, EINVAL, ERR_SYSTEM, "window");
	expect_err(target_slice_new(base, 512, 0, &none, &e), &e, EINVAL, ERR_SYSTEM, "window");
	expect_ok(target_slice_new(base, 1024, 2048, &slice, &e), &e);
	assert_int_equal(slice->size_bytes, 2048);
	assert_int_equal(slice->sector_bytes, 512);

	expect_ok(target_pwrite(slice, "window", 6, 2042, &e), &e);
	assert_memory_equal(target_mem_data(base) + 1024 + 2042, "window\0", 7);
	expect_ok(target_pread(slice, data, 6, 2042, &e), &e);
	assert_memory_equal(data, "window", 6);
	expect_err(target_pwrite(slice, "windows", 7, 2042, &e), &e, ENOSPC, ERR_SYSTEM, "end");
	expect_err(target_pread(slice, data, 1, 2048, &e), &e, ENODATA, ERR_SYSTEM, "end");
	expect_ok(target_drop_caches(slice, &e), &e);
	target_close(slice);
	target_close(base);
}

/* ---- the failing disk ---- */

struct disk {
	struct target *base, *disk;
};

static void open_disk(struct disk *d)
{
	assert_int_equal(target_mem_new(64 * KiB, 512, &d->base), 0);
	assert_int_equal(target_fault_new(d->base, &d->disk), 0);
}

static void close_disk(struct disk *d)
{
	target_close(d->disk);
	target_close(d->base);
}

static uint8_t read_byte(struct target *t, uint64_t off_bytes)
{
	uint8_t v = 0xee;
	struct err e = {0};

	expect_ok(target_pread(t, &v, 1, off_bytes, &e), &e);
	return v;
}

/* Writes land in the cache, reads see them, a flush moves them down. */
static void test_fault_cache(void **state)
{
	struct disk d;
	struct err e = {0};
	uint8_t data[2048];

	(void)state;
	open_disk(&d);
	memset(data, 1, sizeof(data));
	expect_ok(target_pwrite(d.disk, data, 2048, 1000, &e), &e);
	memset(data, 2, sizeof(data));
	expect_ok(target_pwrite(d.disk, data, 100, 1500, &e), &e);
	assert_int_equal(target_mem_data(d.base)[1000], 0);
	assert_int_equal(read_byte(d.disk, 1000), 1);
	assert_int_equal(read_byte(d.disk, 1500), 2);
	assert_int_equal(read_byte(d.disk, 1600), 1);
	assert_int_equal(read_byte(d.disk, 999), 0);
	assert_int_equal(read_byte(d.disk, 3048), 0);
	expect_ok(target_flush(d.disk, &e), &e);
	assert_int_equal(target_mem_data(d.base)[1599], 2);
	assert_int_equal(target_mem_data(d.base)[3047], 1);
	assert_int_equal(target_fault_count(d.disk, FAULT_PWRITE), 2);
	assert_int_equal(target_fault_count(d.disk, FAULT_PREAD), 5);
	assert_int_equal(target_fault_count(d.disk, FAULT_ANY), 8);
	close_disk(&d);
}

static void test_slice_flush(void **state)
{
	struct target *slice;
	struct disk d;
	struct err e = {0};

	(void)state;
	open_disk(&d);
	expect_ok(target_slice_new(d.disk, 512, 512, &slice, &e), &e);
	expect_ok(target_pwrite(slice, "a", 1, 0, &e), &e);
	assert_int_equal(target_mem_data(d.base)[512], 0);
	expect_ok(target_flush(slice, &e), &e);
	assert_int_equal(target_mem_data(d.base)[512], 'a');
	target_close(slice);
	close_disk(&d);
}

static void test_fault_error(void **state)
{
	struct fault_plan plan = {
		.op = FAULT_PWRITE, .nth = 2, .kind = FAULT_ERROR, .code = ENOSPC};
	struct disk d;
	struct err e = {0};

	(void)state;
	open_disk(&d);
	target_fault_arm(d.disk, &plan);
	expect_ok(target_pwrite(d.disk, "a", 1, 0, &e), &e);
	expect_ok(target_flush(d.disk, &e), &e);
	assert_false(target_fault_struck(d.disk));
	expect_err(target_pwrite(d.disk, "b", 1, 0, &e), &e, ENOSPC, ERR_SYSTEM, "injected write");
	assert_true(target_fault_struck(d.disk));
	expect_ok(target_pwrite(d.disk, "c", 1, 1, &e), &e);
	assert_int_equal(read_byte(d.disk, 0), 'a');
	assert_int_equal(read_byte(d.disk, 1), 'c');

	/* A flush that fails loses what it was for. */
	plan = (struct fault_plan){.op = FAULT_FLUSH, .nth = 1, .kind = FAULT_ERROR};
	target_fault_arm(d.disk, &plan);
	expect_err(target_flush(d.disk, &e), &e, EIO, ERR_SYSTEM, "injected flush");
	expect_ok(target_flush(d.disk, &e), &e);
	assert_int_equal(target_mem_data(d.base)[0], 'a');
	assert_int_equal(target_mem_data(d.base)[1], 0);
	close_disk(&d);
}

static void test_fault_gone(void **state)
{
	struct fault_plan plan = {
		.op = FAULT_PWRITE, .nth = 1, .kind = FAULT_UNPLUG, .code = ENODEV};
	struct fault_plan none = {0};
	struct disk d;
	struct err e = {0};
	uint8_t v;

	(void)state;
	open_disk(&d);
	expect_ok(target_pwrite(d.disk, "a", 1, 0, &e), &e);
	target_fault_arm(d.disk, &plan);
	expect_err(target_pwrite(d.disk, "b", 1, 1, &e), &e, ENODEV, ERR_SYSTEM, "injected");
	expect_err(target_pread(d.disk, &v, 1, 0, &e), &e, ENODEV, ERR_SYSTEM, "gone");
	expect_err(target_flush(d.disk, &e), &e, ENODEV, ERR_SYSTEM, "gone");
	target_fault_arm(d.disk, &none);
	assert_int_equal(read_byte(d.disk, 0), 'a'); /* unplugged, not cut */
	assert_int_equal(read_byte(d.disk, 1), 0);
	close_disk(&d);
}

static void test_fault_power_cut(void **state)
{
	struct fault_plan plan = {.op = FAULT_ANY, .nth = 2, .kind = FAULT_POWER_CUT};
	struct fault_plan none = {0};
	struct disk d;
	struct err e = {0};

	(void)state;
	open_disk(&d);
	expect_ok(target_pwrite(d.disk, "a", 1, 0, &e), &e);
	expect_ok(target_flush(d.disk, &e), &e);
	target_fault_arm(d.disk, &plan);
	expect_ok(target_pwrite(d.disk, "b", 1, 0, &e), &e);
	expect_err(target_flush(d.disk, &e), &e, EIO, ERR_SYSTEM, "injected");
	target_fault_arm(d.disk, &none);
	assert_int_equal(read_byte(d.disk, 0), 'a');
	close_disk(&d);
}

/* Some sectors survive and some do not; the same seed gives the same result. */
static void test_fault_power_torn(void **state)
{
	struct fault_plan plan = {.op = FAULT_FLUSH, .nth = 1, .kind = FAULT_POWER_TORN, .seed = 7};
	uint8_t data[32 * KiB], first[32 * KiB];
	size_t kept = 0;

	(void)state;
	memset(data, 1, sizeof(data));
	for (int round = 0; round < 2; round++) {
		struct disk d;
		struct err e = {0};

		open_disk(&d);
		target_fault_arm(d.disk, &plan);
		expect_ok(target_pwrite(d.disk, data, sizeof(data), 0, &e), &e);
		assert_int_equal(target_flush(d.disk, &e), -EIO);
		if (round == 0)
			memcpy(first, target_mem_data(d.base), sizeof(first));
		else
			assert_memory_equal(first, target_mem_data(d.base), sizeof(first));
		close_disk(&d);
	}
	for (size_t i = 0; i < sizeof(first); i += 512) {
		kept += first[i];
		assert_int_equal(first[i], first[i + 511]);
	}
	assert_in_range(kept, 10, 54);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file_create, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_create_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_flush_fails_for_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk, setup, teardown),
		cmocka_unit_test(test_slice),
		cmocka_unit_test(test_slice_flush),
		cmocka_unit_test(test_fault_cache),
		cmocka_unit_test(test_fault_error),
		cmocka_unit_test(test_fault_gone),
		cmocka_unit_test(test_fault_power_cut),
		cmocka_unit_test(test_fault_power_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
