/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of verifying share: the walk over the manifest fills segments, workers check them. */
#ifndef SEEDSHIP_DRIVE_VERIFY_IMPL_H
#define SEEDSHIP_DRIVE_VERIFY_IMPL_H

#include "exporter/block/target.h"
#include "exporter/drive/drive_impl.h"
#include "exporter/drive/pipeline.h"
#include "exporter/journal/context.h"
#include "exporter/ntfs/read.h"

struct verify {
	const struct drive_events *events;
	struct drive_verify_result *result;
	struct journal_drive_info info;
	struct target *disk, *partition, *view;
	struct bitlocker_keys *keys;
	struct ntfs_volume *volume;
	struct ntfs_file *manifest;
	uint64_t manifest_off_bytes; /* of the next read */
	struct pipeline pipeline;
	uint64_t done_bytes;

	/* The blob that is being walked. */
	char *blob_file;
	struct ntfs_file *file;
	const struct ntfs_extent *extents;
	size_t n_extents;
};

/* Counts a range or a file as bad, and tells about the first ones. */
void verify_note_bad(struct verify *v, const char *name, uint64_t off_bytes, const char *what);

/* The manifest against its hash, then every range that it names against the range's. */
int verify_manifest(struct verify *v, struct err *e);

/*
 * The pool's face: reads a segment through view (struct target, lent; any number of threads may read), and
 * tells of each piece whether it is unreadable or differs from what is expected.
 */
void verify_work(void *segment, void *view);

#endif
