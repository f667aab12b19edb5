/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedship job new: checks what was given, asks for what is missing, remembers it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/cli/prompt.h"
#include "exporter/cmd/commands.h"
#include "exporter/cmd/job_fields.h"
#include "exporter/cmd/store_option.h"
#include "exporter/shipping/jobs.h"

static const struct option_row rows[] = {
	OPTION_STORE(struct job_values),
	OPTION_HEADING("Import job"),
	{"subscription", 0, OPTION_TEXT, "ID", "subscription id",
	 offsetof(struct job_values, subscription_id)},
	{"resource-group", 0, OPTION_TEXT, "NAME", "resource group of the import job",
	 offsetof(struct job_values, resource_group)},
	{"location", 0, OPTION_TEXT, "REGION", "location of the import job, such as westeurope",
	 offsetof(struct job_values, location)},
	{"storage-account", 0, OPTION_TEXT, "NAME", "storage account that receives the blobs",
	 offsetof(struct job_values, storage_account)},
	{"storage-resource-group", 0, OPTION_TEXT, "NAME",
	 "resource group of the storage account (default: that of the job)",
	 offsetof(struct job_values, storage_resource_group)},
	{"container", 0, OPTION_TEXT, "NAME",
	 "container for the blobs; for Azure Backup the policy's",
	 offsetof(struct job_values, container)},
	{"blob-prefix", 0, OPTION_TEXT, "PATH", "virtual folder in the container (default: none)",
	 offsetof(struct job_values, blob_prefix)},
	{"blob-type", 0, OPTION_CHOICE, "auto|block|page",
	 "Azure Backup needs page, other files block; auto: page for .vhd and .vhdx of whole "
	 "pages, else block (default: auto)",
	 offsetof(struct job_values, blob_type)},
	{"publish-settings", 0, OPTION_TEXT, "FILE", "publish settings file of the subscription",
	 offsetof(struct job_values, publish_settings)},
	{"staging-location", 0, OPTION_TEXT, "DIR",
	 "where the backup software writes, for the record (default: the store)",
	 offsetof(struct job_values, staging_location)},
	{"cipher", 0, OPTION_TEXT, "NAME",
	 "BitLocker's cipher: aes128, aes256, xts_aes128 or xts_aes256 (default: xts_aes256)",
	 offsetof(struct job_values, cipher)},
	OPTION_HEADING("Return address"),
	{"recipient", 0, OPTION_TEXT, "NAME", "recipient of the returned drives",
	 offsetof(struct job_values, recipient)},
	{"street", 0, OPTION_TEXT, "TEXT", "street address", offsetof(struct job_values, street)},
	{"street2", 0, OPTION_TEXT, "TEXT", "second line of the street address",
	 offsetof(struct job_values, street2)},
	{"city", 0, OPTION_TEXT, "TEXT", "city", offsetof(struct job_values, city)},
	{"state", 0, OPTION_TEXT, "TEXT", "state or province", offsetof(struct job_values, state)},
	{"postal-code", 0, OPTION_TEXT, "TEXT", "postal code",
	 offsetof(struct job_values, postal_code)},
	{"country", 0, OPTION_TEXT, "TEXT", "country or region",
	 offsetof(struct job_values, country)},
	{"phone", 0, OPTION_TEXT, "NUMBER", "phone number", offsetof(struct job_values, phone)},
	{"email", 0, OPTION_TEXT, "ADDRESS", "e-mail address", offsetof(struct job_values, email)},
	OPTION_HEADING("Return carrier (may be added later)"),
	{"carrier", 0, OPTION_TEXT, "NAME", "carrier that brings the drives back",
	 offsetof(struct job_values, carrier)},
	{"carrier-account", 0, OPTION_TEXT, "NUMBER", "your account number with it",
	 offsetof(struct job_values, carrier_account)},
	OPTION_END,
};

static const struct option_row *row_of(const struct job_field *field)
{
	for (const struct option_row *row = rows; !option_is_end(row); row++) {
		if (row->name && strcmp(row->name, field->option) == 0)
			return row;
	}
	return NULL;
}

/* Asks until the answer is good. The answer belongs to `answers`. */
static int ask(const struct job_field *field, struct job_values *values, char **answer,
	       struct err *e)
{
	struct err why = {0};
	int r;

	for (;;) {
		free(take_ptr(*answer));
		r = prompt_line(row_of(field)->help, answer, e);
		if (r < 0)
			return r;
		if (job_field_check(field, *answer, &why) == 0)
			break;
		(void)fprintf(stderr, "%s\n", why.text);
	}
	*job_field_of(field, values) = *answer;
	return 0;
}

static int say_missing(const struct job_values *values, struct err *e)
{
	struct buf b = BUF_INIT;
	int r = 0;

	for (size_t i = 0; i < job_fields_count; i++) {
		const struct job_field *field = &job_fields[i];

		if (field->required && !job_field_get(field, values))
			buf_printf(&b, "%s--%s", b.len_bytes ? ", " : "", field->option);
	}
	if (b.len_bytes)
		r = err_hint(e, err_user(e, "missing: %s", buf_text(&b)),
			     "try 'seedship job new --help'; on a terminal they are asked for");
	buf_done(&b);
	return r;
}

struct answers {
	char *texts[JOB_FIELDS_MAX];
};

static void answers_done(struct answers *answers)
{
	for (size_t i = 0; i < JOB_FIELDS_MAX; i++)
		free(answers->texts[i]);
}

/*
 * Everything that was given is checked first: nobody answers ten questions to hear of a typing
 * error.
 */
static int complete(struct job_values *values, struct answers *answers, struct err *e)
{
	int r = job_values_check(values, e);

	if (r < 0 || !prompt_possible())
		return r < 0 ? r : say_missing(values, e);
	for (size_t i = 0; i < job_fields_count; i++) {
		const struct job_field *field = &job_fields[i];

		if (!field->required || job_field_get(field, values))
			continue;
		r = ask(field, values, &answers->texts[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int remember(const char *store, struct job *job, struct err *e)
{
	_cleanup_(shipping_freep) struct shipping *s = NULL;
	_cleanup_(job_done) struct job old = {0};
	int r = shipping_open(store, SHIPPING_WRITE, &s, e);

	if (r < 0)
		return r;
	r = job_get(s, job->name, &old, e);
	if (r == 0)
		return err_user(e, "there is a job '%s' already", job->name);
	return r == -ENOENT ? job_insert(s, job, e) : r;
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	struct job_values values = *(const struct job_values *)given;
	_cleanup_(answers_done) struct answers answers = {0};
	_cleanup_(job_done) struct job job = {0};
	_cleanup_free_ char *store = NULL;
	int r = store_option_path(values.store, &store, e);

	values.name = arguments[0];
	if (r == 0)
		r = complete(&values, &answers, e);
	if (r == 0)
		r = job_from_values(&values, store, &job, e);
	if (r < 0)
		return r;
	job.created_ns = clock_realtime_ns();
	r = remember(store, &job, e);
	if (r < 0)
		return r;
	(void)fprintf(stderr, "Job '%s' is remembered in %s/shipping.db.\n", job.name, store);
	return 0;
}

const struct command command_job_new = {
	.name = "new",
	.summary = "remember a new import job",
	.about = "Remembers what a new import job needs: where the blobs go and where the drives "
		 "are sent back to. On a terminal, what is required and not given is asked for.",
	.arguments = "NAME",
	.options = rows,
	.values_bytes = sizeof(struct job_values),
	.run = run,
};
