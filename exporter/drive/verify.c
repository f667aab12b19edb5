/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Phase 4: the drive as the datacenter sees it. This thread walks the manifest and NTFS and cuts files into
 * segments; workers read them through the decrypted view and compare hashes.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/pool.h"
#include "common/base/units.h"
#include "exporter/bitlocker/view.h"
#include "exporter/block/gpt.h"
#include "exporter/block/target_file.h"
#include "exporter/block/target_slice.h"
#include "exporter/drive/drive_impl.h"
#include "exporter/drive/segment.h"
#include "exporter/journal/context.h"
#include "exporter/manifest/manifest_parse.h"
#include "exporter/ntfs/read.h"

#define SEGMENTS_PER_CPU 6

struct verify {
	const struct drive_events *events;
	struct drive_verify_result *result;
	struct journal_drive_info info;
	struct target *disk, *partition, *view;
	struct bitlocker_keys *keys;
	struct ntfs_volume *volume;
	struct ntfs_file *manifest;
	uint64_t manifest_off_bytes; /* of the next read */
	struct pool *pool;
	size_t depth, in_flight;
	struct segment *filling, *idle;
	uint64_t done_bytes;

	/* The blob that is being walked. */
	char *blob_file;
	struct ntfs_file *file;
	const struct ntfs_extent *extents;
	size_t n_extents;
};

static void recycle(struct verify *v, struct segment *segment)
{
	for (unsigned i = 0; i < segment->n_pieces; i++)
		free(take_ptr(segment->pieces[i].name));
	segment_reset(segment);
	segment->next = v->idle;
	v->idle = segment;
}

static void verify_done(struct verify *v)
{
	void *item;

	if (v->pool) {
		pool_close(v->pool);
		while (pool_next(v->pool, &item))
			recycle(v, item);
	}
	pool_free(v->pool);
	if (v->filling)
		recycle(v, v->filling);
	while (v->idle) {
		struct segment *segment = v->idle;

		v->idle = segment->next;
		segment_free(segment);
	}
	ntfs_file_close(v->file);
	free(v->blob_file);
	ntfs_file_close(v->manifest);
	ntfs_volume_close(v->volume);
	target_close(v->view);
	bitlocker_keys_free(v->keys);
	target_close(v->partition);
	target_close(v->disk);
	journal_drive_info_done(&v->info);
}

/* ---- workers ---- */

struct checker {
	struct digest *md5;
	struct target *view; /* lent; any number of threads may read */
};

static void *checker_new(void *arg)
{
	struct checker *c = calloc(1, sizeof(*c));

	if (c && digest_new(DIGEST_MD5, &c->md5, NULL) < 0) {
		free(c);
		return NULL;
	}
	if (c)
		c->view = arg;
	return c;
}

static void checker_free(void *arg)
{
	struct checker *c = arg;

	if (c)
		digest_free(c->md5);
	free(c);
}

static void check_segment(void *item, void *arg)
{
	struct segment *s = item;
	struct checker *c = arg;

	s->result = c ? 0 : err_oom(&s->err);
	for (unsigned i = 0; s->result == 0 && i < s->n_runs; i++)
		s->result = target_pread(c->view, s->data + s->runs[i].at, s->runs[i].len_bytes,
					 s->runs[i].volume_off_bytes, &s->err);
	for (unsigned i = 0; s->result == 0 && i < s->n_pieces; i++) {
		struct piece *p = &s->pieces[i];
		uint8_t md5[MD5_BYTES];

		s->result = digest_once(c->md5, s->data + p->at, p->len_bytes, md5);
		p->changed = memcmp(md5, p->md5, sizeof(md5)) != 0;
	}
}

/* ---- results ---- */

static void note_bad(struct verify *v, const char *name, uint64_t off_bytes, const char *what)
{
	if (v->result->bad_ranges++ == 0)
		(void)snprintf(v->result->first_bad, sizeof(v->result->first_bad),
			       "'%s' at %ju: %s", name, (uintmax_t)off_bytes, what);
	if (v->result->bad_ranges <= 20)
		drive_tell(v->events, "'%s' at %ju: %s", name, (uintmax_t)off_bytes, what);
}

static int take_one(struct verify *v, struct err *e)
{
	struct segment *s;
	void *item;

	if (!pool_next(v->pool, &item))
		return err_set(e, EIO, "the worker threads ended");
	s = item;
	v->in_flight--;
	for (unsigned i = 0; i < s->n_pieces; i++) {
		const struct piece *p = &s->pieces[i];

		if (s->result < 0)
			note_bad(v, p->name, p->idx, s->err.text);
		else if (p->changed)
			note_bad(v, p->name, p->idx, "content differs from its hash");
		v->result->bytes += p->len_bytes;
		v->done_bytes += p->len_bytes;
	}
	drive_progress(v->events, v->done_bytes);
	recycle(v, s);
	return 0;
}

static int submit(struct verify *v, struct err *e)
{
	int r = 0;

	if (!v->filling || v->filling->n_pieces == 0)
		return 0;
	while (r == 0 && v->in_flight == v->depth)
		r = take_one(v, e);
	if (r == 0 && drive_stopped(v->events))
		r = err_set(e, EINTR, "stopped");
	if (r == 0 && pool_submit(v->pool, v->filling, 1) < 0)
		r = err_set(e, EIO, "the worker threads ended");
	if (r < 0)
		return r;
	v->filling = NULL;
	v->in_flight++;
	return 0;
}

static int make_room(struct verify *v, uint32_t len_bytes, struct err *e)
{
	int r = 0;

	if (v->filling && !segment_has_room(v->filling, len_bytes, v->n_extents + 1))
		r = submit(v, e);
	if (r < 0 || v->filling)
		return r;
	v->filling = v->idle;
	if (v->filling)
		v->idle = v->filling->next;
	else
		v->filling = segment_new();
	return v->filling ? 0 : err_oom(e);
}

/* ---- the manifest's blobs ---- */

static int check_drive_id(const char *drive_id, void *arg, struct err *e)
{
	struct verify *v = arg;

	if (strcmp(drive_id, v->info.drive_id) == 0)
		return 0;
	return err_set(e, EBADMSG, "the manifest is of drive '%s', the journal of '%s'", drive_id,
		       v->info.drive_id);
}

static int count_blob(const char *blob_path _unused_, const char *file_path _unused_,
		      uint64_t length_bytes, void *arg, struct err *e _unused_)
{
	*(uint64_t *)arg += length_bytes;
	return 0;
}

static int begin_blob(const char *blob_path _unused_, const char *file_path, uint64_t length_bytes,
		      void *arg, struct err *e)
{
	struct verify *v = arg;
	struct err why = {0};
	int r;

	v->result->blobs++;
	v->blob_file = strdup(file_path);
	if (!v->blob_file)
		return err_oom(e);
	v->n_extents = 0;
	r = ntfs_volume_open_file(v->volume, file_path, &v->file, &why);
	if (r < 0) {
		note_bad(v, file_path, 0, why.text);
		return r == -ENOMEM ? err_oom(e) : 0;
	}
	if (ntfs_file_size(v->file) != length_bytes) {
		note_bad(v, file_path, 0, "its size differs from the manifest's");
		ntfs_file_close(take_ptr(v->file));
		return 0;
	}
	/* Whatever the clusters do not hold is read through NTFS itself. */
	if (ntfs_file_initialized(v->file) == length_bytes)
		return ntfs_file_extents(v->file, &v->extents, &v->n_extents, e);
	return 0;
}

/* Where the bytes of a range are; false when the extents do not cover it. */
static bool add_runs(struct verify *v, uint32_t at, uint64_t off_bytes, uint32_t len_bytes)
{
	for (size_t i = 0; len_bytes && i < v->n_extents; i++) {
		const struct ntfs_extent *x = &v->extents[i];
		uint64_t skip = off_bytes - x->file_off_bytes;
		uint32_t n;

		if (off_bytes < x->file_off_bytes || skip >= x->len_bytes)
			continue;
		n = (uint32_t)MIN(x->len_bytes - skip, (uint64_t)len_bytes);
		segment_add_run(v->filling, at, n, x->volume_off_bytes + skip);
		at += n;
		off_bytes += n;
		len_bytes -= n;
	}
	return len_bytes == 0;
}

static int check_range(const struct manifest_range *range, void *arg, struct err *e)
{
	struct verify *v = arg;
	struct piece piece = {.idx = range->off_bytes,
			      .len_bytes = range->len_bytes,
			      .padded_bytes = range->len_bytes};
	uint32_t at;
	int r;

	v->result->ranges++;
	if (!v->file)
		return 0; /* counted as bad as a whole */
	r = make_room(v, range->len_bytes, e);
	if (r < 0)
		return r;
	at = v->filling->used_bytes;
	if (v->n_extents == 0)
		r = ntfs_file_pread(v->file, v->filling->data + at, range->len_bytes,
				    range->off_bytes, e);
	else if (!add_runs(v, at, range->off_bytes, range->len_bytes))
		r = err_set(e, EBADMSG, "'%s': extents do not cover it", v->blob_file);
	if (r < 0)
		return r;
	memcpy(piece.md5, range->md5, sizeof(piece.md5));
	piece.name = strdup(v->blob_file);
	if (!piece.name)
		return err_oom(e);
	segment_add_piece(v->filling, &piece);
	return 0;
}

static int end_blob(void *arg, struct err *e _unused_)
{
	struct verify *v = arg;

	ntfs_file_close(take_ptr(v->file));
	free(take_ptr(v->blob_file));
	return 0;
}

/* ---- the manifest file ---- */

static int read_manifest(void *data, size_t len_bytes, size_t *ret_bytes, void *arg, struct err *e)
{
	struct verify *v = arg;
	uint64_t left = ntfs_file_size(v->manifest) - v->manifest_off_bytes;
	size_t n = (size_t)MIN(left, (uint64_t)len_bytes);
	int r = n ? ntfs_file_pread(v->manifest, data, n, v->manifest_off_bytes, e) : 0;

	if (r < 0)
		return r;
	v->manifest_off_bytes += n;
	*ret_bytes = n;
	return 0;
}

static int check_manifest_hash(struct verify *v, struct err *e)
{
	_cleanup_(digest_freep) struct digest *md5 = NULL;
	_cleanup_free_ uint8_t *data = malloc(MiB);
	uint8_t hash[MD5_BYTES];
	char text[2 * MD5_BYTES + 1];
	size_t n = 1;
	int r = data ? digest_new(DIGEST_MD5, &md5, e) : err_oom(e);

	if (r == 0 && digest_start(md5) < 0)
		r = err_set(e, EIO, "MD5");
	v->manifest_off_bytes = 0;
	while (r == 0 && n) {
		r = read_manifest(data, MiB, &n, v, e);
		if (r == 0 && digest_update(md5, data, n) < 0)
			r = err_set(e, EIO, "MD5");
	}
	if (r == 0 && digest_finish(md5, hash) < 0)
		r = err_set(e, EIO, "MD5");
	if (r < 0)
		return r;
	(void)format_hex(hash, sizeof(hash), true, text);
	if (strcmp(text, v->info.manifest_hash) != 0)
		return err_set(e, EBADMSG, "the manifest's MD5 is %s, the journal says %s", text,
			       v->info.manifest_hash);
	return 0;
}

static int parse(struct verify *v, const struct manifest_handler *handler, struct err *e)
{
	struct manifest_source source = {.read = read_manifest, .arg = v};

	v->manifest_off_bytes = 0;
	return manifest_parse(&source, handler, e);
}

static int check_manifest(struct verify *v, struct err *e)
{
	struct manifest_handler checks = {.drive_id = check_drive_id,
					  .blob_begin = begin_blob,
					  .range = check_range,
					  .blob_end = end_blob,
					  .arg = v};
	uint64_t total = 0;
	struct manifest_handler counts = {.blob_begin = count_blob, .arg = &total};
	int r = ntfs_volume_open_file(v->volume, v->info.manifest_file, &v->manifest, e);

	if (r == 0)
		r = check_manifest_hash(v, e);
	if (r == 0)
		r = parse(v, &counts, e);
	if (r < 0)
		return err_wrap(e, r, "manifest '%s'", v->info.manifest_file);
	drive_phase(v->events, "verify", total);
	r = parse(v, &checks, e);
	if (r == 0)
		r = submit(v, e);
	while (r == 0 && v->in_flight)
		r = take_one(v, e);
	return r;
}

/* ---- the stack ---- */

static int open_stack(struct verify *v, const struct drive_verify_request *q, struct err *e)
{
	struct gpt_partition data;
	int r = target_file_open(q->target, false, &v->disk, e);

	if (r == 0 && v->disk->ops->drop_caches)
		r = v->disk->ops->drop_caches(v->disk, e);
	if (r == 0)
		r = gpt_read(v->disk, &data, e);
	if (r == 0)
		r = target_slice_new(v->disk, data.off_bytes, data.size_bytes, &v->partition, e);
	if (r == 0)
		r = bitlocker_unlock(v->partition, v->info.bitlocker_key, &v->keys, e);
	if (r == 0)
		r = bitlocker_view_new(v->keys, v->partition, &v->view, e);
	return r == 0 ? ntfs_volume_open(v->view, &v->volume, e) : r;
}

static int start_pool(struct verify *v, unsigned n_workers, struct err *e)
{
	struct pool_desc desc = {.name = "verify",
				 .n_workers = n_workers,
				 .depth = SEGMENTS_PER_CPU * MAX(n_workers, 1u),
				 .work = check_segment,
				 .worker_new = checker_new,
				 .worker_free = checker_free,
				 .arg = v->view};

	v->depth = desc.depth;
	return pool_new(&desc, &v->pool, e);
}

int drive_verify(const struct drive_verify_request *request, const struct drive_events *events,
		 struct drive_verify_result *ret, struct err *e)
{
	_cleanup_(verify_done) struct verify v = {.events = events, .result = ret};
	uint64_t began = clock_monotonic_ns();
	int r;

	*ret = (struct drive_verify_result){0};
	r = journal_drive_info(request->journal_path, &v.info, e);
	if (r == -ENODATA)
		return err_hint(e, err_wrap(e, r, "journal '%s'", request->journal_path),
				"the drive was never finished: run 'seedship export' again");
	if (r < 0)
		return r;
	(void)snprintf(ret->drive_id, sizeof(ret->drive_id), "%s", v.info.drive_id);
	r = open_stack(&v, request, e);
	if (r == 0)
		r = start_pool(&v, request->n_workers, e);
	if (r == 0)
		r = check_manifest(&v, e);
	ret->elapsed_ns = clock_monotonic_ns() - began;
	if (r == 0 && ret->bad_ranges)
		r = err_set(e, EBADMSG, "%ju of %ju ranges are not as they should be; first: %s",
			    (uintmax_t)ret->bad_ranges, (uintmax_t)ret->ranges, ret->first_bad);
	return r < 0 ? err_wrap(e, r, "verifying '%s'", request->target) : 0;
}
