/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seedship report: the packing slip of a job. It reads shipping.db alone, which holds no key; no
 * journal is opened.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/fdio.h"
#include "common/base/units.h"
#include "exporter/azure/import_job.h"
#include "exporter/cmd/batch.h"
#include "exporter/cmd/commands.h"
#include "exporter/cmd/store_option.h"
#include "exporter/report/report.h"
#include "exporter/shipping/drives.h"
#include "exporter/shipping/jobs.h"
#include "exporter/shipping/totals.h"

/* The page holds no key: whoever packs may read it. */
#define PAGE_MODE 0644

struct values {
	const char *store;
	const char *output;
};

static const struct option_row rows[] = {
	OPTION_STORE(struct values),
	{"output", 'o', OPTION_TEXT, "FILE",
	 "write the page to this file, whole or not at all (default: stdout)",
	 offsetof(struct values, output)},
	OPTION_END,
};

/* What the page refers to. Its arrays have an item per drive, or per parcel. */
struct slip {
	struct shipping_drive_list list;
	struct report_drive *drives;
	char (*hashes)[2 * SHIPPING_MD5_BYTES + 1];
	size_t n_parcels;
	struct report_parcel *parcels;
	char **names;
};

static void slip_done(struct slip *slip)
{
	for (size_t i = 0; slip->names && i < slip->n_parcels; i++)
		free(slip->names[i]);
	free(slip->names);
	free(slip->parcels);
	free(slip->hashes);
	free(slip->drives);
	shipping_drive_list_done(&slip->list);
}

static enum report_state state_of(enum shipping_phase phase)
{
	if (phase == SHIPPING_VERIFIED)
		return REPORT_VERIFIED;
	return phase == SHIPPING_SEALED ? REPORT_SEALED : REPORT_UNFIT;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int read_drive(struct shipping *s, const struct shipping_drive *drive, char *hash,
		      struct report_drive *ret, struct err *e)
{
	struct shipping_totals totals;
	int r = shipping_drive_totals(s, drive->id, &totals, e);

	if (r < 0)
		return err_wrap(e, r, "drive %s", drive->drive_id);
	*ret = (struct report_drive){
		.drive_id = drive->drive_id,
		.state = state_of(drive->phase),
		.why = drive->phase == SHIPPING_STREAMING ? "it is not filled yet"
							  : "nothing is on it yet",
		.files = totals.files,
		.size_bytes = totals.size_bytes,
		.content_bytes = totals.content_bytes,
		.capacity_bytes = drive->partition_bytes,
		.journal = base_name(drive->journal_path),
	};
	if (drive->has_manifest_md5 && ret->state != REPORT_UNFIT)
		ret->manifest_md5 = format_hex(drive->manifest_md5, SHIPPING_MD5_BYTES, 1, hash);
	return 0;
}

static int read_drives(struct shipping *s, struct slip *slip, struct err *e)
{
	size_t n = slip->list.n;

	slip->drives = calloc(n, sizeof(*slip->drives));
	slip->hashes = calloc(n, sizeof(*slip->hashes));
	if (!slip->drives || !slip->hashes)
		return err_oom(e);
	for (size_t i = 0; i < n; i++) {
		int r = read_drive(s, &slip->list.items[i], slip->hashes[i], &slip->drives[i], e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The drives of each import job travel in a parcel of their own. */
static int make_parcels(const struct job *job, struct slip *slip, struct err *e)
{
	size_t n = slip->list.n;

	slip->n_parcels = (n - 1) / IMPORT_JOB_DRIVES_MAX + 1;
	slip->parcels = calloc(slip->n_parcels, sizeof(*slip->parcels));
	slip->names = calloc(slip->n_parcels, sizeof(*slip->names));
	if (!slip->parcels || !slip->names)
		return err_oom(e);
	for (size_t i = 0; i < slip->n_parcels; i++) {
		size_t first = i * IMPORT_JOB_DRIVES_MAX;
		int r = batch_name(job->name, i, &slip->names[i], e);

		if (r < 0)
			return r;
		slip->parcels[i] = (struct report_parcel){
			.job = slip->names[i],
			.n_drives = MIN(n - first, (size_t)IMPORT_JOB_DRIVES_MAX),
			.drives = &slip->drives[first],
		};
	}
	return 0;
}

static int load(struct shipping *s, const struct job *job, struct slip *slip, struct err *e)
{
	int r = batch_drives(s, job, &slip->list, e);

	if (r == 0)
		r = read_drives(s, slip, e);
	return r < 0 ? r : make_parcels(job, slip, e);
}

static struct report report_of(const struct job *job, const struct slip *slip)
{
	return (struct report){
		.version = SEEDSHIP_VERSION,
		.made_ns = clock_realtime_ns(),
		.location = job->location,
		.storage_account = job->storage_account,
		.container = job->container,
		.blob_prefix = job->blob_prefix,
		.return_address = {.recipient = job->recipient,
				   .street = job->street,
				   .street2 = job->street2,
				   .city = job->city,
				   .state = job->state,
				   .postal_code = job->postal_code,
				   .country = job->country,
				   .phone = job->phone,
				   .email = job->email},
		.return_carrier = job->carrier,
		.return_account = job->carrier_account,
		.n_parcels = slip->n_parcels,
		.parcels = slip->parcels,
	};
}

/* A page takes the place of a page: never that of a device, a folder or a link. */
static int check_output(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "--output '%s'", path);
	return S_ISREG(st.st_mode) ? 0 : err_user(e, "--output: '%s' is not a regular file", path);
}

static int write_page(const char *output, const struct buf *page, struct err *e)
{
	if (output)
		return write_file_atomic(output, page->data, page->len_bytes, PAGE_MODE, e);
	if (fwrite(page->data, 1, page->len_bytes, stdout) != page->len_bytes)
		return err_sys(e, "cannot write the page");
	return 0;
}

/* Whoever makes the slip hears it at once, before it is printed. */
static void tell(const struct slip *slip, const char *output)
{
	size_t unfit = 0;

	for (size_t i = 0; i < slip->list.n; i++)
		unfit += slip->drives[i].state == REPORT_UNFIT;
	if (output)
		(void)fprintf(stderr, "The packing slip is in '%s'.\n", output);
	if (unfit)
		(void)fprintf(stderr, "%zu of %zu drives %s not finished: not to be shipped.\n",
			      unfit, slip->list.n, unfit == 1 ? "is" : "are");
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct values *values = given;
	_cleanup_(shipping_freep) struct shipping *s = NULL;
	_cleanup_(buf_done) struct buf page = BUF_INIT;
	_cleanup_(slip_done) struct slip slip = {0};
	_cleanup_(job_done) struct job job = {0};
	struct report report;
	int r = values->output ? check_output(values->output, e) : 0;

	if (r == 0)
		r = store_option_open(values->store, SHIPPING_READ, &s, e);
	if (r == 0)
		r = job_get(s, arguments[0], &job, e);
	if (r == 0)
		r = load(s, &job, &slip, e);
	if (r < 0)
		return r;
	report = report_of(&job, &slip);
	r = report_write(&report, &page, e);
	if (r == 0)
		r = write_page(values->output, &page, e);
	if (r == 0)
		tell(&slip, values->output);
	return r;
}

const struct command command_report = {
	.name = "report",
	.summary = "make the packing slip for the parcel, as an HTML page",
	.about =
		"Makes the packing slip of a job: one HTML page to print, with the job, the return "
		"address, what belongs into the parcel, and a card with barcode for each drive. "
		"It holds no key.",
	.arguments = "JOB",
	.options = rows,
	.values_bytes = sizeof(struct values),
	.run = run,
};
