/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedship job forget: a drive that is lost, broken or not to be shipped; its files go on another one. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "exporter/cmd/commands.h"
#include "exporter/cmd/store_option.h"
#include "exporter/shipping/drives.h"
#include "exporter/shipping/jobs.h"

struct values {
	const char *store;
	bool yes;
};

static const struct option_row rows[] = {
	OPTION_STORE(struct values),
	{"yes", 'y', OPTION_FLAG, NULL, "also a drive that is finished",
	 offsetof(struct values, yes)},
	OPTION_END,
};

/* A finished drive may be on its way already: its files would be shipped twice. */
static int check_unfinished(const struct shipping_drive *drive, bool yes, struct err *e)
{
	if (drive->phase < SHIPPING_SEALED || yes)
		return 0;
	return err_hint(e,
			err_user(e, "drive %s is finished (%s)", drive->drive_id,
				 shipping_phase_name(drive->phase)),
			"its files would be put on another drive as well; if it will not be "
			"shipped, give --yes");
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct values *values = given;
	_cleanup_(shipping_drive_done) struct shipping_drive drive = {0};
	_cleanup_(shipping_freep) struct shipping *s = NULL;
	_cleanup_(job_done) struct job job = {0};
	int r = store_option_open(values->store, SHIPPING_WRITE, &s, e);

	if (r == 0)
		r = job_get(s, arguments[0], &job, e);
	if (r == 0)
		r = shipping_drive_get(s, job.id, arguments[1], &drive, e);
	if (r == 0)
		r = check_unfinished(&drive, values->yes, e);
	if (r == 0)
		r = shipping_drive_delete(s, drive.id, e);
	if (r < 0)
		return r;
	if (unlink(drive.layout_path) < 0 && errno != ENOENT)
		(void)fprintf(stderr, "seedship: '%s' could not be removed and is not needed.\n",
			      drive.layout_path);
	(void)printf("Drive %s is forgotten; its files are still to be put on a drive. Its journal "
		     "stays: %s\n",
		     drive.drive_id, drive.journal_path);
	return 0;
}

const struct command command_job_forget = {
	.name = "forget",
	.summary = "forget a drive of a job: its files go on another one",
	.about = "For a drive that broke, got lost or will not be shipped. Nothing is written to "
		 "it, "
		 "and its journal, which holds the recovery password, stays where it is. The next "
		 "export puts its files on another drive.",
	.arguments = "JOB DRIVE",
	.options = rows,
	.values_bytes = sizeof(struct values),
	.run = run,
};
