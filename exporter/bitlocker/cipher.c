/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sector encryption on OpenSSL. Keys are scheduled once; a sector costs one IV reset and one call.
 * CBC encryption is a chain within a sector and so leaves most of the AES unit idle; it is done in
 * lockstep instead, block k of many sectors in one ECB call, which is several times faster.
 */
#include "exporter/bitlocker/cipher.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/le.h"
#include "common/ext/secret.h"
#include "exporter/bitlocker/layout.h"

#define BLOCK_BYTES 16
#define LANES	    64 /* sectors in lockstep */

static const struct cipher_kind {
	const char *name;
	uint16_t method;
	uint16_t fvek_bytes;
	bool xts;
	const EVP_CIPHER *(*mode)(void);
	const EVP_CIPHER *(*ecb)(void); /* of CBC: for the IVs and for lockstep */
} kinds[BITLOCKER_CIPHERS] = {
	[BITLOCKER_CBC_128] = {"aes128", FVE_METHOD_CBC_128, 16, false, EVP_aes_128_cbc,
			       EVP_aes_128_ecb},
	[BITLOCKER_CBC_256] = {"aes256", FVE_METHOD_CBC_256, 32, false, EVP_aes_256_cbc,
			       EVP_aes_256_ecb},
	[BITLOCKER_XTS_128] = {"xts_aes128", FVE_METHOD_XTS_128, 32, true, EVP_aes_128_xts, NULL},
	[BITLOCKER_XTS_256] = {"xts_aes256", FVE_METHOD_XTS_256, 64, true, EVP_aes_256_xts, NULL},
};

struct sector_cipher {
	uint32_t sector_bytes;
	bool xts;
	EVP_CIPHER_CTX *encrypt; /* XTS only */
	EVP_CIPHER_CTX *decrypt;
	EVP_CIPHER_CTX *ecb; /* CBC only; encrypts */
};

const char *bitlocker_cipher_name(enum bitlocker_cipher cipher)
{
	return kinds[cipher].name;
}

int bitlocker_cipher_parse(const char *name, enum bitlocker_cipher *ret, struct err *e)
{
	for (size_t i = 0; i < BITLOCKER_CIPHERS; i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*ret = (enum bitlocker_cipher)i;
			return 0;
		}
	}
	return err_hint(e, err_user(e, "'%s' is not an encryption method", name),
			"one of aes128, aes256, xts_aes128, xts_aes256");
}

uint16_t bitlocker_cipher_method(enum bitlocker_cipher cipher)
{
	return kinds[cipher].method;
}

int bitlocker_cipher_of_method(uint16_t method, enum bitlocker_cipher *ret)
{
	for (size_t i = 0; i < BITLOCKER_CIPHERS; i++) {
		if (kinds[i].method == method) {
			*ret = (enum bitlocker_cipher)i;
			return 0;
		}
	}
	return -EINVAL;
}

size_t bitlocker_cipher_fvek_bytes(enum bitlocker_cipher cipher)
{
	return kinds[cipher].fvek_bytes;
}

static EVP_CIPHER_CTX *context_new(const EVP_CIPHER *mode, const uint8_t *key, int encrypt)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	if (c && EVP_CipherInit_ex(c, mode, NULL, key, NULL, encrypt) == 1 &&
	    EVP_CIPHER_CTX_set_padding(c, 0) == 1)
		return c;
	EVP_CIPHER_CTX_free(c);
	return NULL;
}

int sector_cipher_new(enum bitlocker_cipher cipher, uint32_t sector_bytes, const uint8_t *fvek,
		      struct sector_cipher **ret, struct err *e)
{
	_cleanup_(sector_cipher_freep) struct sector_cipher *c = calloc(1, sizeof(*c));
	const struct cipher_kind *kind = &kinds[cipher];

	if (!c)
		return err_oom(e);
	c->sector_bytes = sector_bytes;
	c->xts = kind->xts;
	c->decrypt = context_new(kind->mode(), fvek, 0);
	if (kind->xts)
		c->encrypt = context_new(kind->mode(), fvek, 1);
	else
		c->ecb = context_new(kind->ecb(), fvek, 1);
	if (!c->decrypt || (!c->encrypt && !c->ecb))
		return err_set(e, EIO, "OpenSSL refuses a key for %s", kind->name);
	*ret = take_ptr(c);
	return 0;
}

void sector_cipher_free(struct sector_cipher *c)
{
	if (!c)
		return;
	EVP_CIPHER_CTX_free(c->encrypt);
	EVP_CIPHER_CTX_free(c->decrypt);
	EVP_CIPHER_CTX_free(c->ecb);
	free(c);
}

/* One run of blocks through a context; the chain goes on from the call before. */
static bool update(EVP_CIPHER_CTX *context, const uint8_t *src, uint8_t *dst, size_t len_bytes)
{
	int n;

	return EVP_CipherUpdate(context, dst, &n, src, (int)len_bytes) == 1 && n == (int)len_bytes;
}

/* The number that makes a sector's encryption its own, as an AES block. */
static void store_position(const struct sector_cipher *c, uint64_t off_bytes, uint8_t *block)
{
	le64_store(block, c->xts ? off_bytes / c->sector_bytes : off_bytes);
	le64_store(block + 8, 0);
}

/* The tweak or IV of one sector, as OpenSSL wants it. */
static bool make_iv(struct sector_cipher *c, uint64_t off_bytes, uint8_t iv[BLOCK_BYTES])
{
	store_position(c, off_bytes, iv);
	return c->xts || update(c->ecb, iv, iv, BLOCK_BYTES);
}

/* XTS both ways, and CBC decryption: these use the AES unit well within one sector. */
static int run_by_sector(struct sector_cipher *c, EVP_CIPHER_CTX *context, const uint8_t *src,
			 uint8_t *dst, size_t len_bytes, uint64_t off_bytes)
{
	for (size_t done = 0; done < len_bytes; done += c->sector_bytes) {
		uint8_t iv[BLOCK_BYTES];

		if (!make_iv(c, off_bytes + done, iv) ||
		    EVP_CipherInit_ex(context, NULL, NULL, NULL, iv, -1) != 1 ||
		    !update(context, src + done, dst + done, c->sector_bytes))
			return -EIO;
	}
	return 0;
}

static void xor_block(uint8_t *dst, const uint8_t *src)
{
	le64_store(dst, le64_load(dst) ^ le64_load(src));
	le64_store(dst + 8, le64_load(dst + 8) ^ le64_load(src + 8));
}

/* CBC encryption of n_lanes <= LANES sectors side by side. state: what each lane chains on. */
static int encrypt_lanes(struct sector_cipher *c, const uint8_t *src, uint8_t *dst, size_t n_lanes,
			 uint64_t off_bytes)
{
	uint8_t state[LANES * BLOCK_BYTES];

	for (size_t lane = 0; lane < n_lanes; lane++)
		store_position(c, off_bytes + lane * c->sector_bytes, state + lane * BLOCK_BYTES);
	if (!update(c->ecb, state, state, n_lanes * BLOCK_BYTES))
		return -EIO;
	for (size_t block = 0; block < c->sector_bytes; block += BLOCK_BYTES) {
		for (size_t lane = 0; lane < n_lanes; lane++)
			xor_block(state + lane * BLOCK_BYTES, src + lane * c->sector_bytes + block);
		if (!update(c->ecb, state, state, n_lanes * BLOCK_BYTES))
			return -EIO;
		for (size_t lane = 0; lane < n_lanes; lane++)
			memcpy(dst + lane * c->sector_bytes + block, state + lane * BLOCK_BYTES,
			       BLOCK_BYTES);
	}
	return 0;
}

static int encrypt_cbc(struct sector_cipher *c, const uint8_t *src, uint8_t *dst, size_t len_bytes,
		       uint64_t off_bytes)
{
	int r = 0;

	for (size_t done = 0; r == 0 && done < len_bytes;) {
		size_t n_lanes = MIN((len_bytes - done) / c->sector_bytes, LANES);

		r = encrypt_lanes(c, src + done, dst + done, n_lanes, off_bytes + done);
		done += n_lanes * c->sector_bytes;
	}
	return r;
}

static bool whole_sectors(const struct sector_cipher *c, size_t len_bytes, uint64_t off_bytes)
{
	return len_bytes % c->sector_bytes == 0 && off_bytes % c->sector_bytes == 0;
}

int sector_cipher_encrypt(struct sector_cipher *c, const void *src, void *dst, size_t len_bytes,
			  uint64_t off_bytes)
{
	if (!whole_sectors(c, len_bytes, off_bytes))
		return -EINVAL;
	if (!c->xts)
		return encrypt_cbc(c, src, dst, len_bytes, off_bytes);
	return run_by_sector(c, c->encrypt, src, dst, len_bytes, off_bytes);
}

int sector_cipher_decrypt(struct sector_cipher *c, const void *src, void *dst, size_t len_bytes,
			  uint64_t off_bytes)
{
	if (!whole_sectors(c, len_bytes, off_bytes))
		return -EINVAL;
	return run_by_sector(c, c->decrypt, src, dst, len_bytes, off_bytes);
}
