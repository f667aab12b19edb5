/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NTFS images with files of all kinds: what independent readers find, and what goes to the drive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/ntfs_export.h"

static void add_deep_tree(struct kit *k)
{
	char path[600] = "";
	uint64_t ref = NTFS_ROOT_REF;

	for (int depth = 0; depth < 60; depth++) {
		ref = kit_add_dir(k, ref, "deeper");
		(void)strcat(path, "\\deeper");
		kit_add(k, ref, path, "leaf", (uint64_t)depth * 100);
	}
}

static void add_all_kinds(struct kit *k)
{
	static const char *const names[] = {
		"plain.txt",	    "gr\u00f6\u00dfe.vhd",
		"\u65e5\u672c.bak", "\U0001f680 rocket \U0001f331",
		".hidden",	    "two  blanks",
		"a'b$(c)`d`",
	};
	char long_name[256], long_emoji[512];
	uint64_t dir = kit_add_dir(k, NTFS_ROOT_REF, "Verzeichnis \u00e4");
	const char *at = "\\Verzeichnis \u00e4";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		kit_add(k, dir, at, names[i], 5000 + i);
	memset(long_name, 'n', 255);
	long_name[255] = '\0';
	kit_add(k, dir, at, long_name, 255);
	for (size_t i = 0; i < 127; i++)
		memcpy(long_emoji + 4 * i, "\U0001f331", 4); /* NOLINT: ended below */
	(void)strcpy(long_emoji + 4 * 127, "x");	     /* 255 units */
	kit_add(k, dir, at, long_emoji, 127);
	kit_add(k, NTFS_ROOT_REF, "", "empty", 0);
	kit_add(k, NTFS_ROOT_REF, "", "one byte", 1);
	kit_add(k, NTFS_ROOT_REF, "", "one cluster", k->cluster_bytes);
	kit_add(k, NTFS_ROOT_REF, "", "one cluster and one", k->cluster_bytes + 1);
	kit_add(k, NTFS_ROOT_REF, "", "ten megabytes", 10000000);
	(void)kit_add_dir(k, dir, "empty directory");
}

static void link_to(struct kit *k, size_t i, uint64_t dir, const char *dir_path, const char *name)
{
	struct kit_file *f = kit_note(k, dir_path, name);

	f->ref = k->files[i].ref;
	f->size_bytes = k->files[i].size_bytes;
	expect_ok(ntfs_image_add_link(k->img, dir, name, f->ref, &k->e), &k->e);
}

/* A link is one more path to bytes that are somewhere already: it has no extents of its own to stream. */
static void add_links(struct kit *k)
{
	uint64_t dir = kit_add_dir(k, NTFS_ROOT_REF, "links");

	for (size_t i = 0; i < 20; i++) {
		char name[240];

		(void)snprintf(name, sizeof(name), "link %0*zu", (int)(10 * i), i);
		link_to(k, 3, dir, "\\links", name);
		link_to(k, 9, dir, "\\links", name + 2);
	}
}

static void compare_links(struct kit *k, size_t first)
{
	_cleanup_(target_closep) struct target *t = NULL;
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = NULL;

	expect_ok(target_file_open(k->image, false, &t, &k->e), &k->e);
	expect_ok(ntfs_volume_open(t, &vol, &k->e), &k->e);
	for (size_t i = first; i < k->n_files; i++)
		kit_compare(k, vol, &k->files[i]);
}

static void test_kinds(uint64_t volume_bytes, uint32_t cluster_bytes)
{
	size_t n_files;

	kit_create(&kit, volume_bytes, cluster_bytes, NULL);
	add_all_kinds(&kit);
	add_deep_tree(&kit);
	n_files = kit.n_files;
	add_links(&kit);
	for (size_t i = 0; i < n_files; i++)
		assert_true(kit.files[i].n_extents == (kit.files[i].size_bytes > 0));
	kit_stream(&kit, kit.image);
	kit_finish(&kit);
	compare_links(&kit, n_files);
	kit.n_files = n_files;
	kit_compare_all(&kit, kit.image);
	kit_expect_sound(&kit, kit.image);
}

static void test_kinds_4k(void **state)
{
	(void)state;
	test_kinds(300 * MiB, 4096);
}

static void test_kinds_64k(void **state)
{
	(void)state;
	test_kinds(300 * MiB + 512, 65536);
}

/* Sizes that are whole clusters, a sector more, a sector less. */
static void export_all_kinds(uint64_t volume_bytes, uint32_t cluster_bytes)
{
	kit_create(&kit, volume_bytes, cluster_bytes, NULL);
	add_all_kinds(&kit);
	add_deep_tree(&kit);
	expect_exportable(&kit, volume_bytes);
}

static void test_export_4k(void **state)
{
	(void)state;
	export_all_kinds(64 * MiB, 4096);
}

static void test_export_8k_odd(void **state)
{
	(void)state;
	export_all_kinds(100 * MiB + 4608, 8192);
}

static void test_export_64k(void **state)
{
	(void)state;
	export_all_kinds(128 * MiB - 512, 65536);
}

static void test_by_path_of_other_reader(void **state)
{
	_cleanup_free_ char *seen = NULL;
	struct kit_file *f;
	uint8_t want[77];
	size_t n;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	f = kit_add(&kit, kit_add_dir(&kit, NTFS_ROOT_REF, "\u00fc"), "\\\u00fc", "\U0001f680",
		    sizeof(want));
	kit_stream(&kit, kit.image);
	kit_finish(&kit);
	assert_int_equal(kit_run(&kit, "ntfsinfo -m %s | grep -q 'Volume Name: Seedship \u00fc$'",
				 kit.image),
			 0);
	kit_fill(f, 0, want, sizeof(want));
	assert_int_equal(kit_run(&kit, "ntfscat -f %s '/\u00fc/\U0001f680'", kit.image), 0);
	seen = kit_output(&kit, &n);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(seen, want, sizeof(want));
}

static int stop(void *arg, uint64_t off_bytes, uint64_t len_bytes, struct err *e)
{
	(void)arg;
	(void)off_bytes;
	(void)len_bytes;
	return err_set(e, EINTR, "stopped");
}

/* Extents of another image, or of none, are found out before anything is missing on the drive. */
static void test_foreign_extents(void **state)
{
	_cleanup_(target_closep) struct target *t = NULL;
	struct range_list l = {0};
	struct ntfs_range free_space = {60 * MiB, 4096}, twice[2], straddling;
	struct kit_file *f;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	f = kit_add(&kit, NTFS_ROOT_REF, "", "f", 40960);
	kit_finish(&kit);
	expect_ok(target_file_open(kit.image, false, &t, &kit.e), &kit.e);
	expect_err(ntfs_image_metadata_runs(t, &free_space, 1, &kit.fve, collect, &l, &kit.e),
		   &kit.e, EBADMSG, ERR_CORRUPT, "not allocated");
	l.n = 0;
	free_space.off_bytes = 640 * MiB;
	expect_err(ntfs_image_metadata_runs(t, &free_space, 1, &kit.fve, collect, &l, &kit.e),
		   &kit.e, EBADMSG, ERR_CORRUPT, "not allocated");
	l.n = 0;
	straddling = (struct ntfs_range){f->extents[0].volume_off_bytes, 40 * MiB};
	expect_err(ntfs_image_metadata_runs(t, &straddling, 1, NULL, collect, &l, &kit.e), &kit.e,
		   EBADMSG, ERR_CORRUPT, "not allocated");
	l.n = 0;
	twice[0] = twice[1] = (struct ntfs_range){f->extents[0].volume_off_bytes, 40960};
	expect_err(ntfs_image_metadata_runs(t, twice, 2, &kit.fve, collect, &l, &kit.e), &kit.e,
		   EINVAL, ERR_SYSTEM, "overlap");
	free(l.v);
	expect_err(ntfs_image_metadata_runs(t, twice, 1, &kit.fve, stop, NULL, &kit.e), &kit.e,
		   EINTR, ERR_INTERRUPTED, "stopped");
}

/* What export relies on when it is run again: the same plan gives the same places. */
static void test_deterministic(void **state)
{
	struct range_list lists[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		kit_create(&kit, 100 * MiB, 4096, NULL);
		add_all_kinds(&kit);
		add_deep_tree(&kit);
		lists[i] = content_of(&kit);
		ntfs_image_free(kit.img);
		kit.img = NULL;
		for (size_t j = 0; j < kit.n_files; j++)
			free(kit.files[j].extents);
		kit.n_files = 0;
		free(kit.files);
		kit.files = NULL;
	}
	assert_int_equal(lists[0].n, lists[1].n);
	assert_memory_equal(lists[0].v, lists[1].v, lists[0].n * sizeof(*lists[0].v));
	free(lists[0].v);
	free(lists[1].v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(test_kinds_4k),	KIT_TEST(test_kinds_64k),
		KIT_TEST(test_export_4k),	KIT_TEST(test_export_8k_odd),
		KIT_TEST(test_export_64k),	KIT_TEST(test_by_path_of_other_reader),
		KIT_TEST(test_foreign_extents), KIT_TEST(test_deterministic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
