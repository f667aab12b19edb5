/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a journal says about its drive. The context is written when the drive is begun and is enough
 * to go on with it; the drive info is written when the drive is sealed and is what an import job
 * needs. Both hold the recovery password, which is nowhere else.
 */
#ifndef SEEDSHIP_JOURNAL_CONTEXT_H
#define SEEDSHIP_JOURNAL_CONTEXT_H

#include <stdint.h>

#include "common/base/err.h"

/*
 * Activity PrepImportDriveCommandContext. LogDirectory is the tool's own key; the others are ours.
 * When read, the texts lie in `memory`; when appended, they are lent and memory is not looked at.
 * Any may be NULL.
 */
struct journal_context {
	const char *session_id;
	const char *drive_id; /* hardware serial number, without spaces */
	const char *target;   /* path of the disk or image file */
	const char *job_name;
	const char *storage_account;
	const char *container;
	const char *log_directory;
	const char *bitlocker_key; /* recovery password; in key memory */
	void *memory;		   /* key memory, owned; NULL when lent */
};

void journal_context_done(struct journal_context *c);

int journal_append_context(const char *path, uint64_t time_ns, const struct journal_context *c,
			   struct err *e) _warn_unused_result_;

/* What all context records say together, the last word counts. -ENODATA when there is none. */
int journal_context(const char *path, struct journal_context *ret, struct err *e)
	_warn_unused_result_;

/* Activity DriveInfo: what an import job is created from. Ownership as above; none is NULL. */
struct journal_drive_info {
	const char *drive_id;
	const char *bitlocker_key; /* recovery password; in key memory */
	const char *manifest_file; /* on the drive: "\DriveManifest.xml" */
	const char *manifest_hash; /* MD5 as 32 upper-case hex digits */
	void *memory;
};

void journal_drive_info_done(struct journal_drive_info *info);

/* -EINVAL when the hash is not 32 upper-case hex digits or a text is empty. */
int journal_append_drive_info(const char *path, uint64_t time_ns,
			      const struct journal_drive_info *info, struct err *e)
	_warn_unused_result_;

/*
 * The last drive info. -ENODATA when the drive was not sealed; -EBADMSG when its XML is not as it
 * should be.
 */
int journal_drive_info(const char *path, struct journal_drive_info *ret, struct err *e)
	_warn_unused_result_;

#endif
