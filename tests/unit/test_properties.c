/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Properties and metadata files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "exporter/manifest/properties.h"

static void test_properties(void **state)
{
	static const struct property list[] = {
		{"Content-Type", "application/octet-stream"},
		{"Content-Encoding", "zstd"},
		{"Cache-Control", "no-cache & <\"x\">"},
	};
	_cleanup_(buf_done) struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(properties_format(list, ARRAY_SIZE(list), &out, NULL), 0);
	assert_string_equal(buf_text(&out),
			    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			    "<Properties>\n"
			    "<Content-Type>application/octet-stream</Content-Type>\n"
			    "<Content-Encoding>zstd</Content-Encoding>\n"
			    "<Cache-Control>no-cache &amp; &lt;&quot;x&quot;&gt;</Cache-Control>\n"
			    "</Properties>\n");
}

static void test_metadata(void **state)
{
	static const struct property list[] = {{"_source1", "host"}, {"B", "\xc3\xa9"}};
	_cleanup_(buf_done) struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(metadata_format(list, ARRAY_SIZE(list), &out, NULL), 0);
	assert_string_equal(buf_text(&out), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
					    "<Metadata>\n"
					    "<_source1>host</_source1>\n"
					    "<B>\xc3\xa9</B>\n"
					    "</Metadata>\n");
	buf_reset(&out);
	assert_int_equal(metadata_format(NULL, 0, &out, NULL), 0);
	assert_string_equal(buf_text(&out),
			    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Metadata/>\n");
}

static void test_refusals(void **state)
{
	static const struct property etag = {"Etag", "x"}, twice[] = {{"aB", "1"}, {"Ab", "2"}},
				     control = {"a", "\x02"};
	static const char *const names[] = {"", "1a", "a-b", "a b", "a>b", "\xc3\xa9"};
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	struct err e;

	(void)state;
	assert_int_equal(properties_format(&etag, 1, &out, &e), -EINVAL);
	assert_string_equal(e.text, "'Etag' is not the name of a blob's property");
	assert_int_equal(e.class, ERR_USER);
	assert_int_equal(metadata_format(twice, 2, &out, &e), -EINVAL);
	assert_string_equal(e.text, "metadata 'Ab' is given twice");
	assert_int_equal(metadata_format(&control, 1, &out, &e), -EILSEQ);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct property bad = {names[i], "x"};

		assert_int_equal(metadata_format(&bad, 1, &out, NULL), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
