/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Journals: golden text, torn ends at every byte, damage at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/ext/secret.h"
#include "exporter/journal/context.h"
#include "exporter/journal/journal.h"
#include "tests/lib/expect.h"

/* 2016-11-02 18:24:14.735 UTC */
#define T0  UINT64_C(1478111054735000000)
#define KEY "238810-662376-448998-450120-652806-203390-606320-483076"
#define MD5 "D863FE44F861AE0DA4DCEAEEFFCCCE68"

#define NEW_RECORD                                                              \
	"[BeginUpdateRecord][2016/11/02 18:24:14.735][Type:NewJournalFile]\r\n" \
	"VocabularyVersion: 2013-02-01\r\n"                                     \
	"[EndUpdateRecord]\r\n"
#define CONTEXT_RECORD                                                          \
	"[BeginUpdateRecord][2016/11/02 18:24:14.736][Type:ActivityRecord]\r\n" \
	"ActivityId: PrepImportDriveCommandContext\r\n"                         \
	"SessionId: nightly-1\r\n"                                              \
	"DriveId: WD-WMATV123456\r\n"                                           \
	"Target: /dev/disk/by-id/ata-X\r\n"                                     \
	"JobName: nightly\r\n"                                                  \
	"StorageAccount: acct1\r\n"                                             \
	"Container: seed\r\n"                                                   \
	"LogDirectory: /var/log\r\n"                                            \
	"BitLockerKey: " KEY "\r\n"                                             \
	"[EndUpdateRecord]\r\n"
#define INFO_RECORD                                                                    \
	"[BeginUpdateRecord][2016/11/02 18:24:14.737][Type:ActivityRecord]\r\n"        \
	"ActivityId: DriveInfo\r\n"                                                    \
	"DriveState: [BeginValue]\r\n"                                                 \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"                               \
	"<Drive><DriveId>WD-WMATV123456</DriveId><BitLockerKey>" KEY "</BitLockerKey>" \
	"<ManifestFile>\\DriveManifest.xml</ManifestFile><ManifestHash>" MD5           \
	"</ManifestHash></Drive>\r\n"                                                  \
	"[EndValue]\r\n"                                                               \
	"SaveCommandOutput: Completed\r\n"                                             \
	"[EndUpdateRecord]\r\n"

static const struct journal_context context = {
	.session_id = "nightly-1",
	.drive_id = "WD-WMATV123456",
	.target = "/dev/disk/by-id/ata-X",
	.job_name = "nightly",
	.storage_account = "acct1",
	.container = "seed",
	.log_directory = "/var/log",
	.bitlocker_key = KEY,
};

static const struct journal_drive_info drive_info = {
	.drive_id = "WD-WMATV123456",
	.bitlocker_key = KEY,
	.manifest_file = "\\DriveManifest.xml",
	.manifest_hash = MD5,
};

static char folder[] = "/tmp/test_journal.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/drive.jrn", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static int remove_journal(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}

static void write_journal(const char *text, size_t len_bytes)
{
	struct err e;

	expect_ok(write_file_atomic(path, text, len_bytes, 0600, &e), &e);
}

static void expect_journal(const char *want, size_t len_bytes)
{
	_cleanup_free_ char *text = NULL;
	struct err e;
	size_t n;

	expect_ok(read_file(path, 4000000, &text, &n, &e), &e);
	assert_int_equal(n, len_bytes);
	assert_memory_equal(text, want, n);
}

static void test_golden(void **state)
{
	static const char want[] = NEW_RECORD CONTEXT_RECORD INFO_RECORD;
	struct err e = {0};
	struct stat st;

	(void)state;
	expect_ok(journal_create(path, T0, &e), &e);
	expect_journal(NEW_RECORD, strlen(NEW_RECORD));
	expect_ok(journal_append_context(path, T0 + 1000000, &context, &e), &e);
	expect_ok(journal_append_drive_info(path, T0 + 2999999, &drive_info, &e), &e);
	expect_journal(want, strlen(want));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(journal_create(path, T0, &e), -EEXIST);
	expect_journal(want, strlen(want));
}

static void test_typed_reading(void **state)
{
	_cleanup_(journal_context_done) struct journal_context c = {0};
	_cleanup_(journal_drive_info_done) struct journal_drive_info info = {0};
	struct err e = {0};

	(void)state;
	write_journal(NEW_RECORD CONTEXT_RECORD INFO_RECORD,
		      strlen(NEW_RECORD CONTEXT_RECORD INFO_RECORD));
	expect_ok(journal_context(path, &c, &e), &e);
	assert_string_equal(c.session_id, context.session_id);
	assert_string_equal(c.drive_id, context.drive_id);
	assert_string_equal(c.target, context.target);
	assert_string_equal(c.job_name, context.job_name);
	assert_string_equal(c.storage_account, context.storage_account);
	assert_string_equal(c.container, context.container);
	assert_string_equal(c.log_directory, context.log_directory);
	assert_string_equal(c.bitlocker_key, context.bitlocker_key);
	expect_ok(journal_drive_info(path, &info, &e), &e);
	assert_string_equal(info.drive_id, drive_info.drive_id);
	assert_string_equal(info.bitlocker_key, KEY);
	assert_string_equal(info.manifest_file, "\\DriveManifest.xml");
	assert_string_equal(info.manifest_hash, MD5);
}

/*
 * As the Windows tool writes it: several context records, LF line ends, other records in between.
 */
static void test_foreign_journal(void **state)
{
	static const char text[] =
		"[BeginUpdateRecord][2016/11/02 18:24:14.735][Type:NewJournalFile]\n"
		"VocabularyVersion: 2013-02-01\n[EndUpdateRecord]\n"
		"[BeginUpdateRecord][2016/11/02 18:24:14.749][Type:ActivityRecord]\n"
		"ActivityId: PrepImportDriveCommandContext\nLogDirectory: "
		"F:\\logs\n[EndUpdateRecord]\n"
		"\n"
		"[BeginUpdateRecord][2016/11/02 18:24:14.754][Type:ActivityRecord]\n"
		"ActivityId: PrepImportDriveCommandContext\nStorageAccountKey: "
		"*******\n[EndUpdateRecord]\n"
		"[BeginUpdateRecord][2016/11/02 18:24:14.760][Type:Strange]\n[EndUpdateRecord]\n"
		"[BeginUpdateRecord][2016/11/02 18:24:15.000][Type:ActivityRecord]\n"
		"ActivityId: PrepImportDriveCommandContext\nLogDirectory: G:\\\n[EndUpdateRecord]\n"
		"[BeginUpdateRecord][2016/11/01 21:22:25.379][Type:ActivityRecord]\n"
		"ActivityId: DriveInfo\nDriveState: [BeginValue]\n"
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Drive>\n"
		"  <DriveId>A&amp;B</DriveId><!-- x --><BitLockerKey>base64==</BitLockerKey>\n"
		"  <ManifestFile>\\M.xml</ManifestFile><ManifestHash>" MD5
		"</ManifestHash> </Drive>\n"
		"[EndValue]\nSaveCommandOutput: Completed\n[EndUpdateRecord]";
	_cleanup_(journal_drive_info_done) struct journal_drive_info info = {0};
	_cleanup_(journal_context_done) struct journal_context c = {0};
	struct err e = {0};

	(void)state;
	write_journal(text, strlen(text));
	expect_ok(journal_context(path, &c, &e), &e);
	assert_string_equal(c.log_directory, "G:\\");
	assert_null(c.bitlocker_key);
	expect_ok(journal_drive_info(path, &info, &e), &e);
	assert_string_equal(info.drive_id, "A&B");
	assert_string_equal(info.bitlocker_key, "base64==");
}

static int count(const struct record *record, void *arg, struct err *e)
{
	(void)record;
	(void)e;
	++*(unsigned *)arg;
	return 0;
}

static void test_torn_at_every_byte(void **state)
{
	static const char whole[] = NEW_RECORD CONTEXT_RECORD INFO_RECORD;
	const size_t before = strlen(NEW_RECORD CONTEXT_RECORD), all = strlen(whole);
	struct err e = {0};

	(void)state;
	for (size_t cut = before; cut <= all; cut++) {
		bool complete =
			cut + 2 >= all; /* without its last line end a record is still whole */
		size_t torn = 0;
		unsigned n = 0;

		write_journal(whole, cut);
		expect_ok(journal_replay(path, count, &n, &torn, &e), &e);
		assert_int_equal(n, complete ? 3 : 2);
		assert_int_equal(torn, complete ? 0 : cut - before);
		expect_journal(whole, cut); /* reading changes nothing */
		expect_ok(journal_append_context(path, T0 + 1000000, &context, &e), &e);
		if (complete)
			expect_journal(NEW_RECORD CONTEXT_RECORD INFO_RECORD CONTEXT_RECORD,
				       all + strlen(CONTEXT_RECORD));
		else
			expect_journal(NEW_RECORD CONTEXT_RECORD CONTEXT_RECORD,
				       before + strlen(CONTEXT_RECORD));
	}
}

/* The file had grown, the data had not arrived: zeros behind any part of the last record. */
static void test_torn_with_zeros(void **state)
{
	static const char whole[] = NEW_RECORD CONTEXT_RECORD;
	const size_t before = strlen(NEW_RECORD), all = strlen(whole);
	struct err e = {0};

	(void)state;
	for (size_t cut = before; cut + 2 < all; cut++) {
		struct buf b = BUF_INIT;
		size_t torn = 0;
		unsigned n = 0;

		buf_put(&b, whole, cut);
		buf_put_zero(&b, all - cut);
		write_journal((const char *)b.data, b.len_bytes);
		buf_done(&b);
		expect_ok(journal_replay(path, count, &n, &torn, &e), &e);
		assert_int_equal(n, 1);
		assert_int_equal(torn, all - before);
		expect_ok(journal_append_context(path, T0 + 1000000, &context, &e), &e);
		expect_journal(whole, all);
	}
}

static void expect_damaged(const char *text, size_t len_bytes, unsigned line)
{
	char want[96];
	struct err e = {0};

	(void)snprintf(want, sizeof(want), "is damaged at line %u", line);
	write_journal(text, len_bytes);
	expect_err(journal_replay(path, NULL, NULL, NULL, &e), &e, EBADMSG, ERR_CORRUPT, want);
	/* And nothing is written to it. */
	expect_err(journal_append_context(path, T0, &context, &e), &e, EBADMSG, ERR_CORRUPT, want);
	expect_journal(text, len_bytes);
}

/*
 * Each line of the structure made unreadable in turn, in a record that is not the last and in the
 * last.
 */
static void test_damage(void **state)
{
	static const char whole[] = NEW_RECORD INFO_RECORD NEW_RECORD;
	static const unsigned structural[] = {1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14};
	char text[sizeof(whole)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(structural); i++) {
		char *p = text;

		memcpy(text, whole, sizeof(whole));
		for (unsigned line = 1; line < structural[i]; line++)
			p = strchr(p, '\n') + 1;
		*p = '#';
		expect_damaged(text, strlen(whole), structural[i]);
	}
}

/* No single wrong byte, wherever it is, may make a whole record look torn: it would be cut off. */
static void test_wrong_byte_is_never_torn(void **state)
{
	static const char whole[] = NEW_RECORD CONTEXT_RECORD INFO_RECORD;
	char text[sizeof(whole)];
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < strlen(whole); i++) {
		size_t torn = 0;
		unsigned n = 0;
		int r;

		memcpy(text, whole, sizeof(whole));
		text[i] = '#';
		write_journal(text, strlen(whole));
		r = journal_replay(path, count, &n, &torn, &e);
		if (r != -EBADMSG && (r != 0 || n != 3))
			fail_msg("byte %zu: %d, %u records, %zu torn", i, r, n, torn);
		assert_int_equal(torn, 0);
	}
}

static void test_damage_of_values(void **state)
{
	static const char no_end[] = NEW_RECORD
		"[BeginUpdateRecord][2016/11/02 18:24:14.735][Type:A]\r\nA: b\r\n" NEW_RECORD;
	static const char zero[] =
		NEW_RECORD "[BeginUpdateRecord][2016/11/02 18:24:14.735][Type:A]\r\nA: "
			   "\0b\r\n[EndUpdateRecord]\r\n";
	static const char bad_time[] =
		"[BeginUpdateRecord][2016/11/02 18:24:14,735][Type:A]\r\n[EndUpdateRecord]\r\n";
	struct buf many = BUF_INIT;

	(void)state;
	expect_damaged(no_end, strlen(no_end), 6);
	expect_damaged(zero, sizeof(zero) - 1, 5);
	expect_damaged(bad_time, strlen(bad_time), 1);
	buf_puts(&many, "[BeginUpdateRecord][2016/11/02 18:24:14.735][Type:A]\n");
	for (int i = 0; i <= RECORD_FIELDS_MAX; i++)
		buf_puts(&many, "K: v\n");
	buf_puts(&many, "[EndUpdateRecord]\n");
	expect_damaged(buf_text(&many), many.len_bytes, RECORD_FIELDS_MAX + 2);
	buf_done(&many);
}

static void test_not_a_journal(void **state)
{
	struct err e = {0};

	(void)state;
	write_journal("", 0);
	expect_err(journal_append_context(path, T0, &context, &e), &e, EBADMSG, ERR_CORRUPT,
		   "is not a journal");
	/* A first record that is torn cannot be: it comes into being whole. */
	write_journal(NEW_RECORD, 30);
	expect_err(journal_append_context(path, T0, &context, &e), &e, EBADMSG, ERR_CORRUPT,
		   "is not a journal");
	write_journal("hello", 5);
	expect_err(journal_append_context(path, T0, &context, &e), &e, EBADMSG, ERR_CORRUPT,
		   "line 1");
	expect_journal("hello", 5);
	write_journal("\0\0\0", 3);
	expect_err(journal_replay(path, NULL, NULL, NULL, &e), &e, EBADMSG, ERR_CORRUPT,
		   "not a journal");
	(void)unlink(path);
	expect_err(journal_replay(path, NULL, NULL, NULL, &e), &e, ENOENT, ERR_SYSTEM, path);
}

static void test_access(void **state)
{
	struct err e = {0};
	struct journal_context c;

	(void)state;
	write_journal(NEW_RECORD CONTEXT_RECORD, strlen(NEW_RECORD CONTEXT_RECORD));
	for (unsigned bit = 01; bit <= 040; bit <<= 1) {
		assert_int_equal(chmod(path, 0600 | bit), 0);
		expect_err(journal_context(path, &c, &e), &e, EPERM, ERR_SYSTEM,
			   "others may access it");
		assert_non_null(strstr(e.hint, "chmod 600"));
		assert_int_equal(journal_append_context(path, T0, &context, &e), -EPERM);
	}
	(void)unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_err(journal_context(path, &c, &e), &e, EINVAL, ERR_SYSTEM, "not a regular file");
}

static void test_size_limit(void **state)
{
	static const char record[] =
		"[BeginUpdateRecord][2016/11/02 18:24:14.735][Type:A]\nK: v\n[EndUpdateRecord]\n";
	struct buf b = BUF_INIT;
	struct err e = {0};

	(void)state;
	while (b.len_bytes + strlen(record) <= JOURNAL_MAX_BYTES)
		buf_puts(&b, record);
	write_journal(buf_text(&b), b.len_bytes);
	expect_err(journal_append_context(path, T0, &context, &e), &e, EFBIG, ERR_SYSTEM,
		   "larger than");
	expect_journal(buf_text(&b), b.len_bytes);
	buf_puts(&b, record);
	write_journal(buf_text(&b), b.len_bytes);
	expect_err(journal_replay(path, NULL, NULL, NULL, &e), &e, EFBIG, ERR_SYSTEM,
		   "larger than");
	buf_done(&b);
}

static void test_missing_records(void **state)
{
	struct journal_drive_info info;
	struct journal_context c;
	struct err e = {0};

	(void)state;
	write_journal(NEW_RECORD, strlen(NEW_RECORD));
	expect_err(journal_context(path, &c, &e), &e, ENODATA, ERR_SYSTEM, "no context");
	expect_err(journal_drive_info(path, &info, &e), &e, ENODATA, ERR_SYSTEM, "not finished");
}

static void expect_bad_state(const char *xml, const char *why)
{
	struct record record = {.time_ns = T0, .type = JOURNAL_TYPE_ACTIVITY};
	struct journal_drive_info info;
	struct err e = {0};

	write_journal(NEW_RECORD, strlen(NEW_RECORD));
	record_add(&record, "ActivityId", "DriveInfo");
	record_add(&record, "DriveState", xml);
	expect_ok(journal_append(path, &record, &e), &e);
	expect_err(journal_drive_info(path, &info, &e), &e, EBADMSG, ERR_CORRUPT, why);
	assert_null(strstr(e.text, "238810"));
}

static void test_bad_drive_state(void **state)
{
	(void)state;
	expect_bad_state("", "XML of 0 bytes");
	expect_bad_state(
		"<Drive>\n<DriveId>1</DriveId>\n<BitLockerKey>&238810;</BitLockerKey></Drive>",
		"not well-formed");
	expect_bad_state("<Other/>", "its root is not <Drive>");
	expect_bad_state("<Drive><DriveId>1</DriveId><BitLockerKey>238810</BitLockerKey>"
			 "<ManifestFile>m</ManifestFile></Drive>",
			 "<ManifestHash> is missing");
	expect_bad_state("<Drive><DriveId/><BitLockerKey>238810</BitLockerKey></Drive>",
			 "<DriveId> is missing or empty");
	expect_bad_state(
		"<Drive><DriveId>1<x/></DriveId><BitLockerKey>238810</BitLockerKey></Drive>",
		"<DriveId> is missing or empty");
	expect_bad_state("<!DOCTYPE Drive [<!ENTITY k SYSTEM \"file:///etc/passwd\">]>\n"
			 "<Drive><DriveId>&k;</DriveId></Drive>",
			 "document type");
}

static void test_bad_drive_info_is_not_written(void **state)
{
	struct journal_drive_info info = drive_info;
	struct err e = {0};

	(void)state;
	write_journal(NEW_RECORD, strlen(NEW_RECORD));
	info.manifest_hash = "d863fe44f861ae0da4dceaeeffccce68";
	assert_int_equal(journal_append_drive_info(path, T0, &info, &e), -EINVAL);
	info.manifest_hash = MD5;
	info.bitlocker_key = "";
	assert_int_equal(journal_append_drive_info(path, T0, &info, &e), -EINVAL);
	info.bitlocker_key = NULL;
	assert_int_equal(journal_append_drive_info(path, T0, &info, &e), -EINVAL);
	expect_journal(NEW_RECORD, strlen(NEW_RECORD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_golden, remove_journal),
		cmocka_unit_test_teardown(test_typed_reading, remove_journal),
		cmocka_unit_test_teardown(test_foreign_journal, remove_journal),
		cmocka_unit_test_teardown(test_torn_at_every_byte, remove_journal),
		cmocka_unit_test_teardown(test_torn_with_zeros, remove_journal),
		cmocka_unit_test_teardown(test_damage, remove_journal),
		cmocka_unit_test_teardown(test_wrong_byte_is_never_torn, remove_journal),
		cmocka_unit_test_teardown(test_damage_of_values, remove_journal),
		cmocka_unit_test_teardown(test_not_a_journal, remove_journal),
		cmocka_unit_test_teardown(test_access, remove_journal),
		cmocka_unit_test_teardown(test_size_limit, remove_journal),
		cmocka_unit_test_teardown(test_missing_records, remove_journal),
		cmocka_unit_test_teardown(test_bad_drive_state, remove_journal),
		cmocka_unit_test_teardown(test_bad_drive_info_is_not_written, remove_journal),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
