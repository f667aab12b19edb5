/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store with its writer, and files of one chunk, for the tests of what goes through the writer. */
#ifndef SEEDSHIP_TESTS_WRITER_FIXTURE_H
#define SEEDSHIP_TESTS_WRITER_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/store/reader.h"
#include "common/store/writer.h"

struct fixture {
	char dir[64];
	char path[80];
	struct store *store;
	struct writer *writer;
	unsigned n_workers;
};

static const struct store_options options = {
	.create = true, .chunk_bytes = 64 << 10, .pack_bytes = 1 << 20};

/* The time of commits stands in packs: it must not differ between two runs. */
static uint64_t stopped_ns(const struct clock *c _unused_)
{
	return UINT64_C(1800000000000000000);
}

static _unused_ void open_writer(struct fixture *f)
{
	static const struct clock stopped = {.realtime_ns = stopped_ns};
	struct writer_options wo = {.level = 1,
				    .n_workers = f->n_workers,
				    .queue_depth = 4096,
				    .commit_ms = 3600000,
				    .clock = &stopped};
	struct writer_events events = {0};
	struct err e = {0};

	if (store_open(f->path, &options, &f->store, &e) < 0 ||
	    writer_new(f->store, &wo, &events, &f->writer, &e) < 0)
		fail_msg("%s", e.text);
}

static _unused_ void close_writer(struct fixture *f)
{
	struct err e = {0};

	if (writer_close(f->writer, &e) < 0)
		fail_msg("%s", e.text);
	store_free(f->store);
	f->writer = NULL;
	f->store = NULL;
}

static _unused_ int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test_store.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/store", f->dir);
	f->n_workers = 2;
	*state = f;
	return 0;
}

static _unused_ int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	if (f->writer)
		close_writer(f);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* Submits a file of one chunk filled with a pattern. */
static _unused_ void put_file(struct fixture *f, uint64_t ino, const char *name, unsigned seed)
{
	struct change_set *set = change_set_new();
	struct chunk_buf *buf = chunk_buf_new(f->store->chunk_bytes);
	struct inode_row row = {
		.mode = S_IFREG | 0600, .nlink = 1, .size_bytes = f->store->chunk_bytes};
	struct inode_row root = {.mode = S_IFDIR | 0755, .nlink = 2};

	assert_non_null(buf);
	buf->raw_bytes = buf->capacity_bytes;
	for (uint32_t i = 0; i < buf->raw_bytes; i++)
		buf->data[i] = (uint8_t)rand_r(&seed);
	change_inode(set, NULL, 1, &root);
	change_inode(set, NULL, ino, &row);
	change_dentry(set, NULL, ino + 100, 1, name, ino);
	change_chunk(set, NULL, ino, 0, buf, name);
	chunk_buf_unref(buf);
	assert_int_equal(writer_submit(f->writer, &set, NULL), 0);
	assert_null(set);
}

static _unused_ void check_file(struct fixture *f, uint64_t ino, unsigned seed)
{
	_cleanup_(reader_freep) struct reader *reader = NULL;
	_cleanup_free_ uint8_t *data = malloc(64 << 10);

	assert_int_equal(reader_open(f->path, &reader, NULL), 0);
	assert_int_equal(reader_pread(reader, ino, 0, data, 64 << 10, 0, NULL), 0);
	for (uint32_t i = 0; i < 64 << 10; i++)
		assert_int_equal(data[i], (uint8_t)rand_r(&seed));
}

#endif
