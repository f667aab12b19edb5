/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedship job show: all that is remembered about a job, and its drives. */
#include "common/base/cleanup.h"
#include "common/cli/output.h"
#include "exporter/cmd/commands.h"
#include "exporter/cmd/store_option.h"
#include "exporter/shipping/drives.h"
#include "exporter/shipping/jobs.h"
#include "exporter/shipping/omissions.h"

struct values {
	const char *store;
	bool json;
};

static const struct option_row rows[] = {
	OPTION_STORE(struct values),
	OPTION_JSON(struct values),
	OPTION_END,
};

static void put_job(const struct job *job, struct output *o)
{
	output_text(o, "name", job->name);
	output_text(o, "staging_location", job->staging_location);
	output_text(o, "subscription_id", job->subscription_id);
	output_text(o, "resource_group", job->resource_group);
	output_text(o, "location", job->location);
	output_text(o, "storage_account", job->storage_account);
	output_text(o, "storage_resource_group", job->storage_resource_group);
	output_text(o, "container", job->container);
	output_text(o, "blob_prefix", job->blob_prefix);
	output_text(o, "blob_type", job->blob_type);
	output_text(o, "publish_settings", job->publish_settings);
	output_text(o, "cipher", job->cipher);
	output_text(o, "carrier", job->carrier);
	output_text(o, "carrier_account", job->carrier_account);
	output_time(o, "created", job->created_ns);
}

static void put_address(const struct job *job, struct output *o)
{
	output_open_group(o, "return_address");
	output_text(o, "recipient", job->recipient);
	output_text(o, "street", job->street);
	output_text(o, "street2", job->street2);
	output_text(o, "city", job->city);
	output_text(o, "state", job->state);
	output_text(o, "postal_code", job->postal_code);
	output_text(o, "country", job->country);
	output_text(o, "phone", job->phone);
	output_text(o, "email", job->email);
	output_close(o);
}

static int count(const char *path _unused_, const char *kind _unused_, const char *reason _unused_,
		 void *arg, struct err *e _unused_)
{
	++*(uint64_t *)arg;
	return 0;
}

static int put_progress(struct shipping *s, const struct job *job, struct output *o, struct err *e)
{
	struct job_progress p;
	uint64_t not_shipped = 0;
	int r = job_progress(s, job->name, &p, e);

	if (r == 0)
		r = shipping_not_shipped_each(s, job->name, count, &not_shipped, e);
	if (r < 0)
		return r;
	output_open_group(o, "progress");
	output_number(o, "files", p.files);
	output_number(o, "files_sealed", p.files_sealed);
	output_number(o, "files_verified", p.files_verified);
	output_number(o, "files_changed", p.files_changed);
	output_number(o, "not_shipped", not_shipped);
	output_size(o, "size_bytes", p.size_bytes);
	output_size(o, "streamed_bytes", p.streamed_bytes);
	output_percent(o, "percent", p.streamed_bytes, p.size_bytes);
	output_close(o);
	return 0;
}

static void put_drives(const struct shipping_drive_list *drives, struct output *o)
{
	output_open_table(o, "drives");
	for (size_t i = 0; i < drives->n; i++) {
		const struct shipping_drive *d = &drives->items[i];

		output_open_row(o);
		output_text(o, "drive_id", d->drive_id);
		output_size(o, "size_bytes", d->size_bytes);
		output_text(o, "phase", shipping_phase_name(d->phase));
		output_time(o, "since", d->phase_ns);
		output_text(o, "session_id", d->session_id);
		output_text(o, "target", d->target);
		output_text(o, "journal", d->journal_path);
		output_close(o);
	}
	output_close(o);
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct values *values = given;
	_cleanup_(shipping_drive_list_done) struct shipping_drive_list drives = {0};
	_cleanup_(shipping_freep) struct shipping *s = NULL;
	_cleanup_(output_freep) struct output *o = NULL;
	_cleanup_(job_done) struct job job = {0};
	int r = store_option_open(values->store, SHIPPING_READ, &s, e);

	if (r == 0)
		r = job_get(s, arguments[0], &job, e);
	if (r == 0)
		r = shipping_drive_list(s, job.id, &drives, e);
	if (r == 0)
		r = output_new("seedship.job/1", &o, e);
	if (r < 0)
		return r;
	put_job(&job, o);
	put_address(&job, o);
	r = put_progress(s, &job, o, e);
	if (r < 0)
		return r;
	put_drives(&drives, o);
	return output_print(o, values->json, stdout, e);
}

const struct command command_job_show = {
	.name = "show",
	.summary = "show a job and its drives",
	.arguments = "NAME",
	.options = rows,
	.values_bytes = sizeof(struct values),
	.run = run,
};
