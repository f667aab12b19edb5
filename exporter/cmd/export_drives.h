/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The drives of one export: laid out one after another, filled at once. */
#ifndef SEEDSHIP_CMD_EXPORT_DRIVES_H
#define SEEDSHIP_CMD_EXPORT_DRIVES_H

#include "common/cli/output.h"
#include "exporter/cmd/disk_target.h"
#include "exporter/cmd/drive_talk.h"
#include "exporter/drive/drive.h"

enum export_outcome {
	EXPORT_PENDING, /* not finished: another drive was stopped before */
	EXPORT_DONE,
	EXPORT_UNNEEDED, /* nothing was left for this drive: it was not touched */
	EXPORT_FAILED,	 /* with err */
};

/* One drive of an export. */
struct export_drive {
	struct disk_target disk; /* owned */
	char *target;		 /* owned: absolute path */
	char *journal_path;	 /* owned */
	struct drive_request request;
	struct drive_events events;
	struct drive_talk talk;
	struct drive_result result;
	enum export_outcome outcome;
	struct err err;
};

/* What no drive of the job has yet. */
struct export_left {
	uint64_t files, bytes;
};

void export_drive_done(struct export_drive *d);

/*
 * Prepares and fills n drives, whose requests are complete. A drive that fails does not keep the others from
 * being finished: each has its outcome. *ret_left: what is still to be put on a drive; not known after a failure.
 */
int export_drives(struct export_drive *drives, size_t n, bool json, struct export_left *ret_left,
		  struct err *e) _warn_unused_result_;

/* The result: of one drive its facts, of several a table. */
int export_print(const struct export_drive *drives, size_t n, const struct export_left *left,
		 bool json, struct err *e) _warn_unused_result_;

#endif
