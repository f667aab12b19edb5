/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Phase 1: from a job to a row with placements and extents, a journal with the recovery password, and a
 * local image of the volume's NTFS. The row is committed last, so that whoever finds it finds all three.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/fdio.h"
#include "common/base/units.h"
#include "exporter/block/gpt.h"
#include "exporter/drive/fit.h"
#include "exporter/drive/layout_impl.h"
#include "exporter/manifest/drive_manifest.h"
#include "exporter/plan/omission.h"
#include "exporter/shipping/omissions.h"

static void layout_done(struct layout *l)
{
	ntfs_image_free(l->image);
	bitlocker_volume_done(&l->volume);
	shipping_drive_done(&l->row);
	share_free(l->share);
	free(l->dir_refs);
	free(l->file_refs);
}

/* ---- the manifest's length ---- */

struct blob_walk {
	const struct plan *plan;
	const struct share *share;
	uint32_t next;
	struct buf blob_path, file_path;
};

static int next_blob(struct manifest_blob *ret, void *arg, struct err *e)
{
	struct blob_walk *w = arg;
	struct placement p;

	w->next = share_next(w->share, w->next);
	if (w->next == plan_count(w->plan))
		return 0;
	share_get(w->share, w->next++, &p);
	buf_reset(&w->blob_path);
	buf_reset(&w->file_path);
	plan_blob_path(w->plan, &p, &w->blob_path);
	plan_drive_path(w->plan, &p, &w->file_path);
	if (buf_error(&w->blob_path) < 0 || buf_error(&w->file_path) < 0)
		return err_oom(e);
	*ret = (struct manifest_blob){
		.blob_path = buf_text(&w->blob_path),
		.file_path = buf_text(&w->file_path),
		.length_bytes = p.size_bytes,
		.ranges = p.blob_type == BLOBTYPE_PAGE ? MANIFEST_PAGES : MANIFEST_BLOCKS,
	};
	return 1;
}

static int measure_manifest(struct layout *l, struct err *e)
{
	struct manifest_desc desc = {.drive_id = l->request->serial,
				     .session_id = l->shipment->session_id};
	struct blob_walk walk = {.plan = l->plan, .share = l->share};
	int r = manifest_length(&desc, next_blob, &walk, &l->row.manifest_bytes, e);

	buf_done(&walk.blob_path);
	buf_done(&walk.file_path);
	return r < 0 ? err_wrap(e, r, "measuring the manifest") : 0;
}

/* ---- sizes ---- */

static int needed_hint(struct layout *l, int r, struct err *e)
{
	uint64_t need_bytes;
	char need[32];

	if (shares_needed_bytes(l->shipment->shares, &need_bytes, NULL) < 0)
		return r;
	return err_hint(e, r, "all that is left of this job needs %ju bytes (%s)",
			(uintmax_t)need_bytes, format_size(need_bytes, need, sizeof(need)));
}

static int too_small(struct layout *l, struct err *e)
{
	char have[32];
	int r = err_user(e,
			 "the drive is too small for any file that is left: it has %ju bytes (%s)",
			 (uintmax_t)l->request->size_bytes,
			 format_size(l->request->size_bytes, have, sizeof(have)));

	return needed_hint(l, r, e);
}

/* The drive takes what fits. */
static int choose_files(struct layout *l, struct err *e)
{
	uint64_t size_bytes =
		l->request->disk ? l->request->size_bytes : l->request->size_bytes / MiB * MiB;
	struct gpt_partition partition;
	int r;

	if (l->request->size_bytes == 0)
		return needed_hint(
			l, err_user(e, "the size of the new image is missing: give --size"), e);
	r = gpt_plan(size_bytes, DRIVE_SECTOR_BYTES, &partition, e);
	if (r == 0)
		r = share_take(l->shipment->shares, size_bytes, &l->share, e);
	if (r < 0)
		return r;
	if (share_totals(l->share)->files == 0)
		return too_small(l, e);
	l->row.size_bytes = size_bytes;
	l->row.partition_start_bytes = partition.off_bytes;
	l->row.partition_bytes = partition.size_bytes;
	l->row.cluster_bytes = fit_cluster_bytes(partition.size_bytes);
	return 0;
}

/* ---- what is kept ---- */

/* What does not ship is told of the job, once a session; what ships otherwise, with its drive. */
static bool is_told_here(const struct layout *l, const struct omission *o)
{
	if (!omission_is_shipped(o->kind))
		return !l->shipment->session_counted;
	return o->placement == PLAN_NO_LINK ? share_has_dir(l->share, o->dir)
					    : share_has_file(l->share, o->placement);
}

static int keep_omission(const struct omission *o, void *arg, struct err *e)
{
	struct layout *l = arg;
	bool shipped = omission_is_shipped(o->kind);
	struct shipping_omission row = {.job_id = l->request->job->id,
					.drive = shipped ? l->row.id : 0,
					.path = o->path,
					.kind = omission_kind_name(o->kind),
					.reason = o->reason,
					.shipped = shipped};

	if (!is_told_here(l, o))
		return 0;
	drive_tell(l->events, "%s: %s", o->path, o->reason);
	return shipping_omission_insert(l->request->shipping, &row, e);
}

/* The first drive of a session: the job knows of it, and what was not shipped until now is told anew. */
static int begin_session(struct layout *l, struct err *e)
{
	uint64_t session;
	int r;

	if (l->shipment->session_counted)
		return 0;
	r = job_next_session(l->request->shipping, l->request->job->id, &session, e);
	return r < 0 ? r : shipping_omissions_delete(l->request->shipping, l->request->job->id, e);
}

static int fill_row(struct layout *l, struct err *e)
{
	const struct drive_request *q = l->request;
	struct shipping_drive *row = &l->row;

	row->job_id = q->job->id;
	row->target = strdup(q->target);
	row->drive_id = strdup(q->serial);
	row->session_id = strdup(l->shipment->session_id);
	row->cipher = strdup(bitlocker_cipher_name(q->cipher));
	row->journal_path = strdup(q->journal_path);
	row->manifest_path = strdup(MANIFEST_PATH);
	row->phase = SHIPPING_LAID_OUT;
	row->phase_ns = row->created_ns = l->now_ns;
	if (asprintf(&row->layout_path, "%s/drives/%s-%s.ntfs", q->store_path, q->job->name,
		     q->serial) < 0)
		row->layout_path = NULL;
	if (!row->target || !row->drive_id || !row->session_id || !row->cipher ||
	    !row->journal_path || !row->manifest_path || !row->layout_path)
		return err_oom(e);
	return 0;
}

static int make_drives_folder(const char *store_path, struct err *e)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/drives", store_path) < 0) {
		path = NULL;
		return err_oom(e);
	}
	return mkdir_if_missing(path, 0700, e);
}

/* Inside the transaction. */
static int build(struct layout *l, struct err *e)
{
	int r = layout_create_image(l, e);

	if (r == 0)
		r = layout_create_keys(l, e);
	if (r == 0)
		r = plan_digest(l->plan, l->row.plan_digest, e);
	if (r == 0)
		r = shipping_drive_insert(l->request->shipping, &l->row, e);
	if (r == 0)
		r = begin_session(l, e);
	if (r == 0)
		r = layout_add_dirs(l, e);
	if (r == 0)
		r = layout_add_manifest(l, e);
	if (r == 0)
		r = layout_add_files(l, e);
	if (r == 0)
		r = plan_omissions(l->plan, keep_omission, l, e);
	if (r == 0)
		r = ntfs_image_finish(l->image, e);
	ntfs_image_free(take_ptr(l->image)); /* it holds the file's lock */
	if (r == 0)
		r = layout_keep_metadata(l, e);
	return r == 0 ? layout_write_journal(l, e) : r;
}

int drive_lay_out(const struct drive_request *request, struct shipment *shipment,
		  const struct drive_events *events, struct drive_result *result, struct err *e)
{
	_cleanup_(layout_done) struct layout l = {.request = request,
						  .events = events,
						  .shipment = shipment,
						  .plan = shipment->plan,
						  .now_ns = clock_realtime_ns()};
	int r = make_drives_folder(request->store_path, e);

	if (r == 0)
		r = fill_row(&l, e);
	if (r == 0)
		r = choose_files(&l, e);
	if (r == 0)
		r = measure_manifest(&l, e);
	if (r == 0)
		r = shipping_begin(request->shipping, e);
	if (r < 0)
		goto give_back;
	r = build(&l, e);
	if (r == 0)
		r = shipping_commit(request->shipping, e);
	if (r < 0) {
		shipping_rollback(request->shipping);
		(void)unlink(l.row.layout_path);
		goto give_back;
	}
	shipment->session_counted = true;
	result->not_shipped = plan_totals(l.plan)->not_shipped;
	result->refused = plan_totals(l.plan)->refused;
	return 0;

give_back:
	if (l.share)
		share_give_back(shipment->shares, l.share);
	return r;
}
