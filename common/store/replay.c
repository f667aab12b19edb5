/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Going over packs as the writer went: what a batch wrote is pending until its commit is complete, and what
 * is pending at the end was never committed.
 */
#include "common/store/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/store/commit_entry.h"
#include "common/store/commit_record.h"
#include "common/store/names.h"
#include "common/store/pack_scan.h"
#include "common/store/replay_stage.h"
#include "common/store/replay_store.h"

struct replay {
	const struct replay_options *o;
	struct replay_store store;
	struct replay_stage *stage;
	struct frame_codec *codec;
	struct buf body, payload; /* of the commit record at hand */
	struct replay_summary sum;
	uint64_t newest; /* greatest sequence so far */

	/* The pack at hand. */
	int fd;
	uint32_t pack;
	uint64_t log_bytes;

	/* The commit whose parts are being read; n_parts 0 = none. */
	uint64_t sequence, n_parts, next_part;
};

static void damaged(struct replay *r, uint64_t off_bytes, const char *text)
{
	r->sum.damages++;
	if (r->o->damaged)
		r->o->damaged(r->o->arg, r->pack, off_bytes, text);
}

static void gone_over(struct replay *r, uint64_t bytes)
{
	if (r->o->progress)
		r->o->progress(r->o->arg, bytes);
}

static int put_chunk(struct replay *r, const struct pack_span *span, struct err *e)
{
	const struct frame_header *h = &span->header;
	uint32_t chunk_bytes = r->store.chunk_bytes;
	struct chunk_place place = {.pack = r->pack,
				    .stored_bytes = h->stored_bytes,
				    .raw_bytes = h->raw_bytes,
				    .off_bytes = span->frame_off_bytes,
				    .checksum = h->checksum};
	bool late = h->sequence < r->newest;

	if (h->ino == 0 || h->ino >= INT64_MAX || h->sequence > INT64_MAX ||
	    h->off_bytes % chunk_bytes || h->raw_bytes > chunk_bytes) {
		damaged(r, span->off_bytes, "a chunk record that cannot be");
		return 0;
	}
	r->newest = MAX(r->newest, h->sequence);
	return replay_stage_chunk(r->stage, h->ino, h->off_bytes / chunk_bytes, h->sequence, &place,
				  late, e);
}

/* Takes note of a part. A commit of which a part is missing does not count by itself. */
static void note_part(struct replay *r, const struct pack_span *span)
{
	const struct frame_header *h = &span->header;

	if (r->n_parts && (h->sequence != r->sequence || h->n_parts != r->n_parts || h->part == 0))
		damaged(r, span->off_bytes, "the commit before lacks parts");
	if (h->part == 0) {
		r->sequence = h->sequence;
		r->n_parts = h->n_parts;
		r->next_part = 0;
	} else if (h->part != r->next_part || h->sequence != r->sequence ||
		   h->n_parts != r->n_parts) {
		damaged(r, span->off_bytes, "a part of a commit without those before it");
		r->n_parts = 0;
	}
	r->next_part++;
}

static int put_entries(struct replay *r, const struct pack_span *span, struct err *e)
{
	struct cursor payload = cursor_over(r->payload.data, r->payload.len_bytes);
	struct commit_entry entry;
	uint64_t as_of = 0;
	int got;

	while ((got = commit_entry_get(&payload, &as_of, &entry)) == 1) {
		int put = replay_stage_entry(r->stage, &entry, e);

		if (put == -EBADMSG)
			damaged(r, span->off_bytes, "a commit entry that cannot be");
		else if (put < 0)
			return put;
	}
	if (got == -ENOTSUP)
		return err_set(e, ENOTSUP, "the commit record at %" PRIu64 " has a newer format",
			       span->off_bytes);
	if (got < 0)
		damaged(r, span->off_bytes, "the commit's entries are damaged");
	return 0;
}

/* All parts of a commit are there: what is pending counts. */
static int complete(struct replay *r, const struct pack_span *span, struct err *e)
{
	int put = replay_stage_pack(r->stage, r->pack, span->end_bytes, r->log_bytes, e);

	r->n_parts = 0;
	r->sum.commits++;
	r->sum.sequence = MAX(r->sum.sequence, span->header.sequence);
	r->sum.tail_bytes = 0;
	return put < 0 ? put : replay_stage_commit(r->stage, e);
}

static int put_commit(struct replay *r, const struct pack_span *span, struct err *e)
{
	const struct frame_header *h = &span->header;
	struct err why = {0};
	int got = replay_read_commit(r->codec, r->fd, h, span->frame_off_bytes, &r->body,
				     &r->payload, &why);

	if (got == -EBADMSG || h->sequence > INT64_MAX) {
		damaged(r, span->off_bytes, "the commit record is damaged");
		r->n_parts = 0;
		return 0;
	}
	if (got < 0) {
		if (e)
			*e = why;
		return got;
	}
	r->log_bytes += span->end_bytes - span->off_bytes;
	r->newest = MAX(r->newest, h->sequence);
	note_part(r, span);
	got = put_entries(r, span, e);
	if (got == 0 && r->n_parts && r->next_part == r->n_parts)
		got = complete(r, span, e);
	return got;
}

static int put_span(struct replay *r, const struct pack_span *span, struct err *e)
{
	r->sum.tail_bytes += span->end_bytes - span->off_bytes;
	switch (span->kind) {
	case SPAN_RECORD:
		return span->header.type == RECORD_CHUNK ? put_chunk(r, span, e)
							 : put_commit(r, span, e);
	case SPAN_DAMAGED:
		damaged(r, span->off_bytes, "no record begins here: its header is damaged");
		return 0;
	case SPAN_TORN:
		if (!r->o->open_end || r->pack != r->o->packs[r->o->n_packs - 1].pack)
			damaged(r, span->off_bytes,
				"the pack ends within the record that begins here");
		return 0;
	case SPAN_FOREIGN:
	case SPAN_PUNCHED:
		return 0;
	}
	return 0;
}

static int go_over(struct replay *r, const struct pack_file *file, struct err *e)
{
	_cleanup_(pack_scan_freep) struct pack_scan *scan = NULL;
	struct pack_span span;
	uint64_t end_bytes = 0;
	int got = pack_scan_new(r->fd, r->store.uuid, file->size_bytes, &scan, e);

	while (got == 0 && (got = pack_scan_next(scan, &span, e)) > 0) {
		got = put_span(r, &span, e);
		end_bytes = span.end_bytes;
		gone_over(r, span.end_bytes - span.off_bytes);
	}
	if (got == 0 && end_bytes < file->size_bytes)
		damaged(r, end_bytes, "the pack ends here, before its committed end");
	return got < 0 ? got : replay_stage_pack(r->stage, r->pack, end_bytes, r->log_bytes, e);
}

static int replay_pack(struct replay *r, const struct pack_file *file, struct err *e)
{
	_cleanup_fd_ int fd = -1;
	int got;

	r->pack = file->pack;
	r->log_bytes = 0;
	got = replay_open_pack(r->o->packs_fd, file->pack, &fd, e);
	if (got == -ENOENT) {
		damaged(r, 0, "the pack is missing");
		return 0;
	}
	r->fd = fd;
	return got < 0 ? got : go_over(r, file, e);
}

static void replay_done(struct replay *r)
{
	replay_stage_free(r->stage);
	frame_codec_free(r->codec);
	buf_done(&r->body);
	buf_done(&r->payload);
}

int replay_packs(const struct replay_options *options, struct sql **ret_db,
		 struct replay_summary *ret, struct err *e)
{
	_cleanup_(replay_done) struct replay r = {.o = options, .fd = -1};
	int got = replay_find_store(options, &r.store, e);

	if (got == 0)
		got = frame_codec_new(&r.codec, e);
	if (got == 0)
		got = replay_stage_new(options->index_path, options->staging_path, &r.stage, e);
	for (size_t i = 0; got == 0 && i < options->n_packs; i++) {
		got = replay_pack(&r, &options->packs[i], e);
		if (got < 0)
			return err_wrap(e, got, "pack %08" PRIu32, options->packs[i].pack);
	}
	if (got < 0)
		return got;
	if (r.sum.commits == 0)
		return err_set(e, ENODATA, "the packs hold no complete commit");
	memcpy(r.sum.uuid, r.store.uuid, STORE_UUID_BYTES);
	*ret = r.sum;
	return replay_stage_resolve(r.stage, r.sum.uuid, r.sum.sequence, ret_db, e);
}
