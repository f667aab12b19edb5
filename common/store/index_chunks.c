/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of tables chunk and pack, and what becomes free when they change. */
#include <errno.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/store/index_impl.h"

static int add_live(struct index *ix, uint32_t pack, int64_t delta_bytes)
{
	struct live_delta *live;

	HASH_FIND(hh, ix->live, &pack, sizeof(pack), live);
	if (!live) {
		live = calloc(1, sizeof(*live));
		if (!live)
			return -ENOMEM;
		live->pack = pack;
		HASH_ADD(hh, ix->live, pack, sizeof(live->pack), live);
	}
	live->delta_bytes += delta_bytes;
	return 0;
}

/* A frame loses its row: its pack holds less that is alive. */
static int add_dead(struct index *ix, const struct dead_frame *dead, int64_t *ret_delta)
{
	int r = index_list_add(&ix->dead, dead, sizeof(*dead));

	if (r == 0)
		r = add_live(ix, dead->pack, -(int64_t)dead->stored_bytes);
	*ret_delta -= dead->stored_bytes;
	return r;
}

/* The frame of the current row of GET_CHUNK or LIST_CHUNKS. */
static struct dead_frame frame_of(struct sql_stmt *s)
{
	return (struct dead_frame){.pack = (uint32_t)sql_col_i64(s, 0),
				   .off_bytes = (uint64_t)sql_col_i64(s, 1),
				   .stored_bytes = (uint32_t)sql_col_i64(s, 2)};
}

int index_drop_chunks(struct index *ix, uint64_t ino, uint64_t first_idx, uint64_t end_idx,
		      int64_t *ret_delta, struct err *e)
{
	struct sql_stmt *s = ix->statements[LIST_CHUNKS];
	int r;

	end_idx = MIN(end_idx, (uint64_t)INT64_MAX);
	sql_bind_i64(s, 1, (int64_t)ino);
	sql_bind_i64(s, 2, (int64_t)first_idx);
	sql_bind_i64(s, 3, (int64_t)end_idx);
	while ((r = sql_step(s, e)) > 0) {
		struct dead_frame dead = frame_of(s);

		if (add_dead(ix, &dead, ret_delta) < 0) {
			sql_reset(s);
			return err_oom(e);
		}
	}
	if (r < 0 || *ret_delta == 0)
		return r;
	return RUN_I64(ix, DELETE_CHUNKS, e, ino, first_idx, end_idx);
}

int index_put_chunk(struct index *ix, const struct change *c, int64_t *ret_delta, struct err *e)
{
	const struct chunk_place *p = &c->chunk.place;
	struct sql_stmt *s = ix->statements[GET_CHUNK];
	int r;

	sql_bind_i64(s, 1, (int64_t)c->ino);
	sql_bind_i64(s, 2, (int64_t)c->chunk.idx);
	r = sql_step(s, e);
	if (r < 0)
		return r;
	if (r > 0) {
		struct dead_frame dead = frame_of(s);

		sql_reset(s);
		if (add_dead(ix, &dead, ret_delta) < 0)
			return err_oom(e);
	}
	if (p->stored_bytes == 0)
		return r == 0 ? 0
			      : RUN_I64(ix, DELETE_CHUNKS, e, c->ino, c->chunk.idx,
					c->chunk.idx + 1);
	if (add_live(ix, p->pack, p->stored_bytes) < 0)
		return err_oom(e);
	*ret_delta += p->stored_bytes;
	return RUN_I64(ix, PUT_CHUNK, e, c->ino, c->chunk.idx, p->pack, p->off_bytes,
		       p->stored_bytes, p->raw_bytes, p->checksum);
}

int index_chunk_stands(struct index *ix, uint64_t ino, uint64_t idx,
		       const struct chunk_place *place, struct err *e)
{
	struct sql_stmt *s = ix->statements[GET_CHUNK];
	struct dead_frame frame;
	int r;

	sql_bind_i64(s, 1, (int64_t)ino);
	sql_bind_i64(s, 2, (int64_t)idx);
	r = sql_step(s, e);
	if (r <= 0)
		return r;
	frame = frame_of(s);
	sql_reset(s);
	return frame.pack == place->pack && frame.off_bytes == place->off_bytes;
}

int index_has_pack(struct index *ix, uint32_t pack, struct err *e)
{
	struct sql_stmt *s = ix->statements[HAS_PACK];
	int r;

	sql_bind_i64(s, 1, pack);
	r = sql_step(s, e);
	sql_reset(s);
	return r;
}

/* The copy counts only if the chunk is still what was copied; else it is dead where it now stands. */
int index_move_chunk(struct index *ix, const struct change *c, struct err *e)
{
	const struct chunk_place *to = &c->chunk.place, *from = &c->chunk.from;
	struct dead_frame dead = {
		.pack = to->pack, .off_bytes = to->off_bytes, .stored_bytes = to->stored_bytes};
	int r = RUN_I64(ix, MOVE_CHUNK, e, c->ino, c->chunk.idx, to->pack, to->off_bytes,
			from->pack, from->off_bytes);

	if (r < 0)
		return r;
	if (sql_changes(ix->db) == 0)
		return index_list_add(&ix->dead, &dead, sizeof(dead)) < 0 ? err_oom(e) : 0;
	if (add_live(ix, from->pack, -(int64_t)from->stored_bytes) < 0 ||
	    add_live(ix, to->pack, to->stored_bytes) < 0)
		return err_oom(e);
	return 0;
}

int index_delete_pack(struct index *ix, uint32_t pack, struct err *e)
{
	struct live_delta *live;
	int r = RUN_I64(ix, DELETE_PACK, e, pack);

	if (r < 0 || sql_changes(ix->db) == 0)
		return r;
	HASH_FIND(hh, ix->live, &pack, sizeof(pack), live);
	if (live) {
		HASH_DEL(ix->live, live);
		free(live);
	}
	return index_list_add(&ix->dead_packs, &pack, sizeof(pack)) < 0 ? err_oom(e) : 0;
}

int index_put_pack(struct index *ix, const struct pack_row *row, struct err *e)
{
	struct pack_row *rows = ix->packs.items;

	for (size_t i = 0; i < ix->packs.n; i++) {
		if (rows[i].pack == row->pack) {
			rows[i] = *row;
			return 0;
		}
	}
	return index_list_add(&ix->packs, row, sizeof(*row)) < 0 ? err_oom(e) : 0;
}

int index_write_packs(struct index *ix, struct err *e)
{
	const struct pack_row *rows = ix->packs.items;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ix->packs.n; i++)
		r = RUN_I64(ix, PUT_PACK, e, rows[i].pack, rows[i].size_bytes, rows[i].log_bytes,
			    rows[i].sealed);
	return r;
}

void index_take_dead(struct index *ix, struct dead_frame **ret, size_t *ret_n, uint32_t **ret_packs,
		     size_t *ret_n_packs)
{
	*ret = ix->dead.items;
	*ret_n = ix->dead.n;
	*ret_packs = ix->dead_packs.items;
	*ret_n_packs = ix->dead_packs.n;
	ix->dead = ix->dead_packs = (struct index_list){0};
}

int index_last_pack(struct index *ix, struct pack_row *ret, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	int r = sql_prepare(
		ix->db,
		"SELECT id, size_bytes, log_bytes, sealed FROM pack ORDER BY id DESC LIMIT 1", &s,
		e);

	*ret = (struct pack_row){0};
	if (r == 0)
		r = sql_step(s, e);
	if (r <= 0)
		return r;
	*ret = (struct pack_row){.pack = (uint32_t)sql_col_i64(s, 0),
				 .size_bytes = (uint64_t)sql_col_i64(s, 1),
				 .log_bytes = (uint64_t)sql_col_i64(s, 2),
				 .sealed = sql_col_i64(s, 3)};
	return 0;
}
