/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans from staged entries: order, totals, types of blobs, ranges, digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/units.h"
#include "tests/unit/plan_fixture.h"

static void test_plain_tree(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	const struct plan_totals *t;
	struct placement file;
	struct plan_dir dir;

	(void)state;
	add_file(b, "a.txt", 3);
	add_dir(b, "sub");
	add_dir(b, "sub/deeper");
	add_file(b, "sub/deeper/b", UINT64_C(5) << 20);
	add_file(b, "sub/z", 0);
	p = finish(b);

	assert_int_equal(plan_count(p), 3);
	expect_names(p, 0, "a.txt", "backup/a.txt", "\\session#1\\a.txt");
	expect_names(p, 1, "sub/deeper/b", "backup/sub/deeper/b", "\\session#1\\sub\\deeper\\b");
	expect_names(p, 2, "sub/z", "backup/sub/z", "\\session#1\\sub\\z");
	plan_get(p, 1, &file);
	assert_int_equal(file.size_bytes, UINT64_C(5) << 20);
	assert_int_equal(file.content_version, 7);
	assert_int_equal(file.mtime_ns, UINT64_C(1790000000123456789));
	assert_int_equal(file.blob_type, BLOBTYPE_BLOCK);
	assert_int_equal(file.link_of, PLAN_NO_LINK);
	assert_int_equal(file.drive_dir, file.dir);
	plan_get_dir(p, file.drive_dir, &dir);
	assert_string_equal(dir.drive_name, "deeper");
	assert_true(dir.on_drive);
	plan_get_dir(p, dir.parent, &dir);
	assert_string_equal(dir.drive_name, "sub");
	assert_int_equal(dir.parent, PLAN_DIR_ROOT);
	plan_get_dir(p, PLAN_DIR_FLAT, &dir);
	assert_false(dir.on_drive);

	t = plan_totals(p);
	assert_int_equal(t->files, 3);
	assert_int_equal(t->dirs, 3);
	assert_int_equal(t->drive_bytes, (UINT64_C(5) << 20) + 3);
	assert_int_equal(t->blob_bytes, t->drive_bytes);
	assert_int_equal(t->ranges, 3);
	assert_int_equal(t->drive_name_units, 9 + 3 + 6 + 5 + 1 + 1);
	assert_int_equal(t->largest_bytes, UINT64_C(5) << 20);
	assert_int_equal(t->not_shipped + t->links + t->renamed + t->refused, 0);
	expect_omissions(p, "");
}

static void test_prefix(void **state)
{
	struct plan_desc desc = plain;
	struct plan_builder *b;
	_cleanup_(plan_freep) struct plan *p = NULL;

	(void)state;
	desc.prefix = "host/2026";
	b = start(&desc);
	add_dir(b, "d");
	add_file(b, "d/f", 1);
	p = finish(b);
	expect_names(p, 0, "d/f", "backup/host/2026/d/f", "\\session#1\\d\\f");
	assert_string_equal(plan_desc(p)->prefix, "host/2026");
}

static void test_order_of_walk(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct err e = {0};
	struct staged_entry file = {.ino = 1, .mode = S_IFREG, .nlink = 1};

	(void)state;
	/* Directory by directory is as good as depth first. */
	add_dir(b, "a");
	add_dir(b, "b");
	add_dir(b, "a/x");
	add_dir(b, "b/x");
	add_file(b, "b/x/1", 1);
	add_file(b, "a/x/2", 1);
	add_file(b, "b/x/3", 1);
	assert_int_equal(try_add(b, &file, "a/y/1", &e), -EBADMSG);
	assert_string_equal(e.text, "staged path 'a/y/1' comes before its directory");
	p = finish(b);
	assert_int_equal(plan_dir_count(p), 2 + 4);
	expect_names(p, 0, "b/x/1", "backup/b/x/1", "\\session#1\\b\\x\\1");
	expect_names(p, 1, "a/x/2", "backup/a/x/2", "\\session#1\\a\\x\\2");
	expect_names(p, 2, "b/x/3", "backup/b/x/3", "\\session#1\\b\\x\\3");
}

static void test_types_by_name(void **state)
{
	static const struct {
		const char *name;
		uint64_t size_bytes;
		enum blobtype type;
	} rows[] = {
		{"a.VHD", 1024, BLOBTYPE_PAGE},	     {"a.bin", 1024, BLOBTYPE_BLOCK},
		{"a.vhd", 1023, BLOBTYPE_BLOCK},     {"a.vhdx", 512, BLOBTYPE_PAGE},
		{"a.vhdx.zst", 512, BLOBTYPE_BLOCK}, {"b.vhd", 0, BLOBTYPE_BLOCK},
		{"huge.vhd", TiB, BLOBTYPE_PAGE},    {"vhd", 512, BLOBTYPE_BLOCK},
	};
	struct plan_desc desc = plain;
	struct plan_builder *b;
	_cleanup_(plan_freep) struct plan *p = NULL;

	(void)state;
	desc.blob_type = BLOBTYPE_AUTO;
	b = start(&desc);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		add_file(b, rows[i].name, rows[i].size_bytes);
	p = finish(b);
	assert_int_equal(plan_count(p), ARRAY_SIZE(rows));
	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct placement file;

		plan_get(p, i, &file);
		assert_int_equal(file.blob_type, rows[i].type);
	}
}

/* A plan of a fixed tree; change: which detail of it is different. */
static void digest_of(int change, uint8_t ret[PLAN_DIGEST_BYTES])
{
	struct plan_desc desc = plain;
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct plan_builder *b;
	struct staged_entry file = {
		.ino = change == 1 ? 11 : 10,
		.mode = S_IFREG,
		.nlink = change == 2 ? 2 : 1,
		.size_bytes = change == 3 ? 101 : 100,
		.content_version = change == 4 ? 2 : 1,
		.mtime_ns = change == 100 ? 5 : 4,
	};

	desc.session_id = change == 5 ? "session#2" : desc.session_id;
	desc.container = change == 6 ? "other" : desc.container;
	desc.prefix = change == 7 ? "p" : "";
	desc.blob_type = change == 8 ? BLOBTYPE_AUTO : BLOBTYPE_BLOCK;
	b = start(&desc);
	if (change == 101)
		add_dir(b, "another-empty-one");
	add_dir(b, change == 9 ? "e" : "d");
	add(b, &file, change == 9 ? "e/x" : "d/x");
	if (change == 2)
		add(b, &file, "y");
	file.ino = 20;
	file.size_bytes = 1024;
	add(b, &file, "z.vhd");
	p = finish(b);
	assert_int_equal(plan_digest(p, ret, NULL), 0);
}

static void test_digest(void **state)
{
	uint8_t same[PLAN_DIGEST_BYTES], other[PLAN_DIGEST_BYTES];

	(void)state;
	digest_of(0, same);
	digest_of(0, other);
	assert_memory_equal(same, other, sizeof(same));
	for (int change = 1; change <= 9; change++) {
		digest_of(change, other);
		if (memcmp(same, other, sizeof(same)) == 0)
			fail_msg("change %d does not show", change);
	}
	/* Times and directories without files change nothing on the drive or in the container. */
	digest_of(100, other);
	assert_memory_equal(same, other, sizeof(same));
	digest_of(101, other);
	assert_memory_equal(same, other, sizeof(same));
}

/* Golden: computed from the layout described in plan.h by other means. */
static void test_digest_bytes(void **state)
{
	uint8_t digest[PLAN_DIGEST_BYTES];
	char text[2 * PLAN_DIGEST_BYTES + 1];

	(void)state;
	digest_of(0, digest);
	assert_string_equal(format_hex(digest, sizeof(digest), 0, text),
			    "60ddeb75bda8b873223d73e61da1bee4d230c82557ed6a6d625608f2233c901b");
}

static void test_many_files(void **state)
{
	struct plan_builder *b = start(&plain);
	_cleanup_(plan_freep) struct plan *p = NULL;
	char path[64], want[80];

	(void)state;
	for (int d = 0; d < 50; d++) {
		(void)snprintf(path, sizeof(path), "dir%d", d);
		add_dir(b, path);
		for (int f = 0; f < 400; f++) {
			(void)snprintf(path, sizeof(path), "dir%d/file%d", d, f);
			add_file(b, path, (uint64_t)f);
		}
	}
	p = finish(b);
	assert_int_equal(plan_count(p), 20000);
	for (uint32_t i = 0; i < 20000; i++) {
		struct placement file;

		(void)snprintf(path, sizeof(path), "dir%u/file%u", i / 400, i % 400);
		(void)snprintf(want, sizeof(want), "backup/%s", path);
		plan_get(p, i, &file);
		assert_int_equal(file.size_bytes, i % 400);
		assert_int_equal(file.dir, PLAN_DIR_FLAT + 1 + i / 400);
		if (i % 97 == 0) {
			_cleanup_(buf_done) struct buf text = BUF_INIT;

			plan_blob_path(p, &file, &text);
			assert_string_equal(buf_text(&text), want);
		}
	}
}

static void test_ranges(void **state)
{
	const uint64_t block = BLOBTYPE_BLOCK_BYTES;

	(void)state;
	assert_int_equal(plan_range_count(0), 0);
	assert_int_equal(plan_range_count(1), 1);
	assert_int_equal(plan_range_count(block), 1);
	assert_int_equal(plan_range_count(block + 1), 2);
	assert_int_equal(plan_range_count(UINT64_MAX), (uint64_t)1 << 42);
	assert_int_equal(plan_range_bytes(block + 1, 0), block);
	assert_int_equal(plan_range_bytes(block + 1, 1), 1);
	assert_int_equal(plan_range_bytes(block, 0), block);
}

static void test_blob_type_names(void **state)
{
	enum blobtype type;
	struct err e;

	(void)state;
	for (int i = BLOBTYPE_BLOCK; i <= BLOBTYPE_AUTO; i++) {
		assert_int_equal(blobtype_parse(blobtype_name((enum blobtype)i), &type, NULL), 0);
		assert_int_equal(type, i);
	}
	assert_int_equal(blobtype_parse("Page", &type, &e), -EINVAL);
	assert_string_equal(e.text, "blob type 'Page': must be block, page or auto");
	assert_int_equal(e.class, ERR_USER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_tree),	cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_order_of_walk),	cmocka_unit_test(test_types_by_name),
		cmocka_unit_test(test_digest),		cmocka_unit_test(test_digest_bytes),
		cmocka_unit_test(test_many_files),	cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_blob_type_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
