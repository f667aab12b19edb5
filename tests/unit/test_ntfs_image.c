/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NTFS images: BitLocker's areas, names, times, and the life of an image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "common/base/le.h"
#include "exporter/ntfs/bitmap.h"
#include "exporter/ntfs/mkfs.h"
#include "tests/lib/ntfs_kit.h"
#include "tests/lib/target_fault.h"

/* ---- BitLocker's areas ----------------------------------------------------------------------- */

static void expect_fve_file(struct ntfs_volume *vol, const char *name, uint64_t size_bytes,
			    uint64_t off_bytes)
{
	_cleanup_(ntfs_file_closep) struct ntfs_file *f = NULL;
	const struct ntfs_extent *x;
	char path[128];
	size_t n;

	(void)snprintf(path, sizeof(path), "\\System Volume Information\\FVE2.{%s", name);
	expect_ok(ntfs_volume_open_file(vol, path, &f, &kit.e), &kit.e);
	assert_int_equal(ntfs_file_size(f), size_bytes);
	expect_ok(ntfs_file_extents(f, &x, &n, &kit.e), &kit.e);
	assert_int_equal(n, 1);
	assert_int_equal(x->volume_off_bytes, off_bytes);
	assert_int_equal(x->len_bytes, round_up_u64(size_bytes, kit.cluster_bytes));
}

static void expect_fve(uint64_t volume_bytes, uint32_t cluster_bytes)
{
	_cleanup_(target_closep) struct target *t = NULL;
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = NULL;
	struct ntfs_fve_places *p = &kit.fve;
	uint64_t rest = volume_bytes - 33 * MiB;

	kit_create(&kit, volume_bytes, cluster_bytes, NULL);
	kit_finish(&kit);
	assert_true(p->meta_off_bytes[0] >= 33 * MiB && p->meta_off_bytes[0] < 36 * MiB);
	assert_int_equal(p->vbb_off_bytes, p->meta_off_bytes[0] + 65536);
	assert_int_equal(p->ice_off_bytes, p->vbb_off_bytes + MAX(cluster_bytes, 8192u));
	assert_true(p->meta_off_bytes[1] >= 33 * MiB + rest / 3);
	assert_true(p->meta_off_bytes[1] < 37 * MiB + rest / 3);
	assert_true(p->meta_off_bytes[2] >= 33 * MiB + rest / 3 * 2);
	assert_true(p->meta_off_bytes[2] < 37 * MiB + rest / 3 * 2);
	expect_ok(target_file_open(kit.image, false, &t, &kit.e), &kit.e);
	expect_ok(ntfs_volume_open(t, &vol, &kit.e), &kit.e);
	expect_fve_file(vol, "e40ad34d-dae9-4bc7-95bd-b16218c10f72}.1", 65536,
			p->meta_off_bytes[0]);
	expect_fve_file(vol, "e40ad34d-dae9-4bc7-95bd-b16218c10f72}.2", 65536,
			p->meta_off_bytes[1]);
	expect_fve_file(vol, "e40ad34d-dae9-4bc7-95bd-b16218c10f72}.3", 65536,
			p->meta_off_bytes[2]);
	expect_fve_file(vol, "24e6f0ae-6a00-4f73-984b-75ce9942852d}", 8192, p->vbb_off_bytes);
	expect_fve_file(vol, "da392a22-cae0-4f0f-9a30-b8830385d046}", 65536, p->ice_off_bytes);
	kit_expect_sound(&kit, kit.image);
}

static void test_fve_4k(void **state)
{
	(void)state;
	expect_fve(64 * MiB, 4096);
}

static void test_fve_16k(void **state)
{
	(void)state;
	expect_fve(264 * MiB, 16384);
}

static void test_fve_64k(void **state)
{
	(void)state;
	expect_fve(64 * MiB + 1024, 65536);
}

/* Both ends of "hidden and system, for SYSTEM only", as sleuthkit and the raw $Secure show it. */
static void test_fve_attributes(void **state)
{
	static const uint8_t system_only[] = {
		0x01, 0x00, 0x04, 0x80, 0x14, 0,    0,	  0,	0x24, 0,    0,	  0,	0,
		0,    0,    0,	  0x30, 0,    0,    0,	  0x01, 0x02, 0,    0,	  0,	0,
		0,    0x05, 0x20, 0,	0,    0,    0x20, 0x02, 0,    0,    0x01, 0x01, 0,
		0,    0,    0,	  0,	0x05, 0x12, 0,	  0,	0,    0x02, 0x00, 0x1c, 0x00,
		0x01, 0,    0,	  0,	0x00, 0x03, 0x14, 0x00, 0xff, 0x01, 0x1f, 0x00, 0x01,
		0x01, 0,    0,	  0,	0,    0,    0x05, 0x12, 0,    0,    0,
	};
	static const uint8_t everyone_dir[] = {
		0x01, 0x00, 0x04, 0x80, 0x14, 0,    0,	  0,	0x24, 0,    0,	  0,	0,    0,
		0,    0,    0x34, 0,	0,    0,    0x01, 0x02, 0,    0,    0,	  0,	0,    0x05,
		0x20, 0,    0,	  0,	0x20, 0x02, 0,	  0,	0x01, 0x02, 0,	  0,	0,    0,
		0,    0x05, 0x20, 0,	0,    0,    0x20, 0x02, 0,    0,    0x02, 0x00, 0x1c, 0x00,
		0x01, 0,    0,	  0,	0x00, 0x03, 0x14, 0x00, 0xff, 0x01, 0x1f, 0x00, 0x01, 0x01,
		0,    0,    0,	  0,	0,    0x01, 0,	  0,	0,    0,
	};
	_cleanup_free_ char *sds = NULL;
	uint64_t dir, folder = 64;
	size_t n;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	dir = kit_add_dir(&kit, NTFS_ROOT_REF, "d");
	kit_finish(&kit);
	/* The folder is the first inode made; its five files follow. */
	for (uint64_t i = folder; i <= folder + 4; i++) {
		assert_int_equal(kit_run(&kit,
					 "istat %s %" PRIu64 " | grep -c 'Flags:.*Hidden, System$'",
					 kit.image, i),
				 0);
		assert_int_equal(kit_run(&kit, "istat %s %" PRIu64 " | grep -q 'Security ID: 258 '",
					 kit.image, i),
				 0);
	}
	assert_int_equal(kit_run(&kit, "istat %s %" PRIu64 " | grep -q 'Security ID: 259 '",
				 kit.image, dir & UINT32_MAX),
			 0);
	assert_int_equal(kit_run(&kit, "ntfscat -f -i 9 -a 0x80 -n '$SDS' %s", kit.image), 0);
	sds = kit_output(&kit, &n);
	assert_non_null(memmem(sds, n, system_only, sizeof(system_only)));
	assert_non_null(memmem(sds, n, everyone_dir, sizeof(everyone_dir)));
}

/* ---- what a name and a time look like --------------------------------------------------------- */

/* Four times in the standard information, four with the name. */
static void expect_eight_times(uint64_t ref)
{
	assert_int_equal(kit_run(&kit,
				 "test $(istat -z UTC %s %" PRIu64
				 " | grep -c '2023-11-14 22:13:20.123456700 (UTC)') = 8",
				 kit.image, ref & UINT32_MAX),
			 0);
}

static void test_times(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct kit_file *f;
	uint64_t dir;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	dir = kit_add_dir(&kit, NTFS_ROOT_REF, "d");
	f = kit_add(&kit, dir, "\\d", "f", 4097);
	(void)kit_add_dir(&kit, dir, "e");
	kit_finish(&kit);
	expect_eight_times(dir);
	expect_eight_times(f->ref);
	/* The directory's copy, which Windows shows in a listing. */
	assert_int_equal(
		kit_run(&kit, "fls -z UTC -l -D %s | grep -q '2023-11-14 22:13:20'", kit.image), 0);
	assert_int_equal(kit_run(&kit, "istat %s %" PRIu64, kit.image, f->ref & UINT32_MAX), 0);
	text = kit_output(&kit, NULL);
	assert_non_null(strstr(text, "Allocated Size: 8192   \tActual Size: 4097"));
	assert_non_null(strstr(text, "Non-Resident   size: 4097  init_size: 4097"));
	assert_non_null(strstr(text, "Flags: Archive"));
}

static void test_times_before_1970(void **state)
{
	uint64_t ref;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	expect_ok(ntfs_image_add_dir(kit.img, NTFS_ROOT_REF, "old", INT64_C(-1000000001), &ref,
				     &kit.e),
		  &kit.e);
	kit_finish(&kit);
	/* sleuthkit cannot show years before 1970. */
	assert_int_equal(kit_run(&kit,
				 "test $(TZ=UTC ntfsinfo -f -i %" PRIu64
				 " %s | grep -c 'Dec 31 23:59:58 1969') = 8",
				 ref & UINT32_MAX, kit.image),
			 0);
}

static int add_named(const char *name)
{
	const struct ntfs_extent *x;
	uint64_t ref;
	size_t n;

	return ntfs_image_add_file(kit.img, NTFS_ROOT_REF, name, 10, 0, &ref, &x, &n, &kit.e);
}

static void test_refused_names(void **state)
{
	static const char *const bad[] = {
		"",	    "a/b",  "a\\b",  "a:b",   "a*",    "a?",	       "a\"b", "<",
		">",	    "a|b",  "a\x01", "tail.", "tail ", "CON",	       "nul",  "Aux.txt",
		"com1.log", "LPT9", "\xff",  ".",     "..",    "\xed\xa0\x80",
	};
	char name[258];

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_err(add_named(bad[i]), &kit.e, EINVAL, ERR_USER, "");
	memset(name, 'x', 256);
	name[256] = '\0';
	expect_err(add_named(name), &kit.e, EINVAL, ERR_USER, "longer than");
	/* None of that broke the image. */
	kit_add(&kit, NTFS_ROOT_REF, "", "CONSOLE", 10);
	kit_add(&kit, NTFS_ROOT_REF, "", "com", 10);
	kit_finish(&kit);
	kit_expect_sound(&kit, kit.image);
}

static void test_collisions(void **state)
{
	uint64_t dir, ref;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	dir = kit_add_dir(&kit, NTFS_ROOT_REF, "Stra\u00dfe \u00e4");
	kit_add(&kit, NTFS_ROOT_REF, "", "File", 1);
	for (int i = 0; i < 300; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "Other %d", i);
		kit_add(&kit, NTFS_ROOT_REF, "", name, 1);
	}
	expect_err(add_named("File"), &kit.e, EEXIST, ERR_SYSTEM, "already");
	expect_err(add_named("fILE"), &kit.e, EEXIST, ERR_SYSTEM, "already");
	expect_err(add_named("oTHER 299"), &kit.e, EEXIST, ERR_SYSTEM, "already");
	expect_err(add_named("system volume information"), &kit.e, EEXIST, ERR_SYSTEM, "already");
	expect_err(add_named("stra\u00dfe \u00c4"), &kit.e, EEXIST, ERR_SYSTEM, "already");
	expect_err(ntfs_image_add_dir(kit.img, NTFS_ROOT_REF, "FILE", 0, &ref, &kit.e), &kit.e,
		   EEXIST, ERR_SYSTEM, "already");
	expect_err(ntfs_image_add_link(kit.img, NTFS_ROOT_REF, "FILE", kit.files[1].ref, &kit.e),
		   &kit.e, EEXIST, ERR_SYSTEM, "already");
	kit_add(&kit, dir, "\\Stra\u00dfe \u00e4", "File", 1);
	kit_finish(&kit);
	kit_expect_sound(&kit, kit.image);
}

static void test_link_limits(void **state)
{
	uint64_t dir;
	char name[32];

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	dir = kit_add_dir(&kit, NTFS_ROOT_REF, "d");
	kit_add(&kit, NTFS_ROOT_REF, "", "f", 100);
	kit_stream(&kit, kit.image);
	for (int i = 1; i < 1024; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		expect_ok(ntfs_image_add_link(kit.img, dir, name, kit.files[0].ref, &kit.e),
			  &kit.e);
	}
	expect_err(ntfs_image_add_link(kit.img, dir, "more", kit.files[0].ref, &kit.e), &kit.e,
		   EMLINK, ERR_SYSTEM, "limit");
	expect_err(ntfs_image_add_link(kit.img, NTFS_ROOT_REF, "dir", dir, &kit.e), &kit.e, EPERM,
		   ERR_SYSTEM, "second name");
	expect_err(ntfs_image_add_link(kit.img, dir, "loop", dir, &kit.e), &kit.e, EPERM,
		   ERR_SYSTEM, "second name");
	kit_finish(&kit);
	assert_int_equal(kit_run(&kit, "ntfsresize -i -f %s", kit.image), 0);
	assert_int_equal(kit_run(&kit, "test $(ntfsls -p /d %s | grep -c '^f') = 1023", kit.image),
			 0);
	kit_compare_all(&kit, kit.image);
}

/* ---- life of an image ------------------------------------------------------------------------ */

static void test_boot_sector(void **state)
{
	struct ntfs_image_params params = {
		.path = kit.image,
		.volume_bytes = 64 * MiB,
		.sector_bytes = 4096,
		.cluster_bytes = 8192,
		.hidden_sectors = 0x12345678,
		.label = NULL,
	};
	_cleanup_fd_ int fd = -1;
	uint8_t first[512], last[512];
	struct stat st;

	(void)state;
	expect_ok(ntfs_image_create(&params, &kit.img, &kit.e), &kit.e);
	kit_finish(&kit);
	fd = open(kit.image, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 64 * MiB);
	assert_int_equal(fd_pread_full(fd, first, sizeof(first), 0), 0);
	assert_memory_equal(first + 3, "NTFS    ", 8);
	assert_int_equal(le16_load(first + 0x0b), 4096);
	assert_int_equal(first[0x0d], 2);
	assert_int_equal(le16_load(first + 0x18), 63);
	assert_int_equal(le16_load(first + 0x1a), 255);
	assert_int_equal(le32_load(first + 0x1c), 0x12345678);
	assert_int_equal(le64_load(first + 0x28), 64 * MiB / 4096 - 1);
	assert_int_equal(fd_pread_full(fd, last, sizeof(last), 64 * MiB - 4096), 0);
	assert_memory_equal(last, first, sizeof(first));
	kit_expect_sound(&kit, kit.image);
}

static void test_refused_params(void **state)
{
	struct ntfs_image_params good = {.path = kit.image,
					 .volume_bytes = 64 * MiB,
					 .sector_bytes = 512,
					 .cluster_bytes = 4096};
	struct ntfs_image_params bad[10];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[n++].sector_bytes = 1024;
	bad[n++].cluster_bytes = 2048;
	bad[n++].cluster_bytes = 12288;
	bad[n++].cluster_bytes = 131072;
	bad[n++].volume_bytes = 64 * MiB + 1;
	bad[n++].volume_bytes = 63 * MiB;
	bad[n++].volume_bytes = 16 * TiB;
	bad[n++].hidden_sectors = UINT64_C(1) << 32;
	bad[n++].label = "this label is longer than 32 units";
	bad[n++].label = "\xff";
	assert_int_equal(n, ARRAY_SIZE(bad));
	for (size_t i = 0; i < n; i++) {
		expect_err(ntfs_image_create(&bad[i], &kit.img, &kit.e), &kit.e, EINVAL, ERR_USER,
			   "");
		assert_null(kit.img);
		assert_int_equal(access(kit.image, F_OK), -1);
	}
}

/* mkntfs fails: its own words arrive. */
static void test_mkntfs_fails(void **state)
{
	struct ntfs_mkfs_params params = {.path = kit.image,
					  .sector_bytes = 4096,
					  .cluster_bytes = 1024,
					  .hidden_sectors = 1};
	_cleanup_(target_closep) struct target *t = NULL;

	(void)state;
	expect_err(ntfs_mkfs(&params, &kit.e), &kit.e, EIO, ERR_SYSTEM, "No such file");
	expect_ok(target_file_create(kit.image, 64 * MiB, &t, &kit.e), &kit.e);
	expect_err(ntfs_mkfs(&params, &kit.e), &kit.e, EIO, ERR_SYSTEM, "sector size");
	params.cluster_bytes = 4096;
	expect_ok(ntfs_mkfs(&params, &kit.e), &kit.e);
}

static void test_missing_folder(void **state)
{
	char missing[80];
	struct ntfs_image_params params = {.path = missing,
					   .volume_bytes = 64 * MiB,
					   .sector_bytes = 512,
					   .cluster_bytes = 4096};

	(void)state;
	(void)snprintf(missing, sizeof(missing), "%s/missing/image", kit.dir);
	expect_err(ntfs_image_create(&params, &kit.img, &kit.e), &kit.e, ENOENT, ERR_SYSTEM,
		   missing);
}

/* A relative path may look like an option. */
static void test_path_with_dash(void **state)
{
	struct ntfs_image_params params = {
		.path = "-F", .volume_bytes = 64 * MiB, .sector_bytes = 512, .cluster_bytes = 4096};

	(void)state;
	assert_int_equal(chdir(kit.dir), 0);
	expect_ok(ntfs_image_create(&params, &kit.img, &kit.e), &kit.e);
	kit_finish(&kit);
	assert_int_equal(access("-F", F_OK), 0);
	assert_int_equal(chdir("/"), 0);
}

static void test_abort_removes(void **state)
{
	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	kit_add(&kit, kit_add_dir(&kit, NTFS_ROOT_REF, "d"), "\\d", "f", 5);
	ntfs_image_free(kit.img);
	kit.img = NULL;
	assert_int_equal(access(kit.image, F_OK), -1);
}

static void test_existing_file_is_kept(void **state)
{
	struct ntfs_image_params params = {.path = kit.image,
					   .volume_bytes = 64 * MiB,
					   .sector_bytes = 512,
					   .cluster_bytes = 4096};
	_cleanup_free_ char *text = NULL;
	size_t n;

	(void)state;
	assert_int_equal(write_file_atomic(kit.image, "precious", 8, 0600, NULL), 0);
	assert_int_equal(ntfs_image_create(&params, &kit.img, &kit.e), -EEXIST);
	assert_int_equal(read_file(kit.image, 100, &text, &n, NULL), 0);
	assert_string_equal(text, "precious");
}

/* The disk under the image fails or is full: never mistaken for a full volume. */
static void test_local_disk_full(void **state)
{
	struct fault_plan plan = {.op = FAULT_PWRITE, .nth = 1, .code = ENOSPC};
	static struct ntfs_bitmap bitmap;
	struct target *base, *faulty;
	struct ntfs_session *s;
	uint64_t first;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	kit_finish(&kit);
	expect_ok(target_file_open(kit.image, true, &base, &kit.e), &kit.e);
	assert_int_equal(target_fault_new(base, &faulty), 0);
	expect_ok(ntfs_session_open(faulty, true, &s, &kit.e), &kit.e);
	ntfs_bitmap_init(&bitmap, s);
	expect_ok(ntfs_bitmap_find_free(&bitmap, 1000, 10, &first, &kit.e), &kit.e);
	target_fault_arm(faulty, &plan);
	expect_err(ntfs_bitmap_claim(&bitmap, first, 10, &kit.e), &kit.e, EIO, ERR_SYSTEM, "");
	assert_non_null(strstr(kit.e.hint, "is full"));
	plan.code = ENXIO;
	target_fault_arm(faulty, &plan);
	ntfs_session_begin(s);
	expect_err(ntfs_bitmap_claim(&bitmap, first, 10, &kit.e), &kit.e, ENXIO, ERR_SYSTEM, "");
	target_fault_arm(faulty, &(struct fault_plan){0});
	expect_ok(ntfs_session_close(s, &kit.e), &kit.e);
	target_close(faulty);
	target_close(base);
}

static void test_order_of_calls(void **state)
{
	struct ntfs_fve_places places;
	uint64_t ref;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	expect_err(ntfs_image_place_fve(kit.img, &places, &kit.e), &kit.e, EINVAL, ERR_SYSTEM,
		   "before");
	kit_add(&kit, NTFS_ROOT_REF, "", "f", 1);
	/* A file is no directory, and that is the caller's mistake: the image says so from then on. */
	expect_err(ntfs_image_add_dir(kit.img, kit.files[0].ref, "d", 0, &ref, &kit.e), &kit.e,
		   ENOTDIR, ERR_SYSTEM, "not a directory");
	expect_err(ntfs_image_add_dir(kit.img, NTFS_ROOT_REF, "d", 0, &ref, &kit.e), &kit.e, EINVAL,
		   ERR_SYSTEM, "broken");
	expect_err(ntfs_image_finish(kit.img, &kit.e), &kit.e, EINVAL, ERR_SYSTEM, "broken");
	ntfs_image_free(kit.img);
	kit.img = NULL;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	expect_ok(ntfs_image_finish(kit.img, &kit.e), &kit.e);
	expect_err(ntfs_image_add_dir(kit.img, NTFS_ROOT_REF, "d", 0, &ref, &kit.e), &kit.e, EINVAL,
		   ERR_SYSTEM, "finished");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(test_fve_4k),		KIT_TEST(test_fve_16k),
		KIT_TEST(test_fve_64k),		KIT_TEST(test_fve_attributes),
		KIT_TEST(test_times),		KIT_TEST(test_times_before_1970),
		KIT_TEST(test_refused_names),	KIT_TEST(test_collisions),
		KIT_TEST(test_link_limits),	KIT_TEST(test_boot_sector),
		KIT_TEST(test_refused_params),	KIT_TEST(test_mkntfs_fails),
		KIT_TEST(test_missing_folder),	KIT_TEST(test_path_with_dash),
		KIT_TEST(test_abort_removes),	KIT_TEST(test_existing_file_is_kept),
		KIT_TEST(test_local_disk_full), KIT_TEST(test_order_of_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
