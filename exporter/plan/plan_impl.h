/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of struct plan, for the files of this folder only.
 *
 * Ten million files must fit in half a GiB: a placement is one record of about 20 bytes and its name, names
 * on the drive and in blobs are kept only where they differ, and whole paths never.
 */
#ifndef SEEDSHIP_PLAN_PLAN_IMPL_H
#define SEEDSHIP_PLAN_PLAN_IMPL_H

#include "common/base/hashmap.h"
#include "exporter/plan/omission.h"
#include "exporter/plan/plan.h"
#include "exporter/plan/records.h"

/* blob_name and drive_name are the same pointer as name where they do not differ. */
struct directory {
	const char *name, *blob_name, *drive_name; /* in names */
	uint32_t parent;
	uint32_t drive_units; /* length of its whole path on the drive, in UTF-16 units */
	uint32_t
		blob_units; /* length of its blob path with prefix, without container; 0 for none */
	uint32_t segments;  /* of that path */
	bool on_drive, has_files;
};

struct plan {
	struct plan_desc desc; /* texts owned */
	struct directory *dirs;
	size_t n_dirs, dirs_capacity;
	struct records names;	   /* of directories */
	struct records placements; /* placement.c */
	struct records omitted;	   /* what has no placement: omission.c */
	struct plan_totals totals;
};

/* Encodes a placement; the names must be NUL-terminated. */
void placement_encode(const struct placement *file, struct buf *out);
void placement_decode(const uint8_t *record, struct placement *ret);

/* Unsigned LEB128: seven bits a byte, the lowest first. */
void varint_put(struct buf *out, uint64_t v);
uint64_t varint_get(const uint8_t **p);

/* Remembers an entry that gets no placement. detail: a reason or a link's target. -ENOMEM. */
int omission_add(struct plan *p, enum omission_kind kind, uint32_t dir, const char *name,
		 const char *detail);

#endif
