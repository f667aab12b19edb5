/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules for the names a person gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "exporter/plan/blobname_check.h"

typedef int (*check_fn)(const char *s, struct err *e);

static void good(check_fn check, const char *s)
{
	struct err e = {0};

	if (check(s, &e) != 0)
		fail_msg("'%s' refused: %s", s, e.text);
}

static void bad(check_fn check, const char *s, const char *message)
{
	struct err e = {0};

	assert_int_equal(check(s, &e), -EINVAL);
	assert_string_equal(e.text, message);
	assert_int_equal(e.class, ERR_USER);
	assert_int_equal(check(s, NULL), -EINVAL);
}

#define JOB_RULE "3 to 63 lower-case letters, digits, '-' and '_', starting with a letter"

static void test_job(void **state)
{
	(void)state;
	good(blobname_check_job, "job");
	good(blobname_check_job, "seed-2026_01");
	good(blobname_check_job, "a23456789012345678901234567890123456789012345678901234567890123");
	bad(blobname_check_job, "", "job name: it is empty; " JOB_RULE);
	bad(blobname_check_job, "ab", "job name: 'ab' has 2 characters; " JOB_RULE);
	bad(blobname_check_job, "a234567890123456789012345678901234567890123456789012345678901234",
	    "job name: 'a234567890123456789012345678901234567890123456789012345678901234' has 64 "
	    "characters; " JOB_RULE);
	bad(blobname_check_job, "Job", "job name: 'J' is not allowed; " JOB_RULE);
	bad(blobname_check_job, "1job", "job name: '1' is not allowed at the start; " JOB_RULE);
	bad(blobname_check_job, "my job", "job name: ' ' is not allowed; " JOB_RULE);
	bad(blobname_check_job, "job\xc3\xa9", "job name: 'é' is not allowed; " JOB_RULE);
	bad(blobname_check_job, "job\xe9", "job name: byte 0xE9 is not allowed; " JOB_RULE);
	bad(blobname_check_job, "job\n", "job name: U+000A is not allowed; " JOB_RULE);
}

static void test_databox_job(void **state)
{
	static const char rule[] =
		"3 to 24 letters, digits and '-', starting and ending with a letter or digit";
	char message[200];

	(void)state;
	good(blobname_check_databox_job, "My-Job1");
	(void)snprintf(message, sizeof(message), "job name: '_' is not allowed; %s", rule);
	bad(blobname_check_databox_job, "my_job", message);
	(void)snprintf(message, sizeof(message), "job name: '-' is not allowed at the end; %s",
		       rule);
	bad(blobname_check_databox_job, "job-", message);
}

#define CONTAINER_RULE                                                                             \
	"3 to 63 lower-case letters, digits and single '-', starting and ending with a letter or " \
	"digit"

static void test_container(void **state)
{
	(void)state;
	good(blobname_check_container, "abc");
	good(blobname_check_container, "0-a-9");
	bad(blobname_check_container, "My", "container name: 'M' is not allowed; " CONTAINER_RULE);
	bad(blobname_check_container, "-ab",
	    "container name: '-' is not allowed at the start; " CONTAINER_RULE);
	bad(blobname_check_container, "ab-",
	    "container name: '-' is not allowed at the end; " CONTAINER_RULE);
	bad(blobname_check_container, "a--b",
	    "container name: '--' is not allowed; " CONTAINER_RULE);
	bad(blobname_check_container, "a_b", "container name: '_' is not allowed; " CONTAINER_RULE);
	bad(blobname_check_container, "ab",
	    "container name: 'ab' has 2 characters; " CONTAINER_RULE);
	bad(blobname_check_container, "$root",
	    "container name: $root is not allowed; its blobs cannot have a '/'");
}

static void test_account(void **state)
{
	(void)state;
	good(blobname_check_account, "seedship01");
	bad(blobname_check_account, "seed-ship",
	    "storage account name: '-' is not allowed; 3 to 24 lower-case letters and digits");
	bad(blobname_check_account, "a234567890123456789012345",
	    "storage account name: 'a234567890123456789012345' has 25 characters; 3 to 24 "
	    "lower-case "
	    "letters and digits");
}

#define GUID_RULE "a GUID such as 4967d63b-2e29-4ad8-8399-f6a339e3d001"

static void test_subscription(void **state)
{
	(void)state;
	good(blobname_check_subscription, "4967d63b-2e29-4ad8-8399-f6a339e3d001");
	good(blobname_check_subscription, "4967D63B-2E29-4AD8-8399-F6A339E3D001");
	bad(blobname_check_subscription, "4967d63b-2e29-4ad8-8399-f6a339e3d00g",
	    "subscription id: 'g' is not allowed; " GUID_RULE);
	bad(blobname_check_subscription, "4967d63b-2e29-4ad8-8399-f6a339e3d00",
	    "subscription id: '4967d63b-2e29-4ad8-8399-f6a339e3d00' has 35 characters; " GUID_RULE);
	bad(blobname_check_subscription, "4967d63b02e29-4ad8-8399-f6a339e3d001",
	    "subscription id: '0' is not allowed at character 9; " GUID_RULE);
	bad(blobname_check_subscription, "4967d63--2e29-4ad8-8399-f6a339e3d001",
	    "subscription id: '-' is not allowed at character 8; " GUID_RULE);
	bad(blobname_check_subscription, "{967d63b-2e29-4ad8-8399-f6a339e3d00}",
	    "subscription id: '{' is not allowed; " GUID_RULE);
}

static void test_group_and_location(void **state)
{
	(void)state;
	good(blobname_check_resource_group, "rg");
	good(blobname_check_resource_group, "Sauvegardes_é.(2026)");
	bad(blobname_check_resource_group, "rg.",
	    "resource group: '.' is not allowed at the end; 1 to 90 letters, digits and _-.(), not "
	    "ending in '.'");
	bad(blobname_check_resource_group, "a/b",
	    "resource group: '/' is not allowed; 1 to 90 letters, digits and _-.(), not ending in "
	    "'.'");
	good(blobname_check_location, "West US");
	good(blobname_check_location, "westeurope");
	bad(blobname_check_location, "west-us",
	    "location: '-' is not allowed; a name such as 'West US' or 'westus'");
}

static void test_session(void **state)
{
	(void)state;
	good(blobname_check_session, "session#1");
	good(blobname_check_session, "A_b-3");
	bad(blobname_check_session, "s1",
	    "session id: 's1' has 2 characters; 3 to 30 letters, digits, '_', '-' and '#'");
	bad(blobname_check_session, "s.1",
	    "session id: '.' is not allowed; 3 to 30 letters, digits, '_', '-' and '#'");
	bad(blobname_check_session, "aux",
	    "session id: 'aux' is a device name reserved by Windows");
	bad(blobname_check_session, "COM1",
	    "session id: 'COM1' is a device name reserved by Windows");
}

static void test_prefix(void **state)
{
	char text[1200];
	struct err e;

	(void)state;
	good(blobname_check_prefix, "");
	good(blobname_check_prefix, "a");
	good(blobname_check_prefix, "server 1/2026/é");
	bad(blobname_check_prefix, "/a",
	    "blob prefix: '/' is not allowed at the start, at the end or twice");
	bad(blobname_check_prefix, "a/",
	    "blob prefix: '/' is not allowed at the start, at the end or twice");
	bad(blobname_check_prefix, "a//b",
	    "blob prefix: '/' is not allowed at the start, at the end or twice");
	bad(blobname_check_prefix, "a/..", "blob prefix: a path segment must not end in '.'");
	bad(blobname_check_prefix, "a\\b", "blob prefix: character U+005C is not allowed");
	bad(blobname_check_prefix, "\xe9", "blob prefix: byte 0xE9 is not UTF-8");
	memset(text, 'a', sizeof(text));
	text[1022] = '\0';
	good(blobname_check_prefix, text);
	text[1022] = 'a';
	text[1023] = '\0';
	assert_int_equal(blobname_check_prefix(text, &e), -EINVAL);
	assert_string_equal(e.text, "blob prefix: 1025 characters, at most 1024 are allowed");
}

static void test_prefix_segments(void **state)
{
	char text[600];

	(void)state;
	for (int i = 0; i < 254; i++)
		memcpy(text + 2 * i, "a/", 2);
	text[2 * 253 - 1] = '\0';
	good(blobname_check_prefix, text);
	text[2 * 253 - 1] = '/';
	text[2 * 254 - 1] = '\0';
	bad(blobname_check_prefix, text, "blob prefix: 255 path segments, at most 254 are allowed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_job),
		cmocka_unit_test(test_databox_job),
		cmocka_unit_test(test_container),
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_subscription),
		cmocka_unit_test(test_group_and_location),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_prefix_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
