/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct segment: up to 16 MiB of a drive on their way between it and a worker: a few blocks of large files,
 * or many small files, that lie behind one another. The unit of work of streaming and of verifying. It has
 * several blocks because a worker hashes all pieces of a segment at once, each in a lane.
 */
#ifndef SEEDSHIP_DRIVE_SEGMENT_H
#define SEEDSHIP_DRIVE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/macros.h"
#include "exporter/manifest/drive_manifest.h"

#define SEGMENT_BLOCKS 4
#define SEGMENT_BYTES  (SEGMENT_BLOCKS * MANIFEST_BLOCK_BYTES + 64 * KiB) /* rest of a cluster */
#define SEGMENT_PIECES 1024

/* One block of one file: what one hash stands for. */
struct piece {
	int64_t placement;
	uint64_t ino, content_version;
	uint64_t idx;		/* of the block in its file */
	uint32_t len_bytes;	/* content */
	uint32_t padded_bytes;	/* to the end of its cluster */
	uint32_t at;		/* in the segment's buffer */
	uint8_t md5[MD5_BYTES]; /* of the content, by segment_hash() */
	bool changed;		/* streaming, by the worker: not what was planned */

	/* Only when verifying. */
	char *name; /* of the file; the piece owns it */
	uint8_t expected[MD5_BYTES];
	bool unreadable, differs; /* by the worker */
};

/* Bytes of the buffer that lie in one piece on the volume. */
struct run {
	uint32_t at, len_bytes;
	uint64_t volume_off_bytes;
};

struct segment {
	struct segment *next; /* of a free list */
	uint8_t *data;	      /* SEGMENT_BYTES, or NULL: lent by the pipeline */
	uint32_t used_bytes;
	unsigned n_pieces, n_runs;
	struct piece pieces[SEGMENT_PIECES];
	struct run runs[SEGMENT_PIECES];
	uint64_t position; /* streamed_bytes of the drive once it is written */
	int result;	   /* streaming, by the worker */
	struct err err;	   /* of the result, or of the piece that is unreadable; by the worker */
};

struct segment *segment_new(void); /* NULL when out of memory */
void segment_free(struct segment *s);
void segment_reset(struct segment *s); /* makes it empty */

/* Whether a piece with so many runs still goes in. */
bool segment_has_room(const struct segment *s, uint32_t padded_bytes, size_t n_runs);

/* Appends a piece; at is filled in here. */
void segment_add_piece(struct segment *s, const struct piece *piece);
void segment_add_run(struct segment *s, uint32_t at, uint32_t len_bytes, uint64_t volume_off_bytes);

/* Fills in md5 of all pieces from what the buffer holds. */
void segment_hash(struct segment *s);

#endif
