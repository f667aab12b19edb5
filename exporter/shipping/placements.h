/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct shipping_placement: one staged file on one drive, with its extents. Made for millions of
 * them.
 */
#ifndef SEEDSHIP_SHIPPING_PLACEMENTS_H
#define SEEDSHIP_SHIPPING_PLACEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporter/shipping/shipping.h"

enum shipping_state {
	SHIPPING_FILE_PLANNED,
	SHIPPING_FILE_SEALED,
	SHIPPING_FILE_VERIFIED,
	SHIPPING_FILE_CHANGED, /* differs from the plan: not in the manifest, still to ship */
};

/* Clusters of a file in its volume; the last extent may reach past the end of the file. */
struct shipping_extent {
	uint64_t file_off_bytes;
	uint64_t volume_off_bytes;
	uint64_t len_bytes;
};

#define SHIPPING_NO_LINK UINT64_MAX

struct shipping_placement {
	int64_t id;
	int64_t drive; /* id of the drive's row */
	uint64_t seq;  /* order of plan and manifest; unique on the drive */
	uint64_t ino;
	uint64_t content_version;
	uint64_t size_bytes;
	const char *path;	/* staged path; bytes */
	const char *blob_path;	/* container/prefix/name */
	const char *drive_path; /* \session\name */
	bool page_blob;
	uint64_t link_of; /* seq of the placement that has the content, or SHIPPING_NO_LINK */
	enum shipping_state state;
	const char *note; /* may be NULL */
	size_t n_extents;
	const struct shipping_extent *extents; /* in file order; none for links and empty files */
};

/*
 * Sets id. The placement a link refers to must be there. -EEXIST when seq is taken or the drive
 * unknown.
 */
int shipping_placement_insert(struct shipping *s, struct shipping_placement *p, struct err *e)
	_warn_unused_result_;

enum shipping_order {
	SHIPPING_BY_SEQ,   /* all of them; `from` is a seq */
	SHIPPING_BY_PLACE, /* those with clusters; `from` is an offset in the volume */
};

/*
 * Calls fn for the placements of a drive in this order, starting at `from` (0 = all). Everything in
 * *p is lent until fn returns. A non-zero return of fn ends it and is returned. No statement is
 * open while fn runs: fn may take its time and call any function of this folder.
 */
int shipping_placement_each(struct shipping *s, int64_t drive, enum shipping_order order,
			    uint64_t from,
			    int (*fn)(const struct shipping_placement *p, void *arg, struct err *e),
			    void *arg, struct err *e) _warn_unused_result_;

/* Sets state and note (may be NULL) of one placement. */
int shipping_placement_set_state(struct shipping *s, int64_t id, enum shipping_state state,
				 const char *note, struct err *e) _warn_unused_result_;

/*
 * Whether this version of a staged name already has its place on a drive of the job and did not
 * change there: what the plan of the next drive leaves out. Fast enough to be asked a million
 * times.
 */
int shipping_placement_exists(struct shipping *s, int64_t job_id, uint64_t ino,
			      uint64_t content_version, const char *path, bool *ret, struct err *e)
	_warn_unused_result_;

#endif
