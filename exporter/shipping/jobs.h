/* SPDX-License-Identifier: GPL-3.0-or-later */
/* struct job: what was asked once about an import job and is remembered. */
#ifndef SEEDSHIP_SHIPPING_JOBS_H
#define SEEDSHIP_SHIPPING_JOBS_H

#include <stddef.h>
#include <stdint.h>

#include "exporter/shipping/shipping.h"

/* All texts are owned; those marked "may be NULL" are optional. */
struct job {
	int64_t id;
	char *name;
	char *staging_location;
	char *subscription_id;
	char *resource_group;
	char *storage_account;
	char *storage_resource_group;
	char *container;
	char *blob_prefix; /* may be NULL */
	char *location;
	char *publish_settings; /* may be NULL */
	char *blob_type;	/* "auto", "block", "page" */
	char *cipher;
	char *recipient;
	char *street;
	char *street2; /* may be NULL */
	char *city;
	char *state; /* may be NULL */
	char *postal_code;
	char *country;
	char *phone;
	char *email;
	char *carrier;	       /* may be NULL */
	char *carrier_account; /* NULL with carrier */
	uint64_t created_ns;
	uint64_t sessions; /* number of the last export session */
};

void job_done(struct job *job); /* frees what it owns */

/* Remembers a new job and sets its id. -EEXIST when the name is taken. */
int job_insert(struct shipping *s, struct job *job, struct err *e) _warn_unused_result_;

/* -ENOENT when there is no job of this name. *ret: job_done(). */
int job_get(struct shipping *s, const char *name, struct job *ret, struct err *e)
	_warn_unused_result_;

/* Writes all texts of the job with this id. */
int job_update(struct shipping *s, const struct job *job, struct err *e) _warn_unused_result_;

/* Counts a new export session of the job and gives its number, from 1. */
int job_next_session(struct shipping *s, int64_t job_id, uint64_t *ret, struct err *e)
	_warn_unused_result_;

struct job_list {
	size_t n;
	struct job *items; /* owned */
};

/* All jobs by name. *ret: job_list_done(). */
int job_list(struct shipping *s, struct job_list *ret, struct err *e) _warn_unused_result_;
void job_list_done(struct job_list *list);

/* The row of the view job_progress. */
struct job_progress {
	uint64_t drives, drives_sealed, drives_verified;
	uint64_t files, files_sealed, files_verified, files_changed;
	uint64_t size_bytes;	 /* placed on drives */
	uint64_t streamed_bytes; /* of these, written */
};

/* Reads every placement of the job: a second for some millions. */
int job_progress(struct shipping *s, const char *name, struct job_progress *ret, struct err *e)
	_warn_unused_result_;

#endif
