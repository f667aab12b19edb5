/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct frame_codec: one chunk of a file as one standard zstd frame (RFC 8878) with content size and
 * checksum, and the pack record around it: a skippable zstd frame that says whose chunk it is, so that
 * the index can be rebuilt from packs alone, while `zstd -d` still reads a pack. Pure functions on
 * memory; the byte layout is FORMAT.md. A codec belongs to one thread at a time.
 */
#ifndef SEEDSHIP_STORE_FRAME_H
#define SEEDSHIP_STORE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/macros.h"

#define STORE_UUID_BYTES 16

/* A store's chunk size is a power of two within these bounds. */
#define CHUNK_BYTES_MIN (64 * KiB)
#define CHUNK_BYTES_MAX (1 * MiB)

/* No record header is longer, of whatever type: a scanner needs to see no more at once. */
#define FRAME_HEADER_MAX_BYTES (1 * MiB)

/* A longer path is left out of the header. */
#define FRAME_PATH_MAX_BYTES 65535

/* Content of a commit record, at most. */
#define RECORD_PAYLOAD_BYTES_MAX (1 * MiB)

/* A skippable frame's own header, and the magic of those that are bodies of commit records. */
#define SKIPPABLE_HEADER_BYTES 8
#define COMMIT_SKIPPABLE_MAGIC UINT32_C(0x184D2A54)

/* In each record header, one behind the other. */
#define RECORD_MAGIC   "SEED"
#define RECORD_VERSION 1

enum record_type {
	RECORD_CHUNK = 1,  /* a zstd frame follows: one chunk of a file */
	RECORD_COMMIT = 2, /* a skippable frame follows: what a commit changed besides content */
};

/* What a pack record says about the frame that follows it. */
struct frame_header {
	enum record_type type;
	uint8_t store_uuid[STORE_UUID_BYTES];
	union {
		struct { /* RECORD_CHUNK */
			uint64_t ino;
			uint64_t
				off_bytes; /* of the content in its file; a multiple of the chunk size */
		};
		struct { /* RECORD_COMMIT */
			uint64_t n_parts;
			uint64_t part; /* from 0 */
		};
	};
	uint32_t
		raw_bytes; /* length of the content, 1 to CHUNK_BYTES_MAX or RECORD_PAYLOAD_BYTES_MAX */
	uint32_t stored_bytes; /* length of the frame that follows */
	uint64_t checksum;     /* XXH3-64 of that frame */
	uint64_t
		sequence; /* of the change; of two records for one place the greater is the newer */
	const char *path; /* of the file, for its first chunk, else NULL; not NUL-terminated */
	size_t path_bytes;
};

struct frame_codec;

int frame_codec_new(struct frame_codec **ret, struct err *e);
void frame_codec_free(struct frame_codec *c); /* NULL is fine */
static inline void frame_codec_freep(struct frame_codec **c)
{
	frame_codec_free(*c);
}

/* Upper bound of the length of a frame whose content is raw_bytes long. */
size_t frame_bound(size_t raw_bytes);

/*
 * Packs content into one zstd frame at out (room: frame_bound()). level 1..19. Content that does not
 * shrink by 1/16 becomes a frame of raw blocks at memory speed. Returns 0 and *ret_bytes, or -EFBIG
 * when raw_bytes does not fit into 32 bits.
 */
int frame_pack(struct frame_codec *c, const void *raw, size_t raw_bytes, int level, void *out,
	       size_t *ret_bytes);

/*
 * Unpacks a frame whose content must be exactly raw_bytes long. Checks `checksum` over the frame before
 * and zstd's own checksum over the content after. -EBADMSG when anything differs; raw is garbage then.
 */
int frame_unpack(struct frame_codec *c, const void *frame, size_t frame_bytes, uint64_t checksum,
		 void *raw, size_t raw_bytes, struct err *e);

/* XXH3-64 of a frame. */
uint64_t frame_checksum(const void *frame, size_t frame_bytes);

/* Whether all bytes are zero: such chunks are not stored. */
bool all_zero(const void *data, size_t len_bytes);

/* Length of the record header that frame_header_put() writes for this path length. */
size_t frame_header_bytes(size_t path_bytes);

/* Appends the skippable frame of h to b. */
void frame_header_put(struct buf *b, const struct frame_header *h);

/*
 * Decodes the record header at the start of data. On success *ret_bytes = its length (the frame of
 * h->stored_bytes follows), and h->path lies in data. Returns
 * 0 for a chunk or a commit, see h->type;
 * 1 for a record of a type this program does not know: skip it, only h->stored_bytes is set;
 * -ENODATA when data is too short to tell;
 * -ENOTSUP when the header has a newer layout;
 * -EBADMSG when it is no record header (wrong magic, CRC, sizes).
 */
int frame_header_get(const void *data, size_t len_bytes, struct frame_header *h, size_t *ret_bytes);

#endif
