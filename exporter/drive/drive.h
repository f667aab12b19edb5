/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A drive from a job: the one place that stacks target > GPT > BitLocker > NTFS. Four phases, each of which
 * can be cut off at any moment: lay out (drive_prepare()), stream, seal, verify (drive_fill()). Called
 * again they go on where the last one stopped.
 */
#ifndef SEEDSHIP_DRIVE_DRIVE_H
#define SEEDSHIP_DRIVE_DRIVE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "exporter/bitlocker/cipher.h"
#include "exporter/block/target.h"
#include "exporter/drive/shipment.h"
#include "exporter/shipping/jobs.h"
#include "exporter/shipping/shipping.h"

/* What the caller hears while it works; all on the calling thread. Functions may be NULL. */
struct drive_events {
	void (*phase)(void *arg, const char *name, uint64_t total_bytes); /* a phase begins */
	void (*progress)(void *arg, uint64_t done_bytes);		  /* of the phase */
	void (*tell)(void *arg, const char *line);			  /* one line for people */
	const volatile sig_atomic_t *stop; /* not 0: stop at the next safe point; may be NULL */
	void *arg;
};

struct drive_request {
	const char *store_path;
	struct shipping *shipping; /* opened for writing */
	const struct job *job;
	const char *target;  /* path of the disk or image file */
	struct target *disk; /* a disk: open for writing, lent; NULL: an image file */
	uint64_t size_bytes; /* of a disk or of a new image; 0 when an image is resumed */
	const char *serial;  /* hardware serial number, without spaces: the drive id */
	const char *journal_path;
	enum bitlocker_cipher cipher;
	unsigned n_workers;
	bool verify;
};

struct drive_result {
	bool resumed;
	char session_id[32];
	char recovery_key_id[40];
	char manifest_md5[33];
	uint64_t files, content_bytes; /* on the drive, as blobs */
	uint64_t changed;	       /* files left out because they changed since the plan */
	uint64_t not_shipped;	       /* names that no blob stands for, on record in shipping.db */
	uint64_t refused;	       /* of these, regular files whose content does not arrive */
	uint64_t streamed_bytes, elapsed_ns, stream_ns;
};

/*
 * Lays a drive out with its share of what the job has left, or looks that one which was begun earlier is the
 * same. *shipment: of this session, made when it is first needed; several drives are prepared one after
 * another with the same. Nothing is written to the target. 0 = drive_fill() can begin, 1 = nothing is left for
 * this drive. Errors to branch on: -ENOSPC (user) too small for any file, -ENODATA nothing is staged,
 * -EINTR stopped. Blocks for as long as it takes.
 */
int drive_prepare(const struct drive_request *request, struct shipment **shipment,
		  const struct drive_events *events, struct drive_result *ret, struct err *e)
	_warn_unused_result_;

/*
 * Fills a drive that was prepared. *ret goes on from drive_prepare(). -EINTR stopped, run again; -EBADMSG the
 * drive or the store is damaged. Blocks for as long as it takes.
 */
int drive_fill(const struct drive_request *request, const struct drive_events *events,
	       struct drive_result *ret, struct err *e) _warn_unused_result_;

/*
 * Whether request->disk is one on which a drive of this job and serial was begun, so that going on with
 * it needs nobody's leave: its partition table is the drive's, or nothing was written yet and serial_is_sure,
 * that is, told by the disk itself. *ret = false: it must be treated as a disk with somebody's data.
 * -EINVAL (user): such a drive was begun, and on another disk. Nothing is written.
 */
int drive_recognise(const struct drive_request *request, bool serial_is_sure, bool *ret,
		    struct err *e) _warn_unused_result_;

struct drive_verify_request {
	const char *target;
	const char *journal_path;
	unsigned n_workers;
};

struct drive_verify_result {
	char drive_id[64];
	uint64_t blobs, ranges, bytes;
	uint64_t bad_ranges;
	char first_bad[2048]; /* "path at offset: what" */
	uint64_t elapsed_ns;
};

/*
 * Reads a drive back as the datacenter would: unlocked with the recovery password from the journal alone,
 * NTFS read, manifest compared with the journal's hash, every range with the manifest's. Nothing is
 * written. -EBADMSG when anything differs: *ret then tells how much.
 */
int drive_verify(const struct drive_verify_request *request, const struct drive_events *events,
		 struct drive_verify_result *ret, struct err *e) _warn_unused_result_;

#endif
