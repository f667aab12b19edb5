/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of plans share: entries without a store, and what a plan makes of them as text. */
#ifndef SEEDSHIP_TESTS_PLAN_FIXTURE_H
#define SEEDSHIP_TESTS_PLAN_FIXTURE_H

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/ext/utf16.h"
#include "exporter/plan/builder.h"
#include "exporter/plan/drivename.h"
#include "exporter/plan/omission.h"

static const _unused_ struct plan_desc plain = {
	.session_id = "session#1", .container = "backup", .prefix = ""};

static _unused_ struct plan_builder *start(const struct plan_desc *desc)
{
	struct plan_builder *b = NULL;

	assert_int_equal(plan_builder_new(desc, &b, NULL), 0);
	return b;
}

static _unused_ int try_add(struct plan_builder *b, const struct staged_entry *model,
			    const char *path, struct err *e)
{
	struct staged_entry entry = *model;
	const char *slash = strrchr(path, '/');

	entry.path = path;
	entry.name = slash ? slash + 1 : path;
	return plan_builder_add(b, &entry, e);
}

static _unused_ void add(struct plan_builder *b, const struct staged_entry *model, const char *path)
{
	struct err e = {0};

	if (try_add(b, model, path, &e) != 0)
		fail_msg("%s: %s", path, e.text);
}

static _unused_ void add_dir(struct plan_builder *b, const char *path)
{
	add(b, &(struct staged_entry){.mode = S_IFDIR | 0755, .nlink = 2}, path);
}

static _unused_ uint64_t next_ino = 100;

static _unused_ void add_file(struct plan_builder *b, const char *path, uint64_t size_bytes)
{
	struct staged_entry file = {
		.ino = next_ino++,
		.mode = S_IFREG | 0644,
		.nlink = 1,
		.size_bytes = size_bytes,
		.content_version = 7,
		.mtime_ns = UINT64_C(1790000000123456789),
	};

	add(b, &file, path);
}

static _unused_ void add_link(struct plan_builder *b, const char *path, uint64_t ino,
			      uint64_t size_bytes)
{
	add(b,
	    &(struct staged_entry){
		    .ino = ino, .mode = S_IFREG | 0644, .nlink = 3, .size_bytes = size_bytes},
	    path);
}

static _unused_ struct plan *finish(struct plan_builder *b)
{
	struct plan *p = plan_builder_finish(b);

	plan_builder_free(b);
	assert_non_null(p);
	return p;
}

/* Checks names of placement i: staged, as BlobPath, as FilePath. */
static _unused_ void expect_names(const struct plan *p, uint32_t i, const char *staged,
				  const char *blob, const char *drive)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct placement file;

	plan_get(p, i, &file);
	plan_staged_path(p, file.dir, file.name, &text);
	assert_string_equal(buf_text(&text), staged);
	buf_reset(&text);
	plan_blob_path(p, &file, &text);
	assert_string_equal(buf_text(&text), blob);
	buf_reset(&text);
	plan_drive_path(p, &file, &text);
	assert_string_equal(buf_text(&text), drive);
}

static _unused_ int print_omission(const struct omission *omission, void *arg, struct err *e)
{
	(void)e;
	buf_printf(arg, "%s%s %s: %s\n", omission_is_shipped(omission->kind) ? "" : "NOT ",
		   omission_kind_name(omission->kind), omission->path, omission->reason);
	return 0;
}

static _unused_ void expect_omissions(const struct plan *p, const char *lines)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	assert_int_equal(plan_omissions(p, print_omission, &text, NULL), 0);
	assert_string_equal(buf_text(&text), lines);
}

static _unused_ bool same_on_drive(const struct plan *p, uint32_t i, uint32_t j)
{
	_cleanup_(buf_done) struct buf a = BUF_INIT, b = BUF_INIT;
	_cleanup_free_ char *fold_a = NULL, *fold_b = NULL;
	struct placement file;

	plan_get(p, i, &file);
	plan_drive_path(p, &file, &a);
	plan_get(p, j, &file);
	plan_drive_path(p, &file, &b);
	fold_a = utf8_fold(buf_text(&a));
	fold_b = utf8_fold(buf_text(&b));
	assert_non_null(fold_a);
	assert_non_null(fold_b);
	return strcmp(fold_a, fold_b) == 0;
}

/* All names on the drive differ even where case does not count, and every component is allowed. */
static _unused_ void expect_sound_drive(const struct plan *p)
{
	for (uint32_t i = 0; i < plan_count(p); i++) {
		_cleanup_(buf_done) struct buf path = BUF_INIT;
		struct placement file;
		struct plan_dir dir;

		plan_get(p, i, &file);
		assert_null(drivename_objection(file.drive_name));
		plan_get_dir(p, file.drive_dir, &dir);
		assert_true(dir.on_drive);
		assert_null(drivename_objection(dir.drive_name));
		plan_drive_path(p, &file, &path);
		assert_true(utf16_units(buf_text(&path), path.len_bytes) <=
			    DRIVENAME_MAX_PATH_UNITS);
		for (uint32_t j = 0; j < i; j++)
			assert_false(same_on_drive(p, i, j));
	}
}

#endif
