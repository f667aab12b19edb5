/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Code 128: known symbols and check characters, every printable character, the drawn bars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "exporter/report/code128.h"

#define STOP	   106
#define BAR_HEIGHT 20

static void expect_values(const char *text, const uint8_t *want, unsigned n)
{
	struct code128 code;

	assert_int_equal(code128_encode(text, &code), 0);
	assert_int_equal(code.n, n);
	assert_memory_equal(code.values, want, n);
}

#define EXPECT(text, ...)                                      \
	do {                                                   \
		static const uint8_t want_[] = {__VA_ARGS__};  \
		expect_values(text, want_, ARRAY_SIZE(want_)); \
	} while (0)

/* Sums worked out by hand: start + 1 * first + 2 * second + ..., modulo 103. */
static void test_known_symbols(void **state)
{
	(void)state;
	/* 104 + 55 + 2*73 + 3*75 + 4*73 + 5*80 + 6*69 + 7*68 + 8*73 + 9*65 = 3281 = 31 * 103 + 88 */
	EXPECT("Wikipedia", 104, 55, 73, 75, 73, 80, 69, 68, 73, 65, 88, STOP);
	/* 104 + 48 + 2*42 + 3*42 + 4*17 + 5*18 + 6*19 + 7*35 = 879 = 8 * 103 + 55 */
	EXPECT("PJJ123C", 104, 48, 42, 42, 17, 18, 19, 35, 55, STOP);
	EXPECT(" ", 104, 0, 1, STOP);
	EXPECT("~", 104, 94, 95, STOP);
	/* 105 + 12 + 2*34 + 3*56 + 4*78 + 5*90 = 1115 = 10 * 103 + 85 */
	EXPECT("1234567890", 105, 12, 34, 56, 78, 90, 85, STOP);
}

static void test_code_sets(void **state)
{
	(void)state;
	/* Set C from the start: four digits pay, fewer or scattered ones do not. */
	EXPECT("0099", 105, 0, 99, (105 + 198) % 103, STOP);
	EXPECT("123", 104, 17, 18, 19, (104 + 17 + 36 + 57) % 103, STOP);
	EXPECT("12345", 105, 12, 34, 100, 21, (105 + 12 + 68 + 300 + 84) % 103, STOP);
	/* At the end: four pay; of an odd run the first digit goes before. */
	EXPECT("A1234", 104, 33, 99, 12, 34, (104 + 33 + 198 + 36 + 136) % 103, STOP);
	EXPECT("A12345", 104, 33, 17, 99, 23, 45, (104 + 33 + 34 + 297 + 92 + 225) % 103, STOP);
	/* Inside: six pay, four do not. */
	EXPECT("A1234B", 104, 33, 17, 18, 19, 20, 34, (104 + 33 + 34 + 54 + 76 + 100 + 204) % 103,
	       STOP);
	EXPECT("A123456B", 104, 33, 99, 12, 34, 56, 100, 34,
	       (104 + 33 + 198 + 36 + 136 + 280 + 600 + 238) % 103, STOP);
}

static void test_all_printable(void **state)
{
	(void)state;
	for (int c = ' '; c <= '~'; c++) {
		char text[] = {(char)c, '\0'};
		struct code128 code;
		unsigned value = (unsigned)(c - ' ');

		assert_int_equal(code128_encode(text, &code), 0);
		assert_int_equal(code.n, 4);
		assert_int_equal(code.values[1], value);
		assert_int_equal(code.values[2], (104 + value) % 103);
	}
}

static void test_refused(void **state)
{
	char text[CODE128_TEXT_MAX + 2];
	struct code128 code = {.n = 7};

	(void)state;
	assert_int_equal(code128_encode("", &code), -EINVAL);
	assert_int_equal(code128_encode("a\nb", &code), -EINVAL);
	assert_int_equal(code128_encode("\x7f", &code), -EINVAL);
	assert_int_equal(code128_encode("\xc3\xa4", &code), -EINVAL);
	memset(text, 'x', sizeof(text));
	text[CODE128_TEXT_MAX + 1] = '\0';
	assert_int_equal(code128_encode(text, &code), -EINVAL);
	assert_int_equal(code.n, 7);
	text[CODE128_TEXT_MAX] = '\0';
	assert_int_equal(code128_encode(text, &code), 0);
	assert_int_equal(code.n, CODE128_TEXT_MAX + 3);
}

/* The switches there and back, as often as they can be, stay inside the struct. */
static void test_most_switches(void **state)
{
	char text[CODE128_TEXT_MAX + 1];
	struct code128 code;

	(void)state;
	for (size_t i = 0; i < CODE128_TEXT_MAX; i++)
		text[i] = i % 7 == 6 ? 'x' : '1';
	text[CODE128_TEXT_MAX] = '\0';
	assert_int_equal(code128_encode(text, &code), 0);
	assert_true(code.n < ARRAY_SIZE(code.values));
	assert_int_equal(code.values[code.n - 1], STOP);
}

/* The number that stands behind this text, which is next. */
static unsigned read_number(const char **path, const char *before)
{
	char *end;
	unsigned long value;

	assert_int_equal(strncmp(*path, before, strlen(before)), 0);
	value = strtoul(*path + strlen(before), &end, 10);
	assert_true(end > *path + strlen(before));
	*path = end;
	return (unsigned)value;
}

/* Widths of bars and spaces as they are drawn; returns how many. */
static unsigned read_bars(const char *path, unsigned *widths, unsigned max)
{
	unsigned n = 0, end = CODE128_QUIET_MODULES;

	while (*path) {
		unsigned x = read_number(&path, "M"), width = read_number(&path, " 0h");

		assert_int_equal(read_number(&path, "v"), BAR_HEIGHT);
		assert_int_equal(read_number(&path, "h-"), width);
		assert_int_equal(*path++, 'z');
		assert_true(n + 2 <= max && x >= end);
		if (n > 0)
			widths[n++] = x - end;
		else
			assert_int_equal(x, CODE128_QUIET_MODULES);
		widths[n++] = width;
		end = x + width;
	}
	return n;
}

/* ISO/IEC 15417: 11 modules in 3 bars and 3 spaces, bars even in sum; the stop has 13 in 4 and 3. */
static void test_every_pattern(void **state)
{
	unsigned seen[STOP] = {0};

	(void)state;
	for (uint8_t value = 0; value < STOP; value++) {
		/* The stop behind it closes its last space. */
		struct code128 code = {.n = 2, .values = {value, STOP}};
		_cleanup_(buf_done) struct buf path = BUF_INIT;
		unsigned widths[16], n, all = 0, bars = 0;

		code128_path(&code, BAR_HEIGHT, &path);
		n = read_bars(buf_text(&path), widths, ARRAY_SIZE(widths));
		assert_int_equal(n, 13);
		for (unsigned i = 0; i < 6; i++) {
			assert_in_range(widths[i], 1, 4);
			all += widths[i];
			bars += i % 2 == 0 ? widths[i] : 0;
			seen[value] = seen[value] * 10 + widths[i];
		}
		assert_int_equal(all, 11);
		assert_int_equal(bars % 2, 0);
		for (uint8_t other = 0; other < value; other++)
			assert_int_not_equal(seen[other], seen[value]);
		assert_memory_equal(&widths[6], ((unsigned[]){2, 3, 3, 1, 1, 1, 2}),
				    7 * sizeof(unsigned));
	}
}

static void test_width(void **state)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	unsigned widths[256], n, all = 0;
	struct code128 code;

	(void)state;
	assert_int_equal(code128_encode("WX12A", &code), 0);
	code128_path(&code, BAR_HEIGHT, &path);
	assert_int_equal(buf_error(&path), 0);
	n = read_bars(buf_text(&path), widths, ARRAY_SIZE(widths));
	for (unsigned i = 0; i < n; i++)
		all += widths[i];
	assert_int_equal(n, code.n * 6 + 1);
	assert_int_equal(all, 11 * code.n + 2);
	assert_int_equal(code128_modules(&code), all + 2 * CODE128_QUIET_MODULES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_symbols), cmocka_unit_test(test_code_sets),
		cmocka_unit_test(test_all_printable), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_most_switches), cmocka_unit_test(test_every_pattern),
		cmocka_unit_test(test_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
