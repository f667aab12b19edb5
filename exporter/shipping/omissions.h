/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is staged but does not ship, or ships other than it stands: kept so that it can be told at
 * any time.
 */
#ifndef SEEDSHIP_SHIPPING_OMISSIONS_H
#define SEEDSHIP_SHIPPING_OMISSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "exporter/shipping/shipping.h"

struct shipping_omission {
	int64_t job_id;
	int64_t drive;	    /* id of the drive's row; 0 = of the job as a whole */
	const char *path;   /* staged path; bytes */
	const char *kind;   /* one word for programs, such as "symlink" */
	const char *reason; /* one line for people */
	bool shipped;	    /* the content arrives all the same */
};

int shipping_omission_insert(struct shipping *s, const struct shipping_omission *omission,
			     struct err *e) _warn_unused_result_;

/* Forgets those of the job as a whole, before a new plan tells its own. */
int shipping_omissions_delete(struct shipping *s, int64_t job_id, struct err *e)
	_warn_unused_result_;

/*
 * Calls fn for everything of the job that is not shipped (the view not_shipped: changed files too).
 * What fn gets is lent until it returns; fn must not use s. A non-zero return of fn ends it and is
 * returned.
 */
int shipping_not_shipped_each(struct shipping *s, const char *job_name,
			      int (*fn)(const char *path, const char *kind, const char *reason,
					void *arg, struct err *e),
			      void *arg, struct err *e) _warn_unused_result_;

#endif
