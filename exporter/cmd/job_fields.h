/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The facts of a job as the command line gives them: one table of what is required and how it is
 * checked.
 */
#ifndef SEEDSHIP_CMD_JOB_FIELDS_H
#define SEEDSHIP_CMD_JOB_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "exporter/shipping/jobs.h"

#define JOB_FIELDS_MAX 32

/* All lent; NULL = not given. Members bear the names of struct job. */
struct job_values {
	const char *store;
	const char *name;
	const char *staging_location;
	const char *subscription_id;
	const char *resource_group;
	const char *storage_account;
	const char *storage_resource_group;
	const char *container;
	const char *blob_prefix;
	const char *location;
	const char *publish_settings;
	const char *blob_type;
	const char *cipher;
	const char *recipient;
	const char *street;
	const char *street2;
	const char *city;
	const char *state;
	const char *postal_code;
	const char *country;
	const char *phone;
	const char *email;
	const char *carrier;
	const char *carrier_account;
};

struct job_field {
	const char *option; /* its long name */
	bool required;
	int (*check)(const char *text, struct err *e);
	size_t value_offset; /* in struct job_values */
	size_t job_offset;   /* in struct job */
};

extern const struct job_field job_fields[]; /* in the order of the questions */
extern const size_t job_fields_count;

/* The member of a field; its value. */
const char **job_field_of(const struct job_field *field, struct job_values *values);
const char *job_field_get(const struct job_field *field, const struct job_values *values);

/* -EINVAL (user), naming the option. */
int job_field_check(const struct job_field *field, const char *text, struct err *e)
	_warn_unused_result_;

/* Checks everything that is given, and what must go together. */
int job_values_check(const struct job_values *values, struct err *e) _warn_unused_result_;

/* The job of complete, checked values; what may be left out gets its default. *ret: job_done(). */
int job_from_values(const struct job_values *values, const char *store, struct job *ret,
		    struct err *e) _warn_unused_result_;

#endif
