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
#include "exporter/journal/context.h"
#include "exporter/journal/journal.h"
#include "exporter/manifest/drive_manifest.h"
#include "exporter/plan/omission.h"
#include "exporter/shipping/omissions.h"

static void layout_done(struct layout *l)
{
	ntfs_image_free(l->image);
	bitlocker_volume_done(&l->volume);
	shipping_drive_done(&l->row);
	plan_free(l->plan);
	free(l->dir_refs);
	free(l->file_refs);
}

static int make_plan(struct layout *l, struct err *e)
{
	_cleanup_(reader_freep) struct reader *reader = NULL;
	const struct job *job = l->request->job;
	struct plan_desc desc = {.session_id = l->session_id,
				 .container = job->container,
				 .prefix = job->blob_prefix ? job->blob_prefix : ""};
	int r = blobtype_parse(job->blob_type, &desc.blob_type, e);

	if (r == 0)
		r = reader_open(l->request->store_path, &reader, e);
	if (r == 0)
		r = plan_from_store(reader, &desc, &l->plan, e);
	if (r < 0)
		return r;
	if (plan_count(l->plan) == 0)
		return err_hint(e, err_set(e, ENODATA, "nothing is staged that could be shipped"),
				"write files to the mount first; they are seen here once they are "
				"committed, which "
				"'seedfs sync' does at once");
	return 0;
}

/* ---- the manifest's length ---- */

struct blob_walk {
	const struct plan *plan;
	uint32_t next;
	struct buf blob_path, file_path;
};

static int next_blob(struct manifest_blob *ret, void *arg, struct err *e)
{
	struct blob_walk *w = arg;
	struct placement p;

	if (w->next == plan_count(w->plan))
		return 0;
	plan_get(w->plan, w->next++, &p);
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
	struct manifest_desc desc = {.drive_id = l->request->serial, .session_id = l->session_id};
	struct blob_walk walk = {.plan = l->plan};
	int r = manifest_length(&desc, next_blob, &walk, &l->row.manifest_bytes, e);

	buf_done(&walk.blob_path);
	buf_done(&walk.file_path);
	return r < 0 ? err_wrap(e, r, "measuring the manifest") : 0;
}

/* ---- sizes ---- */

static int too_small(uint64_t have_bytes, uint64_t need_bytes, struct err *e)
{
	char have[32], need[32];
	int r = err_user(e, "the drive is too small: it has %ju bytes (%s), the job needs %ju (%s)",
			 (uintmax_t)have_bytes, format_size(have_bytes, have, sizeof(have)),
			 (uintmax_t)need_bytes, format_size(need_bytes, need, sizeof(need)));

	return err_hint(e, r, "give a drive or --size of at least %ju bytes",
			(uintmax_t)need_bytes);
}

static int choose_sizes(struct layout *l, struct err *e)
{
	uint64_t need_bytes = fit_needed_bytes(l->plan, l->row.manifest_bytes);
	uint64_t size_bytes = l->request->size_bytes / MiB * MiB;
	struct gpt_partition partition;
	int r;

	if (l->request->size_bytes == 0)
		return err_hint(e, err_user(e, "the size of the new image is missing"),
				"give --size; this job needs at least %ju bytes",
				(uintmax_t)need_bytes);
	if (size_bytes < need_bytes)
		return too_small(l->request->size_bytes, need_bytes, e);
	r = gpt_plan(size_bytes, DRIVE_SECTOR_BYTES, &partition, e);
	if (r < 0)
		return r;
	l->row.size_bytes = size_bytes;
	l->row.partition_start_bytes = partition.off_bytes;
	l->row.partition_bytes = partition.size_bytes;
	l->row.cluster_bytes = fit_cluster_bytes(partition.size_bytes);
	return 0;
}

/* ---- what is kept ---- */

static int keep_omission(const struct omission *o, void *arg, struct err *e)
{
	struct layout *l = arg;
	struct shipping_omission row = {.job_id = l->request->job->id,
					.drive = l->row.id,
					.path = o->path,
					.kind = omission_kind_name(o->kind),
					.reason = o->reason,
					.shipped = omission_is_shipped(o->kind)};

	drive_tell(l->events, "%s: %s", o->path, o->reason);
	return shipping_omission_insert(l->request->shipping, &row, e);
}

/* A journal without a row can only be left from a lay-out of the same drive that was cut off. */
static int remove_stale_journal(struct layout *l, struct err *e)
{
	const char *path = l->request->journal_path;
	struct journal_context old = {0};
	struct journal_drive_info info = {0};
	bool ours;
	int r = 0;

	if (access(path, F_OK) < 0)
		return 0;
	r = journal_context(path, &old, e);
	ours = r == -ENODATA ||
	       (r == 0 && old.job_name && strcmp(old.job_name, l->request->job->name) == 0 &&
		old.drive_id && strcmp(old.drive_id, l->request->serial) == 0 &&
		journal_drive_info(path, &info, NULL) == -ENODATA);
	journal_context_done(&old);
	journal_drive_info_done(&info);
	if (r < 0 && r != -ENODATA)
		return r;
	if (!ours)
		return err_hint(
			e, err_set(e, EEXIST, "journal '%s' belongs to another drive or job", path),
			"journals are never overwritten: move it away, or name another "
			"--journal-dir or --serial");
	return unlink(path) < 0 ? err_sys(e, "removing '%s'", path) : 0;
}

static int write_journal(struct layout *l, struct err *e)
{
	const struct job *job = l->request->job;
	struct journal_context context = {
		.session_id = l->session_id,
		.drive_id = l->request->serial,
		.target = l->request->target,
		.job_name = job->name,
		.storage_account = job->storage_account,
		.container = job->container,
		.bitlocker_key = l->volume.recovery_password,
	};
	int r = remove_stale_journal(l, e);

	if (r == 0)
		r = journal_create(l->request->journal_path, l->now_ns, e);
	return r < 0 ? r : journal_append_context(l->request->journal_path, l->now_ns, &context, e);
}

static int fill_row(struct layout *l, struct err *e)
{
	const struct drive_request *q = l->request;
	struct shipping_drive *row = &l->row;

	row->job_id = q->job->id;
	row->target = strdup(q->target);
	row->drive_id = strdup(q->serial);
	row->session_id = strdup(l->session_id);
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
	uint64_t session;
	int r = layout_create_image(l, e);

	if (r == 0)
		r = layout_create_keys(l, e);
	if (r == 0)
		r = plan_digest(l->plan, l->row.plan_digest, e);
	if (r == 0)
		r = shipping_drive_insert(l->request->shipping, &l->row, e);
	if (r == 0)
		r = job_next_session(l->request->shipping, l->request->job->id, &session, e);
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
	return r == 0 ? write_journal(l, e) : r;
}

/* The target must be free before anything is begun: a new image, or an empty file. */
static int check_target(const struct drive_request *q, struct err *e)
{
	struct stat st;

	if (stat(q->target, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "'%s'", q->target);
	if (!S_ISREG(st.st_mode))
		return err_user(e, "'%s' is not an image file", q->target);
	if (st.st_size > 0)
		return err_hint(e, err_user(e, "'%s' exists and is not empty", q->target),
				"name a new image, or remove this one if nothing on it is needed");
	return 0;
}

int drive_lay_out(const struct drive_request *request, const struct drive_events *events,
		  struct drive_result *result, struct err *e)
{
	_cleanup_(layout_done) struct layout l = {
		.request = request, .events = events, .now_ns = clock_realtime_ns()};
	int r = check_target(request, e);

	(void)snprintf(l.session_id, sizeof(l.session_id), "session#%ju",
		       (uintmax_t)request->job->sessions + 1);
	if (r == 0)
		r = make_drives_folder(request->store_path, e);
	if (r == 0)
		r = fill_row(&l, e);
	if (r == 0)
		r = make_plan(&l, e);
	if (r == 0)
		r = measure_manifest(&l, e);
	if (r == 0)
		r = choose_sizes(&l, e);
	if (r == 0)
		r = shipping_begin(request->shipping, e);
	if (r < 0)
		return r;
	r = build(&l, e);
	if (r == 0)
		r = shipping_commit(request->shipping, e);
	if (r < 0) {
		shipping_rollback(request->shipping);
		(void)unlink(l.row.layout_path);
		return r;
	}
	result->not_shipped = plan_totals(l.plan)->not_shipped;
	result->refused = plan_totals(l.plan)->refused;
	return 0;
}
