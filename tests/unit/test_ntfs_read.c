/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading NTFS volumes: right answers from good ones, honest errors from bad ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <unistd.h>

#include "tests/lib/ntfs_kit.h"
#include "tests/lib/target_fault.h"

#define VOLUME_BYTES (64 * MiB)
#define FILE_BYTES   UINT64_C(300001)

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() (void)0
#define __lsan_enable()	 (void)0
#endif

static struct target *base, *faulty;

/* One volume for all tests of reading; "small" is resident, which no file of ours is. */
static int make_volume(void **state)
{
	uint64_t dir;

	(void)state;
	kit_open(&kit);
	kit_create(&kit, VOLUME_BYTES, 4096, NULL);
	dir = kit_add_dir(&kit, NTFS_ROOT_REF, "d");
	kit_add(&kit, dir, "\\d", "file", FILE_BYTES);
	kit_add(&kit, dir, "\\d", "empty", 0);
	kit_add(&kit, NTFS_ROOT_REF, "", "\U0001f680 \u00e4", 5000);
	kit_stream(&kit, kit.image);
	kit_finish(&kit);
	kit_expect_run(&kit, "true");
	assert_int_equal(kit_run(&kit,
				 "printf 'few bytes' >%s/small && ntfscp -f %s %s/small small",
				 kit.dir, kit.image, kit.dir),
			 0);
	return 0;
}

static int remove_volume(void **state)
{
	(void)state;
	kit_close(&kit);
	return 0;
}

static int open_target(void **state)
{
	(void)state;
	expect_ok(target_file_open(kit.image, false, &base, &kit.e), &kit.e);
	return target_fault_new(base, &faulty);
}

static int close_target(void **state)
{
	(void)state;
	target_close(faulty);
	target_close(base);
	return 0;
}

static struct ntfs_volume *open_volume(void)
{
	struct ntfs_volume *vol = NULL;

	expect_ok(ntfs_volume_open(faulty, &vol, &kit.e), &kit.e);
	return vol;
}

static void test_pieces(void **state)
{
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = open_volume();
	_cleanup_(ntfs_file_closep) struct ntfs_file *f = NULL;
	static const struct {
		uint64_t off_bytes;
		size_t len_bytes;
	} pieces[] = {
		{0, 0},		 {0, 1},	  {511, 2},
		{4095, 2},	 {1, 100000},	  {FILE_BYTES - 1, 1},
		{FILE_BYTES, 0}, {0, FILE_BYTES},
	};
	_cleanup_free_ uint8_t *seen = malloc(FILE_BYTES + 1);
	_cleanup_free_ uint8_t *want = malloc(FILE_BYTES);

	(void)state;
	assert_true(seen && want);
	expect_ok(ntfs_volume_open_file(vol, "\\d\\file", &f, &kit.e), &kit.e);
	assert_int_equal(ntfs_file_size(f), FILE_BYTES);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		size_t n = pieces[i].len_bytes;

		seen[n] = 0x5a;
		expect_ok(ntfs_file_pread(f, seen, n, pieces[i].off_bytes, &kit.e), &kit.e);
		kit_fill(&kit.files[0], pieces[i].off_bytes, want, n);
		assert_memory_equal(seen, want, n);
		assert_int_equal(seen[n], 0x5a);
	}
	expect_err(ntfs_file_pread(f, seen, 1, FILE_BYTES, &kit.e), &kit.e, ENODATA, ERR_SYSTEM,
		   "past the end");
	expect_err(ntfs_file_pread(f, seen, 2, FILE_BYTES - 1, &kit.e), &kit.e, ENODATA, ERR_SYSTEM,
		   "past");
	expect_err(ntfs_file_pread(f, seen, 2, UINT64_MAX, &kit.e), &kit.e, ENODATA, ERR_SYSTEM,
		   "past");
}

/* Straight from the target at the extents: the same bytes. */
static void test_extents(void **state)
{
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = open_volume();
	_cleanup_(ntfs_file_closep) struct ntfs_file *f = NULL;
	const struct ntfs_extent *x;
	uint8_t seen[4096], want[4096];
	size_t n;

	(void)state;
	expect_ok(ntfs_volume_open_file(vol, "\\d\\file", &f, &kit.e), &kit.e);
	for (int again = 0; again < 2; again++) {
		expect_ok(ntfs_file_extents(f, &x, &n, &kit.e), &kit.e);
		assert_int_equal(n, 1);
		assert_int_equal(x->file_off_bytes, 0);
		assert_int_equal(x->len_bytes, round_up_u64(FILE_BYTES, 4096));
		assert_int_equal(x->volume_off_bytes, kit.files[0].extents[0].volume_off_bytes);
	}
	for (uint64_t off = 0; off + sizeof(want) < FILE_BYTES; off += sizeof(want)) {
		expect_ok(
			target_pread(faulty, seen, sizeof(seen), x->volume_off_bytes + off, &kit.e),
			&kit.e);
		kit_fill(&kit.files[0], off, want, sizeof(want));
		assert_memory_equal(seen, want, sizeof(want));
	}
}

static void test_without_clusters(void **state)
{
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = open_volume();
	struct ntfs_file *f = NULL;
	const struct ntfs_extent *x;
	char text[9];
	size_t n = 77;

	(void)state;
	expect_ok(ntfs_volume_open_file(vol, "\\d\\empty", &f, &kit.e), &kit.e);
	assert_int_equal(ntfs_file_size(f), 0);
	expect_ok(ntfs_file_extents(f, &x, &n, &kit.e), &kit.e);
	assert_int_equal(n, 0);
	ntfs_file_close(f);
	n = 77;
	/* ntfscp keeps so few bytes in the MFT. */
	expect_ok(ntfs_volume_open_file(vol, "\\small", &f, &kit.e), &kit.e);
	assert_int_equal(ntfs_file_size(f), 9);
	expect_ok(ntfs_file_extents(f, &x, &n, &kit.e), &kit.e);
	assert_int_equal(n, 0);
	expect_ok(ntfs_file_pread(f, text, 9, 0, &kit.e), &kit.e);
	assert_memory_equal(text, "few bytes", 9);
	ntfs_file_close(f);
}

static void test_paths(void **state)
{
	static const struct {
		const char *path;
		int code;
		enum err_class class;
	} bad[] = {
		{"\\nothing", ENOENT, ERR_SYSTEM}, {"\\d\\nothing", ENOENT, ERR_SYSTEM},
		{"\\D\\FILE", ENOENT, ERR_SYSTEM}, {"\\nothing\\file", ENOENT, ERR_SYSTEM},
		{"\\d", EISDIR, ERR_SYSTEM},	   {"\\", EISDIR, ERR_SYSTEM},
		{"", EISDIR, ERR_SYSTEM},	   {"\\d\\file\\x", ENOTDIR, ERR_SYSTEM},
		{"\\d\\\xff", EINVAL, ERR_USER},
	};
	static const char *const good[] = {"\\d\\file", "d\\file", "\\\\d\\\\file", "\\d\\file\\"};
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = open_volume();
	struct ntfs_file *f = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		expect_err(ntfs_volume_open_file(vol, bad[i].path, &f, &kit.e), &kit.e, bad[i].code,
			   bad[i].class, bad[i].path);
		assert_null(f);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		expect_ok(ntfs_volume_open_file(vol, good[i], &f, &kit.e), &kit.e);
		ntfs_file_close(f);
		f = NULL;
	}
}

/* Names beyond ASCII, in the "C" locale and leaving it alone. */
static void test_locale(void **state)
{
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = NULL;

	(void)state;
	assert_non_null(setlocale(LC_ALL, "C"));
	vol = open_volume();
	kit_compare(&kit, vol, &kit.files[2]);
	assert_string_equal(setlocale(LC_ALL, NULL), "C");
}

/* Two files of one volume at a time, one of them twice. */
static void test_several_open(void **state)
{
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = open_volume();
	_cleanup_(ntfs_file_closep) struct ntfs_file *a = NULL, *b = NULL;

	(void)state;
	expect_ok(ntfs_volume_open_file(vol, "\\d\\file", &a, &kit.e), &kit.e);
	expect_ok(ntfs_volume_open_file(vol, "\\small", &b, &kit.e), &kit.e);
	for (size_t i = 0; i < kit.n_files; i++)
		kit_compare(&kit, vol, &kit.files[i]);
	assert_int_equal(ntfs_file_size(a), FILE_BYTES);
	assert_int_equal(ntfs_file_size(b), 9);
}

/* ---- damage ---------------------------------------------------------------------------------- */

static void test_not_ntfs(void **state)
{
	char path[64];
	struct target *t;
	struct ntfs_volume *vol = NULL;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/blank", kit.dir);
	expect_ok(target_file_create(path, MiB, &t, &kit.e), &kit.e);
	expect_err(ntfs_volume_open(t, &vol, &kit.e), &kit.e, EBADMSG, ERR_CORRUPT, path);
	assert_null(vol);
	target_close(t);
}

/* libntfs-3g leaks a little when it gives up half way through a mount: no leak of ours. */
static int open_damaged(struct target *t, struct ntfs_volume **ret)
{
	int r;

	__lsan_disable();
	r = ntfs_volume_open(t, ret, &kit.e);
	__lsan_enable();
	return r;
}

/* The disk fails at every read in turn: its own code and words come out, never "damaged". */
static void test_disk_fails(void **state)
{
	struct fault_plan plan = {.op = FAULT_PREAD, .kind = FAULT_ERROR, .code = ENXIO};
	uint64_t nth = 1;

	(void)state;
	for (;; nth++) {
		_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = NULL;
		_cleanup_(ntfs_file_closep) struct ntfs_file *f = NULL;
		uint8_t data[5000];
		int r;

		plan.nth = nth;
		target_fault_arm(faulty, &plan);
		r = open_damaged(faulty, &vol);
		if (r == 0)
			r = ntfs_volume_open_file(vol, "\\d\\file", &f, &kit.e);
		if (r == 0)
			r = ntfs_file_pread(f, data, sizeof(data), 100000, &kit.e);
		if (!target_fault_struck(faulty))
			break;
		/* The library may get by without what it could not read; it must not claim more. */
		if (r < 0)
			expect_err(r, &kit.e, ENXIO, ERR_SYSTEM, "");
	}
	assert_true(nth > 10);
}

/* Whatever bytes change, the answer is right, refused as damaged, or an ordinary no. */
static void expect_honest(struct target *t)
{
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = NULL;
	_cleanup_(ntfs_file_closep) struct ntfs_file *f = NULL;
	_cleanup_free_ uint8_t *data = malloc(FILE_BYTES);
	const struct ntfs_extent *x;
	size_t n;
	int r;

	assert_non_null(data);
	r = open_damaged(t, &vol);
	if (r == 0)
		r = ntfs_volume_open_file(vol, "\\d\\file", &f, &kit.e);
	if (r == 0)
		r = ntfs_file_extents(f, &x, &n, &kit.e);
	if (r == 0)
		for (size_t i = 0; i < n; i++)
			assert_true(x[i].volume_off_bytes + x[i].len_bytes <= VOLUME_BYTES);
	if (r == 0)
		r = ntfs_file_pread(f, data, (size_t)MIN(FILE_BYTES, ntfs_file_size(f)), 0, &kit.e);
	if (r < 0 && r != -EBADMSG && r != -ENOENT && r != -ENOTDIR && r != -EISDIR &&
	    r != -EOPNOTSUPP)
		fail_msg("%d: %s", r, kit.e.text);
}

/* A target whose reads see one changed byte. */
struct bent {
	struct target target;
	uint64_t off_bytes;
	uint8_t flip;
};

static int bent_pread(struct target *t, void *data, size_t len_bytes, uint64_t off_bytes,
		      struct err *e)
{
	struct bent *b = container_of(t, struct bent, target);
	int r = target_pread(base, data, len_bytes, off_bytes, e);

	if (r == 0 && b->off_bytes >= off_bytes && b->off_bytes - off_bytes < len_bytes)
		((uint8_t *)data)[b->off_bytes - off_bytes] ^= b->flip;
	return r;
}

static void bent_close(struct target *t)
{
	(void)t;
}

static const struct target_ops bent_ops = {.pread = bent_pread, .close = bent_close};

static void bend_range(uint64_t off_bytes, uint64_t len_bytes, uint64_t step)
{
	static const uint8_t flips[] = {0x01, 0x80, 0xff};
	struct bent b = {.target = *base};

	b.target.ops = &bent_ops;
	for (uint64_t off = off_bytes; off < off_bytes + len_bytes; off += step) {
		b.off_bytes = off;
		b.flip = flips[off / step % ARRAY_SIZE(flips)];
		expect_honest(&b.target);
	}
}

static void test_bent_boot_sector(void **state)
{
	(void)state;
	bend_range(0, 0x60, 1);
}

/* The MFT lies at 16 KiB: $MFT to $UpCase, then the directories and files of this volume from 64 on. */
static void test_bent_mft(void **state)
{
	(void)state;
	bend_range(16 * KiB, 12 * KiB, 7);
	bend_range(16 * KiB + 64 * KiB, 12 * KiB, 3);
}

/* Sizes and run list of one file, byte by byte. */
static void test_bent_file_record(void **state)
{
	(void)state;
	bend_range(16 * KiB + (kit.files[0].ref & UINT32_MAX) * KiB, 400, 1);
}

/* The target ends early: a drive that is smaller than the volume. */
static void test_cut_short(void **state)
{
	struct bent b = {.target = *base, .off_bytes = UINT64_MAX};

	(void)state;
	b.target.ops = &bent_ops;
	for (uint64_t size = 0; size < VOLUME_BYTES; size = size < 1024 ? size + 512 : size * 2) {
		b.target.size_bytes = size;
		expect_honest(&b.target);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_target, close_target)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pieces),   TEST(test_extents),	  TEST(test_without_clusters),
		TEST(test_paths),    TEST(test_locale),		  TEST(test_several_open),
		TEST(test_not_ntfs), TEST(test_disk_fails),	  TEST(test_bent_boot_sector),
		TEST(test_bent_mft), TEST(test_bent_file_record), TEST(test_cut_short),
	};

	return cmocka_run_group_tests(tests, make_volume, remove_volume);
}
