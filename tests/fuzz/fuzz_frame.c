/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Record headers and frames. Headers: as they come, and again with the magics and the CRC set right, which
 * chance would not find. Frames: as they come with a checksum that fits; and content that must come back.
 */
#include "common/base/le.h"
#include "common/ext/digest.h"
#include "common/store/frame.h"
#include "tests/fuzz/fuzz.h"

#define HEADER_MIN 24

static void try_header(const uint8_t *data, size_t len_bytes)
{
	struct frame_header h;
	size_t header_bytes;
	int r = frame_header_get(data, len_bytes, &h, &header_bytes);

	if (r < 0)
		return;
	MUST(header_bytes <= len_bytes);
	MUST(!h.path || ((const uint8_t *)h.path >= data &&
			 (const uint8_t *)h.path + h.path_bytes <= data + header_bytes));
}

static void try_mended_header(const uint8_t *data, size_t len_bytes)
{
	_cleanup_free_ uint8_t *copy = malloc(len_bytes);

	if (len_bytes < HEADER_MIN)
		return;
	MUST(copy);
	memcpy(copy, data, len_bytes);
	le32_store(copy, 0x184D2A53);
	le32_store(copy + 4, (uint32_t)len_bytes - 8);
	memcpy(copy + 8, "SEED\1", 5);
	le32_store(copy + len_bytes - 4, crc32_of(copy, len_bytes - 4));
	try_header(copy, len_bytes);
}

static void try_frame(struct frame_codec *codec, const uint8_t *data, size_t len_bytes)
{
	uint32_t raw_bytes;
	_cleanup_free_ uint8_t *raw = NULL;

	if (len_bytes < 4)
		return;
	raw_bytes = le32_load(data) % (uint32_t)CHUNK_BYTES_MAX + 1;
	raw = malloc(raw_bytes);
	MUST(raw);
	(void)frame_unpack(codec, data + 4, len_bytes - 4, frame_checksum(data + 4, len_bytes - 4),
			   raw, raw_bytes, NULL);
}

static void try_round_trip(struct frame_codec *codec, const uint8_t *data, size_t len_bytes)
{
	_cleanup_free_ uint8_t *frame = malloc(frame_bound(len_bytes)), *raw = malloc(len_bytes);
	size_t frame_bytes;

	if (len_bytes == 0)
		return;
	MUST(frame && raw);
	MUST(frame_pack(codec, data, len_bytes, 1, frame, &frame_bytes) == 0);
	MUST(frame_unpack(codec, frame, frame_bytes, frame_checksum(frame, frame_bytes), raw,
			  len_bytes, NULL) == 0);
	MUST(memcmp(raw, data, len_bytes) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	static struct frame_codec *codec;

	if (!codec)
		MUST(frame_codec_new(&codec, NULL) == 0);
	try_header(data, len_bytes);
	try_mended_header(data, len_bytes);
	try_frame(codec, data, len_bytes);
	try_round_trip(codec, data, len_bytes);
	return 0;
}
