/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Verifying: the walk over the manifest and NTFS, which cuts files into segments. */
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "common/ext/digest.h"
#include "exporter/drive/verify_impl.h"
#include "exporter/manifest/manifest_parse.h"

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
		verify_note_bad(v, file_path, 0, why.text);
		return r == -ENOMEM ? err_oom(e) : 0;
	}
	if (ntfs_file_size(v->file) != length_bytes) {
		verify_note_bad(v, file_path, 0, "its size differs from the manifest's");
		ntfs_file_close(take_ptr(v->file));
		return 0;
	}
	/* Whatever the clusters do not hold is read through NTFS itself. */
	if (ntfs_file_initialized(v->file) == length_bytes)
		return ntfs_file_extents(v->file, &v->extents, &v->n_extents, e);
	return 0;
}

/* Where the bytes of a range are; false when the extents do not cover it. */
static bool add_runs(const struct verify *v, struct segment *segment, uint64_t off_bytes,
		     uint32_t len_bytes)
{
	uint32_t at = segment->used_bytes;

	for (size_t i = 0; len_bytes && i < v->n_extents; i++) {
		const struct ntfs_extent *x = &v->extents[i];
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
	return len_bytes == 0;
}

/* Through NTFS, on this thread: libntfs-3g knows no threads. */
static int read_range(struct verify *v, struct segment *segment, const struct manifest_range *range,
		      struct err *e)
{
	int r = pipeline_lend_buffer(&v->pipeline, e);

	if (r < 0)
		return r;
	return ntfs_file_pread(v->file, segment->data + segment->used_bytes, range->len_bytes,
			       range->off_bytes, e);
}

static int check_range(const struct manifest_range *range, void *arg, struct err *e)
{
	struct verify *v = arg;
	struct piece piece = {.idx = range->off_bytes,
			      .len_bytes = range->len_bytes,
			      .padded_bytes = range->len_bytes};
	struct segment *segment;
	int r;

	v->result->ranges++;
	if (!v->file)
		return 0; /* counted as bad as a whole */
	r = pipeline_room(&v->pipeline, range->len_bytes, v->n_extents + 1, &segment, e);
	if (r < 0)
		return r;
	if (v->n_extents == 0)
		r = read_range(v, segment, range, e);
	else if (!add_runs(v, segment, range->off_bytes, range->len_bytes))
		r = err_set(e, EBADMSG, "'%s': extents do not cover it", v->blob_file);
	if (r < 0)
		return r;
	memcpy(piece.expected, range->md5, sizeof(piece.expected));
	piece.name = strdup(v->blob_file);
	if (!piece.name)
		return err_oom(e);
	segment_add_piece(segment, &piece);
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

int verify_manifest(struct verify *v, struct err *e)
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
	return r == 0 ? pipeline_finish(&v->pipeline, e) : r;
}
