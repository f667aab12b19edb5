/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan of what is left of a job: the store's walk without what earlier drives have. */
#include "exporter/drive/shipment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "exporter/shipping/drives.h"
#include "exporter/shipping/placements.h"

struct question {
	struct shipping *shipping;
	int64_t job_id;
};

static int is_placed(const struct staged_entry *entry, void *arg, bool *ret, struct err *e)
{
	const struct question *q = arg;

	return shipping_placement_exists(q->shipping, q->job_id, entry->ino, entry->content_version,
					 entry->path, ret, e);
}

static int has_drives(struct shipping *shipping, int64_t job_id, bool *ret, struct err *e)
{
	struct shipping_drive_list list;
	int r = shipping_drive_list(shipping, job_id, &list, e);

	if (r < 0)
		return r;
	*ret = list.n > 0;
	shipping_drive_list_done(&list);
	return 0;
}

static int make_plan(struct shipment *s, const char *store_path, struct shipping *shipping,
		     const struct job *job, struct err *e)
{
	_cleanup_(reader_freep) struct reader *reader = NULL;
	struct question question = {shipping, job->id};
	struct plan_desc desc = {.session_id = s->session_id,
				 .container = job->container,
				 .prefix = job->blob_prefix ? job->blob_prefix : "",
				 .is_placed_arg = &question};
	bool drives = false;
	int r = blobtype_parse(job->blob_type, &desc.blob_type, e);

	if (r == 0)
		r = has_drives(shipping, job->id, &drives, e);
	if (r == 0)
		r = reader_open(store_path, &reader, e);
	if (r < 0)
		return r;
	if (drives)
		desc.is_placed = is_placed;
	return plan_from_store(reader, &desc, &s->plan, e);
}

int shipment_new(const char *store_path, struct shipping *shipping, const struct job *job,
		 struct shipment **ret, struct err *e)
{
	_cleanup_(shipment_freep) struct shipment *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_oom(e);
	(void)snprintf(s->session_id, sizeof(s->session_id), "session#%" PRIu64, job->sessions + 1);
	r = make_plan(s, store_path, shipping, job, e);
	if (r == 0)
		r = shares_new(s->plan, &s->shares, e);
	if (r < 0)
		return r;
	*ret = take_ptr(s);
	return 0;
}

void shipment_free(struct shipment *s)
{
	if (!s)
		return;
	shares_free(s->shares);
	plan_free(s->plan);
	free(s);
}
