/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Phase 2: content in the order of its place on the volume. This thread cuts placements into segments,
 * and writes what comes back through the pipeline in the same order. After every group the drive is
 * flushed, then position and hashes are committed: a killed export goes on there.
 *
 * The position (drives.streamed_bytes) is a volume offset: everything of a file in one extent below it is
 * on the medium; a file in several extents is there whole once the position is beyond its first byte.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "exporter/drive/drive_impl.h"
#include "exporter/drive/pipeline.h"
#include "exporter/drive/stream_worker.h"
#include "exporter/shipping/hashes.h"

#define GROUP_BYTES  (512 * MiB)
#define CHANGED_NOTE "changed since the drive was planned"

struct stream {
	struct drive *d;
	struct drive_result *result;
	struct pipeline pipeline;
	struct shipping_hash *hashes;
	size_t n_hashes, hashes_capacity;
	uint64_t position; /* of what was written last */
	uint64_t group_bytes, done_bytes;
	int64_t last_changed; /* placement already marked */
};

static void stream_done(struct stream *s)
{
	pipeline_done(&s->pipeline);
	free(s->hashes);
}

static int commit_group(struct stream *s, struct err *e)
{
	int r;

	if (s->group_bytes == 0)
		return 0;
	r = target_flush(s->d->partition, e);
	if (r == 0)
		r = shipping_commit_progress(s->d->request->shipping, s->d->row.id, s->position,
					     s->hashes, s->n_hashes, e);
	if (r < 0)
		return r;
	s->n_hashes = 0;
	s->group_bytes = 0;
	return 0;
}

static int note_hash(struct stream *s, const struct piece *p, struct err *e)
{
	struct shipping_hash *h;

	if (s->n_hashes == s->hashes_capacity) {
		size_t capacity = s->hashes_capacity ? s->hashes_capacity * 2 : 1024;
		struct shipping_hash *grown = reallocarray(s->hashes, capacity, sizeof(*grown));

		if (!grown)
			return err_oom(e);
		s->hashes = grown;
		s->hashes_capacity = capacity;
	}
	h = &s->hashes[s->n_hashes++];
	h->placement = p->placement;
	h->idx = p->idx;
	memcpy(h->md5, p->md5, sizeof(h->md5));
	return 0;
}

static int note_pieces(struct stream *s, const struct segment *segment, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < segment->n_pieces; i++) {
		const struct piece *p = &segment->pieces[i];

		s->done_bytes += p->len_bytes;
		if (!p->changed) {
			r = note_hash(s, p, e);
			s->result->streamed_bytes += p->len_bytes;
		} else if (p->placement != s->last_changed) {
			s->last_changed = p->placement;
			r = shipping_placement_set_state(s->d->request->shipping, p->placement,
							 SHIPPING_FILE_CHANGED, CHANGED_NOTE, e);
		}
	}
	return r;
}

static int stop(struct stream *s, struct err *e)
{
	int r = commit_group(s, e);

	return r < 0 ? r
		     : err_hint(e, err_set(e, EINTR, "stopped"),
				"run the same command again to go on");
}

/* Writes a segment that a worker has made ready. */
static int write_segment(struct segment *segment, void *arg, struct err *e)
{
	struct stream *s = arg;
	int r = segment->result;

	if (r < 0 && e)
		*e = segment->err;
	for (unsigned i = 0; r == 0 && i < segment->n_runs; i++)
		r = target_pwrite(s->d->partition, segment->data + segment->runs[i].at,
				  segment->runs[i].len_bytes, segment->runs[i].volume_off_bytes, e);
	if (r == 0)
		r = note_pieces(s, segment, e);
	if (r < 0)
		return r;
	s->position = segment->position;
	s->group_bytes += segment->used_bytes;
	drive_progress(s->d->events, s->done_bytes);
	if (drive_stopped(s->d->events))
		return stop(s, e);
	return s->group_bytes >= GROUP_BYTES ? commit_group(s, e) : 0;
}

/* The runs of a block: where the extents put its bytes. */
static int add_runs(struct segment *segment, const struct shipping_placement *p, uint32_t at,
		    uint64_t off_bytes, uint32_t len_bytes, struct err *e)
{
	for (size_t i = 0; len_bytes && i < p->n_extents; i++) {
		const struct shipping_extent *x = &p->extents[i];
		uint64_t skip = off_bytes - x->file_off_bytes;
		uint32_t n;

		if (off_bytes < x->file_off_bytes || skip >= x->len_bytes)
			continue;
		n = (uint32_t)MIN(x->len_bytes - skip, (uint64_t)len_bytes);
		segment_add_run(segment, at, n, x->volume_off_bytes + skip);
		at += n;
		off_bytes += n;
		len_bytes -= n;
	}
	return len_bytes ? err_set(e, EBADMSG, "shipping.db: extents of '%s' do not cover it",
				   p->path)
			 : 0;
}

static int add_block(struct stream *s, const struct shipping_placement *p, uint64_t idx,
		     struct err *e)
{
	uint64_t off_bytes = idx * MANIFEST_BLOCK_BYTES;
	uint32_t len_bytes = (uint32_t)MIN(p->size_bytes - off_bytes, MANIFEST_BLOCK_BYTES);
	struct piece piece = {
		.placement = p->id,
		.ino = p->ino,
		.content_version = p->content_version,
		.idx = idx,
		.len_bytes = len_bytes,
		.padded_bytes = (uint32_t)round_up_u64(len_bytes, s->d->row.cluster_bytes),
	};
	uint64_t place = p->extents[0].volume_off_bytes;
	bool last = off_bytes + len_bytes == p->size_bytes;
	struct segment *segment;
	int r = pipeline_room(&s->pipeline, piece.padded_bytes, p->n_extents, &segment, e);

	if (r == 0)
		r = add_runs(segment, p, segment->used_bytes, off_bytes, piece.padded_bytes, e);
	if (r < 0)
		return r;
	segment_add_piece(segment, &piece);
	if (p->n_extents == 1)
		segment->position = place + off_bytes + piece.padded_bytes;
	else
		segment->position = last ? place + 1 : place;
	return 0;
}

static int add_placement(const struct shipping_placement *p, void *arg, struct err *e)
{
	struct stream *s = arg;
	uint64_t start = p->extents[0].volume_off_bytes, done = s->d->row.streamed_bytes, first = 0;
	uint64_t n = (p->size_bytes + MANIFEST_BLOCK_BYTES - 1) / MANIFEST_BLOCK_BYTES;
	int r = 0;

	if (p->n_extents == 1 && done > start)
		first = MIN((done - start + MANIFEST_BLOCK_BYTES - 1) / MANIFEST_BLOCK_BYTES, n);
	else if (p->n_extents > 1 && done > start)
		first = n;
	s->done_bytes += MIN(first * MANIFEST_BLOCK_BYTES, p->size_bytes);
	for (uint64_t idx = first; r == 0 && idx < n; idx++)
		r = add_block(s, p, idx, e);
	return r;
}

static int count_bytes(const struct shipping_placement *p, void *arg, struct err *e _unused_)
{
	*(uint64_t *)arg += p->size_bytes;
	return 0;
}

/* Before the first byte: nobody may take what is there for a finished drive. */
static int begin_drive(struct drive *d, struct err *e)
{
	struct gpt_partition partition;
	int r;

	if (d->row.phase != SHIPPING_LAID_OUT)
		return 0;
	r = gpt_plan(d->row.size_bytes, DRIVE_SECTOR_BYTES, &partition, e);
	if (r < 0)
		return r;
	drive_partition_guids(&d->row, &partition);
	r = gpt_write(d->disk, &partition, e);
	if (r == 0 && d->request->disk)
		r = drive_wipe_edges(d, e);
	if (r == 0)
		r = bitlocker_unseal(d->partition, e);
	if (r == 0)
		r = shipping_drive_set_phase(d->request->shipping, d->row.id, SHIPPING_STREAMING,
					     clock_realtime_ns(), e);
	if (r == 0)
		d->row.phase = SHIPPING_STREAMING;
	return r;
}

int drive_stream(struct drive *d, struct drive_result *result, struct err *e)
{
	_cleanup_(stream_done) struct stream s = {.d = d, .result = result, .last_changed = -1};
	struct stream_worker_desc worker = {.store_path = d->request->store_path, .keys = d->keys};
	struct pipeline_desc desc = {.name = "stream",
				     .n_workers = d->request->n_workers,
				     .work = stream_work,
				     .worker_new = stream_worker_new,
				     .worker_free = stream_worker_free,
				     .arg = &worker,
				     .take = write_segment,
				     .take_arg = &s};
	uint64_t total = 0, began = clock_monotonic_ns();
	int r = begin_drive(d, e);

	s.position = d->row.streamed_bytes;
	if (r == 0)
		r = shipping_placement_each(d->request->shipping, d->row.id, SHIPPING_BY_PLACE, 0,
					    count_bytes, &total, e);
	if (r == 0)
		r = pipeline_start(&s.pipeline, &desc, e);
	if (r < 0)
		return r;
	drive_phase(d->events, "stream", total);
	r = shipping_placement_each(d->request->shipping, d->row.id, SHIPPING_BY_PLACE, 0,
				    add_placement, &s, e);
	if (r == 0)
		r = pipeline_finish(&s.pipeline, e);
	if (r == 0) {
		s.group_bytes = MAX(s.group_bytes, 1u);
		r = commit_group(&s, e);
	}
	result->stream_ns = clock_monotonic_ns() - began;
	return r < 0 ? err_wrap(e, r, "streaming to '%s'", d->row.target) : 0;
}
