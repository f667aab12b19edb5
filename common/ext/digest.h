/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The face of OpenSSL for digests and authenticated encryption, and of zlib for CRC-32. Nothing blocks. */
#ifndef SEEDSHIP_EXT_DIGEST_H
#define SEEDSHIP_EXT_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/md5_lanes.h" /* MD5_BYTES */

#define SHA256_BYTES 32

enum digest_kind { DIGEST_MD5, DIGEST_SHA256 };

/* A digest in progress; one thread at a time. The context is reused by digest_start(). */
struct digest;

int digest_new(enum digest_kind kind, struct digest **ret, struct err *e);
void digest_free(struct digest *d); /* NULL is fine */
static inline void digest_freep(struct digest **d)
{
	digest_free(*d);
}
int digest_start(struct digest *d);
int digest_update(struct digest *d, const void *data, size_t len_bytes);
int digest_finish(struct digest *d, uint8_t *ret); /* MD5_BYTES or SHA256_BYTES */

/* start, update, finish in one call. */
int digest_once(struct digest *d, const void *data, size_t len_bytes, uint8_t *ret);

/* CRC-32 of ISO 3309 (zlib, Ethernet, GPT, BitLocker): init and final xor FFFFFFFF. */
uint32_t crc32_of(const void *data, size_t len_bytes);

/* Base64 with padding, as RFC 4648 section 4; caller frees. */
int base64_encode(const void *data, size_t len_bytes, char **ret);

/* Fills with cryptographic randomness. -EIO when the system has none to give. */
int random_bytes(void *out, size_t len_bytes);

#endif
