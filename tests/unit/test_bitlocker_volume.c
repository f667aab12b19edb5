/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Volumes made, sealed and unlocked: keys, damaged copies, wrong passwords, power cuts at every
 * step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/le.h"
#include "exporter/bitlocker/volume.h"
#include "tests/lib/expect.h"
#include "tests/lib/target_fault.h"
#include "tests/lib/target_mem.h"

#define VOLUME_BYTES (2 * MiB)

static const char other_password[] = "111111-222222-333333-444444-555555-666666-000011-720885";

static struct bitlocker_params sample_params(void)
{
	return (struct bitlocker_params){
		.cipher = BITLOCKER_XTS_256,
		.geometry = {.volume_bytes = VOLUME_BYTES,
			     .sector_bytes = 512,
			     .meta_off_bytes = {0x40000, 0xc0000, 0x180000},
			     .vbb_off_bytes = 0x50000,
			     .ice_off_bytes = 0x60000},
		.sectors_per_cluster = 8,
		.hidden_sectors = 2048,
		.now_filetime = 0x01dc000000000000,
		.description = "HOST Backup 2026-11-22",
	};
}

/* One volume for all tests: stretching takes its time. */
struct fixture {
	struct bitlocker_params params;
	struct bitlocker_volume v;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err e = {0};

	if (!f)
		return -1;
	f->params = sample_params();
	*state = f;
	return bitlocker_create(&f->params, &f->v, &e);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bitlocker_volume_done(&f->v);
	free(f);
	return 0;
}

static struct target *sealed_partition(const struct fixture *f)
{
	struct target *t;
	struct err e = {0};

	assert_int_equal(target_mem_new(VOLUME_BYTES, 512, &t), 0);
	memset(target_mem_data(t), 0xee, VOLUME_BYTES);
	expect_ok(bitlocker_seal(t, &f->params, f->v.metadata, &e), &e);
	return t;
}

/* Equal keys encrypt equally. */
static void expect_same_keys(const struct bitlocker_keys *a, const struct bitlocker_keys *b)
{
	uint8_t plain[512] = {1}, out[2][512];
	const struct bitlocker_keys *keys[2] = {a, b};
	struct err e = {0};

	for (int i = 0; i < 2; i++) {
		struct sector_cipher *c;

		expect_ok(bitlocker_keys_cipher(keys[i], &c, &e), &e);
		assert_int_equal(sector_cipher_encrypt(c, plain, out[i], 512, 0x10000), 0);
		sector_cipher_free(c);
	}
	assert_memory_equal(out[0], out[1], 512);
	assert_memory_not_equal(out[0], plain, 512);
	assert_int_equal(bitlocker_keys_info(a)->cipher, bitlocker_keys_info(b)->cipher);
	assert_memory_equal(&bitlocker_keys_info(a)->geometry, &bitlocker_keys_info(b)->geometry,
			    sizeof(struct bitlocker_geometry));
	assert_string_equal(bitlocker_keys_info(a)->recovery_key_id,
			    bitlocker_keys_info(b)->recovery_key_id);
}

/* The golden block again, this time by the way a caller goes: stretching included. */
static void test_from_seed(void **state)
{
	struct bitlocker_params p = sample_params();
	struct bitlocker_seed seed;
	struct bitlocker_volume v;
	struct err e = {0};

	(void)state;
	p.cipher = BITLOCKER_XTS_256;
	p.geometry = (struct bitlocker_geometry){
		.volume_bytes = 0x18000000,
		.sector_bytes = 512,
		.meta_off_bytes = {0x2100000, 0x8000000, 0x10000000},
		.vbb_off_bytes = 0x2110000,
		.ice_off_bytes = 0x2112000,
	};
	assert_int_equal(parse_hex("7527ea4e5f76d49d49c5beec0100ffff", seed.recovery_key, 16), 0);
	for (uint8_t i = 0; i < 64; i++) {
		seed.fvek[i] = (uint8_t)(0x40 + i);
		seed.vmk[i % 32] = (uint8_t)(i % 32);
		seed.salt[i % 16] = (uint8_t)(i % 16);
		seed.volume_guid[i % 16] = (uint8_t)(0x80 + i % 16);
		seed.recovery_guid[i % 16] = (uint8_t)(0x90 + i % 16);
	}
	expect_ok(bitlocker_create_from_seed(&p, &seed, &v, &e), &e);
	assert_string_equal(v.recovery_password, other_password);
	assert_string_equal(bitlocker_keys_info(v.keys)->recovery_key_id,
			    "93929190-9594-9796-9899-9A9B9C9D9E9F");
	expect_sha256(v.metadata, FVE_METADATA_BYTES,
		      "9b5db55136584da2b4a000ace50fa36c9f413bfce64b6e860c60c08d33228fbc");
	bitlocker_volume_done(&v);
	bitlocker_volume_done(&v); /* empty by now */
}

static void test_fresh_keys(void **state)
{
	struct fixture *f = *state;
	struct bitlocker_volume other;
	struct err e = {0};

	expect_ok(bitlocker_create(&f->params, &other, &e), &e);
	assert_string_not_equal(f->v.recovery_password, other.recovery_password);
	assert_string_not_equal(bitlocker_keys_info(f->v.keys)->recovery_key_id,
				bitlocker_keys_info(other.keys)->recovery_key_id);
	assert_memory_not_equal(f->v.metadata + 0x70, other.metadata + 0x70, 0x200);
	assert_int_equal(strlen(f->v.recovery_password), 55);
	bitlocker_volume_done(&other);
}

static void test_unlock_metadata(void **state)
{
	struct fixture *f = *state;
	struct bitlocker_keys *k = NULL;
	struct err e = {0};

	expect_ok(bitlocker_unlock_metadata(f->v.metadata, f->v.recovery_password, &k, &e), &e);
	expect_same_keys(k, f->v.keys);
	bitlocker_keys_free(k);
}

static void test_wrong_passwords(void **state)
{
	struct fixture *f = *state;
	struct bitlocker_keys *k = NULL;
	struct target *t = sealed_partition(f);
	struct err e = {0};

	expect_err(bitlocker_unlock_metadata(f->v.metadata, other_password, &k, &e), &e, EACCES,
		   ERR_USER, "does not open");
	assert_non_null(strstr(e.hint, bitlocker_keys_info(f->v.keys)->recovery_key_id));
	expect_err(bitlocker_unlock(t, other_password, &k, &e), &e, EACCES, ERR_USER,
		   "does not open");
	expect_err(bitlocker_unlock(t, "111112", &k, &e), &e, EINVAL, ERR_USER,
		   "group 1 is mistyped");
	assert_null(k);
	target_close(t);
}

/* What bitlocker_seal() leaves where. */
static void test_seal(void **state)
{
	struct fixture *f = *state;
	struct target *t = sealed_partition(f);
	const uint8_t *d = target_mem_data(t);
	size_t zeros = 0, untouched = 0;

	assert_memory_equal(d, "\xeb\x58\x90-FVE-FS-", 11);
	assert_int_equal(le64_load(d + 0xb0), 0x40000);
	for (size_t i = 512; i < 8192; i++)
		zeros += d[i] == 0 || d[i] == 0xee;
	assert_in_range(zeros, 10, 200); /* random */
	assert_memory_equal(d + 0x40000, f->v.metadata, FVE_METADATA_BYTES);
	assert_memory_equal(d + 0xc0000, f->v.metadata, FVE_METADATA_BYTES);
	assert_memory_equal(d + 0x180000, f->v.metadata, FVE_METADATA_BYTES);
	for (size_t i = 0; i < FVE_ICE_BYTES; i++)
		assert_int_equal(d[0x60000 + i], 0);
	for (size_t i = 8192; i < VOLUME_BYTES; i++)
		untouched += d[i] == 0xee;
	assert_in_range(untouched, VOLUME_BYTES - 8192 - 4 * 65536,
			VOLUME_BYTES - 8192 - 4 * 65536 + 3 * 65536);
	for (size_t i = 0x50000; i < 0x52000; i++)
		assert_int_equal(d[i], 0xee); /* the VBB is the filesystem's */
	target_close(t);
}

static void expect_unlock(struct fixture *f, struct target *t, unsigned damaged)
{
	struct bitlocker_keys *k = NULL;
	struct err e = {0};

	expect_ok(bitlocker_unlock(t, f->v.recovery_password, &k, &e), &e);
	expect_same_keys(k, f->v.keys);
	assert_int_equal(bitlocker_keys_info(k)->damaged_copies, damaged);
	bitlocker_keys_free(k);
}

static void expect_locked(struct fixture *f, struct target *t, const char *text)
{
	struct bitlocker_keys *k = NULL;
	struct err e = {0};

	expect_err(bitlocker_unlock(t, f->v.recovery_password, &k, &e), &e, EBADMSG, ERR_CORRUPT,
		   text);
	assert_null(k);
}

static void test_damaged_copies(void **state)
{
	struct fixture *f = *state;
	struct target *t = sealed_partition(f);
	uint8_t *d = target_mem_data(t);

	expect_unlock(f, t, 0);
	d[0x180000 + 0xffff] ^=
		1; /* in the unused tail: the copy still serves, but it is not equal */
	expect_unlock(f, t, 1);
	d[0x40000 + 0x100] ^= 1;
	expect_unlock(f, t, 2);
	memset(d + 0xc0000, 0, FVE_METADATA_BYTES);
	expect_unlock(f, t, 2);
	d[0x180000] ^= 1;
	expect_locked(f, t, "metadata copy 1: checksum differs");
	target_close(t);
}

/*
 * A copy forged with a right checksum is passed over as well, once its seal is seen to be broken.
 */
static void test_forged_copy(void **state)
{
	struct fixture *f = *state;
	struct target *t = sealed_partition(f);
	uint8_t *copy = target_mem_data(t) + 0x40000;
	size_t info_bytes = (size_t)le16_load(copy + 8) * 16;

	copy[0x68] ^= 1; /* the creation time: nothing else would notice */
	le32_store(copy + info_bytes + 4, crc32_of(copy, info_bytes));
	expect_unlock(f, t, 1);
	target_close(t);
}

static void test_unreadable_copy(void **state)
{
	struct fault_plan plan = {.op = FAULT_PREAD, .nth = 2, .kind = FAULT_ERROR};
	struct fixture *f = *state;
	struct target *t = sealed_partition(f), *disk;

	assert_int_equal(target_fault_new(t, &disk), 0);
	target_fault_arm(disk, &plan); /* the first read is the header */
	expect_unlock(f, disk, 0);
	assert_true(target_fault_struck(disk));
	target_close(disk);
	target_close(t);
}

static void test_other_partition(void **state)
{
	struct fixture *f = *state;
	struct target *t = sealed_partition(f), *large;
	struct err e = {0};

	assert_int_equal(target_mem_new(VOLUME_BYTES + 512, 512, &large), 0);
	memcpy(target_mem_data(large), target_mem_data(t), VOLUME_BYTES);
	expect_locked(f, large, "the partition 2097664");
	expect_err(bitlocker_seal(large, &f->params, f->v.metadata, &e), &e, EINVAL, ERR_SYSTEM,
		   "size");
	target_close(large);

	le64_store(target_mem_data(t) + 0xb8, 0x40000); /* the header names one copy twice */
	expect_locked(f, t, "disagree");
	le64_store(target_mem_data(t) + 0xb8, 0xc0000);
	le16_store(target_mem_data(t) + 0x0b, 4096);
	expect_locked(f, t, "disagree");
	le16_store(target_mem_data(t) + 0x0b, 512);
	for (size_t i = 0; i < 3; i++)
		le64_store(target_mem_data(t) + 0xb0 + 8 * i, UINT64_MAX - 100);
	expect_locked(f, t, "metadata copy 1"); /* hostile offsets are only a read past the end */
	target_close(t);
}

static void test_unseal(void **state)
{
	struct fixture *f = *state;
	struct target *t = sealed_partition(f), *disk;
	struct err e = {0};

	assert_int_equal(target_fault_new(t, &disk), 0);
	expect_ok(bitlocker_unseal(disk, &e), &e);
	/* It holds at once, not after somebody else's flush. */
	expect_locked(f, t, "not a BitLocker volume");
	target_close(disk);
	target_close(t);
}

/* After a power cut at any step the volume is complete or no volume at all. */
static void cut_and_look(struct fixture *f, enum fault_kind kind, uint64_t nth, unsigned seed,
			 bool *ret_cut)
{
	struct fault_plan plan = {.op = FAULT_ANY, .nth = nth, .kind = kind, .seed = seed};
	struct target *base, *disk;
	struct err e = {0};
	int r;

	assert_int_equal(target_mem_new(VOLUME_BYTES, 512, &base), 0);
	assert_int_equal(target_fault_new(base, &disk), 0);
	target_fault_arm(disk, &plan);
	r = bitlocker_seal(disk, &f->params, f->v.metadata, &e);
	*ret_cut = target_fault_struck(disk);
	if (*ret_cut)
		expect_err(r, &e, EIO, ERR_SYSTEM, "seal BitLocker volume");
	else
		expect_ok(r, &e);
	target_close(disk);
	if (memcmp(target_mem_data(base) + 3, "-FVE-FS-", 8) == 0) {
		for (size_t i = 0; i < FVE_COPIES; i++)
			assert_memory_equal(target_mem_data(base) +
						    f->params.geometry.meta_off_bytes[i],
					    f->v.metadata, FVE_METADATA_BYTES);
	} else {
		assert_true(*ret_cut);
	}
	target_close(base);
}

static void test_power_cut(void **state)
{
	struct fixture *f = *state;
	uint64_t steps = 0;

	for (bool cut = true; cut; steps++) {
		cut_and_look(f, FAULT_POWER_CUT, steps + 1, 0, &cut);
		for (unsigned seed = 1; seed <= 8; seed++)
			cut_and_look(f, FAULT_POWER_TORN, steps + 1, seed, &cut);
	}
	assert_int_equal(steps, 9); /* 6 writes and 2 flushes can be cut */
}

static void test_params(void **state)
{
	struct bitlocker_params wrong[9];
	struct bitlocker_volume v = {0};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		wrong[i] = sample_params();
	wrong[0].cipher = BITLOCKER_CIPHERS;
	wrong[1].geometry.sector_bytes = 0;
	wrong[2].geometry.volume_bytes += 1;
	wrong[3].geometry.meta_off_bytes[2] = 0x1f0000; /* would hold the last sector */
	wrong[4].geometry.vbb_off_bytes = 0x40000;
	wrong[5].geometry.ice_off_bytes = 0;
	wrong[6].geometry.ice_off_bytes = 0x51000;
	wrong[7].sectors_per_cluster = 3;
	wrong[8].geometry.meta_off_bytes[0] = 0x1000;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		expect_err(bitlocker_create(&wrong[i], &v, &e), &e, EINVAL, ERR_SYSTEM,
			   "create BitLocker volume");
	assert_null(v.keys);
}

static void test_filetime(void **state)
{
	(void)state;
	assert_int_equal(filetime_of_unix_ns(0), UINT64_C(116444736000000000));
	assert_int_equal(filetime_of_unix_ns(UINT64_C(1795302000) * NSEC_PER_SEC + 199),
			 UINT64_C(134397756000000001));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_seed),
		cmocka_unit_test(test_fresh_keys),
		cmocka_unit_test(test_unlock_metadata),
		cmocka_unit_test(test_wrong_passwords),
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_damaged_copies),
		cmocka_unit_test(test_forged_copy),
		cmocka_unit_test(test_unreadable_copy),
		cmocka_unit_test(test_other_partition),
		cmocka_unit_test(test_unseal),
		cmocka_unit_test(test_power_cut),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_filetime),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
