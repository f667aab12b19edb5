/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The metadata block: golden bytes, field by field and whole, and the way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/le.h"
#include "tests/lib/expect.h"
#include "tests/lib/metadata_sample.h"

/* The whole block, as a second implementation of the format made it. */
static void test_golden(void **state)
{
	static const struct {
		enum bitlocker_cipher cipher;
		uint32_t sector_bytes;
		const char *sha256;
	} want[] = {
		{BITLOCKER_CBC_128, 512,
		 "4913486e67ebe8b52bd62fe466de2555f34990359782796e5ffd02e415545bce"},
		{BITLOCKER_CBC_256, 512,
		 "917999125a7d35c524dc3ece425871ef3a4432c3bb85e5facb4a6ad9544d3736"},
		{BITLOCKER_XTS_128, 512,
		 "8e4854867ad3add5e930005543fff4097b44209881ac017f568569b502ee185a"},
		{BITLOCKER_XTS_256, 512,
		 "9b5db55136584da2b4a000ace50fa36c9f413bfce64b6e860c60c08d33228fbc"},
		{BITLOCKER_XTS_256, 4096,
		 "b668ccea55d19d746faec1ec2d14166284f7e2c8d867be8f406957c4c0d0b55e"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct sample s;

		encode_sample(&s, want[i].cipher, want[i].sector_bytes);
		expect_sha256(s.block, FVE_METADATA_BYTES, want[i].sha256);
		free(s.block);
	}
}

static void test_info_header(void **state)
{
	struct sample s;

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_128, 512);
	expect_hex(s.block, 0x40,
		   "2d4656452d46532d" /* signature */
		   "2a00 0200"	      /* size of the info / 16, version */
		   "0400 0400"	      /* state, next state: encrypted */
		   "0000001800000000" /* volume size */
		   "00000000"	      /* conversion region */
		   "10000000"	      /* relocated sectors */
		   "0000100200000000 0000000800000000 0000001000000000" /* metadata */
		   "0000110200000000");					/* VBB */
	free(s.block);
	encode_sample(&s, BITLOCKER_XTS_128, 4096);
	assert_int_equal(le32_load(s.block + 0x1c), 2);
	free(s.block);
}

static void test_dataset_header(void **state)
{
	struct sample s;

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_128, 512);
	expect_hex(s.block + 0x40, 0x30,
		   "5c020000 01000000 30000000 5c020000" /* size, version, start, end */
		   "808182838485868788898a8b8c8d8e8f"	 /* volume GUID */
		   "06000000"				 /* next nonce: five boxes were made */
		   "0480 0480"				 /* method, preferred method */
		   "000000000000dc01");			 /* creation time */
	free(s.block);
}

static void test_datums(void **state)
{
	struct sample s;

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_128, 512);
	expect_hex(s.block + OFF_DESC, 0x36,
		   "3600 0700 0200 0100" /* role description, type text */
		   "48004f005300540020004200610063006b0075007000200032003000320036002d00"
		   "310031002d003200320000 00");
	expect_hex(
		s.block + OFF_VMK, 36,
		"4201 0200 0800 0100 909192939495969798999a9b9c9d9e9f 000000000000dc01 0000 0008");
	expect_hex(s.block + OFF_VMK + 36, 0x22,
		   "2200 0000 0200 0100 4400690073006b00500061007300730077006f0072006400 0000");
	expect_hex(s.block + OFF_VMK + 70, 28,
		   "ac00 0000 0300 0100 0010 0000 000102030405060708090a0b0c0d0e0f");
	expect_hex(s.block + OFF_VMK + 98, 20, "4000 1200 0500 0100 000000000000dc01 01000000");
	expect_hex(s.block + OFF_VMK + 162, 20, "5000 1300 0500 0100 000000000000dc01 02000000");
	expect_hex(s.block + OFF_VMK + 242,
		   0x50, /* VMK 00..1f under the stretched key: a known vector */
		   "5000 0000 0500 0100 000000000000dc0103000000 a80f7aeb597de170d296d7125ffcdb57"
		   "e3eb363d644ef56c6de4fcf1aeb86d2b065a581d3949c449c88d3cc29e3a3edf89e972b450e1fc0"
		   "b26b651d2");
	expect_hex(s.block + OFF_FVEK, 20, "5000 0300 0500 0100 000000000000dc01 04000000");
	free(s.block);
}

/* The extended info is read by Windows alone. */
static void test_virtual(void **state)
{
	struct sample s;

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_128, 512);
	expect_hex(s.block + OFF_VIRT, 0x64,
		   "6400 0f00 0f00 0100 0000110200000000 0020000000000000"
		   "0500 4c00 00000000 0a00000000000000" /* version, size, wipe files, flags */
		   "0000000000000000 00000000"		 /* conversion log */
		   "00020000 00020000"			 /* sectors: logical, native */
		   "0a000000 00000000 654a0000 02000000" /* Windows 10.0.19045, NT */
		   "0000 0000 1001 01 02" /* service pack, suite, product, architecture */
		   "0020110200000000 0000010000000000"); /* ICE */
	expect_hex(s.block + OFF_END, INFO_BYTES - OFF_END, "00000000");
	free(s.block);
}

static void test_validation(void **state)
{
	struct sample s;

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_128, 512);
	expect_hex(s.block + INFO_BYTES, 4, "60fd 0200"); /* the block's rest, version */
	assert_int_equal(le32_load(s.block + INFO_BYTES + 4), crc32_of(s.block, INFO_BYTES));
	expect_hex(s.block + INFO_BYTES + 8, 20, "5000 0000 0500 0100 000000000000dc01 05000000");
	for (size_t i = INFO_BYTES + 0x58; i < FVE_METADATA_BYTES; i++)
		assert_int_equal(s.block[i], 0);
	free(s.block);
}

/* What the boxes hold, the two that only Windows ever opens included. */
static void test_boxes(void **state)
{
	struct sample s;
	uint8_t out[FVE_FVEK_MAX_BYTES], hash[SHA256_BYTES];
	const uint8_t *escrow;
	struct err e = {0};

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_128, 512);
	escrow = s.block + OFF_VMK + 98;
	expect_ok(box_open_key(s.secrets.vmk, escrow + 8, 0x38, FVE_KEY_RECOVERY, out, 16, &e), &e);
	assert_memory_equal(out, s.secrets.recovery_key, 16);
	escrow += 0x40;
	expect_ok(box_open_key(s.secrets.vmk, escrow + 8, 0x48, FVE_KEY_STRETCHED, out, 32, &e),
		  &e);
	assert_memory_equal(out, s.secrets.stretched_key, 32);
	expect_ok(box_open_key(s.secrets.vmk, s.block + OFF_FVEK + 8, 0x48, FVE_METHOD_XTS_128, out,
			       32, &e),
		  &e);
	assert_memory_equal(out, s.secrets.fvek, 32);
	expect_ok(box_open_key(s.secrets.vmk, s.block + INFO_BYTES + 16, 0x48, FVE_KEY_SHA256, hash,
			       32, &e),
		  &e);
	char hex[65];
	expect_sha256(s.block, INFO_BYTES, format_hex(hash, sizeof(hash), 0, hex));
	free(s.block);
}

static void test_round_trip(void **state)
{
	(void)state;
	for (int cipher = 0; cipher < BITLOCKER_CIPHERS; cipher++) {
		uint8_t fvek[FVE_FVEK_MAX_BYTES] = {0};
		struct metadata_boxes boxes;
		struct metadata m;
		struct sample s;
		struct err e = {0};

		encode_sample(&s, (enum bitlocker_cipher)cipher, 512);
		expect_ok(metadata_decode(s.block, &m, &boxes, &e), &e);
		assert_int_equal(m.cipher, s.m.cipher);
		assert_memory_equal(&m.geometry, &s.m.geometry, sizeof(m.geometry));
		assert_int_equal(m.created_filetime, s.m.created_filetime);
		assert_memory_equal(m.volume_guid, s.m.volume_guid, GUID_BYTES);
		assert_memory_equal(m.recovery_guid, s.m.recovery_guid, GUID_BYTES);
		assert_memory_equal(m.salt, s.m.salt, FVE_SALT_BYTES);
		expect_ok(metadata_unlock(&m, &boxes, s.secrets.stretched_key, fvek, &e), &e);
		assert_memory_equal(fvek, s.secrets.fvek, bitlocker_cipher_fvek_bytes(m.cipher));
		free(s.block);
	}
}

static void test_wrong_key(void **state)
{
	uint8_t fvek[FVE_FVEK_MAX_BYTES];
	struct sample s;
	struct err e = {0};

	(void)state;
	encode_sample(&s, BITLOCKER_CBC_256, 512);
	s.secrets.stretched_key[31] ^= 1;
	expect_err(open_block(&s, fvek, &e), &e, EACCES, ERR_USER, "recovery password");
	free(s.block);
}

static void test_description(void **state)
{
	char text[300];
	struct sample s;
	struct err e = {0};

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_256, 512);
	memset(text, 'x', sizeof(text));
	text[METADATA_DESCRIPTION_MAX_UNITS] = '\0';
	expect_ok(metadata_encode(&s.m, text, &s.secrets, s.block, &e), &e);
	expect_ok(open_block(&s, s.secrets.fvek, &e), &e);
	expect_ok(metadata_encode(&s.m, "", &s.secrets, s.block, &e), &e);
	expect_ok(open_block(&s, s.secrets.fvek, &e), &e);
	expect_ok(metadata_encode(&s.m, "Gerät 東京 💾", &s.secrets, s.block, &e), &e);
	expect_ok(open_block(&s, s.secrets.fvek, &e), &e);
	text[METADATA_DESCRIPTION_MAX_UNITS] = 'x';
	text[METADATA_DESCRIPTION_MAX_UNITS + 1] = '\0';
	expect_err(metadata_encode(&s.m, text, &s.secrets, s.block, &e), &e, EINVAL, ERR_USER,
		   "too long");
	expect_err(metadata_encode(&s.m, "\xff", &s.secrets, s.block, &e), &e, EINVAL, ERR_USER,
		   "UTF-8");
	free(s.block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),	       cmocka_unit_test(test_info_header),
		cmocka_unit_test(test_dataset_header), cmocka_unit_test(test_datums),
		cmocka_unit_test(test_virtual),	       cmocka_unit_test(test_validation),
		cmocka_unit_test(test_boxes),	       cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_wrong_key),      cmocka_unit_test(test_description),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
