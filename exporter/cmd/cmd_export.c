/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedship export: prepares and fills a drive, or goes on with one. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "exporter/cmd/commands.h"
#include "exporter/cmd/export_drives.h"
#include "exporter/cmd/store_option.h"
#include "exporter/plan/blobname_check.h"

struct values {
	const char *store;
	uint64_t size_bytes;
	const char *serial;
	const char *journal_dir;
	const char *cipher;
	bool format;
	bool yes;
	bool no_verify;
	bool json;
};

static const struct option_row rows[] = {
	OPTION_STORE(struct values),
	{"size", 0, OPTION_SIZE, "SIZE", "size of a new image: 500G, 8TB",
	 offsetof(struct values, size_bytes)},
	{"serial", 0, OPTION_TEXT, "S",
	 "drive id: the disk's serial number (default: what the disk says; of an image, its "
	 "name); for several targets, S,S,...",
	 offsetof(struct values, serial)},
	{"journal-dir", 'j', OPTION_TEXT, "DIR",
	 "where the journal is kept; it holds the recovery password (default: the current folder)",
	 offsetof(struct values, journal_dir)},
	{"cipher", 0, OPTION_CHOICE, "xts_aes256|xts_aes128|aes256|aes128",
	 "BitLocker's cipher (default: the job's)", offsetof(struct values, cipher)},
	{"format", 0, OPTION_FLAG, NULL, "overwrite a disk that is not empty",
	 offsetof(struct values, format)},
	{"yes", 'y', OPTION_FLAG, NULL,
	 "do not ask before a disk is overwritten; --serial must name it",
	 offsetof(struct values, yes)},
	{"no-verify", 0, OPTION_FLAG, NULL, "do not read the drive back at the end",
	 offsetof(struct values, no_verify)},
	OPTION_JSON(struct values),
	OPTION_END,
};

/* A drive id from an image's name: its letters and digits, upper case. */
static int serial_of_name(const char *target, char *out, size_t out_bytes, struct err *e)
{
	const char *name = strrchr(target, '/');
	size_t n = 0;

	name = name ? name + 1 : target;
	for (; *name && *name != '.' && n + 1 < out_bytes; name++)
		if (isalnum((unsigned char)*name) || *name == '-')
			out[n++] = (char)toupper((unsigned char)*name);
	out[n] = '\0';
	return n ? 0 : err_hint(e, err_user(e, "'%s' gives no drive id", target), "give --serial");
}

static int absolute(const char *path, char **ret, struct err *e)
{
	_cleanup_free_ char *cwd = getcwd(NULL, 0);

	if (!cwd)
		return err_sys(e, "the current folder");
	if (path[0] == '/')
		*ret = strdup(path);
	else if (asprintf(ret, "%s/%s", cwd, path) < 0)
		*ret = NULL;
	return *ret ? 0 : err_oom(e);
}

static int journal_path(const char *dir, const char *serial, char **ret, struct err *e)
{
	_cleanup_free_ char *real = realpath(dir ? dir : ".", NULL);

	if (!real || access(real, W_OK | X_OK) < 0)
		return err_sys(e, "--journal-dir '%s'", dir ? dir : ".");
	if (asprintf(ret, "%s/%s.jrn", real, serial) < 0) {
		*ret = NULL;
		return err_oom(e);
	}
	return 0;
}

static int tell_left(const struct export_left *left, struct err *e)
{
	char size[32];
	int r;

	if (left->files == 0)
		return 0;
	r = err_set(e, EINTR, "%ju files (%s) are still to be put on a drive",
		    (uintmax_t)left->files, format_size(left->bytes, size, sizeof(size)));
	return err_hint(e, r, "attach the next drive and run the command for it");
}

/* The first failure is the command's; the others have been told by then. */
static int tell_failures(const struct export_drive *drives, size_t n, struct err *e)
{
	const struct export_drive *first = NULL;
	int r;

	for (size_t i = 0; i < n; i++) {
		if (drives[i].outcome != EXPORT_FAILED)
			continue;
		if (!first)
			first = &drives[i];
		else
			(void)fprintf(stderr, "seedship: export: drive %s: %s\n",
				      drives[i].request.serial, drives[i].err.text);
	}
	if (!first)
		return 0;
	*e = first->err;
	r = -first->err.code;
	return n == 1 ? r : err_wrap(e, r, "drive %s", first->request.serial);
}

static int run_export(struct export_drive *drives, size_t n, const struct values *values,
		      struct err *e)
{
	struct export_left left;
	uint64_t refused = 0;
	size_t done = 0;
	int r = export_drives(drives, n, values->json, &left, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		refused = MAX(refused, drives[i].result.refused);
		done += drives[i].outcome == EXPORT_DONE;
		if (drives[i].outcome == EXPORT_UNNEEDED)
			(void)fprintf(stderr, "Nothing is left to ship; '%s' was not touched.\n",
				      drives[i].target);
	}
	if (refused)
		(void)fprintf(stderr,
			      "%ju files cannot become blobs and are not on the drive; see "
			      "'SELECT * FROM not_shipped' in shipping.db.\n",
			      (uintmax_t)refused);
	if (r == 0 && (done || n > 1))
		r = export_print(drives, n, &left, values->json, e);
	if (r == 0)
		r = tell_failures(drives, n, e);
	return r < 0 ? r : tell_left(&left, e);
}

/* The serial number that --serial gives drive number i: it has one for each target, with commas. */
static int serial_for(const struct values *values, size_t i, size_t n, char ret[DRIVE_ID_MAX + 1],
		      struct err *e)
{
	const char *word = values->serial;
	size_t commas = 0, length;

	for (const char *c = word; *c; c++)
		commas += *c == ',';
	if (commas + 1 != n)
		return err_user(e, "--serial: %zu serial numbers for %zu targets", commas + 1, n);
	for (; i; i--)
		word = strchr(word, ',') + 1;
	length = strcspn(word, ",");
	if (length > DRIVE_ID_MAX)
		return err_user(e, "--serial: a serial number has 1 to %d characters",
				DRIVE_ID_MAX);
	memcpy(ret, word, length);
	ret[length] = '\0';
	return drive_id_check(ret, "--serial", e);
}

/* A disk's drive id and size are its own; those of an image are what was given. */
static int name_drive(struct export_drive *d, const struct values *values, const char *serial,
		      struct err *e)
{
	const struct disk_options options = {
		.serial = serial, .format = values->format, .yes = values->yes};
	int r = disk_target_open(d->target, &options, &d->disk, e);

	if (r == 0 && !d->disk.target && serial)
		(void)snprintf(d->disk.drive_id, sizeof(d->disk.drive_id), "%s", serial);
	else if (r == 0 && !d->disk.target)
		r = serial_of_name(d->target, d->disk.drive_id, sizeof(d->disk.drive_id), e);
	if (r == 0 && d->disk.target && values->size_bytes)
		r = err_user(e, "--size: disk '%s' has a size of its own", d->target);
	if (r < 0)
		return r;
	d->request.target = d->target;
	d->request.disk = d->disk.target;
	d->request.serial = d->disk.drive_id;
	d->request.size_bytes = d->disk.target ? d->disk.target->size_bytes : values->size_bytes;
	d->request.n_workers = drive_talk_workers();
	d->request.verify = !values->no_verify;
	return journal_path(values->journal_dir, d->disk.drive_id, &d->journal_path, e);
}

static int name_drives(struct export_drive *drives, size_t n, char *const *targets,
		       const struct values *values, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		char serial[DRIVE_ID_MAX + 1];

		if (values->serial)
			r = serial_for(values, i, n, serial, e);
		if (r == 0)
			r = absolute(targets[i], &drives[i].target, e);
		if (r == 0)
			r = name_drive(&drives[i], values, values->serial ? serial : NULL, e);
		for (size_t k = 0; r == 0 && k < i; k++)
			if (strcmp(drives[k].disk.drive_id, drives[i].disk.drive_id) == 0)
				r = err_user(e, "'%s' and '%s' have the same drive id, %s",
					     drives[k].target, drives[i].target,
					     drives[i].disk.drive_id);
	}
	return r;
}

/* The rest of the requests; and the leave to overwrite each disk, before any is touched. */
static int claim_drives(struct export_drive *drives, size_t n, const struct values *values,
			const char *store, struct shipping *shipping, const struct job *job,
			struct err *e)
{
	enum bitlocker_cipher cipher;
	int r = bitlocker_cipher_parse(values->cipher ? values->cipher : job->cipher, &cipher, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct export_drive *d = &drives[i];
		const struct disk_options options = {.serial = values->serial ? d->disk.drive_id
									      : NULL,
						     .format = values->format,
						     .yes = values->yes};

		d->request.store_path = store;
		d->request.shipping = shipping;
		d->request.job = job;
		d->request.journal_path = d->journal_path;
		d->request.cipher = cipher;
		if (d->disk.target)
			r = disk_target_claim(&d->disk, &options, &d->request, e);
	}
	return r;
}

static int export_targets(struct export_drive *drives, size_t n, char *const *arguments,
			  const struct values *values, struct err *e)
{
	_cleanup_(shipping_freep) struct shipping *shipping = NULL;
	_cleanup_(job_done) struct job job = {0};
	_cleanup_free_ char *store = NULL;
	int r = store_option_path(values->store, &store, e);

	if (r == 0)
		r = name_drives(drives, n, arguments + 1, values, e);
	if (r == 0)
		r = shipping_open(store, SHIPPING_WRITE, &shipping, e);
	if (r == 0)
		r = job_get(shipping, arguments[0], &job, e);
	if (r == 0)
		r = claim_drives(drives, n, values, store, shipping, &job, e);
	return r < 0 ? r : run_export(drives, n, values, e);
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	struct export_drive *drives;
	size_t n = 0;
	int r;

	while (arguments[n + 1])
		n++;
	drives = calloc(n, sizeof(*drives));
	if (!drives)
		return err_oom(e);
	r = export_targets(drives, n, arguments, given, e);
	for (size_t i = 0; i < n; i++)
		export_drive_done(&drives[i]);
	free(drives);
	return r;
}

const struct command command_export = {
	.name = "export",
	.summary = "prepare and fill drives; run again, it goes on where it was stopped",
	.about =
		"Lays out encrypted drives for a job, streams the staged files to them, seals them "
		"and reads them back, all at once. Each takes what fits of what no other has; if "
		"files are left, the exit code is 4. "
		"TARGET is a disk or an image file. A disk is overwritten: it is shown first, and "
		"its serial number must be typed, or given with --yes. Cut off at any moment, the "
		"same command goes on.",
	.arguments = "JOB TARGET...",
	.options = rows,
	.values_bytes = sizeof(struct values),
	.run = run,
};
