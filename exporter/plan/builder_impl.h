/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of struct plan_builder, shared by the builder*.c of this folder only. */
#ifndef SEEDSHIP_PLAN_BUILDER_IMPL_H
#define SEEDSHIP_PLAN_BUILDER_IMPL_H

#include <string.h>

#include "common/ext/utf16.h"
#include "exporter/plan/builder.h"
#include "exporter/plan/nameset.h"
#include "exporter/plan/plan_impl.h"

struct plan_builder {
	struct plan *plan;
	struct hashmap dirs;  /* key of parent and name -> index in plan->dirs */
	struct nameset taken; /* drivename_key() of every name on the drive */
	struct hashmap
		links; /* ino of files with several names -> names so far << 32 | placement */
	uint32_t
		last_dir; /* where the previous entry was, since the next is most often there too */
	struct buf last_path;			  /* and that directory's path, with its '/' */
	struct buf blob_name, drive_name, record; /* scratch */
};

/* Length of valid UTF-8 in UTF-16 units. */
static inline uint32_t units_of(const char *text)
{
	return (uint32_t)utf16_units(text, strlen(text));
}

/* The functions below return 0, -ENOMEM or -EOVERFLOW (the plan is full) unless they take an err. */

/* Adds the two directories that every plan has: the session's and, in it, the flat one. */
int builder_add_own_dirs(struct plan_builder *b);

/* Adds a staged directory below parent. */
int builder_add_dir(struct plan_builder *b, const char *name, uint32_t parent);

/* The directory that holds entry. -EBADMSG when it has not been added. */
int builder_find_parent(struct plan_builder *b, const struct staged_entry *entry, uint32_t *ret,
			struct err *e);

/* Adds a regular file as a placement, or to the omissions when a blob cannot hold it. */
int builder_add_file(struct plan_builder *b, const struct staged_entry *entry, uint32_t dir);

/* Notes a file of a directory that needs no placement. */
void builder_skip_file(struct plan_builder *b, uint32_t dir);

/* Leaves in b->drive_name the name on the drive for a staged name: itself, or an alias if need be. */
int builder_name_on_drive(struct plan_builder *b, uint32_t drive_dir, const char *name);

/* Leaves in b->drive_name a free alias of at most max_units. */
int builder_take_alias(struct plan_builder *b, uint32_t drive_dir, const char *name, uint64_t seed,
		       size_t max_units);

#endif
