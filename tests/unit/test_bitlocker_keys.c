/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recovery password, stretching and boxes, against values of real Windows volumes and known
 * vectors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "exporter/bitlocker/keys.h"
#include "exporter/bitlocker/recovery.h"
#include "tests/lib/expect.h"

#define PASSWORD "111111-222222-333333-444444-555555-666666-000011-720885"
#define KEY	 "7527ea4e5f76d49d49c5beec0100ffff"

static void expect_key(const char *password, const char *hex)
{
	uint8_t key[FVE_RECOVERY_KEY_BYTES];
	struct err e = {0};

	expect_ok(recovery_password_parse(password, key, &e), &e);
	expect_hex(key, sizeof(key), hex);
}

static void test_password_round_trip(void **state)
{
	uint8_t key[FVE_RECOVERY_KEY_BYTES], back[FVE_RECOVERY_KEY_BYTES];
	char text[RECOVERY_PASSWORD_BYTES];
	struct err e = {0};

	(void)state;
	assert_int_equal(parse_hex(KEY, key, sizeof(key)), 0);
	recovery_password_format(key, text);
	assert_string_equal(text, PASSWORD);
	expect_key(text, KEY);
	for (unsigned v = 0; v <= UINT16_MAX; v += 13) {
		for (size_t i = 0; i < 8; i++) {
			key[2 * i] = (uint8_t)(v + i);
			key[2 * i + 1] = (uint8_t)((v + i) >> 8);
		}
		recovery_password_format(key, text);
		assert_int_equal(strlen(text), RECOVERY_PASSWORD_BYTES - 1);
		expect_ok(recovery_password_parse(text, back, &e), &e);
		assert_memory_equal(back, key, sizeof(key));
	}
}

static void test_password_forms(void **state)
{
	(void)state;
	expect_key("111111222222333333444444555555666666000011720885", KEY);
	expect_key(" 111111222222333333444444555555666666000011720885\n", KEY);
	expect_key("111111 222222 333333 444444 555555 666666 000011 720885", KEY);
	expect_key("\t" PASSWORD "\r\n", KEY);
	expect_key("111111 - 222222 - 333333-444444-555555-666666-000011-720885", KEY);
	expect_key("000000-000000-000000-000000-000000-000000-000000-000000",
		   "00000000000000000000000000000000");
}

static void test_password_mistakes(void **state)
{
	static const struct {
		const char *password, *text;
	} wrong[] = {
		{"", "only 0 groups"},
		{"\n", "only 0 groups"},
		{"111111", "only 1 groups"},
		{"111111-222222-333333-444444-555555-666666-000011", "only 7 groups"},
		{"111111-222222-333333-444444-555555-666666-000011-", "only 7 groups"},
		{"111111-222222-33333-444444-555555-666666-000011-720885", "group 3 has 5 digits"},
		{"111111-2222222-333333-444444-555555-666666-000011-720885",
		 "group 2 has 7 digits"},
		{"111111222222-333333-444444-555555-666666-000011-720885", "group 1 has 12 digits"},
		{"11111122222233333344444455555566666600001172088", "group 1 has 47 digits"},
		{"1111112222223333334444445555556666660000117208851", "group 1 has 49 digits"},
		{"111111-222222-333333-44444x-555555-666666-000011-720885",
		 "group 4 has a character"},
		{"111111-222222-333333-444444\xe2\x80\x93"
		 "555555-666666-000011-720885",
		 "group 4 has a character"},
		{"password", "group 1 has a character"},
		{"111112-222222-333333-444444-555555-666666-000011-720885", "group 1 is mistyped"},
		{"111111-222222-333333-444444-555555-666666-000101-720885", "group 7 is mistyped"},
		{"111111-222222-333333-444444-555555-666666-000011-720984", "group 8 is too large"},
		{"111111-222222-333333-444444-555555-666666-000011-720896", "group 8 is too large"},
		{"111111-222222-333333-444444-555555-666666-000011-999999", "group 8 is too large"},
		{PASSWORD "-", "more behind"},
		{PASSWORD " 000000", "more behind"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		uint8_t key[FVE_RECOVERY_KEY_BYTES];
		struct err e = {0};

		memset(key, 0x77, sizeof(key));
		expect_err(recovery_password_parse(wrong[i].password, key, &e), &e, EINVAL,
			   ERR_USER, wrong[i].text);
		expect_hex(key, sizeof(key), "77777777777777777777777777777777");
		assert_null(strstr(e.text, "2222"));
	}
}

/* Swapped neighbours and single wrong digits, the usual slips, are all found. */
static void test_password_slips(void **state)
{
	static const char good[] = PASSWORD;
	uint8_t key[FVE_RECOVERY_KEY_BYTES];
	char bad[sizeof(good)];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(good); i++) {
		if (good[i] == '-')
			continue;
		for (int c = '0'; c <= '9'; c++) {
			memcpy(bad, good, sizeof(good));
			bad[i] = (char)c;
			assert_int_equal(recovery_password_parse(bad, key, NULL),
					 c == good[i] ? 0 : -EINVAL);
		}
	}
}

static void expect_stretched(const char *password, const char *salt_hex, const char *hex)
{
	uint8_t key[FVE_RECOVERY_KEY_BYTES], salt[FVE_SALT_BYTES], out[BOX_KEY_BYTES];
	struct err e = {0};
	uint64_t start_ns;

	expect_ok(recovery_password_parse(password, key, &e), &e);
	assert_int_equal(parse_hex(salt_hex, salt, sizeof(salt)), 0);
	start_ns = clock_monotonic_ns();
	expect_ok(key_stretch(key, salt, out, &e), &e);
	print_message("stretched in %.2f s\n", (double)(clock_monotonic_ns() - start_ns) / 1e9);
	expect_hex(out, sizeof(out), hex);
}

static void test_stretch(void **state)
{
	(void)state;
	expect_stretched(PASSWORD, "000102030405060708090a0b0c0d0e0f",
			 "b0aa07a07d40c3c23bf4e39a723701a42adfd6a37060fbb15c747f30bbce6275");
	/* A volume of Windows 10 build 18363. */
	expect_stretched("284867-596541-514998-422114-660297-261613-215424-199408",
			 "6a762f0a5eafb9f72f1445f1351d0406",
			 "d3bb066813b137043d0e20430beba4f52377e4172ba64a7e4aadde6be662ccd1");
}

static const char vmk_box_hex[] =
	"000000000000dc0103000000 a80f7aeb597de170d296d7125ffcdb57"
	"e3eb363d644ef56c6de4fcf1aeb86d2b065a581d3949c449c88d3cc29e3a3edf89e972b450e1fc0b26b651d2";

static void known_keys(uint8_t stretched[BOX_KEY_BYTES], uint8_t vmk[FVE_VMK_BYTES])
{
	assert_int_equal(
		parse_hex("b0aa07a07d40c3c23bf4e39a723701a42adfd6a37060fbb15c747f30bbce6275",
			  stretched, BOX_KEY_BYTES),
		0);
	for (uint8_t i = 0; i < FVE_VMK_BYTES; i++)
		vmk[i] = i;
}

static void test_box_golden(void **state)
{
	struct box_nonce nonce = {.filetime = 0x01dc000000000000, .counter = 3};
	uint8_t stretched[BOX_KEY_BYTES], vmk[FVE_VMK_BYTES], back[FVE_VMK_BYTES];
	uint8_t box[FVE_BOX_OVERHEAD + FVE_KEY_DATUM_MAX_BYTES], plain[44];
	size_t box_bytes = box_key_bytes(FVE_VMK_BYTES);
	struct err e = {0};

	(void)state;
	known_keys(stretched, vmk);
	assert_int_equal(box_bytes, 72);
	expect_ok(box_seal_key(stretched, nonce, FVE_KEY_VMK, vmk, sizeof(vmk), box, &e), &e);
	expect_hex(box, box_bytes, vmk_box_hex);
	assert_int_equal(box_open(stretched, box, box_bytes, plain), 0);
	expect_hex(plain, sizeof(plain),
		   "2c00000001000000 03200000 "
		   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
	expect_ok(box_open_key(stretched, box, box_bytes, FVE_KEY_VMK, back, sizeof(back), &e), &e);
	assert_memory_equal(back, vmk, sizeof(vmk));
}

static void test_box_refuses(void **state)
{
	struct box_nonce nonce = {.filetime = 0x01dc000000000000, .counter = 3};
	uint8_t stretched[BOX_KEY_BYTES], vmk[FVE_VMK_BYTES], back[FVE_FVEK_MAX_BYTES];
	uint8_t box[FVE_BOX_OVERHEAD + FVE_KEY_DATUM_MAX_BYTES];
	size_t n = box_key_bytes(FVE_VMK_BYTES);
	struct err e = {0};

	(void)state;
	known_keys(stretched, vmk);
	expect_ok(box_seal_key(stretched, nonce, FVE_KEY_VMK, vmk, sizeof(vmk), box, &e), &e);
	memset(back, 0x77, sizeof(back));
	for (size_t i = 0; i < n; i++) {
		box[i] ^= 1;
		assert_int_equal(box_open_key(stretched, box, n, FVE_KEY_VMK, back, 32, &e),
				 -EACCES);
		box[i] ^= 1;
	}
	stretched[0] ^= 1;
	assert_int_equal(box_open_key(stretched, box, n, FVE_KEY_VMK, back, 32, &e), -EACCES);
	stretched[0] ^= 1;
	expect_err(box_open_key(stretched, box, n, FVE_KEY_SHA256, back, 32, &e), &e, EBADMSG,
		   ERR_CORRUPT, "should");
	expect_err(box_open_key(stretched, box, n, FVE_KEY_VMK, back, 16, &e), &e, EBADMSG,
		   ERR_CORRUPT, "box of 72");
	assert_int_equal(box_open_key(stretched, box, n - 1, FVE_KEY_VMK, back, 32, &e), -EBADMSG);
	assert_int_equal(box_open(stretched, box, FVE_BOX_OVERHEAD, back), -EACCES);
	assert_int_equal(box_open(stretched, box, 0, back), -EACCES);
	assert_int_equal(box_seal_key(stretched, nonce, FVE_KEY_VMK, vmk, 65, box, &e), -EINVAL);
	for (size_t i = 0; i < sizeof(back); i++)
		assert_int_equal(back[i], 0x77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_password_round_trip),
		cmocka_unit_test(test_password_forms),
		cmocka_unit_test(test_password_mistakes),
		cmocka_unit_test(test_password_slips),
		cmocka_unit_test(test_stretch),
		cmocka_unit_test(test_box_golden),
		cmocka_unit_test(test_box_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
