/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seedship submit: the request that creates the import job, from the saved job and the journals of
 * its drives. A job with more drives than an import job takes becomes several: NAME, NAME-2, ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/base/units.h"
#include "common/ext/secret.h"
#include "exporter/azure/import_job.h"
#include "exporter/cmd/batch.h"
#include "exporter/cmd/commands.h"
#include "exporter/cmd/store_option.h"
#include "exporter/journal/context.h"
#include "exporter/shipping/drives.h"
#include "exporter/shipping/jobs.h"

#define MASKED_KEY "******-******-******-******-******-******-******-******"

struct values {
	const char *store;
	bool dry_run;
	bool show_keys;
};

static const struct option_row rows[] = {
	OPTION_STORE(struct values),
	{"dry-run", 'n', OPTION_FLAG, NULL, "print the requests and send nothing",
	 offsetof(struct values, dry_run)},
	{"show-keys", 0, OPTION_FLAG, NULL, "with --dry-run: print the recovery passwords too",
	 offsetof(struct values, show_keys)},
	OPTION_END,
};

/* The finished drives of a job, with what their journals say. */
struct drives {
	struct shipping_drive_list list;
	struct journal_drive_info *infos; /* of the drive of the same index */
};

static void drives_done(struct drives *d)
{
	for (size_t i = 0; d->infos && i < d->list.n; i++)
		journal_drive_info_done(&d->infos[i]);
	free(d->infos);
	shipping_drive_list_done(&d->list);
}

/* The journal must be of this drive, and of its last sealing. */
static int check_info(const struct shipping_drive *drive, const struct journal_drive_info *info,
		      struct err *e)
{
	char hash[2 * SHIPPING_MD5_BYTES + 1];

	if (strcmp(info->drive_id, drive->drive_id) != 0)
		return err_set(e, EBADMSG, "journal '%s' is of drive %s", drive->journal_path,
			       info->drive_id);
	(void)format_hex(drive->manifest_md5, SHIPPING_MD5_BYTES, 1, hash);
	if (drive->has_manifest_md5 && strcmp(info->manifest_hash, hash) != 0)
		return err_set(e, EBADMSG,
			       "journal '%s' has another manifest hash than shipping.db",
			       drive->journal_path);
	return 0;
}

static int read_info(const struct shipping_drive *drive, struct journal_drive_info *ret,
		     struct err *e)
{
	int r;

	if (drive->phase < SHIPPING_SEALED)
		return err_hint(e,
				err_set(e, EBUSY, "it is not finished (%s)",
					shipping_phase_name(drive->phase)),
				"run 'seedship export' again: it goes on where it was");
	r = journal_drive_info(drive->journal_path, ret, e);
	return r < 0 ? r : check_info(drive, ret, e);
}

static int load_drives(struct shipping *s, const struct job *job, struct drives *ret, struct err *e)
{
	int r = batch_drives(s, job, &ret->list, e);

	if (r < 0)
		return r;
	ret->infos = calloc(ret->list.n, sizeof(*ret->infos));
	if (!ret->infos)
		return err_oom(e);
	for (size_t i = 0; i < ret->list.n; i++) {
		r = read_info(&ret->list.items[i], &ret->infos[i], e);
		if (r < 0)
			return err_wrap(e, r, "drive %s", ret->list.items[i].drive_id);
	}
	return 0;
}

static struct import_job import_of(const struct job *job, const char *name)
{
	return (struct import_job){
		.subscription_id = job->subscription_id,
		.resource_group = job->resource_group,
		.name = name,
		.location = job->location,
		.storage_account = job->storage_account,
		.storage_resource_group = job->storage_resource_group,
		.return_address = {.recipient = job->recipient,
				   .street = job->street,
				   .street2 = job->street2,
				   .city = job->city,
				   .state = job->state,
				   .postal_code = job->postal_code,
				   .country = job->country,
				   .phone = job->phone,
				   .email = job->email},
		.carrier = job->carrier,
		.carrier_account = job->carrier_account,
		.verbose_log = true,
		.backup_manifests = true,
	};
}

static int print_request(const struct import_job *import, struct err *e)
{
	_cleanup_secret_ char *body = NULL;
	_cleanup_free_ char *url = NULL;
	int r = import_job_url(import, &url, e);

	if (r == 0)
		r = import_job_body(import, &body, e);
	if (r < 0)
		return r;
	(void)printf("PUT %s\n", url);
	if (fflush(stdout) != 0)
		return err_sys(e, "cannot write the request");
	/* Past stdio: its buffer would keep the keys. */
	r = fd_write_full(STDOUT_FILENO, body, strlen(body));
	if (r == 0)
		r = fd_write_full(STDOUT_FILENO, "\n", 1);
	return r < 0 ? err_set(e, -r, "cannot write the request: %s", strerror(-r)) : 0;
}

/*
 * The name of the import job number `batch`: the job's own, then NAME-2, ... which no other job may
 * bear.
 */
static int name_batch(struct shipping *s, const struct job *job, size_t batch, char **ret,
		      struct err *e)
{
	_cleanup_(job_done) struct job other = {0};
	int r = batch_name(job->name, batch, ret, e);

	if (r < 0 || batch == 0)
		return r;
	r = job_get(s, *ret, &other, e);
	if (r == 0)
		return err_set(e, EEXIST,
			       "its drives need a second import job, but there is a job '%s'",
			       *ret);
	return r == -ENOENT ? 0 : r;
}

/* Before the first request goes out: all of them can. */
static int check_names(struct shipping *s, const struct job *job, size_t n_drives, struct err *e)
{
	for (size_t batch = 0; batch * IMPORT_JOB_DRIVES_MAX < n_drives; batch++) {
		_cleanup_free_ char *name = NULL;
		int r = name_batch(s, job, batch, &name, e);

		if (r < 0)
			return r;
	}
	return 0;
}

static int print_batch(struct shipping *s, const struct job *job, const struct drives *drives,
		       size_t first, bool show_keys, struct err *e)
{
	struct import_drive batch[IMPORT_JOB_DRIVES_MAX];
	_cleanup_free_ char *name = NULL;
	struct import_job import;
	size_t n = MIN(drives->list.n - first, (size_t)IMPORT_JOB_DRIVES_MAX);
	int r = name_batch(s, job, first / IMPORT_JOB_DRIVES_MAX, &name, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		const struct journal_drive_info *info = &drives->infos[first + i];

		batch[i] = (struct import_drive){
			.drive_id = info->drive_id,
			.bitlocker_key = show_keys ? info->bitlocker_key : MASKED_KEY,
			.manifest_file = info->manifest_file,
			.manifest_hash = info->manifest_hash,
		};
	}
	import = import_of(job, name);
	import.drives = batch;
	import.n_drives = n;
	return print_request(&import, e);
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct values *values = given;
	_cleanup_(shipping_freep) struct shipping *s = NULL;
	_cleanup_(drives_done) struct drives drives = {0};
	_cleanup_(job_done) struct job job = {0};
	int r;

	if (!values->dry_run)
		return err_set(e, ENOTSUP, "sending is not part of this version; use --dry-run");
	r = store_option_open(values->store, SHIPPING_READ, &s, e);
	if (r == 0)
		r = job_get(s, arguments[0], &job, e);
	if (r == 0)
		r = load_drives(s, &job, &drives, e);
	if (r == 0)
		r = check_names(s, &job, drives.list.n, e);
	for (size_t first = 0; r == 0 && first < drives.list.n; first += IMPORT_JOB_DRIVES_MAX)
		r = print_batch(s, &job, &drives, first, values->show_keys, e);
	return r;
}

const struct command command_submit = {
	.name = "submit",
	.summary = "show the request that creates the import job",
	.about = "Shows the request that creates the import job at the service, from the saved job "
		 "and the journals of its drives. Recovery passwords are masked unless --show-keys "
		 "is given.",
	.arguments = "JOB",
	.options = rows,
	.values_bytes = sizeof(struct values),
	.run = run,
};
