/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of check_store() share. */
#ifndef SEEDSHIP_STORE_CHECK_IMPL_H
#define SEEDSHIP_STORE_CHECK_IMPL_H

#include "common/base/buf.h"
#include "common/ext/sql.h"
#include "common/store/check.h"
#include "common/store/store.h"

struct check {
	const struct check_options *options;
	struct store *store; /* locked, not opened */
	struct sql *
		db; /* the index, read-only; what the packs say is attached as "packs"; may be NULL */
	bool has_packs;	    /* "packs" is attached */
	bool index_differs; /* more than derived sums is wrong */
	bool sums_differ;
	uint64_t pack_damages;
	struct check_summary sum;
};

void check_found(struct check *c, const struct check_finding *finding);

/* check_index.c. Each reports what it finds; errors are only what keeps it from looking. */
/* 1 = pages are damaged: queries may tell anything, and without end. */
int check_integrity(struct check *c, struct err *e);
int check_rules(struct check *c, struct err *e);
int check_against_packs(struct check *c, struct err *e);
int check_set_sums_right(const char *index_path, struct err *e);

/* check_content.c */
int check_content(struct check *c, struct err *e);

/* check_path.c: one path of an inode, "" = none is known. */
void check_path_of(struct sql *db, uint64_t ino, struct buf *path);

#endif
