/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The body of the request. Left out: optional parts without a value, everything the service fills
 * in (state, shippingInformation) and tags. jansson's memory is wiped as it is given back, for it
 * passes the keys.
 */
#include "exporter/azure/import_job.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/ext/json.h"

static void put_encoded(struct buf *b, const char *text)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";

	for (; *text; text++) {
		if (strchr(unreserved, *text))
			buf_put_u8(b, (uint8_t)*text);
		else
			buf_printf(b, "%%%02X", (unsigned char)*text);
	}
}

/* "/subscriptions/S/resourceGroups/G/providers/..." up to the name, which is put by the caller. */
static void put_group(struct buf *b, const char *subscription_id, const char *resource_group)
{
	buf_puts(b, "/subscriptions/");
	put_encoded(b, subscription_id);
	buf_puts(b, "/resourceGroups/");
	put_encoded(b, resource_group);
	buf_puts(b, "/providers/");
}

static int finish(struct buf *b, char **ret, struct err *e)
{
	char *text = buf_take_text(b);

	if (!text)
		return err_oom(e);
	*ret = text;
	return 0;
}

int import_job_url(const struct import_job *job, char **ret, struct err *e)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, job->endpoint ? job->endpoint : IMPORT_JOB_ENDPOINT);
	put_group(&b, job->subscription_id, job->resource_group);
	buf_puts(&b, "Microsoft.ImportExport/jobs/");
	put_encoded(&b, job->name);
	buf_puts(&b, "?api-version=" IMPORT_JOB_API_VERSION);
	return finish(&b, ret, e);
}

/* A resource id is a name, not a URL: nothing in it is encoded. */
static json_t *storage_account_id(const struct import_job *job)
{
	return json_sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Storage/"
			    "storageAccounts/%s",
			    job->subscription_id, job->storage_resource_group,
			    job->storage_account);
}

/* s* of jansson: the key is left out when the value is NULL. */
static json_t *return_address(const struct import_address *a)
{
	return json_pack("{s:s, s:s, s:s*, s:s, s:s*, s:s, s:s, s:s, s:s}", "recipientName",
			 a->recipient, "streetAddress1", a->street, "streetAddress2", a->street2,
			 "city", a->city, "stateOrProvince", a->state, "postalCode", a->postal_code,
			 "countryOrRegion", a->country, "phone", a->phone, "email", a->email);
}

static json_t *return_shipping(const struct import_job *job)
{
	return json_pack("{s:s, s:s}", "carrierName", job->carrier, "carrierAccountNumber",
			 job->carrier_account);
}

static json_t *drive_list(const struct import_job *job)
{
	_cleanup_json_ json_t *list = json_array();

	for (size_t i = 0; i < job->n_drives; i++) {
		const struct import_drive *d = &job->drives[i];
		json_t *drive = json_pack("{s:s, s:s, s:s, s:s, s:s}", "driveId", d->drive_id,
					  "bitLockerKey", d->bitlocker_key, "manifestFile",
					  d->manifest_file, "manifestHash", d->manifest_hash,
					  "driveHeaderHash", "");

		if (json_array_append_new(list, drive) < 0)
			return NULL;
	}
	return take_ptr(list);
}

static json_t *properties(const struct import_job *job)
{
	_cleanup_json_ json_t *p = json_object();
	int r = json_object_set_new(p, "storageAccountId", storage_account_id(job));

	r |= json_object_set_new(p, "jobType", json_string("Import"));
	r |= json_object_set_new(p, "returnAddress", return_address(&job->return_address));
	if (job->carrier)
		r |= json_object_set_new(p, "returnShipping", return_shipping(job));
	r |= json_object_set_new(p, "diagnosticsPath", json_string(IMPORT_JOB_DIAGNOSTICS));
	r |= json_object_set_new(p, "logLevel",
				 json_string(job->verbose_log ? "Verbose" : "Error"));
	r |= json_object_set_new(p, "backupDriveManifest", json_boolean(job->backup_manifests));
	r |= json_object_set_new(p, "driveList", drive_list(job));
	return r == 0 ? take_ptr(p) : NULL;
}

int import_job_body(const struct import_job *job, char **ret, struct err *e)
{
	_cleanup_json_ json_t *body = NULL;
	json_t *inner;

	if (job->n_drives == 0 || job->n_drives > IMPORT_JOB_DRIVES_MAX)
		return err_set(e, EINVAL, "an import job has 1 to %d drives, not %zu",
			       IMPORT_JOB_DRIVES_MAX, job->n_drives);
	json_wipe_memory();
	inner = properties(job);
	if (inner)
		body = json_pack("{s:s, s:o}", "location", job->location, "properties", inner);
	if (!body)
		return err_set(e, EINVAL, "import job '%s': a value is missing or not UTF-8",
			       job->name);
	return json_format_secret(body, ret, e);
}
