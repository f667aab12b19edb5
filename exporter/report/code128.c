/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Code 128. A symbol character is three bars and three spaces, eleven modules in all; the stop
 * character has one bar more. Between set B (a value per character of ASCII from blank on) and set
 * C (a value per pair of digits) a character switches over.
 */
#include "exporter/report/code128.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define CODE_C	99 /* in set B: what follows is set C */
#define CODE_B	100
#define START_B 104
#define START_C 105
#define STOP	106
#define CHECK	103 /* the modulus of the check character */

/* Fewer digits in a row than this do not pay for two switches, nor these for one at an end. */
#define RUN_INSIDE 6
#define RUN_AT_END 4

/* Widths in modules, bar first, by value: ISO/IEC 15417, table 1. */
static const char widths[][8] = {
	"212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312",	 "132212",
	"221213", "221312", "231212", "112232", "122132", "122231", "113222", "123122",	 "123221",
	"223211", "221132", "221231", "213212", "223112", "312131", "311222", "321122",	 "321221",
	"312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123",	 "131321",
	"112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331",	 "132131",
	"113123", "113321", "133121", "313121", "211331", "231131", "213113", "213311",	 "213131",
	"311123", "311321", "331121", "312113", "312311", "332111", "314111", "221411",	 "431111",
	"111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412",	 "122114",
	"122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111",	 "111242",
	"121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211",	 "212141",
	"214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113",	 "411311",
	"113141", "114131", "311141", "411131", "211412", "211214", "211232", "2331112",
};
_Static_assert(ARRAY_SIZE(widths) == STOP + 1, "a pattern per value");

static void put(struct code128 *code, unsigned value)
{
	code->values[code->n++] = (uint8_t)value;
}

static size_t digits(const char *text)
{
	return strspn(text, "0123456789");
}

static int is_text(const char *text)
{
	size_t n = strnlen(text, CODE128_TEXT_MAX + 1);

	if (n == 0 || n > CODE128_TEXT_MAX)
		return 0;
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return 0;
	}
	return 1;
}

/* Whether the run of digits that begins here is long enough for set C. */
static int pays(const char *text, int at_begin)
{
	size_t n = digits(text);

	return n >= RUN_INSIDE || (n >= RUN_AT_END && (at_begin || text[n] == '\0'));
}

/* All pairs of digits that begin here; returns what follows them. */
static const char *put_pairs(struct code128 *code, const char *text)
{
	for (; digits(text) >= 2; text += 2)
		put(code, (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0'));
	return text;
}

static void put_check(struct code128 *code)
{
	unsigned sum = code->values[0];

	for (unsigned i = 1; i < code->n; i++)
		sum += i * code->values[i];
	put(code, sum % CHECK);
}

int code128_encode(const char *text, struct code128 *ret)
{
	struct code128 code = {0};

	if (!is_text(text))
		return -EINVAL;
	if (pays(text, 1)) {
		put(&code, START_C);
		text = put_pairs(&code, text);
		if (*text)
			put(&code, CODE_B);
	} else {
		put(&code, START_B);
	}
	while (*text) {
		/* Of an odd run, the first digit goes before the switch. */
		if (pays(text, 0) && digits(text) % 2 == 0) {
			put(&code, CODE_C);
			text = put_pairs(&code, text);
			if (*text)
				put(&code, CODE_B);
		} else {
			put(&code, (unsigned)(*text++ - ' '));
		}
	}
	put_check(&code);
	put(&code, STOP);
	*ret = code;
	return 0;
}

unsigned code128_modules(const struct code128 *code)
{
	return 2 * CODE128_QUIET_MODULES + 11 * code->n + 2;
}

void code128_path(const struct code128 *code, unsigned height, struct buf *out)
{
	unsigned x = CODE128_QUIET_MODULES;

	for (unsigned i = 0; i < code->n; i++) {
		const char *pattern = widths[code->values[i]];

		for (size_t j = 0; pattern[j]; j++) {
			unsigned width = (unsigned)(pattern[j] - '0');

			if (j % 2 == 0)
				buf_printf(out, "M%u 0h%uv%uh-%uz", x, width, height, width);
			x += width;
		}
	}
}
