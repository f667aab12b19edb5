/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal of a drive that is being laid out: the one place where its recovery password is kept. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "exporter/drive/layout_impl.h"
#include "exporter/journal/context.h"
#include "exporter/journal/journal.h"

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

int layout_write_journal(struct layout *l, struct err *e)
{
	const struct job *job = l->request->job;
	struct journal_context context = {
		.session_id = l->shipment->session_id,
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
