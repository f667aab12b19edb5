/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedship job list: the jobs of a store. */
#include "common/base/cleanup.h"
#include "common/cli/output.h"
#include "exporter/cmd/commands.h"
#include "exporter/cmd/store_option.h"
#include "exporter/shipping/jobs.h"

struct values {
	const char *store;
	bool json;
};

static const struct option_row rows[] = {
	OPTION_STORE(struct values),
	OPTION_JSON(struct values),
	OPTION_END,
};

static int put_job(struct shipping *s, const struct job *job, struct output *o, struct err *e)
{
	struct job_progress progress;
	int r = job_progress(s, job->name, &progress, e);

	if (r < 0)
		return r;
	output_open_row(o);
	output_text(o, "name", job->name);
	output_text(o, "storage_account", job->storage_account);
	output_text(o, "container", job->container);
	output_text(o, "location", job->location);
	output_number(o, "drives", progress.drives);
	output_number(o, "files", progress.files);
	output_size(o, "size_bytes", progress.size_bytes);
	output_percent(o, "percent", progress.streamed_bytes, progress.size_bytes);
	output_time(o, "created", job->created_ns);
	output_close(o);
	return 0;
}

static int run(const void *given, char *const *arguments _unused_, struct err *e)
{
	const struct values *values = given;
	_cleanup_(shipping_freep) struct shipping *s = NULL;
	_cleanup_(job_list_done) struct job_list jobs = {0};
	_cleanup_(output_freep) struct output *o = NULL;
	int r = store_option_open(values->store, SHIPPING_READ, &s, e);

	if (r == 0)
		r = job_list(s, &jobs, e);
	if (r == 0)
		r = output_new("seedship.jobs/1", &o, e);
	if (r < 0)
		return r;
	output_open_table(o, "jobs");
	for (size_t i = 0; r == 0 && i < jobs.n; i++)
		r = put_job(s, &jobs.items[i], o, e);
	output_close(o);
	return r < 0 ? r : output_print(o, values->json, stdout, e);
}

const struct command command_job_list = {
	.name = "list",
	.summary = "list the jobs of a store",
	.options = rows,
	.values_bytes = sizeof(struct values),
	.run = run,
};
