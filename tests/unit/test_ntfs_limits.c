/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NTFS images at their limits: many files, free space in pieces, full volumes, large ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/ntfs_export.h"

static void test_many_in_one_directory(void **state)
{
	struct ntfs_tree_size tree = {.n_files = 5000, .n_dirs = 1, .name_units = 5000 * 24};
	uint64_t dir;
	char name[64];

	(void)state;
	kit_create(&kit, 128 * MiB, 4096, &tree);
	dir = kit_add_dir(&kit, NTFS_ROOT_REF, "many");
	for (unsigned i = 0; i < 5000; i++) {
		/* Not in the order of the directory. */
		(void)snprintf(name, sizeof(name), "file %08x", i * 2654435761u);
		kit_add(&kit, dir, "\\many", name, i % 9000);
	}
	expect_exportable(&kit, 128 * MiB);
	assert_int_equal(
		kit_run(&kit, "test $(ntfsls -p /many %s | grep -c '^file ') = 5000", kit.image),
		0);
	assert_int_equal(kit_run(&kit, "test $(fls -r -F %s | grep -c 'file ') = 5000", kit.image),
			 0);
}

/* A large file among small ones, with free space that is all in pieces. */
static void test_fragmented(void **state)
{
	uint64_t sizes[] = {40 * MiB, 30 * MiB, 20 * MiB, 10 * MiB, 5 * MiB, MiB, 100000, 4096};
	const struct ntfs_extent *x;
	uint64_t ref, total = 0;
	size_t n, most = 0;
	char name[32];

	(void)state;
	kit_create(&kit, 128 * MiB, 4096, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(sizes);) {
		int r;

		(void)snprintf(name, sizeof(name), "f%zu", kit.n_files);
		r = ntfs_image_add_file(kit.img, NTFS_ROOT_REF, name, sizes[i], 0, &ref, &x, &n,
					&kit.e);
		if (r < 0) {
			expect_err(r, &kit.e, ENOSPC, ERR_SYSTEM, "the volume is full");
			i++;
			continue;
		}
		struct kit_file *f = kit_note(&kit, "", name);

		f->ref = ref;
		f->size_bytes = sizes[i];
		f->n_extents = n;
		f->extents = calloc(n, sizeof(*x));
		memcpy(f->extents, x, n * sizeof(*x));
		most = MAX(most, n);
		total += round_up_u64(sizes[i], 4096);
	}
	assert_true(most > 1);
	assert_true(total > 115 * MiB);
	expect_exportable(&kit, 128 * MiB);
}

/*
 * The promise of ntfs_image_overhead(): a tree of the announced size fits to the last cluster, whatever
 * its shape. files_bytes 0: empty files.
 */
static void fill_to_the_limit(uint64_t volume_bytes, uint32_t cluster_bytes, unsigned n_dirs,
			      unsigned per_dir, unsigned name_len)
{
	struct ntfs_geometry g = {volume_bytes, 512, cluster_bytes};
	struct ntfs_tree_size tree = {.n_files = (uint64_t)n_dirs * per_dir + 1, .n_dirs = n_dirs};
	uint64_t clusters, used, dirs[64], each;
	char name[300];

	tree.name_units = tree.n_files * (name_len + 8) + 20 * n_dirs;
	used = ntfs_image_overhead(&g, &tree);
	assert_true(used < volume_bytes);
	clusters = (volume_bytes - used) / cluster_bytes;
	kit_create(&kit, volume_bytes, cluster_bytes, &tree);
	for (unsigned d = 0; d < n_dirs; d++) {
		(void)snprintf(name, sizeof(name), "directory %u", d);
		dirs[d] = kit_add_dir(&kit, NTFS_ROOT_REF, name);
	}
	each = MIN(clusters / tree.n_files, 3u);
	for (unsigned i = 0; i < n_dirs * per_dir; i++) {
		/* Directory after directory in turn, long names between short ones. */
		unsigned len = i % 3 ? name_len : 1;

		(void)snprintf(name, sizeof(name), "%0*u %x", (int)len, 0u, i * 40503u);
		kit_add(&kit, dirs[i % n_dirs], "", name, each * cluster_bytes);
		clusters -= each;
	}
	kit_add(&kit, NTFS_ROOT_REF, "", "the rest", clusters * cluster_bytes);
	kit_finish(&kit);
	kit_expect_sound(&kit, kit.image);
}

static void test_limit_flat(void **state)
{
	(void)state;
	fill_to_the_limit(128 * MiB, 4096, 1, 12000, 12);
}

static void test_limit_long_names(void **state)
{
	(void)state;
	fill_to_the_limit(128 * MiB, 4096, 4, 2000, 240);
}

static void test_limit_many_dirs(void **state)
{
	(void)state;
	fill_to_the_limit(64 * MiB, 4096, 64, 60, 8);
}

static void test_limit_64k(void **state)
{
	(void)state;
	fill_to_the_limit(300 * MiB, 65536, 64, 40, 8);
}

static void test_limit_no_files(void **state)
{
	(void)state;
	fill_to_the_limit(64 * MiB, 4096, 1, 0, 8);
}

/* More names than announced, on a volume that is full otherwise: the library runs out at some point. */
static void test_no_room_for_names(void **state)
{
	struct ntfs_geometry g = {64 * MiB, 512, 4096};
	struct ntfs_tree_size tree = {.n_files = 1, .name_units = 4};
	char name[200];
	uint64_t ref;
	int r = 0;

	(void)state;
	kit_create(&kit, g.volume_bytes, g.cluster_bytes, &tree);
	kit_add(&kit, NTFS_ROOT_REF, "", "most",
		round_down_u64(g.volume_bytes - ntfs_image_overhead(&g, &tree), 4096));
	for (int i = 0; i < 20000 && r == 0; i++) {
		(void)snprintf(name, sizeof(name), "%0150d", i);
		r = ntfs_image_add_dir(kit.img, NTFS_ROOT_REF, name, 0, &ref, &kit.e);
	}
	expect_err(r, &kit.e, EOVERFLOW, ERR_SYSTEM, name);
	assert_non_null(strstr(kit.e.hint, "no room for more names"));
	expect_err(ntfs_image_finish(kit.img, &kit.e), &kit.e, EINVAL, ERR_SYSTEM, "broken");
}

/* The bound is an honest one: not more than this many times what is really used. */
static void test_overhead_is_not_silly(void **state)
{
	struct ntfs_geometry g = {10 * TiB, 512, 65536};
	struct ntfs_tree_size few = {.n_files = 100, .n_dirs = 10, .name_units = 2000};
	struct ntfs_tree_size many = {.n_files = 200000, .n_dirs = 2000, .name_units = 200000 * 30};

	(void)state;
	assert_true(ntfs_image_overhead(&g, &few) < 100 * MiB);
	assert_true(ntfs_image_overhead(&g, &many) < 800 * MiB);
	g.cluster_bytes = 4096;
	assert_true(ntfs_image_overhead(&g, &few) < 400 * MiB);
}

/* 10 TiB with a file of 3 GiB and a huge one: places beyond 32 bits of bytes and sectors. */
static void large(uint32_t cluster_bytes, uint64_t huge_bytes)
{
	_cleanup_(target_closep) struct target *t = NULL;
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = NULL;
	struct range_list metadata;
	uint64_t total = 0;
	struct kit_file *f;
	_cleanup_fd_ int fd = -1;

	kit_create(&kit, 10 * TiB, cluster_bytes, NULL);
	kit_add(&kit, NTFS_ROOT_REF, "", "3 GiB", 3 * GiB);
	kit_add(&kit, NTFS_ROOT_REF, "", "huge", huge_bytes);
	kit_add(&kit, NTFS_ROOT_REF, "", "small", 12345);
	kit_finish(&kit);
	fd = open(kit.image, O_RDWR | O_CLOEXEC);
	expect_ok(target_file_open(kit.image, false, &t, &kit.e), &kit.e);
	expect_ok(ntfs_volume_open(t, &vol, &kit.e), &kit.e);
	for (f = kit.files; f < kit.files + kit.n_files; f++) {
		_cleanup_(ntfs_file_closep) struct ntfs_file *file = NULL;
		uint64_t at = 0;

		expect_ok(ntfs_volume_open_file(vol, f->path, &file, &kit.e), &kit.e);
		kit_compare_extents(&kit, vol, f);
		/* A few bytes at the start of each extent and at the end of the file. */
		for (size_t i = 0; i <= f->n_extents; i++) {
			const struct ntfs_extent *x = &f->extents[MIN(i, f->n_extents - 1)];
			uint8_t want[100], seen[100];

			at = i < f->n_extents ? x->file_off_bytes : f->size_bytes - sizeof(want);
			kit_fill(f, at, want, sizeof(want));
			assert_int_equal(
				fd_pwrite_full(fd, want, sizeof(want),
					       x->volume_off_bytes + at - x->file_off_bytes),
				0);
			expect_ok(ntfs_file_pread(file, seen, sizeof(seen), at, &kit.e), &kit.e);
			assert_memory_equal(seen, want, sizeof(want));
		}
	}
	metadata = metadata_of(&kit);
	for (size_t i = 0; i < metadata.n; i++)
		total += metadata.v[i].len_bytes;
	free(metadata.v);
	assert_true(total < 500 * MiB);
	kit_expect_sound(&kit, kit.image);
}

static void test_large_4k(void **state)
{
	(void)state;
	large(4096, TiB);
}

static void test_large_64k(void **state)
{
	(void)state;
	large(65536, 9 * TiB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(test_many_in_one_directory),
		KIT_TEST(test_fragmented),
		KIT_TEST(test_limit_flat),
		KIT_TEST(test_limit_long_names),
		KIT_TEST(test_limit_many_dirs),
		KIT_TEST(test_limit_64k),
		KIT_TEST(test_limit_no_files),
		KIT_TEST(test_no_room_for_names),
		KIT_TEST(test_overhead_is_not_silly),
		KIT_TEST(test_large_4k),
		KIT_TEST(test_large_64k),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
