/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The packing slip: what stands on the page, for any number of drives and any text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/ext/xml.h"
#include "exporter/report/report.h"
#include "tests/lib/expect.h"

#define MD5	   "0DE4FCAD6D0A1F7D7633AAE23D5DCE6B"
#define MAX_DRIVES 16
#define HOSTILE	   "<script>alert('x')</script>\"&{{version}}--><!-- @page-end -->"

static struct report_drive drives[MAX_DRIVES];
static char ids[MAX_DRIVES][32];
static struct report_parcel parcel;

static struct report example(size_t n)
{
	assert_true(n <= MAX_DRIVES);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "WX%02zuA", i + 1);
		drives[i] = (struct report_drive){.drive_id = ids[i],
						  .state = REPORT_VERIFIED,
						  .files = 13320,
						  .size_bytes = 350064221,
						  .content_bytes = 1 * GiB,
						  .capacity_bytes = 4 * GiB,
						  .manifest_md5 = MD5,
						  .journal = "WX.jrn"};
	}
	parcel = (struct report_parcel){.job = "spring-seed", .n_drives = n, .drives = drives};
	return (struct report){
		.version = "1.2.3",
		.made_ns = 1795316400000000000, /* 2026-11-22 03:00 */
		.location = "westeurope",
		.storage_account = "examplebackups",
		.container = "seed",
		.return_address = {.recipient = "Backup Team",
				   .street = "1 Example Street",
				   .city = "Amsterdam",
				   .postal_code = "1011",
				   .country = "Netherlands",
				   .phone = "+31 20 555 0100",
				   .email = "backup@example.org"},
		.n_parcels = 1,
		.parcels = &parcel,
	};
}

static size_t count_of(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

/* The page; it is well-formed XML, whatever stands in it, and no placeholder is left. */
static char *write_page(const struct report *report)
{
	static const char type[] = "<!DOCTYPE html>\n";
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	_cleanup_xml_ xmlDoc *doc = NULL;
	const char *text;
	struct err e;

	expect_ok(report_write(report, &out, &e), &e);
	text = buf_text(&out);
	assert_int_equal(strncmp(text, type, strlen(type)), 0);
	expect_ok(xml_parse(text + strlen(type), out.len_bytes - strlen(type), &doc, &e), &e);
	assert_string_equal((const char *)xmlDocGetRootElement(doc)->name, "html");
	return buf_take_text(&out);
}

static void expect_in(const char *page, const char *text)
{
	if (!strstr(page, text))
		fail_msg("'%s' is not on the page", text);
}

static void expect_not_in(const char *page, const char *text)
{
	if (strstr(page, text))
		fail_msg("'%s' is on the page", text);
}

static void test_one_drive(void **state)
{
	struct report report = example(1);
	_cleanup_free_ char *page = write_page(&report);

	(void)state;
	expect_in(page, "<title>Packing slip: spring-seed</title>");
	expect_in(page, "<html lang=\"en\"");
	expect_in(page, "content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
			"form-action 'none'\"");
	expect_in(page, "<h1>spring-seed</h1>");
	expect_in(page, "Made 2026-11-22 03:00 UTC");
	expect_in(page, "Parcel 1 of 1");
	expect_in(page, "<dt>Azure region</dt><dd>westeurope</dd>");
	expect_in(page, "<dt>Storage account</dt><dd>examplebackups</dd>");
	expect_in(page, "<dt>Container</dt><dd>seed</dd>");
	expect_in(page, "<b>Backup Team</b><br />\n1 Example Street<br />\n1011 Amsterdam<br />\n"
			"Netherlands<br />\n+31 20 555 0100<br />\nbackup@example.org<br />\n");
	expect_in(page, "Within two weeks");
	expect_in(page, "no cables, adapters or power supplies");
	expect_in(page, "<h3 class=\"serial mono short\">WX01A</h3>");
	expect_in(page, "aria-label=\"Barcode (Code 128) of the serial number WX01A\"");
	expect_in(page, "1.00 GiB of 4.00 GiB (25 %)");
	expect_in(page, "<rect width=\"250\"");
	expect_in(
		page,
		"<dt>Files</dt><dd>13,320</dd>\n<dt>Data</dt><dd>334 MiB (350,064,221 bytes)</dd>\n"
		"<dt>Manifest MD5</dt><dd class=\"mono\">" MD5 "</dd>\n"
		"<dt>Journal</dt><dd class=\"mono\">WX.jrn</dd>");
	expect_in(page, "<dt>Read back and verified</dt><dd>1 of 1</dd>");
	expect_not_in(page, "DO NOT SHIP");
	expect_not_in(page, "Do not ship");
}

/* Four drives to a sheet, and the heading of the job on the first. */
static void test_numbers_of_drives(void **state)
{
	static const size_t counts[][2] = {{0, 1}, {1, 1}, {4, 1}, {5, 2}, {8, 2}, {10, 3}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct report report = example(counts[i][0]);
		_cleanup_free_ char *page = write_page(&report);
		char last[64];

		assert_int_equal(count_of(page, "<article "), counts[i][0]);
		assert_int_equal(count_of(page, "<section class=\"sheet "), counts[i][1]);
		assert_int_equal(count_of(page, "<h1>"), 1);
		assert_int_equal(count_of(page, "Packing slip, continued"), counts[i][1] - 1);
		assert_int_equal(count_of(page, "This job has no drives yet."), counts[i][0] == 0);
		(void)snprintf(last, sizeof(last), "Sheet <b>%zu</b> of <b>%zu</b>", counts[i][1],
			       counts[i][1]);
		assert_int_equal(count_of(page, last), 1);
		for (size_t d = 0; d < counts[i][0]; d++) {
			(void)snprintf(last, sizeof(last), ">Drive %zu of %zu<", d + 1,
				       counts[i][0]);
			assert_int_equal(count_of(page, last), 1);
		}
	}
}

static void test_several_parcels(void **state)
{
	struct report report = example(11);
	const struct report_parcel parcels[] = {{"spring-seed", 10, drives},
						{"spring-seed-2", 1, &drives[10]}};
	_cleanup_free_ char *page = NULL;

	(void)state;
	report.n_parcels = 2;
	report.parcels = parcels;
	page = write_page(&report);
	assert_int_equal(count_of(page, "<h1>"), 2);
	assert_int_equal(count_of(page, "Parcel 1 of 2"), 3);
	assert_int_equal(count_of(page, "Parcel 2 of 2"), 1);
	assert_int_equal(count_of(page, ">Drive 1 of 1<"), 1);
	expect_in(page, "<h1>spring-seed-2</h1>");
}

static void test_unfit_drives(void **state)
{
	struct report report = example(4);
	_cleanup_free_ char *page = NULL, *sealed = NULL;

	(void)state;
	drives[1].state = REPORT_UNFIT;
	drives[1].why = "it is not filled yet";
	drives[1].manifest_md5 = NULL;
	drives[3].state = REPORT_SEALED;
	page = write_page(&report);
	assert_int_equal(count_of(page, "DO NOT SHIP"), 1);
	assert_int_equal(count_of(page, "class=\"drive unfit\""), 1);
	assert_int_equal(count_of(page, "In the parcel"), 3);
	expect_in(page, "Do not ship yet: 1 of 4 drives is not finished.");
	expect_in(page, "Not for the parcel: it is not filled yet");
	expect_in(page, "planned: 1.00 GiB of 4.00 GiB");
	expect_in(page, "not known before it is sealed");
	expect_in(page, "Sealed, not read back");
	expect_in(page, "<dd>2 of 4</dd>");
	drives[0] = drives[1];
	sealed = write_page(&report);
	expect_in(sealed, "Do not ship yet: 2 of 4 drives are not finished.");
}

static void test_carriage(void **state)
{
	struct report report = example(1);
	_cleanup_free_ char *blank = NULL, *known = NULL, *brief = NULL;

	(void)state;
	blank = write_page(&report);
	assert_int_equal(count_of(blank, "<dd class=\"blank\"></dd>"), 3);
	expect_not_in(blank, "Return account");
	report.carrier = "DHL";
	report.tracking = "JD0123";
	report.return_carrier = "FedEx";
	report.return_account = "12345\xc3\xa4"
				"789";
	known = write_page(&report);
	expect_not_in(known, "<dd class=\"blank\"></dd>");
	expect_in(known, "<dt>Carrier</dt><dd>DHL</dd>");
	expect_in(known, "<dt>Tracking number</dt><dd>JD0123</dd>");
	expect_in(known, "<dt>Return carrier</dt><dd>FedEx</dd>");
	expect_in(known, "<dd>\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xc3\xa4"
			 "789</dd>");
	expect_not_in(known, "12345");
	report.return_account = "9876";
	brief = write_page(&report);
	expect_in(brief, "<dd>\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2</dd>");
	expect_not_in(brief, "9876");
}

/* Every text that comes from outside, as bad as can be. */
static void test_hostile_texts(void **state)
{
	struct report report = example(1);
	struct report_drive *d = &drives[0];
	_cleanup_free_ char *page = NULL;

	(void)state;
	report.version = report.location = report.storage_account = report.container = HOSTILE;
	report.blob_prefix = report.return_carrier = report.carrier = report.tracking = HOSTILE;
	report.return_account = "\"'><";
	report.return_address = (struct report_address){HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE,
							HOSTILE, HOSTILE, HOSTILE, HOSTILE};
	parcel.job = HOSTILE;
	d->drive_id = d->manifest_md5 = d->journal = HOSTILE;
	page = write_page(&report);
	expect_not_in(page, "<script");
	expect_not_in(page, "alert('");
	expect_not_in(page, "<!-- @");
	assert_int_equal(count_of(page, "</html>"), 1);
	expect_in(page,
		  "<h1>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;{{version}}");
	d->state = REPORT_UNFIT;
	d->why = HOSTILE;
	free(page);
	page = write_page(&report);
	expect_not_in(page, "<script");
}

static void test_odd_drives(void **state)
{
	char name[4096];
	struct report report = example(4);
	_cleanup_free_ char *page = NULL;

	(void)state;
	memset(name, 'W', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	drives[0].drive_id = name; /* too long for a barcode */
	drives[1].drive_id = "K\xc3\xb6ln\xff";
	drives[2].content_bytes = 5 * GiB;			 /* more than there is room for */
	drives[2].drive_id = "012345678901234567890123456789AB"; /* the longest of a real drive */
	drives[3].content_bytes = 1;
	drives[3].capacity_bytes = 8000000000000;
	parcel.job = name;
	page = write_page(&report);
	assert_int_equal(count_of(page, "cannot be written as a barcode"), 2);
	assert_int_equal(count_of(page, "<svg class=\"barcode\""), 2);
	expect_in(page, "<section class=\"sheet dense\"");
	expect_in(page, "K\xc3\xb6ln\\xFF</h3>");
	expect_in(page, "<rect width=\"1000\"");
	expect_in(page, "(100 %)");
	expect_in(page, "(&lt;1 %)");
	expect_in(page, "<h3 class=\"serial mono long\">012345678901234567890123456789AB</h3>");
	drives[0].capacity_bytes = drives[0].content_bytes = 0;
	free(page);
	page = write_page(&report);
	expect_in(page, "0 B of 0 B (0 %)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_drive),	cmocka_unit_test(test_numbers_of_drives),
		cmocka_unit_test(test_several_parcels), cmocka_unit_test(test_unfit_drives),
		cmocka_unit_test(test_carriage),	cmocka_unit_test(test_hostile_texts),
		cmocka_unit_test(test_odd_drives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
