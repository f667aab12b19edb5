/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words, pace and threads of progress reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/cli/progress.h"
#include "common/cli/progress_text.h"
#include "common/ext/json.h"

static uint64_t fake_ns;

static uint64_t fake_monotonic_ns(const struct clock *c)
{
	(void)c;
	return fake_ns;
}

static const struct clock fake_clock = {.monotonic_ns = fake_monotonic_ns};

static void expect_plain(struct progress_view v, const char *want)
{
	char text[256];

	assert_string_equal(progress_plain(&v, text, sizeof(text)), want);
}

static void test_plain_words(void **state)
{
	(void)state;
	expect_plain((struct progress_view){"WX12", 0, 4 * GiB, 0}, "WX12: 0 %, 0 B of 4.00 GiB");
	expect_plain((struct progress_view){"WX12", 2 * GiB - 1, 4 * GiB, 180 * MiB},
		     "WX12: 49 %, 2.00 GiB of 4.00 GiB, 180 MiB/s, 12s left");
	expect_plain((struct progress_view){"WX12", 4 * GiB, 4 * GiB, 180 * MiB},
		     "WX12: 100 %, 4.00 GiB of 4.00 GiB, 180 MiB/s");
	expect_plain((struct progress_view){"WX12", 4 * GiB - 1, 4 * GiB, 1},
		     "WX12: 99 %, 4.00 GiB of 4.00 GiB, 1 B/s, 1s left");
	expect_plain((struct progress_view){"scan", 5 * MiB, 0, MiB}, "scan: 5.00 MiB, 1.00 MiB/s");
	expect_plain((struct progress_view){"long", 0, TiB, MiB},
		     "long: 0 %, 0 B of 1.00 TiB, 1.00 MiB/s, 291h 16m 16s left");
}

static void test_bar_fits(void **state)
{
	struct progress_view v = {"WX12", GiB, 4 * GiB, 128 * MiB};
	char text[512];

	(void)state;
	assert_string_equal(
		progress_bar(&v, 80, text, sizeof(text)),
		"WX12 [=====>                 ]  25 %  1.00 GiB of 4.00 GiB  128 MiB/s  24s left");
	assert_string_equal(progress_bar(&v, 60, text, sizeof(text)),
			    "WX12  25 %  1.00 GiB of 4.00 GiB  128 MiB/s  24s left");
	for (size_t columns = 1; columns < 200; columns++)
		assert_true(strlen(progress_bar(&v, columns, text, sizeof(text))) < columns);
	v.done_bytes = v.total_bytes;
	assert_string_equal(progress_bar(&v, 64, text, sizeof(text)),
			    "WX12 [=================] 100 %  4.00 GiB of 4.00 GiB  128 MiB/s");
}

static char *report(enum progress_style style, void (*drive)(struct progress *p))
{
	struct progress_desc desc = {.style = style,
				     .label = "WX12",
				     .total_bytes = 1000 * MiB,
				     .done_bytes = 100 * MiB,
				     .clock = &fake_clock};
	struct progress *p;
	char *text = NULL;
	size_t n;

	desc.out = open_memstream(&text, &n);
	fake_ns = 5 * NSEC_PER_SEC;
	assert_int_equal(progress_new(&desc, &p, NULL), 0);
	drive(p);
	progress_free(p);
	(void)fclose(desc.out);
	return text;
}

static void slowly(struct progress *p)
{
	for (int i = 0; i < 25; i++) {
		fake_ns += NSEC_PER_SEC;
		progress_add(p, MiB);
	}
}

static void fast(struct progress *p)
{
	for (int i = 0; i < 900; i++) {
		fake_ns += NSEC_PER_SEC / 1000;
		progress_add(p, MiB);
	}
}

static void test_lines_come_every_ten_seconds(void **state)
{
	_cleanup_free_ char *text = report(PROGRESS_LINES, slowly);

	(void)state;
	assert_string_equal(text, "WX12: 11 %, 110 MiB of 1000 MiB, 1.00 MiB/s, 14m 50s left\n"
				  "WX12: 12 %, 120 MiB of 1000 MiB, 1.00 MiB/s, 14m 40s left\n"
				  "WX12: 12 %, 125 MiB of 1000 MiB, 1.00 MiB/s, 14m 35s left\n");
}

static size_t count_of(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void test_lines_come_every_ten_percent(void **state)
{
	_cleanup_free_ char *text = report(PROGRESS_LINES, fast);

	(void)state;
	assert_true(count_of(text, "\n") >= 9 && count_of(text, "\n") <= 10);
	assert_non_null(strstr(text, "WX12: 100 %, 1000 MiB of 1000 MiB"));
}

static void at_once(struct progress *p)
{
	fake_ns += NSEC_PER_SEC;
	progress_add(p, 900 * MiB);
}

static void test_the_end_is_told_once(void **state)
{
	_cleanup_free_ char *text = report(PROGRESS_LINES, at_once);

	(void)state;
	assert_int_equal(count_of(text, "WX12: 100 %"), 1);
}

static void talk(struct progress *p)
{
	slowly(p);
	progress_say(p, "drive %d is slow", 7);
	slowly(p);
}

static void test_terminal_line(void **state)
{
	_cleanup_free_ char *text = report(PROGRESS_TERMINAL, fast);
	_cleanup_free_ char *talked = report(PROGRESS_TERMINAL, talk);

	(void)state;
	/* 0.9 s: at most five reports a second, and the last. */
	assert_true(count_of(text, "\r") >= 4 && count_of(text, "\r") <= 6);
	assert_int_equal(count_of(text, "\n"), 1);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_non_null(strstr(talked, "\r\033[Kdrive 7 is slow\n\r"));
}

static void test_json_lines(void **state)
{
	_cleanup_free_ char *text = report(PROGRESS_JSON, slowly);
	_cleanup_json_ json_t *line = NULL;
	json_int_t done, total, rate, left;
	const char *label;

	(void)state;
	assert_int_equal(count_of(text, "\n"), 3);
	*strchr(text, '\n') = '\0';
	line = json_loads(text, 0, NULL);
	assert_int_equal(json_unpack(line, "{s:{s:s, s:I, s:I, s:I, s:I !} !}", "progress", "label",
				     &label, "done_bytes", &done, "total_bytes", &total,
				     "bytes_per_second", &rate, "seconds_left", &left),
			 0);
	assert_string_equal(label, "WX12");
	assert_int_equal(done, 110 * MiB);
	assert_int_equal(total, 1000 * MiB);
	assert_int_equal(rate, MiB);
	assert_int_equal(left, 890);
}

static void test_nothing(void **state)
{
	_cleanup_free_ char *text = report(PROGRESS_NONE, fast);

	(void)state;
	assert_string_equal(text, "");
	progress_add(NULL, 1);
}

static void *add_many(void *p)
{
	for (int i = 0; i < 100000; i++)
		progress_add(p, 10);
	return NULL;
}

static void test_threads(void **state)
{
	struct progress_desc desc = {
		.style = PROGRESS_LINES, .label = "all", .total_bytes = 4000000};
	_cleanup_free_ char *text = NULL;
	pthread_t threads[4];
	struct progress *p;
	size_t n;

	(void)state;
	desc.out = open_memstream(&text, &n);
	assert_int_equal(progress_new(&desc, &p, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, p), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		(void)pthread_join(threads[i], NULL);
	progress_free(p);
	(void)fclose(desc.out);
	assert_non_null(strstr(text, "all: 100 %, 3.81 MiB of 3.81 MiB"));
	assert_int_equal(count_of(text, "all: "), count_of(text, "\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_words),
		cmocka_unit_test(test_bar_fits),
		cmocka_unit_test(test_lines_come_every_ten_seconds),
		cmocka_unit_test(test_lines_come_every_ten_percent),
		cmocka_unit_test(test_the_end_is_told_once),
		cmocka_unit_test(test_terminal_line),
		cmocka_unit_test(test_json_lines),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
