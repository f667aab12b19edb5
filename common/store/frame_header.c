/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The record header: a skippable zstd frame (RFC 8878, 3.1.2) in front of each frame of a pack. The
 * first 20 bytes and the CRC-32 at the end have their place in every version and type, so that a
 * reader can step over records it does not know.
 */
#include <string.h>

#include "common/base/le.h"
#include "common/ext/digest.h"
#include "common/store/frame.h"

#define SKIPPABLE_MAGIC 0x184D2A53u /* on disk its first byte is 'S' */
#define SKIPPABLE_BYTES 8	    /* the magic and the length of the rest */
#define COMMON_BYTES	20	    /* up to and with stored_bytes */
#define FIXED_BYTES	72	    /* up to the path */
#define CRC_BYTES	4

/* The path as it is stored: one that is too long is left out. */
static size_t stored_path_bytes(size_t path_bytes)
{
	return path_bytes <= FRAME_PATH_MAX_BYTES ? path_bytes : 0;
}

size_t frame_header_bytes(size_t path_bytes)
{
	return FIXED_BYTES + stored_path_bytes(path_bytes) + CRC_BYTES;
}

void frame_header_put(struct buf *b, const struct frame_header *h)
{
	size_t path_bytes = h->path ? stored_path_bytes(h->path_bytes) : 0;
	size_t total = FIXED_BYTES + path_bytes + CRC_BYTES;
	size_t start = b->len_bytes;

	buf_put_le32(b, SKIPPABLE_MAGIC);
	buf_put_le32(b, (uint32_t)(total - SKIPPABLE_BYTES));
	buf_put(b, RECORD_MAGIC, strlen(RECORD_MAGIC));
	buf_put_u8(b, RECORD_VERSION);
	buf_put_u8(b, (uint8_t)h->type);
	buf_put_le16(b, (uint16_t)path_bytes);
	buf_put_le32(b, h->stored_bytes);
	buf_put_le32(b, h->raw_bytes);
	buf_put(b, h->store_uuid, STORE_UUID_BYTES);
	buf_put_le64(b, h->ino);       /* or n_parts */
	buf_put_le64(b, h->off_bytes); /* or part */
	buf_put_le64(b, h->checksum);
	buf_put_le64(b, h->sequence);
	buf_put(b, h->path, path_bytes);
	if (buf_error(b) == 0)
		buf_put_le32(b, crc32_of(b->data + start, b->len_bytes - start));
}

/*
 * Checks what all records have in common: both magics, length and CRC. *ret_bytes = length of the
 * header, all of which lies in data.
 */
static int check_envelope(const uint8_t *data, size_t len_bytes, size_t *ret_bytes)
{
	size_t total;

	if (len_bytes >= 4 && le32_load(data) != SKIPPABLE_MAGIC)
		return -EBADMSG;
	if (len_bytes < COMMON_BYTES)
		return -ENODATA;
	if (memcmp(data + SKIPPABLE_BYTES, RECORD_MAGIC, strlen(RECORD_MAGIC)) != 0)
		return -EBADMSG;
	total = (size_t)le32_load(data + 4) + SKIPPABLE_BYTES;
	if (total < COMMON_BYTES + CRC_BYTES || total > FRAME_HEADER_MAX_BYTES)
		return -EBADMSG;
	if (len_bytes < total)
		return -ENODATA;
	if (crc32_of(data, total - CRC_BYTES) != le32_load(data + total - CRC_BYTES))
		return -EBADMSG;
	*ret_bytes = total;
	return 0;
}

static bool sizes_possible(const struct frame_header *h)
{
	if (h->type == RECORD_COMMIT)
		return h->raw_bytes > 0 && h->raw_bytes <= RECORD_PAYLOAD_BYTES_MAX &&
		       h->stored_bytes > SKIPPABLE_HEADER_BYTES &&
		       h->stored_bytes <= SKIPPABLE_HEADER_BYTES + frame_bound(h->raw_bytes) &&
		       h->part < h->n_parts;
	return h->raw_bytes > 0 && h->raw_bytes <= CHUNK_BYTES_MAX && h->stored_bytes > 0 &&
	       h->stored_bytes <= frame_bound(h->raw_bytes) &&
	       h->off_bytes <= INT64_MAX - CHUNK_BYTES_MAX;
}

/* c stands behind the type byte; its bytes are those the CRC was made of. */
static int decode_known(struct cursor *c, uint8_t type, struct frame_header *h)
{
	const uint8_t *uuid, *path;

	h->type = type;
	h->path_bytes = cursor_get_le16(c);
	h->stored_bytes = cursor_get_le32(c);
	h->raw_bytes = cursor_get_le32(c);
	uuid = cursor_get(c, STORE_UUID_BYTES);
	h->ino = cursor_get_le64(c);
	h->off_bytes = cursor_get_le64(c);
	h->checksum = cursor_get_le64(c);
	h->sequence = cursor_get_le64(c);
	path = cursor_get(c, h->path_bytes);
	if (!uuid || !path || cursor_left(c) != CRC_BYTES || !sizes_possible(h))
		return -EBADMSG;
	memcpy(h->store_uuid, uuid, STORE_UUID_BYTES);
	h->path = h->path_bytes > 0 ? (const char *)path : NULL;
	return 0;
}

int frame_header_get(const void *data, size_t len_bytes, struct frame_header *h, size_t *ret_bytes)
{
	struct frame_header decoded = {0};
	struct cursor c;
	uint8_t type;
	size_t total;
	int r = check_envelope(data, len_bytes, &total);

	if (r < 0)
		return r;
	c = cursor_over(data, total);
	(void)cursor_get(&c, SKIPPABLE_BYTES + strlen(RECORD_MAGIC));
	if (cursor_get_u8(&c) != RECORD_VERSION)
		return -ENOTSUP;
	type = cursor_get_u8(&c);
	if (type == RECORD_CHUNK || type == RECORD_COMMIT) {
		r = decode_known(&c, type, &decoded);
	} else {
		decoded.stored_bytes = le32_load((const uint8_t *)data + COMMON_BYTES - 4);
		r = 1;
	}
	if (r < 0)
		return r;
	*h = decoded;
	*ret_bytes = total;
	return r;
}
