/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a plan does not ship, or ships other than it stands: one line each, so that nothing is dropped silently. */
#ifndef SEEDSHIP_PLAN_OMISSION_H
#define SEEDSHIP_PLAN_OMISSION_H

#include <stdbool.h>

#include "exporter/plan/plan.h"

enum omission_kind {
	/* Not shipped. */
	OMISSION_SYMLINK,
	OMISSION_SPECIAL,	  /* device, FIFO, socket */
	OMISSION_EMPTY_DIRECTORY, /* nothing below it is shipped */
	OMISSION_TOO_LARGE,	  /* refused: more than its type of blob may hold */
	OMISSION_PAGE_SIZE,	  /* refused: a page blob is a multiple of 512 bytes */
	OMISSION_NAME,		  /* refused: name too long, or too many path segments */
	/* Shipped, but a blob cannot say it as the file system does. */
	OMISSION_HARD_LINK, /* as a blob of its own with the same content */
	OMISSION_RENAMED,   /* under an encoded name; for a directory: everything in it */
};

struct omission {
	enum omission_kind kind;
	const char *path;   /* staged path; bytes. Lent until the callback returns, like reason. */
	const char *reason; /* one line; may hold bytes of a symbolic link's target */
	uint32_t placement; /* which one it is about when the content is shipped, or PLAN_NO_LINK */
	uint32_t dir;	    /* and else which renamed directory */
};

/* "symlink", "special", "empty-directory" ...: for tables and JSON. */
const char *omission_kind_name(enum omission_kind kind);

/* Whether the content does arrive. */
bool omission_is_shipped(enum omission_kind kind);

/* Whether it is a regular file whose content will not arrive. */
bool omission_is_refused(enum omission_kind kind);

/*
 * Calls fn for each omission: first what is not shipped in the order of the walk, then empty and renamed
 * directories, then renamed files and hard links. A non-zero return of fn ends it and is returned.
 */
int plan_omissions(const struct plan *p,
		   int (*fn)(const struct omission *omission, void *arg, struct err *e), void *arg,
		   struct err *e);

#endif
