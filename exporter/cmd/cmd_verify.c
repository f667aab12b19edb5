/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedship verify: reads a drive back as the datacenter would. */
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cli/output.h"
#include "exporter/block/disk.h"
#include "exporter/cmd/commands.h"
#include "exporter/cmd/drive_talk.h"

struct values {
	const char *journal;
	bool json;
};

static const struct option_row rows[] = {
	{"journal", 'j', OPTION_TEXT, "FILE", "journal of the drive: SERIAL.jrn",
	 offsetof(struct values, journal)},
	{"json", 0, OPTION_FLAG, NULL, "print the result as one JSON object",
	 offsetof(struct values, json)},
	OPTION_END,
};

static int print_result(const struct drive_verify_request *q,
			const struct drive_verify_result *result, bool json, struct err *e)
{
	_cleanup_(output_freep) struct output *o = NULL;
	int r = output_new("seedship.verify/1", &o, e);

	if (r < 0)
		return r;
	output_text(o, "drive_id", result->drive_id);
	output_text(o, "target", q->target);
	output_bool(o, "intact", result->bad_ranges == 0);
	output_number(o, "blobs", result->blobs);
	output_number(o, "ranges", result->ranges);
	output_number(o, "bad_ranges", result->bad_ranges);
	output_text(o, "first_bad", result->bad_ranges ? result->first_bad : NULL);
	output_size(o, "content_bytes", result->bytes);
	output_number(o, "elapsed_ms", result->elapsed_ns / 1000000);
	return output_print(o, json, stdout, e);
}

/* A disk in another box than it was made in: only now its own serial number may be seen. */
static int check_serial(const char *target, const char *drive_id, struct err *e)
{
	struct disk d;

	if (disk_of_path("", target, &d, NULL) < 0 || d.serial_from != DISK_SERIAL_HARDWARE ||
	    strcmp(d.serial, drive_id) == 0)
		return 0;
	return err_hint(e,
			err_set(e, EBADMSG,
				"'%s' is whole, but made as drive '%s', and the serial number of "
				"the disk is '%s'",
				target, drive_id, d.serial),
			"the datacenter compares the two: export to it anew, under its own number");
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct values *values = given;
	struct drive_verify_request request = {.target = arguments[0],
					       .journal_path = values->journal,
					       .n_workers = drive_talk_workers()};
	struct drive_verify_result result;
	struct drive_talk talk;
	struct drive_events events;
	int r;

	if (!values->journal)
		return err_user(e, "missing: --journal");
	r = drive_talk_begin(&talk, "drive", values->json, &events, e);
	if (r < 0)
		return r;
	r = drive_verify(&request, &events, &result, e);
	drive_talk_end(&talk);
	/* A drive that differs is a result too. */
	if (r == 0 || result.bad_ranges) {
		int printed = print_result(&request, &result, values->json, r == 0 ? e : NULL);

		if (r == 0)
			r = printed;
		if (r == 0)
			r = check_serial(request.target, result.drive_id, e);
	}
	return r;
}

const struct command command_verify = {
	.name = "verify",
	.summary = "read a drive back as the datacenter would",
	.about = "Unlocks the drive with the recovery password from its journal, reads NTFS and "
		 "the manifest, "
		 "and checks every hash. Nothing is written.",
	.arguments = "TARGET",
	.options = rows,
	.values_bytes = sizeof(struct values),
	.run = run,
};
