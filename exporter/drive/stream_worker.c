/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The CPU work of streaming: read a segment's pieces from the store, pad them, hash, encrypt. */
#include "exporter/drive/stream_worker.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/store/reader.h"
#include "exporter/drive/segment.h"

struct worker {
	struct reader *reader;
	struct sector_cipher *cipher;
	struct err err; /* why it could not be made */
	int result;
};

void *stream_worker_new(void *arg)
{
	const struct stream_worker_desc *desc = arg;
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->result = reader_open(desc->store_path, &w->reader, &w->err);
	if (w->result == 0)
		w->result = bitlocker_keys_cipher(desc->keys, &w->cipher, &w->err);
	return w;
}

void stream_worker_free(void *arg)
{
	struct worker *w = arg;

	if (!w)
		return;
	reader_free(w->reader);
	sector_cipher_free(w->cipher);
	free(w);
}

static int load_piece(struct worker *w, struct segment *s, struct piece *p)
{
	uint8_t *data = s->data + p->at;
	int r = reader_pread(w->reader, p->ino, p->content_version, data, p->len_bytes,
			     p->idx * MANIFEST_BLOCK_BYTES, &s->err);

	p->changed = r == -ESTALE;
	if (p->changed) {
		/* Its place is written all the same, so that nothing of it is left to chance. */
		memset(data, 0, p->padded_bytes);
		return 0;
	}
	if (r < 0)
		return r;
	memset(data + p->len_bytes, 0, p->padded_bytes - p->len_bytes);
	return 0;
}

static int work(struct worker *w, struct segment *s)
{
	int r;

	if (w->result < 0) {
		s->err = w->err;
		return w->result;
	}
	for (unsigned i = 0; i < s->n_pieces; i++) {
		r = load_piece(w, s, &s->pieces[i]);
		if (r < 0)
			return r;
	}
	segment_hash(s);
	for (unsigned i = 0; i < s->n_runs; i++) {
		const struct run *run = &s->runs[i];

		r = sector_cipher_encrypt(w->cipher, s->data + run->at, s->data + run->at,
					  run->len_bytes, run->volume_off_bytes);
		if (r < 0)
			return err_set(&s->err, -r, "encrypting at %ju",
				       (uintmax_t)run->volume_off_bytes);
	}
	return 0;
}

void stream_work(void *segment, void *worker)
{
	struct segment *s = segment;

	s->result = worker ? work(worker, s) : err_oom(&s->err);
}
