/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct shipping_drive: a drive that is being prepared for a job, as it is remembered. A drive
 * whose lay-out is done is inserted together with its placements in one transaction:
 *
 *   shipping_begin(); shipping_drive_insert(); shipping_placement_insert() ...; shipping_commit();
 */
#ifndef SEEDSHIP_SHIPPING_DRIVES_H
#define SEEDSHIP_SHIPPING_DRIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporter/shipping/shipping.h"

enum shipping_phase {
	SHIPPING_PLANNED,
	SHIPPING_LAID_OUT,  /* image and placements exist; the drive may hold anything */
	SHIPPING_STREAMING, /* content below streamed_bytes is on the drive */
	SHIPPING_SEALED,    /* the drive is complete */
	SHIPPING_VERIFIED,  /* and was read back whole */
};

/* As in the table and for people: "laid_out". */
const char *shipping_phase_name(enum shipping_phase phase);

#define SHIPPING_FVE_COPIES   3
#define SHIPPING_MD5_BYTES    16
#define SHIPPING_DIGEST_BYTES 32

/* All texts are owned. */
struct shipping_drive {
	int64_t id;
	int64_t job_id;
	char *target;	  /* path of the disk or image file */
	char *drive_id;	  /* hardware serial number, without spaces */
	char *session_id; /* of the export session that prepares it */
	char *cipher;
	char *recovery_key_id; /* may be NULL */
	char *journal_path;
	char *layout_path;   /* sparse image of the volume */
	char *manifest_path; /* on the drive */
	enum shipping_phase phase;
	uint64_t phase_ns; /* when it entered that phase */
	uint64_t created_ns;
	uint64_t size_bytes; /* of the target */
	uint64_t partition_start_bytes;
	uint64_t partition_bytes;
	uint32_t cluster_bytes;
	uint64_t fve_meta_off_bytes[SHIPPING_FVE_COPIES]; /* BitLocker's areas in the volume */
	uint64_t fve_vbb_off_bytes;
	uint64_t fve_ice_off_bytes;
	uint64_t manifest_bytes;
	bool has_manifest_md5;
	uint8_t manifest_md5[SHIPPING_MD5_BYTES];
	uint8_t plan_digest[SHIPPING_DIGEST_BYTES];
	uint64_t streamed_bytes; /* content below this volume offset is on the medium */
};

void shipping_drive_done(struct shipping_drive *drive); /* frees what it owns */

/* Sets id. -EEXIST when the job has a drive of this drive id. */
int shipping_drive_insert(struct shipping *s, struct shipping_drive *drive, struct err *e)
	_warn_unused_result_;

/* Writes all facts of the drive with this id, except phase, times and streamed_bytes. */
int shipping_drive_update(struct shipping *s, const struct shipping_drive *drive, struct err *e)
	_warn_unused_result_;

/* -ENOENT when the job has no drive of this drive id. *ret: shipping_drive_done(). */
int shipping_drive_get(struct shipping *s, int64_t job_id, const char *drive_id,
		       struct shipping_drive *ret, struct err *e) _warn_unused_result_;

/*
 * Records that the drive entered a phase. Sealed and verified take its placements along, except
 * changed ones. Opens its own transaction.
 */
int shipping_drive_set_phase(struct shipping *s, int64_t id, enum shipping_phase phase,
			     uint64_t now_ns, struct err *e) _warn_unused_result_;

/* Forgets a drive with all that lies on it, before it is laid out anew. */
int shipping_drive_delete(struct shipping *s, int64_t id, struct err *e) _warn_unused_result_;

struct shipping_drive_list {
	size_t n;
	struct shipping_drive *items; /* owned */
};

/* The drives of a job in the order in which they were begun. *ret: shipping_drive_list_done(). */
int shipping_drive_list(struct shipping *s, int64_t job_id, struct shipping_drive_list *ret,
			struct err *e) _warn_unused_result_;
void shipping_drive_list_done(struct shipping_drive_list *list);

#endif
