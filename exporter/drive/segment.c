/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Segments: filled with pieces and runs, and hashed. */
#include "exporter/drive/segment.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/md5_lanes.h"

struct segment *segment_new(void)
{
	return calloc(1, sizeof(struct segment));
}

void segment_free(struct segment *s)
{
	if (!s)
		return;
	segment_reset(s);
	free(s->data);
	free(s);
}

void segment_reset(struct segment *s)
{
	for (unsigned i = 0; i < s->n_pieces; i++)
		free(take_ptr(s->pieces[i].name));
	s->used_bytes = 0;
	s->n_pieces = s->n_runs = 0;
	s->result = 0;
}

bool segment_has_room(const struct segment *s, uint32_t padded_bytes, size_t n_runs)
{
	return s->used_bytes + padded_bytes <= SEGMENT_BYTES && s->n_pieces < SEGMENT_PIECES &&
	       s->n_runs + n_runs <= SEGMENT_PIECES;
}

void segment_add_piece(struct segment *s, const struct piece *piece)
{
	struct piece *p = &s->pieces[s->n_pieces++];

	*p = *piece;
	p->at = s->used_bytes;
	s->used_bytes += piece->padded_bytes;
}

void segment_add_run(struct segment *s, uint32_t at, uint32_t len_bytes, uint64_t volume_off_bytes)
{
	struct run *last = s->n_runs ? &s->runs[s->n_runs - 1] : NULL;

	if (last && last->at + last->len_bytes == at &&
	    last->volume_off_bytes + last->len_bytes == volume_off_bytes)
		last->len_bytes += len_bytes;
	else
		s->runs[s->n_runs++] = (struct run){at, len_bytes, volume_off_bytes};
}

void segment_hash(struct segment *s)
{
	struct md5_message messages[SEGMENT_PIECES];

	for (unsigned i = 0; i < s->n_pieces; i++) {
		struct piece *p = &s->pieces[i];

		messages[i] = (struct md5_message){s->data + p->at, p->len_bytes, p->md5};
	}
	md5_many(messages, s->n_pieces);
}
