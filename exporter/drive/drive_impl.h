/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the phases of a drive share. */
#ifndef SEEDSHIP_DRIVE_DRIVE_IMPL_H
#define SEEDSHIP_DRIVE_DRIVE_IMPL_H

#include "exporter/bitlocker/volume.h"
#include "exporter/block/gpt.h"
#include "exporter/block/target.h"
#include "exporter/drive/drive.h"
#include "exporter/ntfs/extent.h"
#include "exporter/shipping/drives.h"
#include "exporter/shipping/placements.h"

#define DRIVE_SECTOR_BYTES 512

/* A drive in work. Everything about it comes from its row, its journal and its lay-out image. */
struct drive {
	const struct drive_request *request;
	const struct drive_events *events;
	struct shipping_drive row;
	struct target *layout; /* the local image of the volume's NTFS */
	struct target *disk;
	struct target *partition; /* of disk */
	struct bitlocker_params params;
	struct bitlocker_keys *keys;
	uint8_t *metadata; /* BitLocker metadata block */
};

/* Phase 1. Leaves a row, a journal and a lay-out image, all durable; the drive itself is not touched. */
int drive_lay_out(const struct drive_request *request, struct shipment *shipment,
		  const struct drive_events *events, struct drive_result *result, struct err *e);

/* Opens what is left of phase 1 and the target, which is created when it is missing. */
int drive_open(struct drive *d, struct err *e);
void drive_done(struct drive *d);

/* disk.c: request->disk as the disk of d, once more checked to be the one that was begun. */
int drive_open_disk(struct drive *d, struct err *e);

/* The row's target is the name that the disk has now. */
int drive_follow_disk(struct drive *d, struct err *e);

/* Zeros in the first and the last MiB of the partition, where signatures of a former life may stand. */
int drive_wipe_edges(struct drive *d, struct err *e);

/* The GUIDs of a drive's partition table; the same at any time. */
void drive_partition_guids(const struct shipping_drive *row, struct gpt_partition *ret);

/* Phase 2 and 3. */
int drive_stream(struct drive *d, struct drive_result *result, struct err *e);
int drive_seal(struct drive *d, struct drive_result *result, struct err *e);

/* Writes plaintext of the volume, encrypting in place in data; off and length whole sectors. */
int drive_write_plain(struct drive *d, struct sector_cipher *cipher, void *data, size_t len_bytes,
		      uint64_t off_bytes, struct err *e);

static inline bool drive_stopped(const struct drive_events *events)
{
	return events->stop && *events->stop;
}

void drive_tell(const struct drive_events *events, const char *fmt, ...) _printf_(2, 3);
void drive_phase(const struct drive_events *events, const char *name, uint64_t total_bytes);
void drive_progress(const struct drive_events *events, uint64_t done_bytes);

#endif
