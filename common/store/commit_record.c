/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A payload as the body of a pack record: a zstd frame inside a skippable frame. */
#include "common/store/commit_record.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/le.h"

#define LEVEL 1

int commit_record_put(struct frame_codec *c, const uint8_t uuid[STORE_UUID_BYTES],
		      uint64_t sequence, uint64_t part, uint64_t n_parts, const struct buf *payload,
		      struct buf *out)
{
	struct frame_header h = {.type = RECORD_COMMIT,
				 .part = part,
				 .n_parts = n_parts,
				 .raw_bytes = (uint32_t)payload->len_bytes,
				 .sequence = sequence};
	_cleanup_(buf_done) struct buf body = BUF_INIT;
	size_t frame_bytes;
	int r;

	if (payload->len_bytes > RECORD_PAYLOAD_BYTES_MAX)
		return -EFBIG;
	if (!buf_extend(&body, SKIPPABLE_HEADER_BYTES + frame_bound(payload->len_bytes)))
		return -ENOMEM;
	r = frame_pack(c, payload->data, payload->len_bytes, LEVEL,
		       body.data + SKIPPABLE_HEADER_BYTES, &frame_bytes);
	if (r < 0)
		return r;
	le32_store(body.data, COMMIT_SKIPPABLE_MAGIC);
	le32_store(body.data + 4, (uint32_t)frame_bytes);
	memcpy(h.store_uuid, uuid, STORE_UUID_BYTES);
	h.stored_bytes = (uint32_t)(SKIPPABLE_HEADER_BYTES + frame_bytes);
	h.checksum = frame_checksum(body.data, h.stored_bytes);
	frame_header_put(out, &h);
	buf_put(out, body.data, h.stored_bytes);
	return buf_error(out);
}

int commit_record_get(struct frame_codec *c, const struct frame_header *h, const void *body,
		      struct buf *payload, struct err *e)
{
	const uint8_t *frame = (const uint8_t *)body + SKIPPABLE_HEADER_BYTES;
	size_t frame_bytes = h->stored_bytes - SKIPPABLE_HEADER_BYTES;
	uint8_t *raw;

	if (frame_checksum(body, h->stored_bytes) != h->checksum)
		return err_set(e, EBADMSG, "checksum differs");
	if (le32_load(body) != COMMIT_SKIPPABLE_MAGIC ||
	    le32_load((const uint8_t *)body + 4) != frame_bytes)
		return err_set(e, EBADMSG, "not the body of a commit record");
	buf_reset(payload);
	raw = buf_extend(payload, h->raw_bytes);
	if (!raw)
		return err_oom(e);
	return frame_unpack(c, frame, frame_bytes, frame_checksum(frame, frame_bytes), raw,
			    h->raw_bytes, e);
}
