/* SPDX-License-Identifier: GPL-3.0-or-later */
/* struct scratch: a folder for databases that are made on the way and go when it is freed. */
#ifndef SEEDSHIP_STORE_SCRATCH_H
#define SEEDSHIP_STORE_SCRATCH_H

#include "common/base/err.h"

struct scratch {
	char *dir;
	char *index_path;   /* dir/index.db */
	char *staging_path; /* dir/staging.db */
};

/* Makes a folder within `parent`. */
int scratch_new(const char *parent, struct scratch **ret, struct err *e);

/* Removes those that killed processes left in a store's folder. Whoever calls it holds the store's lock. */
void scratch_remove_left(int parent_fd);

/* Returns r; says in e what to do when the work in a scratch folder ended with -ENOSPC. */
int scratch_hint(struct err *e, int r);

/* Removes the folder and all files in it. NULL is fine. */
void scratch_free(struct scratch *s);
static inline void scratch_freep(struct scratch **s)
{
	scratch_free(*s);
}

#endif
