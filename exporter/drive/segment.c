/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Segments and the CPU work on them: read, hash, pad, encrypt. */
#include "exporter/drive/segment.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/ext/digest.h"

struct segment *segment_new(void)
{
	struct segment *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->data = malloc(SEGMENT_BYTES);
	if (!s->data) {
		free(s);
		return NULL;
	}
	return s;
}

void segment_free(struct segment *s)
{
	if (!s)
		return;
	free(s->data);
	free(s);
}

void segment_reset(struct segment *s)
{
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

/* ---- work ---- */

struct worker {
	struct reader *reader;
	struct digest *md5;
	struct sector_cipher *cipher;
	struct err err; /* why it could not be made */
	int result;
};

void *segment_worker_new(void *arg)
{
	const struct segment_worker_desc *desc = arg;
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->result = reader_open(desc->store_path, &w->reader, &w->err);
	if (w->result == 0)
		w->result = digest_new(DIGEST_MD5, &w->md5, &w->err);
	if (w->result == 0)
		w->result = bitlocker_keys_cipher(desc->keys, &w->cipher, &w->err);
	return w;
}

void segment_worker_free(void *arg)
{
	struct worker *w = arg;

	if (!w)
		return;
	reader_free(w->reader);
	digest_free(w->md5);
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
	r = digest_once(w->md5, data, p->len_bytes, p->md5);
	return r < 0 ? err_set(&s->err, -r, "MD5") : 0;
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

void segment_work(void *segment, void *worker)
{
	struct segment *s = segment;

	s->result = worker ? work(worker, s) : err_oom(&s->err);
}
