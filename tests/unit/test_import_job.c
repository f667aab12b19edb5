/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The request that creates an import job: golden text, and what api-version 2020-08-01 requires. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/ext/json.h"
#include "common/ext/secret.h"
#include "exporter/azure/import_job.h"
#include "tests/lib/expect.h"

#define KEY "238810-662376-448998-450120-652806-203390-606320-483076"

static const struct import_drive drives[] = {
	{"WD-WMATV123456", KEY, "\\DriveManifest.xml", "D863FE44F861AE0DA4DCEAEEFFCCCE68"},
	{"9WM35C2V", KEY, "\\DriveManifest.xml", "00000000000000000000000000000000"},
};

static struct import_job example(void)
{
	return (struct import_job){
		.subscription_id = "12345678-1234-1234-1234-123456789abc",
		.resource_group = "backup",
		.name = "nightly",
		.location = "westeurope",
		.storage_account = "acct1",
		.storage_resource_group = "storage",
		.return_address = {.recipient = "Ann \"A\" Ä",
				   .street = "Main 1",
				   .city = "Köln",
				   .postal_code = "50667",
				   .country = "Germany",
				   .phone = "+49 1",
				   .email = "a@b.c"},
		.n_drives = 1,
		.drives = drives,
	};
}

static void test_url(void **state)
{
	struct import_job job = example();
	_cleanup_free_ char *url = NULL, *odd = NULL;
	struct err e;

	(void)state;
	expect_ok(import_job_url(&job, &url, &e), &e);
	assert_string_equal(url,
			    "https://management.azure.com/subscriptions/"
			    "12345678-1234-1234-1234-123456789abc/resourceGroups/backup/providers/"
			    "Microsoft.ImportExport/jobs/nightly?api-version=2020-08-01");
	job.endpoint = "https://management.usgovcloudapi.net";
	job.resource_group = "a(b) ü/c?";
	job.name = "x_y.z-1";
	expect_ok(import_job_url(&job, &odd, &e), &e);
	assert_string_equal(odd, "https://management.usgovcloudapi.net/subscriptions/"
				 "12345678-1234-1234-1234-123456789abc/resourceGroups/"
				 "a%28b%29%20%C3%BC%2Fc%3F/providers/"
				 "Microsoft.ImportExport/jobs/x_y.z-1?api-version=2020-08-01");
}

static void test_body_golden(void **state)
{
	static const char want[] =
		"{\n"
		"  \"location\": \"westeurope\",\n"
		"  \"properties\": {\n"
		"    \"storageAccountId\": \"/subscriptions/12345678-1234-1234-1234-123456789abc/"
		"resourceGroups/storage/providers/Microsoft.Storage/storageAccounts/acct1\",\n"
		"    \"jobType\": \"Import\",\n"
		"    \"returnAddress\": {\n"
		"      \"recipientName\": \"Ann \\\"A\\\" Ä\",\n"
		"      \"streetAddress1\": \"Main 1\",\n"
		"      \"city\": \"Köln\",\n"
		"      \"postalCode\": \"50667\",\n"
		"      \"countryOrRegion\": \"Germany\",\n"
		"      \"phone\": \"+49 1\",\n"
		"      \"email\": \"a@b.c\"\n"
		"    },\n"
		"    \"diagnosticsPath\": \"waimportexport\",\n"
		"    \"logLevel\": \"Error\",\n"
		"    \"backupDriveManifest\": false,\n"
		"    \"driveList\": [\n"
		"      {\n"
		"        \"driveId\": \"WD-WMATV123456\",\n"
		"        \"bitLockerKey\": \"" KEY "\",\n"
		"        \"manifestFile\": \"\\\\DriveManifest.xml\",\n"
		"        \"manifestHash\": \"D863FE44F861AE0DA4DCEAEEFFCCCE68\",\n"
		"        \"driveHeaderHash\": \"\"\n"
		"      }\n"
		"    ]\n"
		"  }\n"
		"}";
	struct import_job job = example();
	_cleanup_secret_ char *body = NULL;
	struct err e;

	(void)state;
	expect_ok(import_job_body(&job, &body, &e), &e);
	assert_string_equal(body, want);
}

/* "required" of the objects in PutJobParameters, and all properties it knows. */
static const char *const address_required[] = {
	"recipientName",   "streetAddress1", "city",  "postalCode",
	"countryOrRegion", "phone",	     "email", NULL};
static const char *const shipping_required[] = {"carrierName", "carrierAccountNumber", NULL};
/*
 * Required of these by nothing in that version, but by the first one and by the service in
 * practice.
 */
static const char *const job_required[] = {"storageAccountId", "jobType",   "returnAddress",
					   "diagnosticsPath",  "driveList", NULL};
static const char *const drive_required[] = {"driveId", "bitLockerKey", "manifestFile",
					     "manifestHash", NULL};
static const char *const top_known[] = {"location", "tags", "properties", NULL};
static const char *const job_known[] = {"storageAccountId",
					"jobType",
					"returnAddress",
					"returnShipping",
					"shippingInformation",
					"deliveryPackage",
					"returnPackage",
					"diagnosticsPath",
					"logLevel",
					"backupDriveManifest",
					"state",
					"cancelRequested",
					"percentComplete",
					"incompleteBlobListUri",
					"driveList",
					"export",
					"provisioningState",
					"encryptionKey",
					NULL};
static const char *const address_known[] = {
	"recipientName", "streetAddress1",  "streetAddress2", "city",  "stateOrProvince",
	"postalCode",	 "countryOrRegion", "phone",	      "email", NULL};
static const char *const drive_known[] = {"driveId",	  "bitLockerKey",    "manifestFile",
					  "manifestHash", "driveHeaderHash", NULL};

static bool is_in(const char *const *list, const char *word)
{
	for (; *list; list++) {
		if (strcmp(*list, word) == 0)
			return true;
	}
	return false;
}

static void expect_object(json_t *object, const char *const *required, const char *const *known)
{
	const char *key;
	json_t *value;

	assert_true(json_is_object(object));
	for (; *required; required++) {
		if (!json_object_get(object, *required))
			fail_msg("'%s' is missing", *required);
	}
	json_object_foreach (object, key, value) {
		if (!is_in(known, key))
			fail_msg("'%s' is unknown", key);
		assert_false(json_is_null(value));
	}
}

static json_t *parse(const struct import_job *job)
{
	_cleanup_secret_ char *body = NULL;
	struct err e;
	json_t *root;

	expect_ok(import_job_body(job, &body, &e), &e);
	root = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	return root;
}

static void test_body_against_the_api(void **state)
{
	struct import_job job = example();
	_cleanup_json_ json_t *root = NULL;
	json_t *properties, *list, *drive;
	size_t i;

	(void)state;
	job.return_address.street2 = "2nd floor";
	job.return_address.state = "NRW";
	job.carrier = "FedEx";
	job.carrier_account = "989ffff";
	job.verbose_log = true;
	job.backup_manifests = true;
	job.n_drives = 2;
	root = parse(&job);
	expect_object(root, (const char *const[]){"location", "properties", NULL}, top_known);
	properties = json_object_get(root, "properties");
	expect_object(properties, job_required, job_known);
	expect_object(json_object_get(properties, "returnAddress"), address_known, address_known);
	expect_object(json_object_get(properties, "returnAddress"), address_required,
		      address_known);
	expect_object(json_object_get(properties, "returnShipping"), shipping_required,
		      shipping_required);
	assert_string_equal(json_string_value(json_object_get(properties, "logLevel")), "Verbose");
	assert_true(json_is_true(json_object_get(properties, "backupDriveManifest")));
	list = json_object_get(properties, "driveList");
	assert_int_equal(json_array_size(list), 2);
	json_array_foreach (list, i, drive) {
		expect_object(drive, drive_required, drive_known);
		assert_string_equal(json_string_value(json_object_get(drive, "driveId")),
				    drives[i].drive_id);
		/* One backslash: the service keeps what it gets. */
		assert_string_equal(json_string_value(json_object_get(drive, "manifestFile")),
				    "\\DriveManifest.xml");
	}
}

static void test_unset_is_left_out(void **state)
{
	struct import_job job = example();
	_cleanup_json_ json_t *root = parse(&job);
	json_t *properties = json_object_get(root, "properties");
	json_t *address = json_object_get(properties, "returnAddress");

	(void)state;
	expect_object(address, address_required, address_required);
	expect_object(properties, job_required, job_known);
	assert_null(json_object_get(properties, "returnShipping"));
	assert_null(json_object_get(root, "tags"));
}

static void expect_no_body(const struct import_job *job, const char *why)
{
	char *body = NULL;
	struct err e = {0};

	expect_err(import_job_body(job, &body, &e), &e, EINVAL, ERR_SYSTEM, why);
	assert_null(body);
	assert_null(strstr(e.text, KEY));
}

static void test_refusals(void **state)
{
	struct import_drive many[IMPORT_JOB_DRIVES_MAX + 1];
	struct import_job job = example();
	_cleanup_json_ json_t *root = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = drives[0];
	job.drives = many;
	job.n_drives = IMPORT_JOB_DRIVES_MAX;
	root = parse(&job);
	job.n_drives++;
	expect_no_body(&job, "1 to 10 drives, not 11");
	job.n_drives = 0;
	expect_no_body(&job, "1 to 10 drives, not 0");
	job = example();
	job.return_address.phone = NULL;
	expect_no_body(&job, "a value is missing or not UTF-8");
	job = example();
	job.return_address.city = "K\xf6ln";
	expect_no_body(&job, "a value is missing or not UTF-8");
	job = example();
	job.carrier = "FedEx";
	expect_no_body(&job, "a value is missing or not UTF-8");
	job = example();
	job.drives = many;
	many[0].bitlocker_key = NULL;
	expect_no_body(&job, "a value is missing or not UTF-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_body_golden),
		cmocka_unit_test(test_body_against_the_api),
		cmocka_unit_test(test_unset_is_left_out),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
