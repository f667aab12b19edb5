/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct segment: up to 4 MiB of a drive on their way from the store to it: one block of a large file, or
 * many small files that lie behind one another. The unit of work of the streaming pool.
 */
#ifndef SEEDSHIP_DRIVE_SEGMENT_H
#define SEEDSHIP_DRIVE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store/reader.h"
#include "exporter/drive/drive_impl.h"
#include "exporter/manifest/drive_manifest.h"

#define SEGMENT_BYTES  (MANIFEST_BLOCK_BYTES + 64 * KiB) /* a block and the rest of its cluster */
#define SEGMENT_PIECES 1024

/* One block of one file: what one hash stands for. */
struct piece {
	int64_t placement;
	uint64_t ino, content_version;
	uint64_t idx;		/* of the block in its file */
	uint32_t len_bytes;	/* content */
	uint32_t padded_bytes;	/* to the end of its cluster */
	uint32_t at;		/* in the segment's buffer */
	bool changed;		/* by the worker: not what was planned, or not what was written */
	uint8_t md5[MD5_BYTES]; /* by the worker; verify: what it must be */
	char *name;		/* verify: of the file, owned by it; streaming: NULL */
};

/* Bytes of the buffer that lie in one piece on the volume. */
struct run {
	uint32_t at, len_bytes;
	uint64_t volume_off_bytes;
};

struct segment {
	struct segment *next; /* of a free list */
	uint8_t *data;	      /* SEGMENT_BYTES */
	uint32_t used_bytes;
	unsigned n_pieces, n_runs;
	struct piece pieces[SEGMENT_PIECES];
	struct run runs[SEGMENT_PIECES];
	uint64_t position; /* streamed_bytes of the drive once it is written */
	int result;	   /* by the worker */
	struct err err;	   /* by the worker */
};

struct segment *segment_new(void); /* NULL when out of memory */
void segment_free(struct segment *s);
void segment_reset(struct segment *s);

/* Whether a piece with so many runs still goes in. */
bool segment_has_room(const struct segment *s, uint32_t padded_bytes, size_t n_runs);

/* Appends a piece; at and md5 are filled in here and by the worker. */
void segment_add_piece(struct segment *s, const struct piece *piece);
void segment_add_run(struct segment *s, uint32_t at, uint32_t len_bytes, uint64_t volume_off_bytes);

/* The pool's face: work() reads, hashes, pads and encrypts a segment. */
struct segment_worker_desc {
	const char *store_path;
	const struct bitlocker_keys *keys;
};
void *segment_worker_new(void *arg); /* struct segment_worker_desc */
void segment_worker_free(void *arg);
void segment_work(void *segment, void *worker);

#endif
