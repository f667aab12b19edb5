/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The committer applies change sets: records into the open pack, rows into the open transaction. */
#include <string.h>

#include "common/base/cleanup.h"
#include "common/store/writer_impl.h"

int apply_note_pack(struct writer *w, bool sealed, struct err *e)
{
	struct pack_row row = {.pack = w->pack.pack,
			       .size_bytes = w->pack.end_bytes,
			       .log_bytes = w->pack.log_bytes,
			       .sealed = sealed};

	return row.pack ? index_put_pack(w->index, &row, e) : 0;
}

static int begin_pack(struct writer *w, struct err *e)
{
	int r = apply_note_pack(w, true, e);

	return r < 0 ? r : pack_writer_next(&w->pack, w->pack.pack + 1, e);
}

int apply_record(struct writer *w, const struct buf *record, uint64_t *ret_off_bytes, struct err *e)
{
	int r = 0;

	if (pack_writer_full(&w->pack, record->len_bytes))
		r = begin_pack(w, e);
	return r < 0 ? r
		     : pack_writer_append(&w->pack, record->data, record->len_bytes, ret_off_bytes,
					  e);
}

static int append_chunk(struct writer *w, struct change *c, struct err *e)
{
	struct chunk_place *place = &c->chunk.place;
	uint64_t off_bytes;
	int r;

	if (c->chunk.result < 0)
		return err_set(e, -c->chunk.result, "compressing a chunk: %s",
			       strerror(-c->chunk.result));
	if (place->stored_bytes == 0 || place->pack)
		return 0; /* a hole; or appended before the batch was rolled back */
	r = apply_record(w, &c->chunk.record, &off_bytes, e);
	if (r < 0)
		return r;
	place->pack = w->pack.pack;
	place->off_bytes += off_bytes;
	(void)atomic_fetch_add(&w->counts.raw_bytes, place->raw_bytes);
	(void)atomic_fetch_add(&w->counts.stored_bytes, place->stored_bytes);
	buf_done(&c->chunk.record);
	return 0;
}

static bool has_content(const struct change *c)
{
	return c->kind == CHANGE_CHUNK || c->kind == CHANGE_MOVE;
}

static int apply_change(struct writer *w, struct change_set *set, struct change *c, struct err *e)
{
	int64_t stored_delta = 0;
	int r = 1;

	/* What has moved or died meanwhile is not copied: two copies of one record would both look right. */
	if (c->kind == CHANGE_MOVE && c->chunk.place.pack == 0)
		r = index_chunk_stands(w->index, c->ino, c->chunk.idx, &c->chunk.from, e);
	if (r <= 0)
		return r;
	r = has_content(c) ? append_chunk(w, c, e) : 0;

	if (c->kind == CHANGE_PACK_SEALED && c->pack == w->pack.pack && w->pack.fd >= 0)
		r = begin_pack(w, e);
	if (r == 0)
		r = index_apply(w->index, c, &stored_delta, e);
	if (r < 0)
		return r;
	if (c->kind == CHANGE_INODE)
		w->next_ino = MAX(w->next_ino, c->ino + 1);
	if (c->kind == CHANGE_DENTRY)
		w->next_dentry = MAX(w->next_dentry, c->dentry.id + 1);
	commit_log_change(w->log, set->ticket, c, stored_delta);
	if (c->applied)
		return 0;
	c->applied = true;
	if (w->events.applied)
		w->events.applied(w->events.arg, c, set->ticket, stored_delta);
	if (c->kind == CHANGE_CHUNK)
		chunk_buf_unref(take_ptr(c->chunk.buf));
	return 0;
}

int apply_set(struct writer *w, struct change_set *set, struct err *e)
{
	int r = index_begin(w->index, e);

	for (unsigned i = 0; r == 0 && i < set->n_changes; i++)
		r = apply_change(w, set, &set->changes[i], e);
	return r;
}
