/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Binding and reading go through the columns in the order of DRIVE_ROW_COLUMNS; texts are a row of
 * offsets.
 */
#include "exporter/shipping/drive_row.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "exporter/shipping/internal.h"

enum {
	AFTER_TEXTS = 8,
	AFTER_NUMBERS = AFTER_TEXTS + 11,
	AFTER_BLOBS = DRIVE_ROW_FACTS,
};

static const char *const phases[] = {
	[SHIPPING_PLANNED] = "planned",	    [SHIPPING_LAID_OUT] = "laid_out",
	[SHIPPING_STREAMING] = "streaming", [SHIPPING_SEALED] = "sealed",
	[SHIPPING_VERIFIED] = "verified",
};

static const size_t texts[AFTER_TEXTS] = {
	offsetof(struct shipping_drive, target),
	offsetof(struct shipping_drive, drive_id),
	offsetof(struct shipping_drive, session_id),
	offsetof(struct shipping_drive, cipher),
	offsetof(struct shipping_drive, recovery_key_id),
	offsetof(struct shipping_drive, journal_path),
	offsetof(struct shipping_drive, layout_path),
	offsetof(struct shipping_drive, manifest_path),
};

const char *shipping_phase_name(enum shipping_phase phase)
{
	return phases[phase];
}

static int parse_phase(const char *name, enum shipping_phase *ret, struct err *e)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(phases); i++) {
		if (strcmp(name, phases[i]) == 0) {
			*ret = (enum shipping_phase)i;
			return 0;
		}
	}
	return err_set(e, EBADMSG, "shipping.db: unknown phase '%s'", name ? name : "");
}

static char **text_of(struct shipping_drive *drive, int i)
{
	return (char **)(void *)((char *)drive + texts[i]);
}

void shipping_drive_done(struct shipping_drive *drive)
{
	for (int i = 0; i < AFTER_TEXTS; i++)
		free(*text_of(drive, i));
	*drive = (struct shipping_drive){0};
}

void drive_row_bind(struct sql_stmt *stmt, const struct shipping_drive *d)
{
	const uint64_t numbers[AFTER_NUMBERS - AFTER_TEXTS] = {
		(uint64_t)d->job_id,	  d->size_bytes,
		d->partition_start_bytes, d->partition_bytes,
		d->cluster_bytes,	  d->fve_meta_off_bytes[0],
		d->fve_meta_off_bytes[1], d->fve_meta_off_bytes[2],
		d->fve_vbb_off_bytes,	  d->fve_ice_off_bytes,
		d->manifest_bytes,
	};

	for (int i = 0; i < AFTER_TEXTS; i++)
		sql_bind_text(stmt, i + 1,
			      *(char *const *)(const void *)((const char *)d + texts[i]));
	for (int i = AFTER_TEXTS; i < AFTER_NUMBERS; i++)
		sql_bind_i64(stmt, i + 1, (int64_t)numbers[i - AFTER_TEXTS]);
	sql_bind_blob(stmt, AFTER_NUMBERS + 1, d->has_manifest_md5 ? d->manifest_md5 : NULL,
		      d->has_manifest_md5 ? SHIPPING_MD5_BYTES : 0);
	sql_bind_blob(stmt, AFTER_NUMBERS + 2, d->plan_digest, SHIPPING_DIGEST_BYTES);
}

static uint64_t column_u64(struct sql_stmt *stmt, int column)
{
	return (uint64_t)sql_col_i64(stmt, column);
}

static void read_numbers(struct sql_stmt *stmt, struct shipping_drive *d)
{
	int n = AFTER_TEXTS;

	d->job_id = sql_col_i64(stmt, n++);
	d->size_bytes = column_u64(stmt, n++);
	d->partition_start_bytes = column_u64(stmt, n++);
	d->partition_bytes = column_u64(stmt, n++);
	d->cluster_bytes = (uint32_t)column_u64(stmt, n++);
	for (int i = 0; i < SHIPPING_FVE_COPIES; i++)
		d->fve_meta_off_bytes[i] = column_u64(stmt, n++);
	d->fve_vbb_off_bytes = column_u64(stmt, n++);
	d->fve_ice_off_bytes = column_u64(stmt, n++);
	d->manifest_bytes = column_u64(stmt, n);
}

/* Copies a blob of exactly len_bytes. Returns whether it was there. */
static bool read_blob(struct sql_stmt *stmt, int column, void *out, size_t len_bytes)
{
	size_t n;
	const void *data = sql_col_blob(stmt, column, &n);

	if (!data || n != len_bytes)
		return false;
	memcpy(out, data, n);
	return true;
}

int drive_row_read(struct sql_stmt *stmt, struct shipping_drive *ret, struct err *e)
{
	_cleanup_(shipping_drive_done) struct shipping_drive d = {0};
	int r = 0;

	for (int i = 0; i < AFTER_TEXTS && r == 0; i++)
		r = shipping_copy_text(stmt, i, text_of(&d, i), e);
	if (r < 0)
		return r;
	read_numbers(stmt, &d);
	d.has_manifest_md5 = read_blob(stmt, AFTER_NUMBERS, d.manifest_md5, sizeof(d.manifest_md5));
	(void)read_blob(stmt, AFTER_NUMBERS + 1, d.plan_digest, sizeof(d.plan_digest));
	d.streamed_bytes = column_u64(stmt, AFTER_BLOBS);
	d.created_ns = column_u64(stmt, AFTER_BLOBS + 1);
	r = parse_phase(sql_col_text(stmt, AFTER_BLOBS + 2), &d.phase, e);
	if (r < 0)
		return r;
	d.phase_ns = column_u64(stmt, AFTER_BLOBS + 3);
	d.id = sql_col_i64(stmt, AFTER_BLOBS + 4);
	*ret = d;
	d = (struct shipping_drive){0};
	return 0;
}
