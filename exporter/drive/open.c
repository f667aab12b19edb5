/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening a laid-out drive: keys from journal and image, and the target. Resuming is nothing else. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "exporter/block/target_file.h"
#include "exporter/block/target_slice.h"
#include "exporter/drive/drive_impl.h"
#include "exporter/journal/context.h"

void drive_tell(const struct drive_events *events, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (!events->tell)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	events->tell(events->arg, line);
}

void drive_phase(const struct drive_events *events, const char *name, uint64_t total_bytes)
{
	if (events->phase)
		events->phase(events->arg, name, total_bytes);
}

void drive_progress(const struct drive_events *events, uint64_t done_bytes)
{
	if (events->progress)
		events->progress(events->arg, done_bytes);
}

static int read_metadata(struct drive *d, struct err *e)
{
	int r = target_file_open(d->row.layout_path, false, &d->layout, e);

	if (r < 0)
		return err_hint(e, r,
				"the lay-out belongs to the half-made drive; without it the drive "
				"must be begun anew");
	d->metadata = malloc(FVE_METADATA_BYTES);
	if (!d->metadata)
		return err_oom(e);
	return target_pread(d->layout, d->metadata, FVE_METADATA_BYTES,
			    d->row.fve_meta_off_bytes[0], e);
}

static int unlock(struct drive *d, struct err *e)
{
	struct journal_context context = {0};
	int r = journal_context(d->row.journal_path, &context, e);

	if (r == 0 && (!context.bitlocker_key || !context.drive_id ||
		       strcmp(context.drive_id, d->row.drive_id) != 0))
		r = err_set(e, EBADMSG, "it does not belong to drive %s", d->row.drive_id);
	if (r == 0)
		r = bitlocker_unlock_metadata(d->metadata, context.bitlocker_key, &d->keys, e);
	journal_context_done(&context);
	return r < 0 ? err_wrap(e, r, "journal '%s'", d->row.journal_path) : 0;
}

static void restore_params(struct drive *d)
{
	const struct bitlocker_info *info = bitlocker_keys_info(d->keys);

	d->params = (struct bitlocker_params){
		.cipher = info->cipher,
		.geometry = info->geometry,
		.sectors_per_cluster = d->row.cluster_bytes / DRIVE_SECTOR_BYTES,
		.hidden_sectors = d->row.partition_start_bytes / DRIVE_SECTOR_BYTES,
	};
}

static int open_target(struct drive *d, struct err *e)
{
	struct stat st;
	int r;

	/* A lay-out that was cut off before the image was made: begin the image now. */
	if (d->request->disk)
		r = drive_open_disk(d, e);
	else if (d->row.streamed_bytes == 0 && d->row.phase <= SHIPPING_LAID_OUT &&
		 (stat(d->row.target, &st) < 0 || st.st_size == 0))
		r = target_file_create(d->row.target, d->row.size_bytes, &d->disk, e);
	else
		r = target_file_open(d->row.target, true, &d->disk, e);
	if (r < 0)
		return r;
	if (d->disk->size_bytes != d->row.size_bytes)
		return err_hint(e,
				err_set(e, EBADMSG,
					"'%s' has %ju bytes, the drive was begun with %ju",
					d->row.target, (uintmax_t)d->disk->size_bytes,
					(uintmax_t)d->row.size_bytes),
				"give the drive that was begun, or remove the image to begin anew");
	return target_slice_new(d->disk, d->row.partition_start_bytes, d->row.partition_bytes,
				&d->partition, e);
}

int drive_open(struct drive *d, struct err *e)
{
	int r = read_metadata(d, e);

	if (r == 0)
		r = unlock(d, e);
	if (r < 0)
		return r;
	restore_params(d);
	return open_target(d, e);
}

void drive_done(struct drive *d)
{
	target_close(d->partition);
	target_close(d->disk);
	target_close(d->layout);
	bitlocker_keys_free(d->keys);
	free(d->metadata);
	shipping_drive_done(&d->row);
}

int drive_write_plain(struct drive *d, struct sector_cipher *cipher, void *data, size_t len_bytes,
		      uint64_t off_bytes, struct err *e)
{
	char *at = data;

	while (len_bytes) {
		struct bitlocker_span span =
			bitlocker_map(&d->params.geometry, off_bytes, len_bytes);
		int r = 0;

		if (span.kind == BITLOCKER_SPAN_DATA) {
			r = sector_cipher_encrypt(cipher, at, at, span.len_bytes,
						  span.disk_off_bytes);
			if (r < 0)
				return err_set(e, -r, "encrypting at %ju", (uintmax_t)off_bytes);
			r = target_pwrite(d->partition, at, span.len_bytes, span.disk_off_bytes, e);
		}
		if (r < 0)
			return r;
		at += span.len_bytes;
		off_bytes += span.len_bytes;
		len_bytes -= span.len_bytes;
	}
	return 0;
}
