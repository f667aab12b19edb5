/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct report: the packing slip of a job as one self-contained HTML page, four drives to a sheet
 * of paper. Pure: facts in, HTML out. No member of it can hold a key.
 */
#ifndef SEEDSHIP_REPORT_REPORT_H
#define SEEDSHIP_REPORT_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define REPORT_DRIVES_PER_SHEET 4

enum report_state {
	REPORT_UNFIT,	 /* not finished: marked as not to be shipped */
	REPORT_SEALED,	 /* complete, not read back */
	REPORT_VERIFIED, /* and read back whole */
};

/* Texts here and below are lent, and in UTF-8 or else shown as bytes. */
struct report_drive {
	const char *drive_id; /* hardware serial number */
	enum report_state state;
	const char *why; /* REPORT_UNFIT: the reason, such as "it is being filled" */
	uint64_t files;
	uint64_t size_bytes;	  /* what its files have as blobs */
	uint64_t content_bytes;	  /* what of it lies on the drive: hard links share */
	uint64_t capacity_bytes;  /* of its volume */
	const char *manifest_md5; /* hex; NULL = not known before it is sealed */
	const char *journal;	  /* name of the file, without folders */
};

/* What travels together: the drives of one import job. */
struct report_parcel {
	const char *job; /* name of the import job */
	size_t n_drives;
	const struct report_drive *drives;
};

struct report_address {
	const char *recipient;
	const char *street;
	const char *street2; /* may be NULL */
	const char *city;
	const char *state; /* may be NULL */
	const char *postal_code;
	const char *country;
	const char *phone;
	const char *email;
};

struct report {
	const char *version;  /* of the program */
	uint64_t made_ns;     /* when, since 1970-01-01 UTC */
	const char *location; /* Azure region */
	const char *storage_account;
	const char *container;
	const char *blob_prefix; /* may be NULL */
	struct report_address return_address;
	const char *return_carrier; /* may be NULL: not known yet, like the four below it */
	const char *return_account; /* shown as its last four characters */
	const char *carrier;	    /* that brings the drives to the datacenter */
	const char *tracking;
	size_t n_parcels;
	const struct report_parcel *parcels;
};

/* Appends the page. -EINVAL when page.html and the code do not fit together, -ENOMEM. */
int report_write(const struct report *report, struct buf *out, struct err *e) _warn_unused_result_;

#endif
