/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Metadata blocks that are damaged, forged or hostile: refused, for the right reason and without
 * harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/le.h"
#include "tests/lib/expect.h"
#include "tests/lib/metadata_sample.h"

static void expect_refused(const struct sample *s, size_t at)
{
	uint8_t fvek[FVE_FVEK_MAX_BYTES];
	struct err e = {0};
	int r;

	memset(fvek, 0x77, sizeof(fvek));
	r = open_block(s, fvek, &e);
	if ((r != -EBADMSG && r != -EACCES) || e.code != -r || !e.text[0])
		fail_msg("changed at 0x%zx: %d, '%s'", at, r, e.text);
	for (size_t i = 0; i < sizeof(fvek); i++)
		assert_int_equal(fvek[i], 0x77);
}

/* Every byte that means something, changed in three ways. */
static void test_every_byte_counts(void **state)
{
	static const uint8_t flips[] = {0x01, 0x80, 0xff};
	struct sample s;

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_256, 512);
	size_t info_bytes = (size_t)le16_load(s.block + 8) * 16;

	for (size_t i = 0; i < info_bytes + 0x58; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(flips); k++) {
			if (i >= info_bytes + 8 + 2 && i < info_bytes + 16 &&
			    i != info_bytes + 12 && i != info_bytes + 13)
				continue; /* role and flags of the seal: nobody looks at them */
			s.block[i] ^= flips[k];
			expect_refused(&s, i);
			s.block[i] ^= flips[k];
		}
	}
	free(s.block);
}

static void fix_crc(uint8_t *block, size_t info_bytes)
{
	le32_store(block + info_bytes + 4, crc32_of(block, info_bytes));
}

/* The same by somebody who knows how to make the CRC right, but not the VMK. */
static void test_every_byte_is_sealed(void **state)
{
	static const uint8_t flips[] = {0x01, 0x80, 0xff};
	struct sample s;

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_256, 512);
	size_t info_bytes = (size_t)le16_load(s.block + 8) * 16;

	for (size_t i = 0; i < info_bytes; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(flips); k++) {
			s.block[i] ^= flips[k];
			fix_crc(s.block, info_bytes);
			expect_refused(&s, i);
			s.block[i] ^= flips[k];
		}
	}
	fix_crc(s.block, info_bytes);
	uint8_t fvek[FVE_FVEK_MAX_BYTES];
	struct err e = {0};

	expect_ok(open_block(&s, fvek, &e), &e);
	free(s.block);
}

/*
 * Many bytes changed at once, checksum right: only the sanitizers can find more than a refusal
 * here.
 */
static void test_noise(void **state)
{
	uint8_t good[INFO_BYTES];
	unsigned seed = 1;
	struct sample s;

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_128, 512);
	memcpy(good, s.block, sizeof(good));
	for (int round = 0; round < 20000; round++) {
		size_t n = 1 + (size_t)rand_r(&seed) % 6;

		memcpy(s.block, good, sizeof(good));
		while (n--) {
			/* Mostly where the sizes are. */
			size_t at = rand_r(&seed) & 1
					    ? OFF_DESC + 8 * ((size_t)rand_r(&seed) % 60)
					    : 0x40 + (size_t)rand_r(&seed) % (INFO_BYTES - 0x40);

			s.block[at] = (uint8_t)rand_r(&seed);
		}
		if (memcmp(s.block, good, sizeof(good)) == 0)
			continue;
		fix_crc(s.block, INFO_BYTES);
		expect_refused(&s, 0);
	}
	free(s.block);
}

struct patch {
	size_t off, bytes;
	uint64_t value;
	const char *text;
};

static void apply(uint8_t *block, const struct patch *p)
{
	for (size_t i = 0; i < p->bytes; i++)
		block[p->off + i] = (uint8_t)(p->value >> 8 * i);
}

/* Blocks that lie with a right checksum are refused for the right reason. */
static void test_hostile(void **state)
{
	static const struct patch patches[] = {
		{0x0a, 2, 1, "version 1"},
		{0x0c, 2, 2, "not fully encrypted"},
		{0x0e, 2, 1, "not fully encrypted"},
		{0x10, 8, UINT64_MAX, "volume of"},
		{0x10, 8, 0x18000001, "volume of"},
		{0x10, 8, 0, "volume of"},
		{0x10, 8, 0x10010000,
		 "cannot be at"}, /* the last copy would hold the last sector */
		{0x1c, 4, 0, "sectors of 0"},
		{0x1c, 4, 15, "sectors of 546"},
		{0x20, 8, 0, "cannot be at"},
		{0x20, 8, UINT64_MAX, "cannot be at"},
		{0x20, 8, 0x2100001, "cannot be at"},
		{0x20, 8, 0x2108000, "overlap"},
		{0x28, 8, 0x10000000, "overlap"},
		{0x28, 8, 0x18000000, "cannot be at"},
		{0x38, 8, 0x2120000, "two places"},
		{0x40, 4, 0x10000, "dataset's header"},
		{0x40, 4, 0x2f, "dataset's header"},
		{0x44, 4, 2, "dataset's header"},
		{0x48, 4, 0x40, "dataset's header"},
		{0x4c, 4, 0x40, "dataset's header"},
		{0x64, 2, 0x8000, "method 0x8000"},
		{0x64, 2, 0x8005, "volume's key"},
		{OFF_DESC, 2, 0, "datum of 0"},
		{OFF_DESC, 2, 7, "datum of 7"},
		{OFF_DESC, 2, 0xffff, "datum of 65535"},
		{OFF_VMK + 2, 2, 9, "no recovery password"},
		{OFF_VMK + 34, 2, 0x2000, "no recovery password"},
		{OFF_VMK, 2, 20, "cut short"},
		{OFF_VMK + 36, 2, 4, "datum of 4"},
		{OFF_VMK + 36, 2, 0x200, "datum of 512"},
		{OFF_VMK + 70, 2, 20, "stretched key"},
		{OFF_VMK + 78, 2, 0x2000, "stretched key"},
		{OFF_VMK + 74, 2, 9, "incomplete"},
		{OFF_VMK + 246, 2, 9, "incomplete"},
		{OFF_FVEK + 2, 2, 9, "volume's key"},
		{OFF_VIRT + 2, 2, 9, "two places"},
		{OFF_VIRT + 16, 8, 0x4000, "boot sectors"},
		{OFF_VIRT + 84, 8, 0x2100000, "overlap"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patches); i++) {
		struct metadata_boxes boxes;
		struct metadata m;
		struct sample s;
		struct err e = {0};

		encode_sample(&s, BITLOCKER_XTS_128, 512);
		apply(s.block, &patches[i]);
		fix_crc(s.block, INFO_BYTES);
		expect_err(metadata_decode(s.block, &m, &boxes, &e), &e, EBADMSG, ERR_CORRUPT,
			   patches[i].text);
		free(s.block);
	}
}

/* A dataset that says, twice, that it is longer than the info it stands in. */
static void test_hostile_dataset(void **state)
{
	static const uint32_t too_long[] = {INFO_BYTES - 0x40 + 1, 0xffff, 0x10000, UINT32_MAX};
	struct metadata_boxes boxes;
	struct metadata m;
	struct sample s;
	struct err e = {0};

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_128, 512);
	for (size_t i = 0; i < ARRAY_SIZE(too_long); i++) {
		le32_store(s.block + 0x40, too_long[i]);
		le32_store(s.block + 0x4c, too_long[i]);
		fix_crc(s.block, INFO_BYTES);
		expect_err(metadata_decode(s.block, &m, &boxes, &e), &e, EBADMSG, ERR_CORRUPT,
			   "dataset's header");
	}
	free(s.block);
}

/* Sizes at the ends of the block, and blocks of nothing. */
static void test_hostile_sizes(void **state)
{
	static const uint16_t units[] = {0, 1, 6, 7, 0xff8, 0xfff, 0x1000, 0xffff};
	struct metadata_boxes boxes;
	struct metadata m;
	struct sample s;
	struct err e = {0};

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_128, 512);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		le16_store(s.block + 8, units[i]);
		expect_err(metadata_decode(s.block, &m, &boxes, &e), &e, EBADMSG, ERR_CORRUPT, "");
	}
	for (int fill = 0; fill < 256; fill += 85) {
		memset(s.block, fill, FVE_METADATA_BYTES);
		expect_err(metadata_decode(s.block, &m, &boxes, &e), &e, EBADMSG, ERR_CORRUPT,
			   "signature");
	}
	free(s.block);
}

/* Two recovery passwords, as somebody may add one: the first is the one that counts. */
static void test_two_protectors(void **state)
{
	size_t vmk_bytes = OFF_FVEK - OFF_VMK, info_bytes;
	struct metadata_boxes boxes;
	struct metadata m;
	struct sample s;
	struct err e = {0};

	(void)state;
	encode_sample(&s, BITLOCKER_XTS_128, 512);
	memmove(s.block + OFF_FVEK + vmk_bytes, s.block + OFF_FVEK, OFF_END - OFF_FVEK);
	memcpy(s.block + OFF_FVEK, s.block + OFF_VMK, vmk_bytes);
	s.block[OFF_FVEK + 8] ^= 0xff; /* of its GUID */
	info_bytes = (size_t)round_up_u64(OFF_END + vmk_bytes, 16);
	memset(s.block + OFF_END + vmk_bytes, 0, info_bytes - OFF_END - vmk_bytes);
	le16_store(s.block + 0x08, (uint16_t)(info_bytes / 16));
	le32_store(s.block + 0x40, (uint32_t)(OFF_END + vmk_bytes - 0x40));
	le32_store(s.block + 0x4c, (uint32_t)(OFF_END + vmk_bytes - 0x40));
	le16_store(s.block + info_bytes, (uint16_t)(FVE_METADATA_BYTES - info_bytes));
	le16_store(s.block + info_bytes + 2, 2);
	fix_crc(s.block, info_bytes);
	le16_store(s.block + info_bytes + 8, 0x50); /* a seal, of nothing */
	le16_store(s.block + info_bytes + 12, 5);
	expect_ok(metadata_decode(s.block, &m, &boxes, &e), &e);
	assert_memory_equal(m.recovery_guid, s.m.recovery_guid, GUID_BYTES);
	assert_ptr_equal(boxes.vmk.data, s.block + OFF_VMK + 242 + 8);
	free(s.block);
}

/*
 * As Windows 7 writes it: the virtualisation datum without extended info, so without an ICE area.
 */
static void test_no_extended_info(void **state)
{
	struct metadata_boxes boxes;
	struct metadata m;
	struct sample s;
	struct err e = {0};

	(void)state;
	encode_sample(&s, BITLOCKER_CBC_128, 512);
	size_t info_bytes = (size_t)le16_load(s.block + 8) * 16, virt = OFF_VIRT - 0x10;

	le16_store(s.block + virt, 0x18);
	le32_store(s.block + 0x40, (uint32_t)(virt + 0x18 - 0x40));
	le32_store(s.block + 0x4c, (uint32_t)(virt + 0x18 - 0x40));
	fix_crc(s.block, info_bytes);
	expect_ok(metadata_decode(s.block, &m, &boxes, &e), &e);
	assert_int_equal(m.geometry.ice_off_bytes, 0);
	assert_int_equal(m.geometry.vbb_off_bytes, 0x2110000);
	free(s.block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte_counts),
		cmocka_unit_test(test_every_byte_is_sealed),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_hostile_dataset),
		cmocka_unit_test(test_hostile_sizes),
		cmocka_unit_test(test_two_protectors),
		cmocka_unit_test(test_no_extended_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
