/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The compressing workers: one chunk as a pack record, ready to be appended. Pure but for the level. */
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/store/writer_impl.h"

#define LEVEL_BUSY 1
#define LEVEL_IDLE 3

struct worker {
	struct frame_codec *codec;
	struct writer *writer;
};

void *compress_worker_new(void *arg)
{
	struct worker *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->writer = arg;
	if (frame_codec_new(&k->codec, NULL) < 0) {
		free(k);
		return NULL;
	}
	return k;
}

void compress_worker_free(void *state)
{
	struct worker *k = state;

	if (k)
		frame_codec_free(k->codec);
	free(k);
}

int compress_level(struct writer *w)
{
	if (w->options.level)
		return w->options.level;
	return pool_in_flight(w->pool) > w->options.n_workers * 2 ? LEVEL_BUSY : LEVEL_IDLE;
}

/* A chunk that was changed here and there will be changed again: it is not worth much time. */
static int level_for(struct writer *w, const struct chunk_buf *raw)
{
	bool in_parts = raw->swept_bytes < raw->raw_bytes;

	return w->options.level || !in_parts ? compress_level(w) : LEVEL_BUSY;
}

/* Builds the whole pack record of one chunk: header, then frame. */
static int make_record(struct worker *k, struct change *c, uint64_t ticket)
{
	struct writer *w = k->writer;
	struct chunk_buf *raw = c->chunk.buf;
	struct buf *record = &c->chunk.record;
	struct frame_header h = {
		.type = RECORD_CHUNK,
		.ino = c->ino,
		.off_bytes = c->chunk.idx * w->store->chunk_bytes,
		.raw_bytes = raw->raw_bytes,
		.sequence = ticket,
		.path = c->name,
		.path_bytes = c->name ? strlen(c->name) : 0,
	};
	size_t header_bytes = frame_header_bytes(h.path_bytes), frame_bytes;
	_cleanup_(buf_done) struct buf header = BUF_INIT;
	int r;

	if (all_zero(raw->data, raw->raw_bytes))
		return 0; /* a hole: place stays empty */
	if (!buf_extend(record, header_bytes + frame_bound(raw->raw_bytes)))
		return -ENOMEM;
	r = frame_pack(k->codec, raw->data, raw->raw_bytes, level_for(w, raw),
		       record->data + header_bytes, &frame_bytes);
	if (r < 0)
		return r;
	memcpy(h.store_uuid, w->store->uuid, sizeof(h.store_uuid));
	h.stored_bytes = (uint32_t)frame_bytes;
	h.checksum = frame_checksum(record->data + header_bytes, frame_bytes);
	frame_header_put(&header, &h);
	r = buf_error(&header);
	if (r < 0)
		return r;
	memcpy(record->data, header.data, header_bytes);
	record->len_bytes = header_bytes + frame_bytes;
	c->chunk.place = (struct chunk_place){.stored_bytes = h.stored_bytes,
					      .raw_bytes = h.raw_bytes,
					      .off_bytes = header_bytes,
					      .checksum = h.checksum};
	return 0;
}

void compress_set(void *item, void *state)
{
	struct change_set *set = item;

	for (unsigned i = 0; i < set->n_changes; i++) {
		struct change *c = &set->changes[i];

		if (c->kind == CHANGE_CHUNK)
			c->chunk.result = state ? make_record(state, c, set->ticket) : -ENOMEM;
	}
}
