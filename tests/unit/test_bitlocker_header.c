/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The volume header, field by field: most of it no Linux reader checks, but Windows may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exporter/bitlocker/header.h"
#include "tests/lib/expect.h"

static const struct volume_header sample = {
	.sector_bytes = 512,
	.sectors_per_cluster = 8,
	.hidden_sectors = 2048,
	.meta_off_bytes = {0x2100000, 0x123456789000, 0x8000000},
};

static void test_every_byte(void **state)
{
	static const struct {
		size_t off, len;
		const char *hex; /* NULL = zeros */
	} fields[] = {
		{0x000, 3, "eb5890"},
		{0x003, 8, "2d4656452d46532d"}, /* "-FVE-FS-" */
		{0x00b, 2, "0002"},		/* bytes per sector */
		{0x00d, 1, "08"},		/* sectors per cluster */
		{0x00e, 2, "0000"},		/* reserved */
		{0x010, 1, "00"},		/* FATs */
		{0x011, 2, "0000"},		/* root entries */
		{0x013, 2, "0000"},		/* sectors, 16 bit */
		{0x015, 1, "f8"},		/* media */
		{0x016, 2, "0000"},		/* sectors per FAT, 16 bit */
		{0x018, 2, "3f00"},		/* sectors per track */
		{0x01a, 2, "ff00"},		/* heads */
		{0x01c, 4, "00080000"},		/* hidden sectors */
		{0x020, 4, "00000000"},		/* sectors, 32 bit */
		{0x024, 4, "e01f0000"},
		{0x028, 8, "0000000000000000"}, /* FAT32 flags, version, root cluster */
		{0x030, 2, "0100"},		/* FSInfo sector */
		{0x032, 2, "0600"},		/* backup boot sector */
		{0x034, 12, "000000000000000000000000"},
		{0x040, 3, "800029"},
		{0x043, 4, "00000000"},		       /* volume serial */
		{0x047, 11, "4e4f204e414d4520202020"}, /* "NO NAME    " */
		{0x052, 8, "4641543332202020"},	       /* "FAT32   " */
		{0x05a, 4, "faf4ebfc"},		       /* our boot code */
		{0x05e, 0x42, NULL},
		{0x0a0, 16, "3bd66749292ed84a8399f6a339e3d001"},
		{0x0b0, 8, "0000100200000000"},
		{0x0b8, 8, "0090785634120000"},
		{0x0c0, 8, "0000000800000000"},
		{0x0c8, 56, NULL},
		{0x100, 152, NULL},
		{0x1fb, 3, "000000"},
		{0x1fe, 2, "55aa"},
	};
	uint8_t h[FVE_HEADER_BYTES], seen[FVE_HEADER_BYTES] = {0};
	struct err e = {0};

	(void)state;
	memset(h, 0xee, sizeof(h));
	expect_ok(volume_header_encode(&sample, h, &e), &e);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		for (size_t k = 0; k < fields[i].len; k++)
			seen[fields[i].off + k] = 1;
		if (fields[i].hex)
			expect_hex(h + fields[i].off, fields[i].len, fields[i].hex);
		for (size_t k = 0; !fields[i].hex && k < fields[i].len; k++)
			assert_int_equal(h[fields[i].off + k], 0);
	}
	/* The rest is filler that keeps a probe from seeing an empty partition table. */
	for (size_t i = 0; i < FVE_HEADER_BYTES; i++) {
		if (!seen[i])
			assert_int_equal(h[i], i < 0x1e8 ? 0x78 : 0xff);
		assert_int_equal(seen[i], !(i >= 0x198 && i < 0x1fb));
	}
}

static void test_4k(void **state)
{
	struct volume_header v = sample;
	uint8_t h[FVE_HEADER_BYTES];
	struct err e = {0};

	(void)state;
	v.sector_bytes = 4096;
	v.sectors_per_cluster = 128;
	v.hidden_sectors = UINT32_MAX;
	expect_ok(volume_header_encode(&v, h, &e), &e);
	expect_hex(h + 0x0b, 3, "001080");
	expect_hex(h + 0x1c, 4, "ffffffff");
}

static void test_encode_refuses(void **state)
{
	struct volume_header wrong[6];
	uint8_t h[FVE_HEADER_BYTES];
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		wrong[i] = sample;
	wrong[0].sector_bytes = 0;
	wrong[1].sector_bytes = 1024;
	wrong[2].sectors_per_cluster = 0;
	wrong[3].sectors_per_cluster = 12;
	wrong[4].sectors_per_cluster = 256;
	wrong[5].hidden_sectors = UINT64_C(1) << 32;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		expect_err(volume_header_encode(&wrong[i], h, &e), &e, EINVAL, ERR_SYSTEM,
			   "no volume header");
}

static void test_decode(void **state)
{
	struct volume_header back;
	uint8_t h[FVE_HEADER_BYTES];
	struct err e = {0};

	(void)state;
	expect_ok(volume_header_encode(&sample, h, &e), &e);
	expect_ok(volume_header_decode(h, &back, &e), &e);
	assert_memory_equal(&back, &sample, sizeof(back));
}

static void test_decode_refuses(void **state)
{
	static const struct {
		size_t off;
		uint8_t value;
		const char *text;
	} wrong[] = {
		{0x000, 0x00, "not a BitLocker volume"},
		{0x001, 0x52, "not a BitLocker volume"}, /* Windows Vista */
		{0x003, 'N', "not a BitLocker volume"},
		{0x00a, 0, "not a BitLocker volume"},
		{0x00b, 1, "sectors of 513"},
		{0x00c, 0, "sectors of 0"},
		{0x00d, 0, "0 a cluster"},
		{0x00d, 3, "3 a cluster"},
		{0x0a0, 0, "damaged"},
		{0x0af, 0, "damaged"},
	};
	struct volume_header back;
	uint8_t h[FVE_HEADER_BYTES], zeros[FVE_HEADER_BYTES] = {0};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		expect_ok(volume_header_encode(&sample, h, &e), &e);
		h[wrong[i].off] = wrong[i].value;
		expect_err(volume_header_decode(h, &back, &e), &e, EBADMSG, ERR_CORRUPT,
			   wrong[i].text);
	}
	expect_err(volume_header_decode(zeros, &back, &e), &e, EBADMSG, ERR_CORRUPT,
		   "not a BitLocker");
	expect_ok(volume_header_encode(&sample, h, &e), &e);
	assert_int_equal(parse_hex("3b4da89280dd0e4d9e4eb1e3284eaed8", h + 0xa0, 16), 0);
	expect_err(volume_header_decode(h, &back, &e), &e, EBADMSG, ERR_CORRUPT, "not finished");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte),     cmocka_unit_test(test_4k),
		cmocka_unit_test(test_encode_refuses), cmocka_unit_test(test_decode),
		cmocka_unit_test(test_decode_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
