/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known about each fact of a job. */
#include "exporter/cmd/job_fields.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/ext/utf16.h"
#include "exporter/bitlocker/cipher.h"
#include "exporter/plan/blobname_check.h"

#define DEFAULT_BLOB_TYPE "auto"
#define DEFAULT_CIPHER	  "xts_aes256"

/* Something a label can be printed with. */
static int check_text(const char *text, struct err *e)
{
	if (!*text)
		return err_user(e, "must not be empty");
	if (!utf8_valid(text, strlen(text)))
		return err_user(e, "is not UTF-8");
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_user(e, "has a control character");
	}
	return 0;
}

static int check_email(const char *text, struct err *e)
{
	const char *at = strchr(text, '@');

	if (!at || at == text || !at[1] || strpbrk(text, " \t"))
		return err_user(e, "'%s' is not an e-mail address", text);
	return check_text(text, e);
}

static int check_cipher(const char *text, struct err *e)
{
	enum bitlocker_cipher cipher;

	return bitlocker_cipher_parse(text, &cipher, e);
}

static int check_file(const char *path, struct err *e)
{
	if (access(path, R_OK) < 0)
		return err_sys(e, "cannot read '%s'", path);
	return 0;
}

#define FIELD(member) offsetof(struct job_values, member), offsetof(struct job, member)

const struct job_field job_fields[] = {
	{"subscription", true, blobname_check_subscription, FIELD(subscription_id)},
	{"resource-group", true, blobname_check_resource_group, FIELD(resource_group)},
	{"location", true, blobname_check_location, FIELD(location)},
	{"storage-account", true, blobname_check_account, FIELD(storage_account)},
	{"storage-resource-group", false, blobname_check_resource_group,
	 FIELD(storage_resource_group)},
	{"container", true, blobname_check_container, FIELD(container)},
	{"blob-prefix", false, blobname_check_prefix, FIELD(blob_prefix)},
	{"blob-type", false, check_text, FIELD(blob_type)},
	{"publish-settings", false, check_file, FIELD(publish_settings)},
	{"staging-location", false, check_text, FIELD(staging_location)},
	{"cipher", false, check_cipher, FIELD(cipher)},
	{"recipient", true, check_text, FIELD(recipient)},
	{"street", true, check_text, FIELD(street)},
	{"street2", false, check_text, FIELD(street2)},
	{"city", true, check_text, FIELD(city)},
	{"state", false, check_text, FIELD(state)},
	{"postal-code", true, check_text, FIELD(postal_code)},
	{"country", true, check_text, FIELD(country)},
	{"phone", true, check_text, FIELD(phone)},
	{"email", true, check_email, FIELD(email)},
	{"carrier", false, check_text, FIELD(carrier)},
	{"carrier-account", false, check_text, FIELD(carrier_account)},
};

const size_t job_fields_count = ARRAY_SIZE(job_fields);
_Static_assert(ARRAY_SIZE(job_fields) <= JOB_FIELDS_MAX, "answers have a place for each field");

const char **job_field_of(const struct job_field *field, struct job_values *values)
{
	return (const char **)(void *)((char *)values + field->value_offset);
}

const char *job_field_get(const struct job_field *field, const struct job_values *values)
{
	return *(const char *const *)(const void *)((const char *)values + field->value_offset);
}

int job_field_check(const struct job_field *field, const char *text, struct err *e)
{
	int r = field->check(text, e);

	return r < 0 ? err_wrap(e, r, "--%s", field->option) : 0;
}

int job_values_check(const struct job_values *values, struct err *e)
{
	int r = blobname_check_job(values->name, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < job_fields_count; i++) {
		const char *text = job_field_get(&job_fields[i], values);

		r = text ? job_field_check(&job_fields[i], text, e) : 0;
		if (r < 0)
			return r;
	}
	if (!values->carrier != !values->carrier_account)
		return err_user(e, "--carrier and --carrier-account go together");
	return 0;
}

static int copy_text(const char *text, char **ret, struct err *e)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return err_oom(e);
	*ret = copy;
	return 0;
}

static int make_absolute(char **path, struct err *e)
{
	char *absolute = realpath(*path, NULL);

	if (!absolute)
		return err_sys(e, "cannot find '%s'", *path);
	free(*path);
	*path = absolute;
	return 0;
}

int job_from_values(const struct job_values *values, const char *store, struct job *ret,
		    struct err *e)
{
	_cleanup_(job_done) struct job job = {0};
	struct job_values full = *values;
	int r = copy_text(values->name, &job.name, e);

	if (!full.staging_location)
		full.staging_location = store;
	if (!full.storage_resource_group)
		full.storage_resource_group = full.resource_group;
	if (!full.blob_type)
		full.blob_type = DEFAULT_BLOB_TYPE;
	if (!full.cipher)
		full.cipher = DEFAULT_CIPHER;
	for (size_t i = 0; r == 0 && i < job_fields_count; i++)
		r = copy_text(job_field_get(&job_fields[i], &full),
			      (char **)(void *)((char *)&job + job_fields[i].job_offset), e);
	if (r == 0 && job.publish_settings)
		r = make_absolute(&job.publish_settings, e);
	if (r < 0)
		return r;
	*ret = job;
	job = (struct job){0};
	return 0;
}
