/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedship export: prepares and fills a drive, or goes on with one. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "common/cli/output.h"
#include "exporter/cmd/commands.h"
#include "exporter/cmd/disk_target.h"
#include "exporter/cmd/drive_talk.h"
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
	 "drive id: the disk's serial number (default: what the disk says; of an image, its name)",
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

/* What no drive of the job has yet. */
struct left {
	uint64_t files, bytes;
};

static int print_result(const struct drive_request *q, const struct drive_result *result,
			const struct left *left, bool json, struct err *e)
{
	_cleanup_(output_freep) struct output *o = NULL;
	int r = output_new("seedship.export/1", &o, e);

	if (r < 0)
		return r;
	output_text(o, "job", q->job->name);
	output_text(o, "drive_id", q->serial);
	output_text(o, "target", q->target);
	output_text(o, "journal", q->journal_path);
	output_text(o, "session_id", result->session_id);
	output_text(o, "recovery_key_id", result->recovery_key_id);
	output_text(o, "manifest_md5", result->manifest_md5);
	output_bool(o, "resumed", result->resumed);
	output_bool(o, "verified", q->verify);
	output_number(o, "files", result->files);
	output_size(o, "content_bytes", result->content_bytes);
	output_number(o, "changed", result->changed);
	output_number(o, "not_shipped", result->not_shipped);
	output_number(o, "left_files", left->files);
	output_size(o, "left_bytes", left->bytes);
	output_number(o, "streamed_ms", result->stream_ns / 1000000);
	output_number(o, "elapsed_ms", result->elapsed_ns / 1000000);
	return output_print(o, json, stdout, e);
}

/* A drive that was begun earlier was resumed without a plan. */
static int find_left(const struct drive_request *q, struct shipment **shipment, struct left *ret,
		     struct err *e)
{
	int r = 0;

	if (!*shipment)
		r = shipment_new(q->store_path, q->shipping, q->job, shipment, e);
	if (r < 0)
		return r;
	ret->files = shares_left_files((*shipment)->shares);
	ret->bytes = shares_left_bytes((*shipment)->shares);
	return 0;
}

static int tell_left(const struct left *left, struct err *e)
{
	char size[32];
	int r;

	if (left->files == 0)
		return 0;
	r = err_set(e, EINTR, "%ju files (%s) are still to be put on a drive",
		    (uintmax_t)left->files, format_size(left->bytes, size, sizeof(size)));
	return err_hint(e, r, "attach the next drive and run the command for it");
}

static int export_drive(struct drive_request *q, const struct values *values, struct err *e)
{
	_cleanup_(shipment_freep) struct shipment *shipment = NULL;
	struct drive_talk talk;
	struct drive_events events;
	struct drive_result result;
	struct left left;
	int r = drive_talk_begin(&talk, q->serial, values->json, &events, e);

	if (r < 0)
		return r;
	r = drive_prepare(q, &shipment, &events, &result, e);
	if (r == 0)
		r = drive_fill(q, &events, &result, e);
	drive_talk_end(&talk);
	if (r > 0)
		(void)fprintf(stderr, "Nothing is left to ship; '%s' was not touched.\n",
			      q->target);
	if (r != 0)
		return MIN(r, 0);
	if (result.refused)
		(void)fprintf(stderr,
			      "%ju files cannot become blobs and are not on the drive; see "
			      "'SELECT * FROM not_shipped' in shipping.db.\n",
			      (uintmax_t)result.refused);
	r = find_left(q, &shipment, &left, e);
	if (r == 0)
		r = print_result(q, &result, &left, values->json, e);
	return r < 0 ? r : tell_left(&left, e);
}

static struct disk_options disk_options_of(const struct values *values)
{
	return (struct disk_options){
		.serial = values->serial, .format = values->format, .yes = values->yes};
}

/* A disk's drive id and size are its own; those of an image are what was given. */
static int name_drive(const struct values *values, const char *path, struct disk_target *disk,
		      struct drive_request *request, struct err *e)
{
	const struct disk_options options = disk_options_of(values);
	int r = disk_target_open(path, &options, disk, e);

	if (r == 0 && !disk->target)
		r = values->serial
			    ? drive_id_check(values->serial, "--serial", e)
			    : serial_of_name(path, disk->drive_id, sizeof(disk->drive_id), e);
	if (r == 0 && disk->target && values->size_bytes)
		r = err_user(e, "--size: disk '%s' has a size of its own", path);
	if (r < 0)
		return r;
	request->target = path;
	request->disk = disk->target;
	request->serial = !disk->target && values->serial ? values->serial : disk->drive_id;
	request->size_bytes = disk->target ? disk->target->size_bytes : values->size_bytes;
	return 0;
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct values *values = given;
	const struct disk_options options = disk_options_of(values);
	_cleanup_(shipping_freep) struct shipping *shipping = NULL;
	_cleanup_(job_done) struct job job = {0};
	_cleanup_(disk_target_done) struct disk_target disk = {0};
	_cleanup_free_ char *store = NULL, *target = NULL, *journal = NULL;
	struct drive_request request = {.n_workers = drive_talk_workers(),
					.verify = !values->no_verify};
	int r = store_option_path(values->store, &store, e);

	if (r == 0)
		r = absolute(arguments[1], &target, e);
	if (r == 0)
		r = name_drive(values, target, &disk, &request, e);
	if (r == 0)
		r = journal_path(values->journal_dir, request.serial, &journal, e);
	if (r == 0)
		r = shipping_open(store, SHIPPING_WRITE, &shipping, e);
	if (r == 0)
		r = job_get(shipping, arguments[0], &job, e);
	if (r == 0)
		r = bitlocker_cipher_parse(values->cipher ? values->cipher : job.cipher,
					   &request.cipher, e);
	request.store_path = store;
	request.shipping = shipping;
	request.job = &job;
	request.journal_path = journal;
	if (r == 0 && disk.target)
		r = disk_target_claim(&disk, &options, &request, e);
	return r == 0 ? export_drive(&request, values, e) : r;
}

const struct command command_export = {
	.name = "export",
	.summary = "prepare and fill a drive; run again, it goes on where it was stopped",
	.about = "Lays out an encrypted drive for a job, streams the staged files to it, seals it "
		 "and reads it back. "
		 "TARGET is a disk or an image file. A disk is overwritten: it is shown first, and "
		 "its serial number must be typed, or given with --yes. Cut off at any moment, the "
		 "same command goes on.",
	.arguments = "JOB TARGET",
	.options = rows,
	.values_bytes = sizeof(struct values),
	.run = run,
};
