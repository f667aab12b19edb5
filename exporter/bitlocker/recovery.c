/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recovery password and recovery key; the messages must never repeat a digit. */
#include "exporter/bitlocker/recovery.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/le.h"
#include "common/ext/secret.h"

#define GROUPS	     8
#define GROUP_DIGITS 6
#define DIGITS	     (GROUPS * GROUP_DIGITS)
#define CHECK	     11

#define DIGIT_CHARS	"0123456789"
#define BLANK_CHARS	" \t\r\n"
#define SEPARATOR_CHARS "-" BLANK_CHARS

void recovery_password_format(const uint8_t key[FVE_RECOVERY_KEY_BYTES],
			      char ret[RECOVERY_PASSWORD_BYTES])
{
	char *p = ret;

	for (size_t group = 0; group < GROUPS; group++) {
		uint32_t v = (uint32_t)le16_load(key + 2 * group) * CHECK;

		for (size_t i = GROUP_DIGITS; i-- > 0; v /= 10)
			p[i] = (char)('0' + v % 10);
		p[GROUP_DIGITS] = group + 1 < GROUPS ? '-' : '\0';
		p += GROUP_DIGITS + 1;
	}
}

/* Six digits at text to one number of the key. */
static int parse_group(const char *text, unsigned number, uint8_t *ret, struct err *e)
{
	uint32_t v = 0;

	for (size_t i = 0; i < GROUP_DIGITS; i++)
		v = v * 10 + (uint32_t)(text[i] - '0');
	if (v % CHECK)
		return err_user(
			e, "recovery password: group %u is mistyped, its check digit does not fit",
			number);
	if (v / CHECK > UINT16_MAX)
		return err_user(e,
				"recovery password: group %u is too large, 720885 is the highest",
				number);
	le16_store(ret, (uint16_t)(v / CHECK));
	return 0;
}

/*
 * What is wrong with a group that has n digits instead of six; next is the character behind them.
 */
static int refuse_group(unsigned number, size_t n, char next, struct err *e)
{
	if (next && !strchr(SEPARATOR_CHARS, next))
		return err_user(e,
				"recovery password: group %u has a character that is not a digit",
				number);
	if (n == 0)
		return err_user(e, "recovery password: only %u groups of 6 digits, it has 8",
				number - 1);
	return err_user(e, "recovery password: group %u has %zu digits, not 6", number, n);
}

static int parse_groups(const char *text, uint8_t *key, struct err *e)
{
	const char *p = text + strspn(text, BLANK_CHARS);
	bool in_a_row = strspn(p, DIGIT_CHARS) == DIGITS;

	for (unsigned number = 1; number <= GROUPS; number++) {
		size_t n = in_a_row ? GROUP_DIGITS : strspn(p, DIGIT_CHARS);
		int r;

		if (n != GROUP_DIGITS || (p[n] && !strchr(DIGIT_CHARS SEPARATOR_CHARS, p[n])))
			return refuse_group(number, n, p[n], e);
		r = parse_group(p, number, key + 2 * (number - 1), e);
		if (r < 0)
			return r;
		p += n;
		p += strspn(p, number < GROUPS ? SEPARATOR_CHARS : BLANK_CHARS);
	}
	if (*p)
		return err_user(e, "recovery password: there is more behind its 48 digits");
	return 0;
}

int recovery_password_parse(const char *text, uint8_t ret_key[FVE_RECOVERY_KEY_BYTES],
			    struct err *e)
{
	uint8_t key[FVE_RECOVERY_KEY_BYTES];
	int r = parse_groups(text, key, e);

	if (r == 0)
		memcpy(ret_key, key, sizeof(key));
	secret_wipe(key, sizeof(key));
	return r;
}
