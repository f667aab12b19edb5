/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A real disk that is named as the target of an export: whether it may be one, what its drive id is, and
 * the leave of whoever owns it to lose what is on it. The disk is held with O_EXCL from the first look
 * on: what was confirmed is what will be written, whatever is unplugged in between.
 */
#ifndef SEEDSHIP_CMD_DISK_TARGET_H
#define SEEDSHIP_CMD_DISK_TARGET_H

#include <stdbool.h>

#include "exporter/block/disk.h"
#include "exporter/block/target.h"
#include "exporter/drive/drive.h"

#define DRIVE_ID_MAX 32

/* What was said about it on the command line. */
struct disk_options {
	const char *serial; /* NULL = nothing */
	bool format;	    /* what is on the disk may be lost */
	bool yes;	    /* do not ask; wants serial */
};

struct disk_target {
	struct target *target; /* owned, open for writing; NULL: the path is no disk's */
	struct disk disk;
	char drive_id[DRIVE_ID_MAX + 1];
};

void disk_target_done(struct disk_target *t);

/*
 * Opens the disk at path for writing and finds its drive id; writes nothing. A path that is no block
 * device leaves ret->target NULL. -EINVAL (user): it must not become a drive, or --serial does not
 * agree with the disk, or is missing where the disk itself has nothing to say.
 */
int disk_target_open(const char *path, const struct disk_options *options, struct disk_target *ret,
		     struct err *e) _warn_unused_result_;

/*
 * Lets pass a disk that a drive of this request was begun on. Any other is shown on stderr and must be
 * confirmed: on a terminal by typing its drive id, else by --yes and --serial; with anything on it,
 * --format is needed too. Errors (user) tell what is missing; nothing is written.
 */
int disk_target_claim(struct disk_target *t, const struct disk_options *options,
		      const struct drive_request *request, struct err *e) _warn_unused_result_;

/*
 * The drive id of a disk: its serial number, with which given (--serial; may be NULL) has to agree; given
 * itself when the disk has none or a USB adapter tells it. -EINVAL (user).
 */
int disk_drive_id(const struct disk *d, const char *given, char ret[DRIVE_ID_MAX + 1],
		  struct err *e) _warn_unused_result_;

/* A drive id: 1 to DRIVE_ID_MAX letters, digits, '-', '_'. what: whose it is, for the message. */
int drive_id_check(const char *drive_id, const char *what, struct err *e) _warn_unused_result_;

#endif
