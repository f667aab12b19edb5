/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sector encryption: known vectors, runs of every length, in place and not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exporter/bitlocker/cipher.h"
#include "tests/lib/expect.h"

#define RUN_BYTES (150 * 512) /* more than two rounds of lockstep */

static const struct {
	enum bitlocker_cipher cipher;
	uint32_t sector_bytes;
	uint64_t off_bytes;
	const char *first, *sha256;
} vectors[] = {
	{BITLOCKER_XTS_128, 512, 0x2110000, "89f76e6363b6e8bd3379216fdcb6a29d",
	 "56d926a046d2c75023556f2741ddcb479f99018998cde00d24b1b8eac08a0256"},
	{BITLOCKER_XTS_128, 4096, 0x2110000, "fe59dc6f639e65f2ef4c5687fec06c6e",
	 "877e088e3e938590685a72be34376a0790f208eb437a4633b194a068b13530e2"},
	{BITLOCKER_XTS_128, 512, 0x30000000000, "79638ac26fdeef2356d6b513bd533301",
	 "4bfe4a9d28bec9a42148a258437d00dc9e5ae820eff2523e32a315a226092767"},
	{BITLOCKER_XTS_256, 512, 0x2110000, "624ba2bdea5360dd622fbab6aeff6d84",
	 "fd8ca7ad6bb6ce82948632a88c7c14a8c510bd4647ac46ef77d92b84f1f423f9"},
	{BITLOCKER_XTS_256, 4096, 0x2110000, "188d2aca1cc728869ef0f9ae87832709",
	 "00ee632b81dd7ed4bc5c14d12dc25d76f0c1615abb8e1872a4f341a7518acc49"},
	{BITLOCKER_XTS_256, 512, 0x30000000000, "80853a2081d9d66aa490e008bb253400",
	 "18bf59bde3989ee0832002b1e9f81d5067ece17b6fbde1d585ce5ff270323497"},
	{BITLOCKER_CBC_128, 512, 0x2110000, "c4a37b2a5afde360cd4f8adc811cd27c",
	 "5a84c35c2c9bf84c5b3c6c8c3a916b606b0b846e5079145ffe0eaebc60dda911"},
	{BITLOCKER_CBC_256, 512, 0x2110000, "ff5ec3f62b87cdabc0dc340bf5b581e7",
	 "427469afa7ac119d881f20161d2d2ec2fd07be41cff6e411e96e948a3b5d288c"},
	{BITLOCKER_CBC_256, 4096, 0x2110000, "0c4ee247aed5a53f9553a503e8e6465f",
	 "74aff4b9a1773b0cd629239272c8ea3774b6c44abcb78f6d6eca3fce423ee8b6"},
	{BITLOCKER_CBC_256, 512, 0x30000000000, "421449a8a73a8c2d4a9203d56cb4a9ee",
	 "f262d89329555d140261ccef6a94333d909589885883b1b54d75a92b231c9dbe"},
};

static struct sector_cipher *make(enum bitlocker_cipher cipher, uint32_t sector_bytes)
{
	struct sector_cipher *c;
	uint8_t fvek[64];
	struct err e = {0};

	for (size_t i = 0; i < sizeof(fvek); i++)
		fvek[i] = (uint8_t)i;
	expect_ok(sector_cipher_new(cipher, sector_bytes, fvek, &c, &e), &e);
	return c;
}

static void test_vectors(void **state)
{
	uint8_t plain[4096], data[4096];

	(void)state;
	for (size_t v = 0; v < ARRAY_SIZE(vectors); v++) {
		uint32_t n = vectors[v].sector_bytes;
		struct sector_cipher *c = make(vectors[v].cipher, n);

		for (size_t i = 0; i < n; i++)
			plain[i] = (uint8_t)(n == 512 ? i : 7 * i + i / 256);
		assert_int_equal(sector_cipher_encrypt(c, plain, data, n, vectors[v].off_bytes), 0);
		expect_hex(data, 16, vectors[v].first);
		expect_sha256(data, n, vectors[v].sha256);
		assert_int_equal(sector_cipher_decrypt(c, data, data, n, vectors[v].off_bytes), 0);
		assert_memory_equal(data, plain, n);
		sector_cipher_free(c);
	}
}

/* A run equals its sectors one by one, wherever the run ends. */
static void test_runs(void **state)
{
	static uint8_t plain[RUN_BYTES], run[RUN_BYTES], single[RUN_BYTES];
	uint64_t off_bytes = 0x1ffffff0000; /* the run passes 2^32 sectors */

	(void)state;
	for (size_t i = 0; i < RUN_BYTES; i++)
		plain[i] = (uint8_t)(i * 31 + i / 251);
	for (int cipher = 0; cipher < BITLOCKER_CIPHERS; cipher++) {
		struct sector_cipher *c = make((enum bitlocker_cipher)cipher, 512);

		for (size_t i = 0; i < RUN_BYTES; i += 512)
			assert_int_equal(
				sector_cipher_encrypt(c, plain + i, single + i, 512, off_bytes + i),
				0);
		for (size_t n = 0; n <= RUN_BYTES; n += n < 2048 ? 512 : 7 * 512) {
			memset(run, 0, sizeof(run));
			assert_int_equal(sector_cipher_encrypt(c, plain, run, n, off_bytes), 0);
			assert_memory_equal(run, single, n);
			assert_true(n == RUN_BYTES || run[n] == 0);
			assert_int_equal(sector_cipher_decrypt(c, run, run, n, off_bytes), 0);
			assert_memory_equal(run, plain, n);
		}
		memcpy(run, plain, RUN_BYTES);
		assert_int_equal(sector_cipher_encrypt(c, run, run, RUN_BYTES, off_bytes), 0);
		assert_memory_equal(run, single, RUN_BYTES);
		sector_cipher_free(c);
	}
}

static void test_refuses(void **state)
{
	struct sector_cipher *c = make(BITLOCKER_XTS_256, 4096), *none = NULL;
	uint8_t data[4096] = {0}, equal_halves[64] = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(sector_cipher_encrypt(c, data, data, 512, 0), -EINVAL);
	assert_int_equal(sector_cipher_encrypt(c, data, data, 4096, 512), -EINVAL);
	assert_int_equal(sector_cipher_decrypt(c, data, data, 4095, 0), -EINVAL);
	sector_cipher_free(c);
	sector_cipher_free(NULL);
	expect_err(sector_cipher_new(BITLOCKER_XTS_256, 512, equal_halves, &none, &e), &e, EIO,
		   ERR_SYSTEM, "refuses a key");
	assert_null(none);
}

static void test_names(void **state)
{
	static const struct {
		enum bitlocker_cipher cipher;
		const char *name;
		uint16_t method;
		size_t fvek_bytes;
	} want[] = {
		{BITLOCKER_CBC_128, "aes128", 0x8002, 16},
		{BITLOCKER_CBC_256, "aes256", 0x8003, 32},
		{BITLOCKER_XTS_128, "xts_aes128", 0x8004, 32},
		{BITLOCKER_XTS_256, "xts_aes256", 0x8005, 64},
	};
	enum bitlocker_cipher seen;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_string_equal(bitlocker_cipher_name(want[i].cipher), want[i].name);
		assert_int_equal(bitlocker_cipher_method(want[i].cipher), want[i].method);
		assert_int_equal(bitlocker_cipher_fvek_bytes(want[i].cipher), want[i].fvek_bytes);
		expect_ok(bitlocker_cipher_parse(want[i].name, &seen, &e), &e);
		assert_int_equal(seen, want[i].cipher);
		assert_int_equal(bitlocker_cipher_of_method(want[i].method, &seen), 0);
		assert_int_equal(seen, want[i].cipher);
	}
	assert_int_equal(bitlocker_cipher_of_method(0x8000, &seen), -EINVAL);
	expect_err(bitlocker_cipher_parse("aes", &seen, &e), &e, EINVAL, ERR_USER, "'aes'");
	assert_non_null(strstr(e.hint, "xts_aes256"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
