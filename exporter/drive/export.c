/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The four phases in order, from wherever the last run stopped. */
#include "exporter/drive/drive.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/units.h"
#include "exporter/drive/drive_impl.h"

/* What a drive that is resumed must agree with. */
static int check_same(const struct shipping_drive *row, const struct drive_request *q,
		      struct err *e)
{
	int r = 0;

	if (!q->disk && strcmp(row->target, q->target) != 0)
		r = err_user(e, "drive %s of job '%s' was begun on '%s'", row->drive_id,
			     q->job->name, row->target);
	else if (strcmp(row->journal_path, q->journal_path) != 0)
		r = err_user(e, "drive %s of job '%s' has its journal at '%s'", row->drive_id,
			     q->job->name, row->journal_path);
	else if (!q->disk && q->size_bytes && q->size_bytes / MiB * MiB != row->size_bytes)
		r = err_user(e, "drive %s of job '%s' was begun with %ju bytes", row->drive_id,
			     q->job->name, (uintmax_t)row->size_bytes);
	return r < 0 ? err_hint(e, r, "name the same, or another --serial for another drive") : 0;
}

static int verify_drive(struct drive *d, struct err *e)
{
	struct drive_verify_request request = {.target = d->row.target,
					       .journal_path = d->row.journal_path,
					       .n_workers = d->request->n_workers};
	struct drive_verify_result result;
	int r;

	target_close(take_ptr(d->partition));
	target_close(take_ptr(d->disk));
	r = drive_verify(&request, d->events, &result, e);
	if (r < 0)
		return r;
	r = shipping_drive_set_phase(d->request->shipping, d->row.id, SHIPPING_VERIFIED,
				     clock_realtime_ns(), e);
	if (r == 0)
		(void)unlink(d->row.layout_path); /* not needed any more */
	return r;
}

static int run_phases(struct drive *d, struct drive_result *result, struct err *e)
{
	int r = drive_open(d, e);

	if (r == 0 && d->row.phase <= SHIPPING_STREAMING) {
		r = drive_stream(d, result, e);
		if (r == 0)
			r = drive_seal(d, result, e);
	}
	return r == 0 && d->request->verify ? verify_drive(d, e) : r;
}

static int count_shipped(const struct shipping_placement *p, void *arg, struct err *e _unused_)
{
	struct drive_result *result = arg;

	if (p->state == SHIPPING_FILE_CHANGED) {
		result->changed++;
		return 0;
	}
	result->files++;
	result->content_bytes += p->size_bytes;
	return 0;
}

/* A drive that was sealed by an earlier run: what it holds is remembered. */
static int recall_result(const struct drive *d, struct drive_result *result, struct err *e)
{
	return shipping_placement_each(d->request->shipping, d->row.id, SHIPPING_BY_SEQ, 0,
				       count_shipped, result, e);
}

static void fill_result(const struct drive *d, struct drive_result *result)
{
	(void)snprintf(result->session_id, sizeof(result->session_id), "%s", d->row.session_id);
	(void)snprintf(result->recovery_key_id, sizeof(result->recovery_key_id), "%s",
		       d->row.recovery_key_id ? d->row.recovery_key_id : "");
	if (d->row.has_manifest_md5)
		(void)format_hex(d->row.manifest_md5, sizeof(d->row.manifest_md5), true,
				 result->manifest_md5);
}

/* The target must be free before anything is begun: a new image, or an empty file. */
static int check_target(const struct drive_request *q, struct err *e)
{
	struct stat st;

	if (q->disk)
		return 0; /* the caller has seen to it */
	if (stat(q->target, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "'%s'", q->target);
	if (!S_ISREG(st.st_mode))
		return err_user(e, "'%s' is not an image file", q->target);
	if (st.st_size > 0)
		return err_hint(e, err_user(e, "'%s' exists and is not empty", q->target),
				"name a new image, or remove this one if nothing on it is needed");
	return 0;
}

/* What the job has left, once a session. 1 = nothing. */
static int find_rest(const struct drive_request *q, struct shipment **shipment, struct err *e)
{
	const struct plan_totals *t;
	int r = 0;

	if (!*shipment)
		r = shipment_new(q->store_path, q->shipping, q->job, shipment, e);
	if (r < 0)
		return r;
	t = plan_totals((*shipment)->plan);
	if (t->files == 0 && t->placed == 0)
		return err_hint(e, err_set(e, ENODATA, "nothing is staged that could be shipped"),
				"write files to the mount first; they are seen here once they are "
				"committed, which 'seedfs sync' does at once");
	return shares_left_files((*shipment)->shares) == 0;
}

int drive_prepare(const struct drive_request *request, struct shipment **shipment,
		  const struct drive_events *events, struct drive_result *ret, struct err *e)
{
	_cleanup_(drive_done) struct drive d = {.request = request, .events = events};
	int r = shipping_drive_get(request->shipping, request->job->id, request->serial, &d.row, e);

	*ret = (struct drive_result){0};
	if (r == 0) {
		ret->resumed = true;
		r = check_same(&d.row, request, e);
		return r == 0 && request->disk ? drive_follow_disk(&d, e) : r;
	}
	if (r != -ENOENT)
		return r;
	r = check_target(request, e);
	if (r == 0)
		r = find_rest(request, shipment, e);
	return r == 0 ? drive_lay_out(request, *shipment, events, ret, e) : r;
}

int drive_fill(const struct drive_request *request, const struct drive_events *events,
	       struct drive_result *ret, struct err *e)
{
	_cleanup_(drive_done) struct drive d = {.request = request, .events = events};
	uint64_t began = clock_monotonic_ns();
	int r = shipping_drive_get(request->shipping, request->job->id, request->serial, &d.row, e);

	if (r < 0)
		return r;
	if (d.row.phase >= SHIPPING_SEALED)
		r = recall_result(&d, ret, e);
	if (r == 0 && d.row.phase == SHIPPING_VERIFIED)
		drive_tell(events, "drive %s is complete and verified already", d.row.drive_id);
	else if (r == 0)
		r = run_phases(&d, ret, e);
	fill_result(&d, ret);
	ret->elapsed_ns = clock_monotonic_ns() - began;
	return r;
}
