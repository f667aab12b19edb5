/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The CPU work of verifying: read a segment, which decrypts it, and compare hashes. */
#include <string.h>

#include "exporter/drive/verify_impl.h"

/* What of a run lies in a piece. */
static int read_part(struct segment *s, const struct run *run, const struct piece *p,
		     struct target *view)
{
	uint32_t from = MAX(run->at, p->at);
	uint32_t to = MIN(run->at + run->len_bytes, p->at + p->len_bytes);

	if (from >= to)
		return 0;
	return target_pread(view, s->data + from, to - from, run->volume_off_bytes + from - run->at,
			    &s->err);
}

/* Something cannot be read: piece by piece, to find out whose bytes these are. */
static void read_pieces(struct segment *s, struct target *view)
{
	for (unsigned i = 0; i < s->n_pieces; i++) {
		struct piece *p = &s->pieces[i];

		for (unsigned k = 0; k < s->n_runs && !p->unreadable; k++)
			p->unreadable = read_part(s, &s->runs[k], p, view) < 0;
	}
}

void verify_work(void *segment, void *view)
{
	struct segment *s = segment;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < s->n_runs; i++)
		r = target_pread(view, s->data + s->runs[i].at, s->runs[i].len_bytes,
				 s->runs[i].volume_off_bytes, &s->err);
	if (r < 0)
		read_pieces(s, view);
	segment_hash(s);
	for (unsigned i = 0; i < s->n_pieces; i++) {
		struct piece *p = &s->pieces[i];

		p->differs = memcmp(p->md5, p->expected, sizeof(p->md5)) != 0;
	}
}
