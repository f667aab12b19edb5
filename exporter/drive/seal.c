/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Phase 3: the manifest, NTFS's own clusters from the lay-out image, BitLocker's metadata, and sector 0
 * last. Repeated whole when it was cut off.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/units.h"
#include "exporter/drive/drive_impl.h"
#include "exporter/journal/context.h"
#include "exporter/manifest/drive_manifest.h"
#include "exporter/ntfs/image.h"
#include "exporter/ntfs/read.h"
#include "exporter/ntfs/runs.h"
#include "exporter/shipping/hashes.h"
#include "common/store/reader.h"

#define COPY_BYTES   (4 * MiB)
#define HASH_WINDOW  256
#define CHANGED_NOTE "changed since the drive was planned"

struct seal {
	struct drive *d;
	struct drive_result *result;
	struct sector_cipher *cipher;
	struct reader *reader;
	struct digest *md5;
	uint8_t *buffer;	      /* COPY_BYTES */
	size_t filled_bytes;	      /* of the manifest, in buffer */
	uint64_t written_bytes;	      /* of the manifest */
	struct ntfs_extent *manifest; /* where it lies */
	size_t n_manifest;
	struct ntfs_range *content; /* all extents, the manifest's too */
	size_t n_content, content_capacity;
	int64_t *ids; /* by seq: placement in the manifest, 0 = left out */
	uint64_t n_ids;
	struct manifest *writer;
	uint64_t copied_bytes;
};

static void seal_done(struct seal *s)
{
	manifest_free(s->writer);
	sector_cipher_free(s->cipher);
	reader_free(s->reader);
	digest_free(s->md5);
	free(s->buffer);
	free(s->manifest);
	free(s->content);
	free(s->ids);
}

/* ---- what lies where ---- */

static int add_range(struct seal *s, uint64_t off_bytes, uint64_t len_bytes, struct err *e)
{
	if (s->n_content == s->content_capacity) {
		size_t capacity = s->content_capacity ? s->content_capacity * 2 : 1024;
		struct ntfs_range *grown = reallocarray(s->content, capacity, sizeof(*grown));

		if (!grown)
			return err_oom(e);
		s->content = grown;
		s->content_capacity = capacity;
	}
	s->content[s->n_content++] = (struct ntfs_range){off_bytes, len_bytes};
	return 0;
}

static int add_extents(const struct shipping_placement *p, void *arg, struct err *e)
{
	struct seal *s = arg;
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n_extents; i++)
		r = add_range(s, p->extents[i].volume_off_bytes, p->extents[i].len_bytes, e);
	return r;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct ntfs_range *x = a, *y = b;

	return (x->off_bytes > y->off_bytes) - (x->off_bytes < y->off_bytes);
}

/* Asks the lay-out image where the manifest's clusters are. */
static int find_manifest(struct seal *s, struct err *e)
{
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *volume = NULL;
	_cleanup_(ntfs_file_closep) struct ntfs_file *file = NULL;
	const struct ntfs_extent *extents;
	int r = ntfs_volume_open(s->d->layout, &volume, e);

	if (r == 0)
		r = ntfs_volume_open_file(volume, MANIFEST_PATH, &file, e);
	if (r == 0)
		r = ntfs_file_extents(file, &extents, &s->n_manifest, e);
	if (r < 0)
		return r;
	s->manifest = reallocarray(NULL, s->n_manifest, sizeof(*s->manifest));
	if (!s->manifest)
		return err_oom(e);
	memcpy(s->manifest, extents, s->n_manifest * sizeof(*s->manifest));
	for (size_t i = 0; r == 0 && i < s->n_manifest; i++)
		r = add_range(s, extents[i].volume_off_bytes, extents[i].len_bytes, e);
	return r;
}

/* ---- manifest ---- */

/* Writes what is in the buffer, whole clusters, to the manifest's place. */
static int write_manifest_part(struct seal *s, struct err *e)
{
	size_t len_bytes = (size_t)round_up_u64(s->filled_bytes, s->d->row.cluster_bytes), at = 0;
	int r = digest_update(s->md5, s->buffer, s->filled_bytes);

	if (r < 0)
		return err_set(e, -r, "MD5");
	memset(s->buffer + s->filled_bytes, 0, len_bytes - s->filled_bytes);
	for (size_t i = 0; at < len_bytes && i < s->n_manifest; i++) {
		const struct ntfs_extent *x = &s->manifest[i];
		uint64_t off_bytes = s->written_bytes + at, skip = off_bytes - x->file_off_bytes;
		size_t n;

		if (off_bytes < x->file_off_bytes || skip >= x->len_bytes)
			continue;
		n = (size_t)MIN(x->len_bytes - skip, (uint64_t)(len_bytes - at));
		r = drive_write_plain(s->d, s->cipher, s->buffer + at, n,
				      x->volume_off_bytes + skip, e);
		if (r < 0)
			return r;
		at += n;
	}
	if (at < len_bytes)
		return err_set(e, EBADMSG, "the lay-out has no room for the manifest");
	s->written_bytes += s->filled_bytes;
	s->filled_bytes = 0;
	return 0;
}

static int manifest_write(const void *data, size_t len_bytes, void *arg, struct err *e)
{
	struct seal *s = arg;
	const char *at = data;
	int r = 0;

	while (r == 0 && len_bytes) {
		size_t n = MIN(len_bytes, (size_t)COPY_BYTES - s->filled_bytes);

		memcpy(s->buffer + s->filled_bytes, at, n);
		s->filled_bytes += n;
		at += n;
		len_bytes -= n;
		if (s->filled_bytes == COPY_BYTES)
			r = write_manifest_part(s, e);
	}
	return r;
}

struct hash_window {
	struct shipping *shipping;
	int64_t placement;
	uint64_t first;
	size_t n;
	uint8_t md5[HASH_WINDOW * MD5_BYTES];
};

static int next_hash(uint64_t i, uint8_t ret[MD5_BYTES], void *arg, struct err *e)
{
	struct hash_window *w = arg;
	int r;

	if (i < w->first || i >= w->first + w->n) {
		r = shipping_hashes_read(w->shipping, w->placement, i, HASH_WINDOW, w->md5, &w->n,
					 e);
		if (r < 0)
			return r;
		w->first = i;
		if (w->n == 0)
			return err_set(e, EBADMSG, "shipping.db: block %ju has no hash",
				       (uintmax_t)i);
	}
	memcpy(ret, w->md5 + (i - w->first) * MD5_BYTES, MD5_BYTES);
	return 0;
}

/* Files without clusters were not looked at by phase 2. */
static int changed_while_empty(struct seal *s, const struct shipping_placement *p, bool *ret,
			       struct err *e)
{
	struct staged_entry now;
	int r;

	*ret = false;
	if (p->size_bytes || p->link_of != SHIPPING_NO_LINK)
		return 0;
	r = reader_stat(s->reader, p->ino, &now, e);
	*ret = r == -ENOENT || (r == 0 && now.content_version != p->content_version);
	return *ret || r == 0 ? 0 : r;
}

/* The placement that has the content and the hashes; 0 when this one is left out. */
static int find_content(struct seal *s, const struct shipping_placement *p, int64_t *ret,
			struct err *e)
{
	bool changed;
	int r = changed_while_empty(s, p, &changed, e);

	*ret = 0;
	if (r < 0)
		return r;
	if (p->state == SHIPPING_FILE_CHANGED)
		return 0;
	if (p->link_of != SHIPPING_NO_LINK)
		*ret = p->link_of < s->n_ids ? s->ids[p->link_of] : 0;
	else if (!changed)
		*ret = p->id;
	if (*ret == 0)
		return shipping_placement_set_state(s->d->request->shipping, p->id,
						    SHIPPING_FILE_CHANGED, CHANGED_NOTE, e);
	return 0;
}

static int remember_id(struct seal *s, uint64_t seq, int64_t id, struct err *e)
{
	if (seq >= s->n_ids) {
		uint64_t n = MAX(seq + 1, s->n_ids * 2);
		int64_t *grown = reallocarray(s->ids, n, sizeof(*grown));

		if (!grown)
			return err_oom(e);
		memset(grown + s->n_ids, 0, (n - s->n_ids) * sizeof(*grown));
		s->ids = grown;
		s->n_ids = n;
	}
	s->ids[seq] = id;
	return 0;
}

static int add_blob(const struct shipping_placement *p, void *arg, struct err *e)
{
	struct seal *s = arg;
	struct hash_window hashes = {.shipping = s->d->request->shipping};
	struct manifest_blob blob = {
		.blob_path = p->blob_path,
		.file_path = p->drive_path,
		.length_bytes = p->size_bytes,
		.ranges = p->page_blob ? MANIFEST_PAGES : MANIFEST_BLOCKS,
		.hash = next_hash,
		.hash_arg = &hashes,
	};
	int r = find_content(s, p, &hashes.placement, e);

	if (r < 0)
		return r;
	if (hashes.placement == 0) {
		s->result->changed++;
		drive_tell(s->d->events, "%s: %s; it stays to be shipped", p->path, CHANGED_NOTE);
		return 0;
	}
	r = remember_id(s, p->seq, hashes.placement, e);
	if (r == 0)
		r = manifest_blob(s->writer, &blob, e);
	if (r < 0)
		return err_wrap(e, r, "'%s'", p->path);
	s->result->files++;
	s->result->content_bytes += p->size_bytes;
	return 0;
}

static int write_manifest(struct seal *s, struct err *e)
{
	struct manifest_desc desc = {.drive_id = s->d->row.drive_id,
				     .session_id = s->d->row.session_id};
	struct manifest_sink sink = {.write = manifest_write, .arg = s};
	int r = digest_start(s->md5);

	if (r < 0)
		return err_set(e, -r, "MD5");
	r = manifest_begin(&desc, &sink, &s->writer, e);
	if (r == 0)
		r = shipping_placement_each(s->d->request->shipping, s->d->row.id, SHIPPING_BY_SEQ,
					    0, add_blob, s, e);
	if (r == 0)
		r = manifest_end(s->writer, s->d->row.manifest_bytes, NULL, e);
	if (r == 0 && s->filled_bytes)
		r = write_manifest_part(s, e);
	if (r == 0 && digest_finish(s->md5, s->d->row.manifest_md5) < 0)
		r = err_set(e, EIO, "MD5");
	return r < 0 ? err_wrap(e, r, "writing the manifest") : 0;
}

/* ---- NTFS's own clusters ---- */

static int copy_run(void *arg, uint64_t off_bytes, uint64_t len_bytes, struct err *e)
{
	struct seal *s = arg;
	int r = 0;

	while (r == 0 && len_bytes) {
		size_t n = (size_t)MIN(len_bytes, COPY_BYTES);

		r = target_pread(s->d->layout, s->buffer, n, off_bytes, e);
		if (r == 0)
			r = drive_write_plain(s->d, s->cipher, s->buffer, n, off_bytes, e);
		off_bytes += n;
		len_bytes -= n;
		s->copied_bytes += n;
		drive_progress(s->d->events, s->copied_bytes);
	}
	return r;
}

static int copy_metadata(struct seal *s, struct err *e)
{
	struct ntfs_fve_places fve = {.vbb_off_bytes = s->d->row.fve_vbb_off_bytes,
				      .ice_off_bytes = s->d->row.fve_ice_off_bytes};
	int r;

	for (int i = 0; i < SHIPPING_FVE_COPIES; i++)
		fve.meta_off_bytes[i] = s->d->row.fve_meta_off_bytes[i];
	if (s->n_content)
		qsort(s->content, s->n_content, sizeof(*s->content), compare_ranges);
	r = ntfs_image_metadata_runs(s->d->layout, s->content, s->n_content, &fve, copy_run, s, e);
	return r < 0 ? err_wrap(e, r, "writing the file system's metadata") : 0;
}

static int record(struct seal *s, struct err *e)
{
	struct drive *d = s->d;
	struct journal_context context = {0};
	struct journal_drive_info info = {.drive_id = d->row.drive_id,
					  .manifest_file = MANIFEST_PATH};
	int r = journal_context(d->row.journal_path, &context, e);

	(void)format_hex(d->row.manifest_md5, MD5_BYTES, true, s->result->manifest_md5);
	info.manifest_hash = s->result->manifest_md5;
	info.bitlocker_key = context.bitlocker_key;
	if (r == 0)
		r = journal_append_drive_info(d->row.journal_path, clock_realtime_ns(), &info, e);
	journal_context_done(&context);
	if (r < 0)
		return r;
	d->row.has_manifest_md5 = true;
	r = shipping_drive_update(d->request->shipping, &d->row, e);
	return r < 0 ? r
		     : shipping_drive_set_phase(d->request->shipping, d->row.id, SHIPPING_SEALED,
						clock_realtime_ns(), e);
}

int drive_seal(struct drive *d, struct drive_result *result, struct err *e)
{
	_cleanup_(seal_done) struct seal s = {.d = d, .result = result};
	int r = bitlocker_keys_cipher(d->keys, &s.cipher, e);

	drive_phase(d->events, "seal", 0);
	s.buffer = malloc(COPY_BYTES);
	if (!s.buffer)
		return err_oom(e);
	if (r == 0)
		r = digest_new(DIGEST_MD5, &s.md5, e);
	if (r == 0)
		r = reader_open(d->request->store_path, &s.reader, e);
	if (r == 0)
		r = find_manifest(&s, e);
	if (r == 0)
		r = shipping_placement_each(d->request->shipping, d->row.id, SHIPPING_BY_PLACE, 0,
					    add_extents, &s, e);
	if (r == 0)
		r = write_manifest(&s, e);
	if (r == 0)
		r = copy_metadata(&s, e);
	if (r == 0)
		r = bitlocker_seal(d->partition, &d->params, d->metadata, e);
	if (r == 0)
		r = record(&s, e);
	return r < 0 ? err_wrap(e, r, "sealing '%s'", d->row.target) : 0;
}
