/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which files of a plan go on which drive: all of them once, none too many, the same every time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exporter/drive/share.h"
#include "exporter/manifest/drive_manifest.h"
#include "tests/unit/plan_fixture.h"

#define DRIVES_MAX 16

/* Files of many sizes in many directories, some with further names; the order of the walk. */
static struct plan *make_plan(unsigned n, uint64_t scale_bytes)
{
	struct plan_builder *b = start(&plain);
	char path[64];

	next_ino = 100;
	for (unsigned i = 0; i < n; i++) {
		if (i % 10 == 0) {
			(void)snprintf(path, sizeof(path), "dir-%05u", i / 10);
			add_dir(b, path);
		}
		(void)snprintf(path, sizeof(path), "dir-%05u/file %u & more", i / 10, i);
		if (i % 7 == 3)
			add_link(b, path, 10 + i % 5, scale_bytes * (i % 5 + 1));
		else
			add_file(b, path, i % 11 * scale_bytes + i);
	}
	return finish(b);
}

struct filled {
	struct shares *shares;
	struct share *drives[DRIVES_MAX];
	unsigned n;
};

static void fill(const struct plan *p, uint64_t drive_bytes, struct filled *ret)
{
	*ret = (struct filled){0};
	assert_int_equal(shares_new(p, &ret->shares, NULL), 0);
	while (shares_left_files(ret->shares)) {
		assert_true(ret->n < DRIVES_MAX);
		assert_int_equal(share_take(ret->shares, drive_bytes, &ret->drives[ret->n], NULL),
				 0);
		assert_true(share_totals(ret->drives[ret->n])->files > 0);
		ret->n++;
	}
}

static void filled_done(struct filled *f)
{
	for (unsigned i = 0; i < f->n; i++)
		share_free(f->drives[i]);
	shares_free(f->shares);
}

static uint64_t needed_bytes(const struct plan *p)
{
	struct shares *s;
	uint64_t need;

	assert_int_equal(shares_new(p, &s, NULL), 0);
	assert_int_equal(shares_needed_bytes(s, &need, NULL), 0);
	assert_int_equal(shares_left_files(s), plan_totals(p)->files);
	shares_free(s);
	return need;
}

static void check_share(const struct plan *p, const struct share *s, uint8_t *seen)
{
	const struct share_totals *t = share_totals(s);
	uint64_t files = 0, links = 0, bytes = 0, content = 0;

	for (uint32_t i = share_next(s, 0); i < plan_count(p); i = share_next(s, i + 1)) {
		struct placement f;

		assert_true(share_has_file(s, i));
		assert_int_equal(seen[i]++, 0);
		share_get(s, i, &f);
		files++;
		bytes += f.size_bytes;
		if (f.link_of != PLAN_NO_LINK) {
			struct placement first;

			links++;
			assert_true(f.link_of < i);
			assert_true(share_has_file(s, f.link_of));
			share_get(s, f.link_of, &first);
			assert_int_equal(first.ino, f.ino);
			assert_true(first.link_of == PLAN_NO_LINK);
		} else {
			content += (f.size_bytes + 4095) / 4096 * 4096;
		}
		assert_true(share_has_dir(s, f.drive_dir));
	}
	assert_int_equal(t->files, files);
	assert_int_equal(t->blob_bytes, bytes);
	assert_int_equal(t->load.content_bytes, content);
	assert_int_equal(t->load.tree.n_links, links);
	assert_int_equal(t->load.tree.n_files, files - links + 1);
}

static void test_every_file_once(void **state _unused_)
{
	struct plan *p = make_plan(4000, 300000);
	uint8_t *seen = calloc(plan_count(p), 1);
	struct filled f;

	fill(p, UINT64_C(1) << 30, &f);
	assert_true(f.n > 2);
	for (unsigned i = 0; i < f.n; i++)
		check_share(p, f.drives[i], seen);
	for (uint32_t i = 0; i < plan_count(p); i++)
		assert_int_equal(seen[i], 1);
	assert_int_equal(shares_left_bytes(f.shares), 0);
	filled_done(&f);
	free(seen);
	plan_free(p);
}

static void test_same_every_time(void **state _unused_)
{
	struct plan *p = make_plan(1000, 500000);
	struct filled a, b;

	fill(p, UINT64_C(512) << 20, &a);
	fill(p, UINT64_C(512) << 20, &b);
	assert_int_equal(a.n, b.n);
	for (unsigned i = 0; i < a.n; i++)
		for (uint32_t k = 0; k < plan_count(p); k++)
			assert_int_equal(share_has_file(a.drives[i], k),
					 share_has_file(b.drives[i], k));
	filled_done(&a);
	filled_done(&b);
	plan_free(p);
}

/* A drive of the size that is said to be needed takes all; one much smaller does not. */
static void test_needed_size(void **state _unused_)
{
	for (unsigned n = 1; n < 3000; n = n * 3 + 1) {
		struct plan *p = make_plan(n, 100000);
		uint64_t need = needed_bytes(p);
		struct filled f;

		fill(p, need, &f);
		assert_int_equal(f.n, 1);
		filled_done(&f);
		if (need > 200 * MiB) {
			fill(p, need - 4 * MiB, &f);
			assert_true(f.n > 1);
			filled_done(&f);
		}
		plan_free(p);
	}
}

static void test_give_back(void **state _unused_)
{
	struct plan *p = make_plan(100, 100000);
	struct shares *s;
	struct share *a, *b;

	assert_int_equal(shares_new(p, &s, NULL), 0);
	assert_int_equal(share_take(s, UINT64_C(1) << 30, &a, NULL), 0);
	assert_int_equal(shares_left_files(s), 0);
	assert_int_equal(share_take(s, UINT64_C(1) << 30, &b, NULL), 0);
	assert_int_equal(share_totals(b)->files, 0);
	share_give_back(s, a);
	assert_int_equal(shares_left_files(s), 100);
	assert_int_equal(shares_left_bytes(s), plan_totals(p)->blob_bytes);
	share_free(a);
	share_free(b);
	shares_free(s);
	plan_free(p);
}

/* What is too large for this drive waits; what comes behind it is taken. */
static void test_large_file_waits(void **state _unused_)
{
	struct plan_builder *b = start(&plain);
	struct plan *p;
	struct shares *s;
	struct share *small, *large;

	add_file(b, "a", 1000);
	add_file(b, "b", UINT64_C(3) << 30);
	add_file(b, "c", 1000);
	p = finish(b);
	assert_int_equal(shares_new(p, &s, NULL), 0);
	assert_int_equal(share_take(s, UINT64_C(1) << 30, &small, NULL), 0);
	assert_int_equal(share_totals(small)->files, 2);
	assert_false(share_has_file(small, 1));
	assert_int_equal(shares_left_bytes(s), UINT64_C(3) << 30);
	assert_int_equal(share_take(s, UINT64_C(4) << 30, &large, NULL), 0);
	assert_true(share_has_file(large, 1));
	assert_int_equal(shares_left_files(s), 0);
	share_free(small);
	share_free(large);
	shares_free(s);
	plan_free(p);
}

/* A drive gets so full that some names of a file it has do not fit: the next drive has the content again. */
static void test_links_across_drives(void **state _unused_)
{
	struct plan_builder *b = start(&plain);
	uint64_t links = 0;
	char name[256];
	struct filled f;
	struct plan *p;
	uint8_t *seen;

	for (unsigned i = 0; i < 70000; i++) {
		(void)snprintf(name, sizeof(name), "f%05u", i);
		add_file(b, name, 4096);
	}
	for (unsigned i = 0; i < 900; i++) {
		(void)snprintf(name, sizeof(name), "l%03u-%0*d", i, i ? 200 : 1, 0);
		add_link(b, name, 7, 10);
	}
	p = finish(b);
	seen = calloc(plan_count(p), 1);
	fill(p, needed_bytes(p) - 2 * MiB, &f);
	assert_true(f.n > 1);
	for (unsigned i = 0; i < f.n; i++) {
		check_share(p, f.drives[i], seen);
		links += share_totals(f.drives[i])->load.tree.n_links;
	}
	assert_true(links < 899 && links >= 900 - f.n);
	filled_done(&f);
	free(seen);
	plan_free(p);
}

/* The bound of a blob's part of the manifest is never too low, and not much too high. */
static void test_manifest_bound(void **state _unused_)
{
	static const uint64_t sizes[] = {0, 1, MANIFEST_BLOCK_BYTES, MANIFEST_BLOCK_BYTES * 9 + 512,
					 MANIFEST_BLOCK_BYTES * 1000};
	static const char *const names[] = {"a", "x & <y> \"z\"", "\xc3\xa4\xe2\x82\xac"};
	struct manifest_desc desc = {.drive_id = "D", .session_id = "session#1"};

	for (unsigned i = 0; i < 5 * 3 * 2; i++) {
		char blob_path[64], file_path[64];
		struct manifest_blob blob = {.blob_path = blob_path,
					     .file_path = file_path,
					     .length_bytes = sizes[i % 5],
					     .ranges = i / 15 ? MANIFEST_PAGES : MANIFEST_BLOCKS};
		uint64_t with = 0, without = 0;
		struct manifest *m;

		if (blob.ranges == MANIFEST_PAGES)
			blob.length_bytes = blob.length_bytes / 512 * 512;
		(void)snprintf(blob_path, sizeof(blob_path), "c/%s", names[i / 5 % 3]);
		(void)snprintf(file_path, sizeof(file_path), "\\s\\%s", names[i / 5 % 3]);
		for (int k = 0; k < 2; k++) {
			assert_int_equal(manifest_begin(&desc, NULL, &m, NULL), 0);
			if (k)
				assert_int_equal(manifest_blob(m, &blob, NULL), 0);
			assert_int_equal(manifest_end(m, 0, k ? &with : &without, NULL), 0);
			manifest_free(m);
		}
		assert_true(without <= MANIFEST_FRAME_BYTES_MAX);
		assert_true(manifest_blob_bound(&blob) >= with - without);
		assert_true(manifest_blob_bound(&blob) <= (with - without) * 5 / 4 + 220);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_file_once),	 cmocka_unit_test(test_same_every_time),
		cmocka_unit_test(test_needed_size),	 cmocka_unit_test(test_give_back),
		cmocka_unit_test(test_large_file_waits), cmocka_unit_test(test_links_across_drives),
		cmocka_unit_test(test_manifest_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
