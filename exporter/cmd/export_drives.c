/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Several drives at once. Laying out shares the job's files among them in the order in which they were named, so
 * it is done one by one; filling has a thread for each.
 */
#include "exporter/cmd/export_drives.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

void export_drive_done(struct export_drive *d)
{
	disk_target_done(&d->disk);
	free(d->target);
	free(d->journal_path);
}

/* Returns what keeps all drives from going on: that it was stopped. */
static int prepare(struct export_drive *d, struct shipment **shipment)
{
	int r = drive_prepare(&d->request, shipment, &d->events, &d->result, &d->err);

	if (r > 0)
		d->outcome = EXPORT_UNNEEDED;
	if (r < 0)
		d->outcome = EXPORT_FAILED;
	return r == -EINTR ? r : 0;
}

static void *fill(void *arg)
{
	struct export_drive *d = arg;
	int r = drive_fill(&d->request, &d->events, &d->result, &d->err);

	d->outcome = r < 0 ? EXPORT_FAILED : EXPORT_DONE;
	return NULL;
}

static void fill_all(struct export_drive *drives, size_t n, pthread_t *threads, bool *started)
{
	for (size_t i = 0; i < n; i++) {
		int r;

		if (drives[i].outcome != EXPORT_PENDING)
			continue;
		r = n == 1 ? EAGAIN : pthread_create(&threads[i], NULL, fill, &drives[i]);
		started[i] = r == 0;
		if (r) /* without a thread of its own it is filled here */
			(void)fill(&drives[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (started[i])
			(void)pthread_join(threads[i], NULL);
}

/* After drives were resumed without a plan, one is made. */
static int find_left(const struct drive_request *q, struct shipment **shipment,
		     struct export_left *ret, struct err *e)
{
	int r = 0;

	if (!*shipment)
		r = shipment_new(q->store_path, q->shipping, q->job, shipment, e);
	if (r < 0)
		return r;
	ret->files = shares_left_files((*shipment)->shares);
	ret->bytes = shares_left_bytes((*shipment)->shares);
	return 0;
}

static int begin_talk(struct export_drive *drives, size_t n, bool json, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = drive_talk_begin(&drives[i].talk, drives[i].request.serial, json,
				     &drives[i].events, e);
		/* One line that is redrawn cannot be shared. */
		if (n > 1 && drives[i].talk.style == PROGRESS_TERMINAL)
			drives[i].talk.style = PROGRESS_LINES;
	}
	return r;
}

int export_drives(struct export_drive *drives, size_t n, bool json, struct export_left *ret_left,
		  struct err *e)
{
	_cleanup_(shipment_freep) struct shipment *shipment = NULL;
	_cleanup_free_ pthread_t *threads = calloc(n, sizeof(*threads));
	_cleanup_free_ bool *started = calloc(n, sizeof(*started));
	bool any_failed = false;
	int r = threads && started ? begin_talk(drives, n, json, e) : err_oom(e);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = prepare(&drives[i], &shipment);
	if (r == 0)
		fill_all(drives, n, threads, started);
	for (size_t i = 0; i < n; i++) {
		drive_talk_end(&drives[i].talk);
		any_failed |= drives[i].outcome == EXPORT_FAILED;
	}
	*ret_left = (struct export_left){0};
	return any_failed ? 0 : find_left(&drives[0].request, &shipment, ret_left, e);
}

/* ---- the result ---- */

static const char *state_of(const struct export_drive *d)
{
	if (d->outcome == EXPORT_FAILED)
		return d->err.class == ERR_INTERRUPTED ? "stopped" : "failed";
	if (d->outcome == EXPORT_UNNEEDED)
		return "not needed";
	if (d->outcome == EXPORT_PENDING)
		return "not begun";
	return d->request.verify ? "verified" : "sealed";
}

static void put_row(const struct export_drive *d, struct output *o)
{
	output_open_row(o);
	output_text(o, "drive_id", d->request.serial);
	output_text(o, "state", state_of(d));
	output_number(o, "files", d->result.files);
	output_size(o, "content_bytes", d->result.content_bytes);
	output_number(o, "changed", d->result.changed);
	output_text(o, "manifest_md5", d->result.manifest_md5[0] ? d->result.manifest_md5 : NULL);
	output_number(o, "elapsed_ms", d->result.elapsed_ns / 1000000);
	output_text(o, "target", d->target);
	output_text(o, "journal", d->outcome == EXPORT_UNNEEDED ? NULL : d->journal_path);
	output_close(o);
}

static void put_one(const struct export_drive *d, struct output *o)
{
	const struct drive_result *result = &d->result;

	output_text(o, "drive_id", d->request.serial);
	output_text(o, "target", d->target);
	output_text(o, "journal", d->journal_path);
	output_text(o, "session_id", result->session_id);
	output_text(o, "recovery_key_id", result->recovery_key_id);
	output_text(o, "manifest_md5", result->manifest_md5);
	output_bool(o, "resumed", result->resumed);
	output_bool(o, "verified", d->request.verify);
	output_number(o, "files", result->files);
	output_size(o, "content_bytes", result->content_bytes);
	output_number(o, "changed", result->changed);
	output_number(o, "not_shipped", result->not_shipped);
	output_number(o, "streamed_ms", result->stream_ns / 1000000);
	output_number(o, "elapsed_ms", result->elapsed_ns / 1000000);
}

int export_print(const struct export_drive *drives, size_t n, const struct export_left *left,
		 bool json, struct err *e)
{
	_cleanup_(output_freep) struct output *o = NULL;
	int r = output_new(n == 1 ? "seedship.export/1" : "seedship.export.drives/1", &o, e);

	if (r < 0)
		return r;
	output_text(o, "job", drives[0].request.job->name);
	if (n == 1)
		put_one(&drives[0], o);
	if (n > 1)
		output_open_table(o, "drives");
	for (size_t i = 0; n > 1 && i < n; i++)
		put_row(&drives[i], o);
	if (n > 1)
		output_close(o);
	output_number(o, "left_files", left->files);
	output_size(o, "left_bytes", left->bytes);
	return output_print(o, json, stdout, e);
}
