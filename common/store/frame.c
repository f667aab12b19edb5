/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A chunk as one standard zstd frame. Every frame states the length of its content and ends in a
 * checksum of it; content that does not shrink is framed by hand in raw blocks (RFC 8878, 3.1.1), which
 * costs a copy and a hash.
 */
#include "common/store/frame.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include "common/base/cleanup.h"
#include "common/base/le.h"

/* RFC 8878, 3.1.1: frame magic, descriptor bits, block header. */
#define FRAME_MAGIC	       0xFD2FB528u
#define DESCRIPTOR_CHECKSUM    0x04u
#define DESCRIPTOR_SINGLE      0x20u
#define DESCRIPTOR_SIZE_SHIFT  6
#define BLOCK_LAST	       0x01u
#define BLOCK_SIZE_SHIFT       3
#define BLOCK_MAX_BYTES	       (128 * KiB)
#define BLOCK_HEADER_BYTES     3
#define FRAME_HEADER_BYTES_MAX 9 /* magic, descriptor, content size of 4 bytes */
#define CONTENT_CHECKSUM_BYTES 4

/* Levels above try PROBE_LEVEL first: what that cannot shrink is not worth their time. */
#define LEVEL_WITHOUT_PROBE 3
#define PROBE_LEVEL	    1

struct frame_codec {
	ZSTD_CCtx *compress;
	ZSTD_DCtx *decompress;
};

int frame_codec_new(struct frame_codec **ret, struct err *e)
{
	_cleanup_(frame_codec_freep) struct frame_codec *c = calloc(1, sizeof(*c));

	if (!c)
		return err_oom(e);
	c->compress = ZSTD_createCCtx();
	c->decompress = ZSTD_createDCtx();
	if (!c->compress || !c->decompress)
		return err_oom(e);
	(void)ZSTD_CCtx_setParameter(c->compress, ZSTD_c_checksumFlag, 1);
	(void)ZSTD_CCtx_setParameter(c->compress, ZSTD_c_contentSizeFlag, 1);
	*ret = take_ptr(c);
	return 0;
}

void frame_codec_free(struct frame_codec *c)
{
	if (!c)
		return;
	(void)ZSTD_freeCCtx(c->compress);
	(void)ZSTD_freeDCtx(c->decompress);
	free(c);
}

static size_t count_blocks(size_t raw_bytes)
{
	return raw_bytes == 0 ? 1 : (raw_bytes - 1) / BLOCK_MAX_BYTES + 1;
}

size_t frame_bound(size_t raw_bytes)
{
	return FRAME_HEADER_BYTES_MAX + count_blocks(raw_bytes) * BLOCK_HEADER_BYTES + raw_bytes +
	       CONTENT_CHECKSUM_BYTES;
}

/*
 * Compresses into at most 15/16 of the content's length; false when that is not enough room. The limit
 * lets zstd stop before it copies a block that did not shrink.
 */
static bool compress(struct frame_codec *c, const void *raw, size_t raw_bytes, int level, void *out,
		     size_t *ret_bytes)
{
	size_t n;

	(void)ZSTD_CCtx_reset(c->compress, ZSTD_reset_session_only);
	(void)ZSTD_CCtx_setParameter(c->compress, ZSTD_c_compressionLevel, level);
	n = ZSTD_compress2(c->compress, out, raw_bytes - raw_bytes / 16, raw, raw_bytes);
	if (ZSTD_isError(n))
		return false;
	*ret_bytes = n;
	return true;
}

/* Magic, descriptor and content size; the content is its own window. Returns what follows. */
static uint8_t *put_frame_start(uint8_t *p, uint32_t raw_bytes)
{
	unsigned size_code = raw_bytes < 256 ? 0 : raw_bytes < 65536 + 256 ? 1 : 2;

	le32_store(p, FRAME_MAGIC);
	p[4] = (uint8_t)(size_code << DESCRIPTOR_SIZE_SHIFT | DESCRIPTOR_SINGLE |
			 DESCRIPTOR_CHECKSUM);
	p += 5;
	if (size_code == 0) {
		*p = (uint8_t)raw_bytes;
		return p + 1;
	}
	if (size_code == 1) {
		le16_store(p, (uint16_t)(raw_bytes - 256));
		return p + 2;
	}
	le32_store(p, raw_bytes);
	return p + 4;
}

static uint8_t *put_raw_block(uint8_t *p, const uint8_t *raw, size_t len_bytes, bool last)
{
	uint32_t header = (uint32_t)len_bytes << BLOCK_SIZE_SHIFT | (last ? BLOCK_LAST : 0);

	p[0] = (uint8_t)header;
	p[1] = (uint8_t)(header >> 8);
	p[2] = (uint8_t)(header >> 16);
	if (len_bytes)
		memcpy(p + BLOCK_HEADER_BYTES, raw, len_bytes);
	return p + BLOCK_HEADER_BYTES + len_bytes;
}

static size_t put_raw_frame(const uint8_t *raw, size_t raw_bytes, uint8_t *out)
{
	size_t left = raw_bytes;
	uint8_t *p = put_frame_start(out, (uint32_t)raw_bytes);

	while (left > BLOCK_MAX_BYTES) {
		p = put_raw_block(p, raw + (raw_bytes - left), BLOCK_MAX_BYTES, false);
		left -= BLOCK_MAX_BYTES;
	}
	p = put_raw_block(p, raw + (raw_bytes - left), left, true);
	le32_store(p, (uint32_t)XXH64(raw, raw_bytes, 0));
	return (size_t)(p - out) + CONTENT_CHECKSUM_BYTES;
}

int frame_pack(struct frame_codec *c, const void *raw, size_t raw_bytes, int level, void *out,
	       size_t *ret_bytes)
{
	if (raw_bytes > UINT32_MAX)
		return -EFBIG;
	/* What a fast level cannot shrink is not worth the time of a slow one. */
	if ((level > LEVEL_WITHOUT_PROBE &&
	     !compress(c, raw, raw_bytes, PROBE_LEVEL, out, ret_bytes)) ||
	    !compress(c, raw, raw_bytes, level, out, ret_bytes))
		*ret_bytes = put_raw_frame(raw, raw_bytes, out);
	return 0;
}

int frame_unpack(struct frame_codec *c, const void *frame, size_t frame_bytes, uint64_t checksum,
		 void *raw, size_t raw_bytes, struct err *e)
{
	size_t n;

	if (frame_checksum(frame, frame_bytes) != checksum)
		return err_set(e, EBADMSG, "checksum differs");
	if (ZSTD_getFrameContentSize(frame, frame_bytes) != raw_bytes ||
	    ZSTD_findFrameCompressedSize(frame, frame_bytes) != frame_bytes)
		return err_set(e, EBADMSG, "not one zstd frame with %zu bytes of content",
			       raw_bytes);
	n = ZSTD_decompressDCtx(c->decompress, raw, raw_bytes, frame, frame_bytes);
	if (ZSTD_isError(n))
		return err_set(e, EBADMSG, "zstd: %s", ZSTD_getErrorName(n));
	return n == raw_bytes ? 0 : err_set(e, EBADMSG, "content ends at %zu of %zu", n, raw_bytes);
}

uint64_t frame_checksum(const void *frame, size_t frame_bytes)
{
	return XXH3_64bits(frame, frame_bytes);
}

bool all_zero(const void *data, size_t len_bytes)
{
	const uint8_t *p = data;

	/* Each byte equals its neighbour and the first is zero: memcmp is the fastest loop there is. */
	return len_bytes == 0 || (p[0] == 0 && memcmp(p, p + 1, len_bytes - 1) == 0);
}
