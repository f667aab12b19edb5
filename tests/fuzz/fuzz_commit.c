/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Payloads of commit records: what is decoded lies within the payload, and is the same once encoded again. */
#include "common/store/commit_entry.h"
#include "common/store/commit_record.h"
#include "tests/fuzz/fuzz.h"

static bool lies_within(const void *part, size_t part_bytes, const uint8_t *data, size_t len_bytes)
{
	return !part || ((const uint8_t *)part >= data &&
			 (const uint8_t *)part + part_bytes <= data + len_bytes);
}

/* Decodes all entries; encodes them into again. */
static void decode(const uint8_t *data, size_t len_bytes, struct buf *again)
{
	struct cursor c = cursor_over(data, len_bytes);
	struct commit_entry entry;
	uint64_t as_of = 0, again_as_of = 0;

	while (commit_entry_get(&c, &as_of, &entry) == 1) {
		MUST(lies_within(entry.name, entry.name_bytes, data, len_bytes));
		MUST(lies_within(entry.value, entry.value_bytes, data, len_bytes));
		commit_entry_put(again, &again_as_of, &entry);
	}
}

static void try_body(struct frame_codec *codec, const uint8_t *data, size_t len_bytes)
{
	struct frame_header h = {.type = RECORD_COMMIT, .n_parts = 1, .raw_bytes = 4096};
	_cleanup_(buf_done) struct buf payload = BUF_INIT;

	if (len_bytes <= SKIPPABLE_HEADER_BYTES)
		return;
	h.stored_bytes = (uint32_t)len_bytes;
	h.checksum = frame_checksum(data, len_bytes);
	if (commit_record_get(codec, &h, data, &payload, NULL) == 0)
		MUST(payload.len_bytes == h.raw_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	static struct frame_codec *codec;
	_cleanup_(buf_done) struct buf once = BUF_INIT, twice = BUF_INIT;

	if (!codec)
		MUST(frame_codec_new(&codec, NULL) == 0);
	decode(data, len_bytes, &once);
	decode(once.data, once.len_bytes, &twice);
	MUST(buf_error(&once) == 0 && buf_error(&twice) == 0);
	MUST(once.len_bytes == twice.len_bytes);
	MUST(once.len_bytes == 0 || memcmp(once.data, twice.data, once.len_bytes) == 0);
	try_body(codec, data, len_bytes);
	return 0;
}
