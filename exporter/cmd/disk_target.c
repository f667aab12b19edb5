/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which disk, whose, and may it be wiped. */
#include "exporter/cmd/disk_target.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "common/cli/prompt.h"
#include "exporter/block/disk_content.h"
#include "exporter/block/target_file.h"

void disk_target_done(struct disk_target *t)
{
	target_close(take_ptr(t->target));
}

int drive_id_check(const char *drive_id, const char *what, struct err *e)
{
	size_t n = strlen(drive_id);

	if (n == 0 || n > DRIVE_ID_MAX)
		return err_user(e, "%s: a serial number has 1 to %d characters", what,
				DRIVE_ID_MAX);
	for (const char *c = drive_id; *c; c++) {
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return err_user(e, "%s: '%c' is not a letter, a digit, '-' or '_'", what,
					*c);
	}
	return 0;
}

/* Names below /dev are devices: an image made there would lie in memory. */
static int check_no_disk(const char *path, struct err *e)
{
	if (strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0)
		return err_hint(e, err_user(e, "'%s' is no disk", path),
				"'seedship drives' lists them");
	return 0;
}

static int refuse(const struct disk *d, const char *path, struct err *e)
{
	int r;

	if (!d->reason[0])
		return 0;
	r = err_user(e, "disk '%s' %s", path, d->reason);
	return d->hint[0] ? err_hint(e, r, "%s", d->hint) : r;
}

/* Looks before and after it is opened: only then nothing can come in between. */
static int open_checked(const char *path, struct disk_target *t, struct err *e)
{
	dev_t number;
	int r = disk_of_path("", path, &t->disk, e);

	if (r == 0)
		r = refuse(&t->disk, path, e);
	if (r < 0)
		return r;
	r = target_file_open(path, true, &t->target, e);
	if (r == -EBUSY)
		return err_hint(
			e,
			err_user(e, "disk '%s' is in use: another program has it for itself", path),
			"'lsof %s' may tell which", path);
	if (r == 0 && !target_file_is_disk(t->target, &number))
		r = err_user(e, "'%s' is not a disk any more", path);
	if (r == 0)
		r = disk_of_number("", major(number), minor(number), &t->disk, e);
	return r == 0 ? refuse(&t->disk, path, e) : r;
}

/* The disk knows its number best; a USB adapter's word for it is none. */
int disk_drive_id(const struct disk *d, const char *given, char ret[DRIVE_ID_MAX + 1],
		  struct err *e)
{
	static const char on_the_label[] = "give --serial with the one that is printed on the disk";
	bool sure = d->serial_from == DISK_SERIAL_HARDWARE;
	const char *serial = sure ? d->serial : given;
	int r = given ? drive_id_check(given, "--serial", e) : 0;

	if (r < 0)
		return r;
	if (sure && given && strcmp(given, d->serial) != 0)
		return err_hint(e,
				err_user(e,
					 "--serial: disk '%s' has the serial number '%s', not '%s'",
					 d->path, d->serial, given),
				"'seedship drives' lists all disks");
	if (!serial && d->serial_from == DISK_SERIAL_BRIDGE)
		return err_hint(e,
				err_user(e,
					 "the serial number of disk '%s', '%s', is told by a USB "
					 "adapter, which may have made it up",
					 d->path, d->serial),
				"%s", on_the_label);
	if (!serial)
		return err_hint(e, err_user(e, "disk '%s' has no serial number", d->path), "%s",
				on_the_label);
	r = drive_id_check(serial, "serial number of the disk", e);
	if (r == 0)
		memcpy(ret, serial, strlen(serial) + 1); /* its length is checked */
	return r;
}

int disk_target_open(const char *path, const struct disk_options *options, struct disk_target *ret,
		     struct err *e)
{
	_cleanup_(disk_target_done) struct disk_target t = {0};
	struct stat st;
	int r;

	*ret = (struct disk_target){0};
	if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
		return check_no_disk(path, e);
	if (options->yes && !options->serial)
		return err_hint(e, err_user(e, "--yes needs --serial"),
				"so a script can only mean the one disk it was written for");
	r = open_checked(path, &t, e);
	if (r == 0)
		r = disk_drive_id(&t.disk, options->serial, t.drive_id, e);
	if (r < 0)
		return r;
	*ret = t;
	t.target = NULL;
	return 0;
}

static void show(const struct disk_target *t, const struct disk_content *content)
{
	const struct disk *d = &t->disk;
	char size[32];

	(void)fprintf(stderr, "Disk:    %s (%s)\nModel:   %s\nSerial:  %s", t->target->name, d->bus,
		      d->model[0] ? d->model : "unknown", t->drive_id);
	if (d->serial_from == DISK_SERIAL_BRIDGE)
		(void)fprintf(stderr, " (the USB adapter says '%s')", d->serial);
	(void)fprintf(stderr, "\nSize:    %s (%" PRIu64 " bytes)\nHolds:   %s\n",
		      format_size(d->size_bytes, size, sizeof(size)), d->size_bytes, content->text);
}

/* Without --yes somebody must be there. */
static int check_can_ask(const struct disk_target *t, const struct disk_options *options,
			 struct err *e)
{
	if (options->yes || prompt_possible())
		return 0;
	return err_hint(e,
			err_user(e, "disk '%s' would be overwritten, and nobody is there to ask",
				 t->target->name),
			"in a script give --yes --serial %s", t->drive_id);
}

static int ask(const struct disk_target *t, struct err *e)
{
	_cleanup_free_ char *answer = NULL;
	int r;

	(void)fprintf(stderr, "Everything on this disk will be lost.\n");
	r = prompt_line("Type its serial number to go on", &answer, e);
	if (r < 0)
		return r;
	if (strcmp(answer, t->drive_id) != 0)
		return err_user(e, "'%s' is not the serial number; disk '%s' was left as it is",
				answer, t->target->name);
	return 0;
}

int disk_target_claim(struct disk_target *t, const struct disk_options *options,
		      const struct drive_request *request, struct err *e)
{
	struct disk_content content;
	bool ours;
	int r = drive_recognise(request, t->disk.serial_from == DISK_SERIAL_HARDWARE, &ours, e);

	if (r < 0 || ours)
		return r;
	r = disk_content_read(t->target, &content, e);
	if (r < 0)
		return r;
	if (!content.empty && !options->format)
		return err_hint(e,
				err_user_code(e, EEXIST, "disk '%s' is not empty; it holds %s",
					      t->target->name, content.text),
				"if all of that may be lost, give --format");
	r = check_can_ask(t, options, e);
	if (r < 0)
		return r;
	show(t, &content);
	return options->yes ? 0 : ask(t, e);
}
