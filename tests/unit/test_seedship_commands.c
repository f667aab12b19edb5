/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedship's tables of commands, and the commands that only read and write a store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/cli/help.h"
#include "common/ext/json.h"
#include "exporter/cmd/commands.h"
#include "exporter/journal/context.h"
#include "exporter/journal/journal.h"
#include "exporter/shipping/drives.h"
#include "exporter/shipping/jobs.h"
#include "tests/lib/expect.h"
#include "tests/lib/run_command.h"

#define KEY "238810-662376-448998-450120-652806-203390-606320-483076"
#define MD5 "D863FE44F861AE0DA4DCEAEEFFCCCE68"
#define JOB                                                                               \
	"--subscription 12345678-1234-1234-1234-123456789abc --resource-group backup "    \
	"--location westeurope --storage-account acct1 --container seed --recipient Ann " \
	"--street Main --city Town --postal-code 123 --country NL --phone +31 --email a@b.c"

static char store[64];
static struct run_command ran;

static int make_store(void **state)
{
	char path[128];
	int fd;

	(void)state;
	strcpy(store, "/tmp/test_commands.XXXXXX");
	if (!mkdtemp(store))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/index.db", store);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return close(fd);
}

static int remove_store(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", store);
	return system(command); /* NOLINT(cert-env33-c): a path of our own making */
}

/* Runs "seedship LINE --store STORE" and expects this exit code. */
static void expect_run(int code, const char *line)
{
	char whole[1024];

	(void)snprintf(whole, sizeof(whole), "seedship %s --store %s", line, store);
	run_command(&ran, &command_seedship, whole);
	if (ran.code != code)
		fail_msg("'%s' ended with %d: %s", line, ran.code, ran.said);
}

static void expect_said(int code, const char *line, const char *text)
{
	expect_run(code, line);
	assert_string_equal(ran.out, "");
	if (!strstr(ran.said, text))
		fail_msg("'%s' said '%s', not '%s'", line, ran.said, text);
}

/* ---- the tables ---- */

static void check_rows(const char *path, const struct option_row *rows)
{
	const struct option_row *other;

	for (const struct option_row *row = rows; row && !option_is_end(row); row++) {
		if (option_is_heading(row))
			continue;
		if (!row->help || (row->kind == OPTION_FLAG) != !row->argument)
			fail_msg("%s --%s: help or argument is wrong", path, row->name);
		for (other = rows; other < row; other++) {
			if (other->name && (strcmp(other->name, row->name) == 0 ||
					    (row->letter && other->letter == row->letter)))
				fail_msg("%s --%s: there is another", path, row->name);
		}
		for (other = option_common_rows; !option_is_end(other); other++) {
			if (strcmp(other->name, row->name) == 0 ||
			    (row->letter && other->letter == row->letter))
				fail_msg("%s --%s: all commands have one", path, row->name);
		}
	}
}

static void check_help(const char *path, const struct command *command)
{
	_cleanup_free_ char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	help_print(out, path, command);
	(void)fclose(out);
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		if (strlen(line) > HELP_COLUMNS)
			fail_msg("%s --help: too wide: %s", path, line);
	}
}

static void check_command(const char *above, const struct command *command)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s%s%s", above, *above ? " " : "", command->name);
	assert_non_null(command->summary);
	check_rows(path, command->options);
	check_help(path, command);
	if (!command->children) {
		assert_non_null(command->run);
		return;
	}
	assert_null(command->run);
	for (const struct command *const *c = command->children; *c; c++)
		check_command(path, *c);
}

static void test_tables(void **state)
{
	(void)state;
	check_command("", &command_seedship);
}

/* ---- job ---- */

static void test_job_new_and_show(void **state)
{
	_cleanup_json_ json_t *root = NULL, *jobs = NULL;
	const char *schema, *name, *prefix, *type, *account_group, *staging, *city, *email;
	json_t *first;

	(void)state;
	expect_run(0, "job new nightly " JOB " --blob-prefix a/b");
	assert_string_equal(ran.out, "");
	assert_non_null(strstr(ran.said, "Job 'nightly' is remembered"));
	expect_run(0, "job show nightly --json");
	root = json_loads(ran.out, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	assert_int_equal(json_unpack(root,
				     "{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:n}, s:[]}",
				     "schema", &schema, "name", &name, "blob_prefix", &prefix,
				     "blob_type", &type, "storage_resource_group", &account_group,
				     "staging_location", &staging, "return_address", "city", &city,
				     "email", &email, "state", "drives"),
			 0);
	assert_string_equal(schema, "seedship.job/1");
	assert_string_equal(name, "nightly");
	assert_string_equal(prefix, "a/b");
	assert_string_equal(type, "auto");
	assert_string_equal(account_group, "backup");
	assert_string_equal(staging, store);
	assert_string_equal(city, "Town");
	assert_string_equal(email, "a@b.c");
	expect_run(0, "job show nightly");
	assert_non_null(strstr(ran.out, "Storage account:         acct1\n"));
	expect_run(0, "job list --json");
	jobs = json_loads(ran.out, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(jobs, "schema")), "seedship.jobs/1");
	first = json_array_get(json_object_get(jobs, "jobs"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "name")), "nightly");
	assert_int_equal(json_integer_value(json_object_get(first, "drives")), 0);
}

static void test_job_refusals(void **state)
{
	(void)state;
	expect_said(1, "job list", "has no jobs yet");
	/* All that is missing, at once. */
	expect_said(2, "job new nightly --container seed --city Town",
		    "missing: --subscription, --resource-group, --location, --storage-account, "
		    "--recipient, "
		    "--street, --postal-code, --country, --phone, --email\n");
	expect_said(2, "job new Nightly " JOB, "job name: 'N' is not allowed");
	expect_said(2, "job new nightly " JOB " --container A", "--container: ");
	expect_said(2, "job new nightly " JOB " --email x",
		    "--email: 'x' is not an e-mail address");
	expect_said(2, "job new nightly " JOB " --phone ", "--phone: must not be empty");
	expect_said(2, "job new nightly " JOB " --city a\nb", "--city: has a control character");
	expect_said(2, "job new nightly " JOB " --city \xff", "--city: is not UTF-8");
	expect_said(2, "job new nightly " JOB " --cipher rot13", "--cipher: ");
	expect_said(2, "job new nightly " JOB " --blob-type x",
		    "--blob-type: 'x' is none of auto|block|page");
	expect_said(2, "job new nightly " JOB " --carrier FedEx", "go together");
	expect_said(1, "job new nightly " JOB " --publish-settings /nope",
		    "--publish-settings: cannot read");
	expect_said(1, "job list", "has no jobs yet");
	expect_run(0, "job new nightly " JOB);
	expect_said(2, "job new nightly " JOB, "there is a job 'nightly' already");
	expect_said(1, "job show other", "there is no job 'other'");
	run_command(&ran, &command_seedship, "seedship job list --store /tmp");
	assert_int_equal(ran.code, 2);
	assert_non_null(strstr(ran.said, "'/tmp' is not a store"));
}

/* ---- submit ---- */

static void add_drive(const char *drive_id, enum shipping_phase phase)
{
	struct journal_drive_info info = {drive_id, KEY, "\\DriveManifest.xml", MD5, NULL};
	_cleanup_(shipping_freep) struct shipping *s = NULL;
	_cleanup_(job_done) struct job job = {0};
	char journal[128], text[] = "x", *id = strdup(drive_id);
	struct shipping_drive d = {.target = text,
				   .drive_id = id,
				   .session_id = text,
				   .cipher = text,
				   .journal_path = journal,
				   .layout_path = text,
				   .manifest_path = text,
				   .phase = phase,
				   .has_manifest_md5 = true};
	struct err e;

	(void)snprintf(journal, sizeof(journal), "%s/%s.jrn", store, drive_id);
	expect_ok(journal_create(journal, 0, &e), &e);
	expect_ok(journal_append_drive_info(journal, 0, &info, &e), &e);
	assert_int_equal(parse_hex(MD5, d.manifest_md5, sizeof(d.manifest_md5)), 0);
	expect_ok(shipping_open(store, SHIPPING_WRITE, &s, &e), &e);
	expect_ok(job_get(s, "nightly", &job, &e), &e);
	d.job_id = job.id;
	expect_ok(shipping_drive_insert(s, &d, &e), &e);
	free(id);
}

static void test_submit_dry_run(void **state)
{
	static const char line[] =
		"PUT https://management.azure.com/subscriptions/"
		"12345678-1234-1234-1234-123456789abc/resourceGroups/backup/providers/"
		"Microsoft.ImportExport/jobs/nightly?api-version=2020-08-01\n";
	_cleanup_json_ json_t *body = NULL;
	const char *location, *account, *id, *key, *file, *hash;

	(void)state;
	expect_run(0, "job new nightly " JOB " --storage-resource-group other");
	add_drive("WX1", SHIPPING_SEALED);
	expect_run(0, "submit nightly --dry-run --show-keys");
	assert_int_equal(strncmp(ran.out, line, strlen(line)), 0);
	body = json_loads(ran.out + strlen(line), 0, NULL);
	assert_int_equal(json_unpack(body, "{s:s, s:{s:s, s:[{s:s, s:s, s:s, s:s}]}}", "location",
				     &location, "properties", "storageAccountId", &account,
				     "driveList", "driveId", &id, "bitLockerKey", &key,
				     "manifestFile", &file, "manifestHash", &hash),
			 0);
	assert_string_equal(location, "westeurope");
	assert_non_null(strstr(account, "/resourceGroups/other/"));
	assert_string_equal(id, "WX1");
	assert_string_equal(key, KEY);
	assert_string_equal(file, "\\DriveManifest.xml");
	assert_string_equal(hash, MD5);
	/* No digit of the key without being asked. */
	expect_run(0, "submit nightly -n");
	assert_non_null(strstr(ran.out, "\"bitLockerKey\": \"******-******-******-"));
	assert_null(strstr(ran.out, "238810"));
}

static void test_submit_refusals(void **state)
{
	char path[128];

	(void)state;
	expect_run(0, "job new nightly " JOB);
	expect_said(1, "submit nightly",
		    "seedship: submit: sending is not part of this version; use --dry-run\n");
	expect_said(1, "submit other --dry-run", "there is no job 'other'");
	expect_said(1, "submit nightly --dry-run", "has no drives yet");
	add_drive("WX1", SHIPPING_SEALED);
	(void)snprintf(path, sizeof(path), "%s/WX1.jrn", store);
	assert_int_equal(chmod(path, 0644), 0);
	expect_said(1, "submit nightly --dry-run", "others may access it");
	assert_int_equal(chmod(path, 0600), 0);
	expect_run(0, "submit nightly --dry-run");
	add_drive("WX2", SHIPPING_STREAMING);
	expect_said(1, "submit nightly --dry-run", "drive WX2: it is not finished (streaming)");
}

static void test_submit_wrong_journal(void **state)
{
	struct journal_drive_info info = {"WX1", KEY, "\\DriveManifest.xml",
					  "00000000000000000000000000000000", NULL};
	char from[128], to[128];
	struct err e;

	(void)state;
	expect_run(0, "job new nightly " JOB);
	add_drive("WX1", SHIPPING_SEALED);
	(void)snprintf(to, sizeof(to), "%s/WX1.jrn", store);
	expect_ok(journal_append_drive_info(to, 0, &info, &e), &e);
	expect_said(3, "submit nightly --dry-run", "another manifest hash");
	add_drive("WX2", SHIPPING_SEALED);
	(void)snprintf(from, sizeof(from), "%s/WX2.jrn", store);
	assert_int_equal(rename(from, to), 0);
	expect_said(3, "submit nightly --dry-run", "is of drive WX2");
}

static size_t count_of(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void test_submit_more_than_one_job_takes(void **state)
{
	char id[8];

	(void)state;
	expect_run(0, "job new nightly " JOB);
	for (int i = 0; i < 11; i++) {
		(void)snprintf(id, sizeof(id), "WX%d", i);
		add_drive(id, SHIPPING_VERIFIED);
	}
	expect_run(0, "submit nightly --dry-run");
	assert_int_equal(count_of(ran.out, "PUT https://"), 2);
	assert_int_equal(count_of(ran.out, "\"driveId\""), 11);
	assert_non_null(strstr(ran.out, "/jobs/nightly?api-version"));
	assert_non_null(strstr(ran.out, "/jobs/nightly-2?api-version"));
	expect_run(0, "job new nightly-2 " JOB);
	expect_said(1, "submit nightly --dry-run", "there is a job 'nightly-2'");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_store, remove_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		TEST(test_job_new_and_show),
		TEST(test_job_refusals),
		TEST(test_submit_dry_run),
		TEST(test_submit_refusals),
		TEST(test_submit_wrong_journal),
		TEST(test_submit_more_than_one_job_takes),
	};

	/* Nobody is asked: what is missing is told. */
	(void)close(STDIN_FILENO);
	(void)open("/dev/null", O_RDONLY);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
