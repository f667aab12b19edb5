/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedship drives: the disks of this machine, and which of them could become drives. */
#include <stdio.h>

#include "common/base/cleanup.h"
#include "common/cli/output.h"
#include "exporter/block/disk.h"
#include "exporter/block/disk_content.h"
#include "exporter/block/target_file.h"
#include "exporter/cmd/commands.h"

struct values {
	bool all;
	bool json;
};

static const struct option_row rows[] = {
	{"all", 'a', OPTION_FLAG, NULL, "also what is no disk: loop devices, RAID, optical media",
	 offsetof(struct values, all)},
	{"json", 0, OPTION_FLAG, NULL, "print the result as one JSON object",
	 offsetof(struct values, json)},
	OPTION_END,
};

/* NULL when it cannot be read: most disks are root's. */
static const char *content_of(const struct disk *d, struct disk_content *content)
{
	_cleanup_(target_closep) struct target *t = NULL;

	if (target_file_open(d->path, false, &t, NULL) < 0 ||
	    disk_content_read(t, content, NULL) < 0)
		return NULL;
	return content->text;
}

/* What people should know of a disk: why not, or what to mind. */
static const char *remark_on(const struct disk *d)
{
	if (d->reason[0])
		return d->reason;
	if (d->serial_from == DISK_SERIAL_NONE)
		return "ready; has no serial number: give the one on its label";
	if (d->serial_from == DISK_SERIAL_BRIDGE)
		return "ready; the serial number may be the USB adapter's: see its label";
	return "ready";
}

static const char *serial_source(const struct disk *d)
{
	if (d->serial_from == DISK_SERIAL_NONE)
		return NULL;
	return d->serial_from == DISK_SERIAL_HARDWARE ? "disk" : "usb_adapter";
}

static void add_row(struct output *o, const struct disk *d, bool json)
{
	struct disk_content content;

	output_open_row(o);
	output_text(o, "path", d->path);
	output_text(o, "model", d->model[0] ? d->model : NULL);
	output_text(o, "serial", d->serial[0] ? d->serial : NULL);
	output_size(o, "size_bytes", d->size_bytes);
	output_text(o, "bus", d->bus);
	output_text(o, "holds", content_of(d, &content));
	if (json) {
		output_text(o, "serial_source", serial_source(d));
		output_number(o, "logical_sector_bytes", d->logical_sector_bytes);
		output_number(o, "physical_sector_bytes", d->physical_sector_bytes);
		output_bool(o, "rotational", d->rotational);
		output_bool(o, "removable", d->removable);
		output_bool(o, "read_only", d->read_only);
		output_bool(o, "real", d->real);
		output_bool(o, "eligible", !d->reason[0]);
		output_text(o, "reason", d->reason[0] ? d->reason : NULL);
		output_text(o, "hint", d->hint[0] ? d->hint : NULL);
	} else {
		output_text(o, "state", remark_on(d));
	}
	output_close(o);
}

static int run(const void *given, char *const *arguments _unused_, struct err *e)
{
	const struct values *values = given;
	_cleanup_(output_freep) struct output *o = NULL;
	_cleanup_free_ struct disk *disks = NULL;
	size_t n;
	int r = disk_list("", &disks, &n, e);

	if (r == 0)
		r = output_new("seedship.drives/1", &o, e);
	if (r < 0)
		return r;
	output_open_table(o, "drives");
	for (size_t i = 0; i < n; i++) {
		if (values->all || disks[i].real)
			add_row(o, &disks[i], values->json);
	}
	output_close(o);
	return output_print(o, values->json, stdout, e);
}

const struct command command_drives = {
	.name = "drives",
	.summary = "the disks of this machine, and which of them could become drives",
	.about = "Lists every disk with its model, serial number, size and what is on it, and says "
		 "whether 'seedship export' would take it, or why not. Nothing is written. What is "
		 "on a disk and who uses it is known to root alone.",
	.options = rows,
	.values_bytes = sizeof(struct values),
	.run = run,
};
