/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The decrypted view. Each call borrows a worker (cipher and buffer) from a list that grows to the
 * number of threads. Whole sectors are decrypted in the caller's memory; pieces of a sector go
 * through the worker's buffer, and under piece_lock: writing one is a read-modify-write of bytes
 * that belong to others.
 */
#include "exporter/bitlocker/view.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

#define WORKER_BYTES (256 * KiB) /* a multiple of any sector */

struct worker {
	struct worker *next;
	struct sector_cipher *cipher;
	uint8_t data[WORKER_BYTES];
};

struct view {
	struct target target;
	const struct bitlocker_keys *keys;	   /* lent */
	const struct bitlocker_geometry *geometry; /* of keys */
	struct target *partition;		   /* lent */
	pthread_mutex_t idle_lock;
	struct worker *idle; /* under idle_lock */
	pthread_mutex_t piece_lock;
};

static struct view *view_of(struct target *t)
{
	return container_of(t, struct view, target);
}

static void worker_free(struct worker *w)
{
	sector_cipher_free(w->cipher);
	free(w);
}
DEFINE_FREEP(struct worker, worker_free)

static int worker_new(const struct view *v, struct worker **ret, struct err *e)
{
	_cleanup_(worker_freep) struct worker *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return err_oom(e);
	r = bitlocker_keys_cipher(v->keys, &w->cipher, e);
	if (r < 0)
		return r;
	*ret = take_ptr(w);
	return 0;
}

static int worker_take(struct view *v, struct worker **ret, struct err *e)
{
	{
		LOCK_SCOPE(&v->idle_lock);

		if (v->idle) {
			*ret = v->idle;
			v->idle = v->idle->next;
			return 0;
		}
	}
	return worker_new(v, ret, e);
}

static void worker_give(struct view *v, struct worker *w)
{
	LOCK_SCOPE(&v->idle_lock);
	w->next = v->idle;
	v->idle = w;
}

static int fail_cipher(const struct view *v, int r, struct err *e)
{
	return err_set(e, -r, "%s: OpenSSL failed on a sector", v->target.name);
}

/* Whole sectors at disk_off_bytes, decrypted in place. */
static int read_sectors(struct view *v, struct worker *w, uint8_t *data, size_t len_bytes,
			uint64_t disk_off_bytes, struct err *e)
{
	int r = target_pread(v->partition, data, len_bytes, disk_off_bytes, e);

	if (r < 0)
		return r;
	r = sector_cipher_decrypt(w->cipher, data, data, len_bytes, disk_off_bytes);
	return r < 0 ? fail_cipher(v, r, e) : 0;
}

/* At most WORKER_BYTES of whole sectors, encrypted on the way. */
static int write_sectors(struct view *v, struct worker *w, const uint8_t *data, size_t len_bytes,
			 uint64_t disk_off_bytes, struct err *e)
{
	int r = sector_cipher_encrypt(w->cipher, data, w->data, len_bytes, disk_off_bytes);

	if (r < 0)
		return fail_cipher(v, r, e);
	return target_pwrite(v->partition, w->data, len_bytes, disk_off_bytes, e);
}

/* A piece within one sector. */
static int read_piece(struct view *v, struct worker *w, uint8_t *data, size_t len_bytes,
		      uint64_t disk_off_bytes, struct err *e)
{
	uint32_t sector = v->geometry->sector_bytes, skew = (uint32_t)(disk_off_bytes % sector);
	LOCK_SCOPE(&v->piece_lock);
	int r = read_sectors(v, w, w->data, sector, disk_off_bytes - skew, e);

	if (r == 0)
		memcpy(data, w->data + skew, len_bytes);
	return r;
}

static int write_piece(struct view *v, struct worker *w, const uint8_t *data, size_t len_bytes,
		       uint64_t disk_off_bytes, struct err *e)
{
	uint32_t sector = v->geometry->sector_bytes, skew = (uint32_t)(disk_off_bytes % sector);
	LOCK_SCOPE(&v->piece_lock);
	int r = read_sectors(v, w, w->data, sector, disk_off_bytes - skew, e);

	if (r < 0)
		return r;
	memcpy(w->data + skew, data, len_bytes);
	return write_sectors(v, w, w->data, sector, disk_off_bytes - skew, e);
}

/*
 * Length of the next step of a transfer: the rest of a sector that it starts or ends within, else
 * as many whole sectors as fit in max_bytes.
 */
static size_t step_bytes(const struct view *v, uint64_t off_bytes, uint64_t len_bytes,
			 size_t max_bytes, bool *ret_piece)
{
	uint32_t sector = v->geometry->sector_bytes, skew = (uint32_t)(off_bytes % sector);

	*ret_piece = skew || len_bytes < sector;
	if (*ret_piece)
		return (size_t)MIN(len_bytes, sector - skew);
	return (size_t)round_down_u64(MIN(len_bytes, max_bytes), sector);
}

static int read_span(struct view *v, struct worker *w, uint8_t *data,
		     const struct bitlocker_span *span, struct err *e)
{
	int r = 0;

	if (span->kind == BITLOCKER_SPAN_HOLE) {
		memset(data, 0, (size_t)span->len_bytes);
		return 0;
	}
	for (uint64_t done = 0, n; r == 0 && done < span->len_bytes; done += n) {
		uint64_t off_bytes = span->disk_off_bytes + done;
		bool piece;

		n = step_bytes(v, off_bytes, span->len_bytes - done, SIZE_MAX, &piece);
		r = piece ? read_piece(v, w, data + done, n, off_bytes, e)
			  : read_sectors(v, w, data + done, n, off_bytes, e);
	}
	return r;
}

static bool all_zeros(const uint8_t *data, uint64_t len_bytes)
{
	return len_bytes == 0 ||
	       (data[0] == 0 && memcmp(data, data + 1, (size_t)len_bytes - 1) == 0);
}

static int write_span(struct view *v, struct worker *w, const uint8_t *data,
		      const struct bitlocker_span *span, struct err *e)
{
	int r = 0;

	if (span->kind == BITLOCKER_SPAN_HOLE) {
		if (all_zeros(data, span->len_bytes))
			return 0;
		return err_set(e, EIO,
			       "%s: a write at %" PRIu64 " would overwrite BitLocker's metadata",
			       v->target.name, span->disk_off_bytes);
	}
	for (uint64_t done = 0, n; r == 0 && done < span->len_bytes; done += n) {
		uint64_t off_bytes = span->disk_off_bytes + done;
		bool piece;

		n = step_bytes(v, off_bytes, span->len_bytes - done, WORKER_BYTES, &piece);
		r = piece ? write_piece(v, w, data + done, n, off_bytes, e)
			  : write_sectors(v, w, data + done, n, off_bytes, e);
	}
	return r;
}

static int view_pread(struct target *t, void *data, size_t len_bytes, uint64_t off_bytes,
		      struct err *e)
{
	struct view *v = view_of(t);
	struct worker *w;
	int r;

	if (!target_has_range(t, len_bytes, off_bytes))
		return err_set(e, ENODATA,
			       "%s: read of %zu bytes at %" PRIu64 " is past the volume's end",
			       t->name, len_bytes, off_bytes);
	r = worker_take(v, &w, e);
	if (r < 0)
		return r;
	for (size_t done = 0; r == 0 && done < len_bytes;) {
		struct bitlocker_span span =
			bitlocker_map(v->geometry, off_bytes + done, len_bytes - done);

		r = read_span(v, w, (uint8_t *)data + done, &span, e);
		done += span.len_bytes;
	}
	worker_give(v, w);
	return r;
}

static int view_pwrite(struct target *t, const void *data, size_t len_bytes, uint64_t off_bytes,
		       struct err *e)
{
	struct view *v = view_of(t);
	struct worker *w;
	int r;

	if (!target_has_range(t, len_bytes, off_bytes))
		return err_set(e, ENOSPC,
			       "%s: write of %zu bytes at %" PRIu64 " is past the volume's end",
			       t->name, len_bytes, off_bytes);
	r = worker_take(v, &w, e);
	if (r < 0)
		return r;
	for (size_t done = 0; r == 0 && done < len_bytes;) {
		struct bitlocker_span span =
			bitlocker_map(v->geometry, off_bytes + done, len_bytes - done);

		r = write_span(v, w, (const uint8_t *)data + done, &span, e);
		done += span.len_bytes;
	}
	worker_give(v, w);
	return r;
}

static int view_flush(struct target *t, struct err *e)
{
	return target_flush(view_of(t)->partition, e);
}

static int view_drop_caches(struct target *t, struct err *e)
{
	return target_drop_caches(view_of(t)->partition, e);
}

static void view_close(struct target *t)
{
	struct view *v = view_of(t);

	while (v->idle) {
		struct worker *w = v->idle;

		v->idle = w->next;
		worker_free(w);
	}
	(void)pthread_mutex_destroy(&v->idle_lock);
	(void)pthread_mutex_destroy(&v->piece_lock);
	free(v);
}

static const struct target_ops view_ops = {
	.pread = view_pread,
	.pwrite = view_pwrite,
	.flush = view_flush,
	.drop_caches = view_drop_caches,
	.close = view_close,
};

int bitlocker_view_new(const struct bitlocker_keys *keys, struct target *partition,
		       struct target **ret, struct err *e)
{
	const struct bitlocker_info *info = bitlocker_keys_info(keys);
	struct view *v;

	if (partition->size_bytes < info->geometry.volume_bytes)
		return err_set(e, EINVAL, "%s: the partition is smaller than its volume",
			       partition->name);
	v = calloc(1, sizeof(*v));
	if (!v)
		return err_oom(e);
	v->target.ops = &view_ops;
	v->target.size_bytes = info->geometry.volume_bytes;
	v->target.sector_bytes = info->geometry.sector_bytes;
	memcpy(v->target.name, partition->name, sizeof(v->target.name));
	v->keys = keys;
	v->geometry = &info->geometry;
	v->partition = partition;
	(void)pthread_mutex_init(&v->idle_lock, NULL);
	(void)pthread_mutex_init(&v->piece_lock, NULL);
	*ret = &v->target;
	return 0;
}
