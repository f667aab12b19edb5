/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packs made by hand, record by record, in a folder of their own. */
#ifndef SEEDSHIP_TESTS_PACK_FIXTURE_H
#define SEEDSHIP_TESTS_PACK_FIXTURE_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/store/commit_entry.h"
#include "common/store/commit_record.h"
#include "common/store/frame.h"
#include "common/store/pack.h"

#define CHUNK 65536

static const uint8_t pack_uuid[STORE_UUID_BYTES] = {1, 2,  3,  4,  5,  6,  7,  8,
						    9, 10, 11, 12, 13, 14, 15, 16};

struct packs {
	char dir[64]; /* holds packs/ */
	int packs_fd;
	struct frame_codec *codec;
	uint32_t pack; /* records go to this one */
	/* The commit that is being made. */
	struct buf payload;
	uint64_t as_of;
};

static _unused_ int make_packs(void **state)
{
	struct packs *p = calloc(1, sizeof(*p));
	char path[128];

	assert_non_null(p);
	(void)strcpy(p->dir, "/tmp/test_packs.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(path, sizeof(path), "%s/packs", p->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	p->packs_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->packs_fd >= 0);
	assert_int_equal(frame_codec_new(&p->codec, NULL), 0);
	p->pack = 1;
	*state = p;
	return 0;
}

static _unused_ int drop_packs(void **state)
{
	struct packs *p = *state;
	char command[128];

	frame_codec_free(p->codec);
	buf_done(&p->payload);
	(void)close(p->packs_fd);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", p->dir);
	assert_int_equal(system(command), 0);
	free(p);
	return 0;
}

static _unused_ int open_pack_file(const struct packs *p, uint32_t pack)
{
	char name[PACK_NAME_BYTES];
	int fd = openat(p->packs_fd, pack_name(pack, name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* Returns where the bytes stand in the open pack. */
static _unused_ uint64_t append_bytes(const struct packs *p, const void *data, size_t len_bytes)
{
	_cleanup_fd_ int fd = open_pack_file(p, p->pack);
	off_t end = lseek(fd, 0, SEEK_END);

	assert_int_equal(fd_pwrite_full(fd, data, len_bytes, (uint64_t)end), 0);
	return (uint64_t)end;
}

static _unused_ uint64_t pack_end(const struct packs *p, uint32_t pack)
{
	_cleanup_fd_ int fd = open_pack_file(p, pack);

	return (uint64_t)lseek(fd, 0, SEEK_END);
}

/* Content that does not shrink, different for each seed. */
static _unused_ void noise(uint8_t *p, size_t len_bytes, uint32_t seed)
{
	for (size_t i = 0; i < len_bytes; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (uint8_t)(seed >> 24);
	}
}

static _unused_ uint64_t put_chunk_of(const struct packs *p, const uint8_t *uuid, uint64_t ino,
				      uint64_t idx, uint64_t sequence, uint32_t raw_bytes)
{
	struct frame_header h = {.type = RECORD_CHUNK,
				 .ino = ino,
				 .off_bytes = idx * CHUNK,
				 .raw_bytes = raw_bytes,
				 .sequence = sequence};
	_cleanup_free_ uint8_t *raw = malloc(raw_bytes), *frame = malloc(frame_bound(raw_bytes));
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	size_t frame_bytes;

	noise(raw, raw_bytes, (uint32_t)(ino * 1000 + idx * 10 + sequence));
	assert_int_equal(frame_pack(p->codec, raw, raw_bytes, 1, frame, &frame_bytes), 0);
	memcpy(h.store_uuid, uuid, STORE_UUID_BYTES);
	h.stored_bytes = (uint32_t)frame_bytes;
	h.checksum = frame_checksum(frame, frame_bytes);
	frame_header_put(&b, &h);
	buf_put(&b, frame, frame_bytes);
	assert_int_equal(buf_error(&b), 0);
	return append_bytes(p, b.data, b.len_bytes);
}

/* A chunk record; returns where it begins. */
static _unused_ uint64_t put_chunk(const struct packs *p, uint64_t ino, uint64_t idx,
				   uint64_t sequence, uint32_t raw_bytes)
{
	return put_chunk_of(p, pack_uuid, ino, idx, sequence, raw_bytes);
}

static _unused_ void put_entry(struct packs *p, struct commit_entry entry)
{
	commit_entry_put(&p->payload, &p->as_of, &entry);
}

static _unused_ void entry_store(struct packs *p, uint64_t sequence)
{
	put_entry(p, (struct commit_entry){
			     .kind = COMMIT_STORE,
			     .sequence = sequence,
			     .store = {CHUNK, 1 << 20, 42, sequence, 1000 + sequence, 100, 200}});
}

static _unused_ void entry_inode(struct packs *p, uint64_t sequence, uint64_t ino, uint32_t mode,
				 uint32_t nlink, uint64_t size_bytes)
{
	put_entry(p, (struct commit_entry){.kind = COMMIT_INODE,
					   .sequence = sequence,
					   .ino = ino,
					   .row = {.mode = mode,
						   .nlink = nlink,
						   .size_bytes = size_bytes,
						   .mtime_ns = sequence}});
}

static _unused_ void entry_name(struct packs *p, uint64_t sequence, uint64_t id, uint64_t parent,
				const char *name, uint64_t ino)
{
	put_entry(p, (struct commit_entry){.kind = COMMIT_DENTRY,
					   .sequence = sequence,
					   .ino = ino,
					   .dentry = {id, parent},
					   .name = name,
					   .name_bytes = strlen(name)});
}

static _unused_ void entry_name_gone(struct packs *p, uint64_t sequence, uint64_t parent,
				     const char *name)
{
	put_entry(p, (struct commit_entry){.kind = COMMIT_DENTRY_GONE,
					   .sequence = sequence,
					   .dentry = {.parent = parent},
					   .name = name,
					   .name_bytes = strlen(name)});
}

/* Writes the entries so far as one part of a commit; returns where its record begins. */
static _unused_ uint64_t put_part(struct packs *p, uint64_t sequence, uint64_t part,
				  uint64_t n_parts)
{
	_cleanup_(buf_done) struct buf record = BUF_INIT;

	assert_int_equal(buf_error(&p->payload), 0);
	assert_int_equal(commit_record_put(p->codec, pack_uuid, sequence, part, n_parts,
					   &p->payload, &record),
			 0);
	buf_reset(&p->payload);
	p->as_of = 0;
	return append_bytes(p, record.data, record.len_bytes);
}

static _unused_ uint64_t put_commit(struct packs *p, uint64_t sequence)
{
	return put_part(p, sequence, 0, 1);
}

static _unused_ void flip_bit(const struct packs *p, uint32_t pack, uint64_t off_bytes)
{
	_cleanup_fd_ int fd = open_pack_file(p, pack);
	uint8_t byte;

	assert_int_equal(fd_pread_full(fd, &byte, 1, off_bytes), 0);
	byte ^= 0x10;
	assert_int_equal(fd_pwrite_full(fd, &byte, 1, off_bytes), 0);
}

static _unused_ void zero_out(const struct packs *p, uint32_t pack, uint64_t off_bytes,
			      uint64_t end_bytes)
{
	_cleanup_fd_ int fd = open_pack_file(p, pack);
	_cleanup_free_ uint8_t *zeros = calloc(1, end_bytes - off_bytes);

	assert_int_equal(fd_pwrite_full(fd, zeros, end_bytes - off_bytes, off_bytes), 0);
}

#define PACK_TEST(f) cmocka_unit_test_setup_teardown(f, make_packs, drop_packs)

#endif
