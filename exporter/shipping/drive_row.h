/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row of the table drives and struct shipping_drive, one from the other. */
#ifndef SEEDSHIP_SHIPPING_DRIVE_ROW_H
#define SEEDSHIP_SHIPPING_DRIVE_ROW_H

#include "common/ext/sql.h"
#include "exporter/shipping/drives.h"

/*
 * The facts of a drive: texts first, then numbers, then blobs. Parameters 1..DRIVE_ROW_FACTS in
 * this order.
 */
#define DRIVE_ROW_COLUMNS                                                                         \
	"target, drive_id, session_id, cipher, recovery_key_id, journal_path, layout_path, "      \
	"manifest_path, job, size_bytes, partition_start_bytes, partition_bytes, cluster_bytes, " \
	"fve_meta1_off, fve_meta2_off, fve_meta3_off, fve_vbb_off, fve_ice_off, manifest_bytes, " \
	"manifest_md5, plan_digest"
#define DRIVE_ROW_FACTS 21

/* What drive_row_read() reads: the facts and what changes while a drive is prepared. */
#define DRIVE_ROW_SELECT                                                                      \
	"SELECT " DRIVE_ROW_COLUMNS ", streamed_bytes, created_ns, phase, phase_ns, id FROM " \
	"drives "

void drive_row_bind(struct sql_stmt *stmt, const struct shipping_drive *d);

/* *ret: shipping_drive_done(). -EBADMSG on a phase this program does not know. */
int drive_row_read(struct sql_stmt *stmt, struct shipping_drive *ret, struct err *e)
	_warn_unused_result_;

#endif
