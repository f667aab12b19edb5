/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Key stretching and boxes, on OpenSSL; it wipes its own contexts when they are freed. */
#include "exporter/bitlocker/keys.h"

#include <openssl/evp.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/le.h"
#include "common/ext/digest.h"
#include "common/ext/secret.h"

#define _cleanup_cipher_ _cleanup_(free_cipher)

static void free_cipher(EVP_CIPHER_CTX **c)
{
	EVP_CIPHER_CTX_free(*c);
}

/* The stretch buffer: last hash, first hash, salt, round. */
#define STRETCH_OFF_FIRST 32
#define STRETCH_OFF_SALT  64
#define STRETCH_OFF_ROUND 80

static int stretch_rounds(struct digest *d, uint8_t *buf)
{
	int r = 0;

	for (uint64_t round = 0; r == 0 && round < FVE_STRETCH_ROUNDS; round++) {
		le64_store(buf + STRETCH_OFF_ROUND, round);
		r = digest_once(d, buf, FVE_STRETCH_BUF_BYTES, buf);
	}
	return r;
}

int key_stretch(const uint8_t recovery_key[FVE_RECOVERY_KEY_BYTES],
		const uint8_t salt[FVE_SALT_BYTES], uint8_t ret[BOX_KEY_BYTES], struct err *e)
{
	_cleanup_(digest_freep) struct digest *d = NULL;
	_cleanup_secret_ uint8_t *buf = NULL;
	int r;

	r = digest_new(DIGEST_SHA256, &d, e);
	if (r == 0)
		r = secret_alloc(FVE_STRETCH_BUF_BYTES, (void **)&buf, e);
	if (r < 0)
		return r;
	r = digest_once(d, recovery_key, FVE_RECOVERY_KEY_BYTES, buf + STRETCH_OFF_FIRST);
	memcpy(buf + STRETCH_OFF_SALT, salt, FVE_SALT_BYTES);
	if (r == 0)
		r = stretch_rounds(d, buf);
	if (r < 0)
		return err_set(e, -r, "OpenSSL failed to stretch the recovery key");
	memcpy(ret, buf, BOX_KEY_BYTES);
	return 0;
}

/* A CCM context; a NULL tag means to seal. NULL when OpenSSL refuses. */
static EVP_CIPHER_CTX *ccm_open(const uint8_t *key, const uint8_t *nonce, const uint8_t *tag)
{
	_cleanup_cipher_ EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t tag_copy[FVE_TAG_BYTES] = {0};
	int seal = tag == NULL;

	if (tag)
		memcpy(tag_copy, tag, sizeof(tag_copy));
	if (!c || EVP_CipherInit_ex(c, EVP_aes_256_ccm(), NULL, NULL, NULL, seal) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, FVE_NONCE_BYTES, NULL) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, FVE_TAG_BYTES, tag ? tag_copy : NULL) !=
		    1 ||
	    EVP_CipherInit_ex(c, NULL, NULL, key, nonce, seal) != 1)
		return NULL;
	return take_ptr(c);
}

int box_seal(const uint8_t key[BOX_KEY_BYTES], struct box_nonce nonce, const void *plain,
	     size_t len_bytes, uint8_t *ret, struct err *e)
{
	_cleanup_cipher_ EVP_CIPHER_CTX *c = NULL;
	uint8_t *tag = ret + FVE_NONCE_BYTES, *text = tag + FVE_TAG_BYTES;
	int n;

	le64_store(ret, nonce.filetime);
	le32_store(ret + 8, nonce.counter);
	c = ccm_open(key, ret, NULL);
	if (!c || EVP_EncryptUpdate(c, text, &n, plain, (int)len_bytes) != 1 ||
	    n != (int)len_bytes || EVP_EncryptFinal_ex(c, text + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, FVE_TAG_BYTES, tag) != 1)
		return err_set(e, EIO, "OpenSSL failed to seal a key");
	return 0;
}

int box_open(const uint8_t key[BOX_KEY_BYTES], const uint8_t *box, size_t box_bytes, void *ret)
{
	_cleanup_cipher_ EVP_CIPHER_CTX *c = NULL;
	size_t len_bytes;
	int n;

	if (box_bytes <= FVE_BOX_OVERHEAD || box_bytes > FVE_METADATA_BYTES)
		return -EACCES;
	len_bytes = box_bytes - FVE_BOX_OVERHEAD;
	c = ccm_open(key, box, box + FVE_NONCE_BYTES);
	if (!c)
		return -EIO;
	if (EVP_DecryptUpdate(c, ret, &n, box + FVE_BOX_OVERHEAD, (int)len_bytes) != 1 ||
	    n != (int)len_bytes)
		return -EACCES;
	return 0;
}

static void encode_datum_header(uint8_t *datum, uint16_t key_type, size_t secret_bytes)
{
	le16_store(datum, (uint16_t)(FVE_KEY_DATUM_OVERHEAD + secret_bytes));
	le16_store(datum + 2, FVE_ROLE_PROPERTY);
	le16_store(datum + 4, FVE_TYPE_KEY);
	le16_store(datum + 6, FVE_FLAGS_SEALED);
	le16_store(datum + 8, key_type);
	le16_store(datum + 10, 0);
}

int box_seal_key(const uint8_t key[BOX_KEY_BYTES], struct box_nonce nonce, uint16_t key_type,
		 const uint8_t *secret, size_t secret_bytes, uint8_t *ret, struct err *e)
{
	_cleanup_secret_ uint8_t *datum = NULL;
	int r;

	if (secret_bytes > FVE_FVEK_MAX_BYTES)
		return err_set(e, EINVAL, "a key of %zu bytes", secret_bytes);
	r = secret_alloc(FVE_KEY_DATUM_MAX_BYTES, (void **)&datum, e);
	if (r < 0)
		return r;
	encode_datum_header(datum, key_type, secret_bytes);
	memcpy(datum + FVE_KEY_DATUM_OVERHEAD, secret, secret_bytes);
	return box_seal(key, nonce, datum, FVE_KEY_DATUM_OVERHEAD + secret_bytes, ret, e);
}

int box_open_key(const uint8_t key[BOX_KEY_BYTES], const uint8_t *box, size_t box_bytes,
		 uint16_t key_type, uint8_t *ret_secret, size_t secret_bytes, struct err *e)
{
	_cleanup_secret_ uint8_t *datum = NULL;
	int r;

	if (secret_bytes > FVE_FVEK_MAX_BYTES || box_bytes != box_key_bytes(secret_bytes))
		return err_set(e, EBADMSG, "a box of %zu bytes does not hold such a key",
			       box_bytes);
	r = secret_alloc(FVE_KEY_DATUM_MAX_BYTES, (void **)&datum, e);
	if (r < 0)
		return r;
	r = box_open(key, box, box_bytes, datum);
	if (r < 0)
		return err_set(e, -r, "the box does not open");
	if (le16_load(datum) != FVE_KEY_DATUM_OVERHEAD + secret_bytes ||
	    le16_load(datum + 4) != FVE_TYPE_KEY || le16_load(datum + 8) != key_type)
		return err_set(e, EBADMSG, "the box does not hold the key it should");
	memcpy(ret_secret, datum + FVE_KEY_DATUM_OVERHEAD, secret_bytes);
	return 0;
}
