/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Phase 4: the drive as the datacenter sees it. This thread walks the manifest and NTFS and cuts files into
 * segments; workers read them through the decrypted view and compare hashes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "exporter/bitlocker/view.h"
#include "exporter/block/gpt.h"
#include "exporter/block/target_file.h"
#include "exporter/block/target_slice.h"
#include "exporter/drive/verify_impl.h"

static void verify_done(struct verify *v)
{
	pipeline_done(&v->pipeline);
	ntfs_file_close(v->file);
	free(v->blob_file);
	ntfs_file_close(v->manifest);
	ntfs_volume_close(v->volume);
	target_close(v->view);
	bitlocker_keys_free(v->keys);
	target_close(v->partition);
	target_close(v->disk);
	journal_drive_info_done(&v->info);
}

void verify_note_bad(struct verify *v, const char *name, uint64_t off_bytes, const char *what)
{
	if (v->result->bad_ranges++ == 0)
		(void)snprintf(v->result->first_bad, sizeof(v->result->first_bad),
			       "'%s' at %ju: %s", name, (uintmax_t)off_bytes, what);
	if (v->result->bad_ranges <= 20)
		drive_tell(v->events, "'%s' at %ju: %s", name, (uintmax_t)off_bytes, what);
}

static int take_segment(struct segment *s, void *arg, struct err *e)
{
	struct verify *v = arg;

	for (unsigned i = 0; i < s->n_pieces; i++) {
		const struct piece *p = &s->pieces[i];

		if (p->unreadable)
			verify_note_bad(v, p->name, p->idx, s->err.text);
		else if (p->differs)
			verify_note_bad(v, p->name, p->idx, "content differs from its hash");
		v->result->bytes += p->len_bytes;
		v->done_bytes += p->len_bytes;
	}
	drive_progress(v->events, v->done_bytes);
	return drive_stopped(v->events) ? err_set(e, EINTR, "stopped") : 0;
}

static int open_stack(struct verify *v, const struct drive_verify_request *q, struct err *e)
{
	struct gpt_partition data;
	int r = target_file_open(q->target, false, &v->disk, e);

	if (r == 0 && v->disk->ops->drop_caches)
		r = v->disk->ops->drop_caches(v->disk, e);
	if (r == 0)
		r = gpt_read(v->disk, &data, e);
	if (r == 0)
		r = target_slice_new(v->disk, data.off_bytes, data.size_bytes, &v->partition, e);
	if (r == 0)
		r = bitlocker_unlock(v->partition, v->info.bitlocker_key, &v->keys, e);
	if (r == 0)
		r = bitlocker_view_new(v->keys, v->partition, &v->view, e);
	return r == 0 ? ntfs_volume_open(v->view, &v->volume, e) : r;
}

static int start_pipeline(struct verify *v, unsigned n_workers, struct err *e)
{
	struct pipeline_desc desc = {.name = "verify",
				     .n_workers = n_workers,
				     .work = verify_work,
				     .arg = v->view,
				     .take = take_segment,
				     .take_arg = v};

	return pipeline_start(&v->pipeline, &desc, e);
}

int drive_verify(const struct drive_verify_request *request, const struct drive_events *events,
		 struct drive_verify_result *ret, struct err *e)
{
	_cleanup_(verify_done) struct verify v = {.events = events, .result = ret};
	uint64_t began = clock_monotonic_ns();
	int r;

	*ret = (struct drive_verify_result){0};
	r = journal_drive_info(request->journal_path, &v.info, e);
	if (r == -ENODATA)
		return err_hint(e, err_wrap(e, r, "journal '%s'", request->journal_path),
				"the drive was never finished: run 'seedship export' again");
	if (r < 0)
		return r;
	(void)snprintf(ret->drive_id, sizeof(ret->drive_id), "%s", v.info.drive_id);
	r = open_stack(&v, request, e);
	if (r == 0)
		r = start_pipeline(&v, request->n_workers, e);
	if (r == 0)
		r = verify_manifest(&v, e);
	ret->elapsed_ns = clock_monotonic_ns() - began;
	if (r == 0 && ret->bad_ranges)
		r = err_set(e, EBADMSG, "%ju of %ju ranges are not as they should be; first: %s",
			    (uintmax_t)ret->bad_ranges, (uintmax_t)ret->ranges, ret->first_bad);
	return r < 0 ? err_wrap(e, r, "verifying '%s'", request->target) : 0;
}
