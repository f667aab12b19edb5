/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text on the packing slip: escaping, the parts of the template, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "exporter/report/card.h"
#include "exporter/report/html.h"
#include "exporter/report/template.h"
#include "tests/lib/expect.h"

static void expect_html(const char *text, const char *want)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT;

	html_put(&out, text);
	assert_string_equal(buf_text(&out), want);
}

static void test_html(void **state)
{
	(void)state;
	expect_html("", "");
	expect_html("K\xc3\xb6ln \xe5\x8c\x97 \xf0\x9f\x93\xa6",
		    "K\xc3\xb6ln \xe5\x8c\x97 \xf0\x9f\x93\xa6");
	expect_html("<b a=\"c\" d='e'>&amp;", "&lt;b a=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;");
	expect_html("a\tb\r\nc", "a b  c");
	/* Controls, U+0085, U+202E (right to left from here), U+2066, U+FFFF. */
	expect_html("\x01\x1b\x7f", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	expect_html("\xc2\x85\xe2\x80\xae\xe2\x81\xa6\xef\xbf\xbf",
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	/* Neighbours of those stay: U+00A0, U+2027, U+206A, U+FFFD. */
	expect_html("\xc2\xa0\xe2\x80\xa7\xe2\x81\xaa\xef\xbf\xbd",
		    "\xc2\xa0\xe2\x80\xa7\xe2\x81\xaa\xef\xbf\xbd");
	/* No UTF-8: a lone byte, an overlong '<', a cut sequence. */
	expect_html("a\xff", "a\\xFF");
	expect_html("\xc0\xbc", "\\xC0\\xBC");
	expect_html("\xe2\x82", "\\xE2\\x82");
}

static void test_template(void **state)
{
	static const char page[] = "above\n<!-- @one -->\n<p {{a}}>{{b}}{{a}}</p>\n<!-- @two -->\n"
				   "{ {{c} }}\n<!-- @three -->\nlast";
	const struct template_value values[] = {
		{"a", "<{{b}}>"}, {"b", NULL}, {"ab", "x"}, TEMPLATE_END};
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	struct err e;

	(void)state;
	/* What a value says is not looked at again. */
	expect_ok(template_put_from(&out, page, "one", values, &e), &e);
	assert_string_equal(buf_text(&out), "<p &lt;{{b}}&gt;>&lt;{{b}}&gt;</p>\n");
	buf_reset(&out);
	expect_ok(template_put_from(&out, page, "three", values, &e), &e);
	assert_string_equal(buf_text(&out), "last");
	expect_err(template_put_from(&out, page, "two", values, &e), &e, EINVAL, ERR_SYSTEM,
		   "part 'two': there is no value for {{c} }}");
	expect_err(template_put_from(&out, page, "on", values, &e), &e, EINVAL, ERR_SYSTEM,
		   "the template has no part 'on'");
	expect_err(template_put(&out, "goal", values, &e), &e, EINVAL, ERR_SYSTEM,
		   "no value for {{location}}");
}

static void test_numbers(void **state)
{
	char out[CARD_NUMBER_BYTES];

	(void)state;
	assert_string_equal(card_number(0, out), "0");
	assert_string_equal(card_number(999, out), "999");
	assert_string_equal(card_number(1000, out), "1,000");
	assert_string_equal(card_number(13320, out), "13,320");
	assert_string_equal(card_number(UINT64_MAX, out), "18,446,744,073,709,551,615");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
