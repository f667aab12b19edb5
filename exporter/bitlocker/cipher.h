/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sector encryption. XTS (IEEE 1619): the tweak is the sector's number. CBC: the IV is the sector's
 * byte offset, encrypted with the same key. Offsets count from the partition's start; for the
 * volume's first 8 KiB they are those of its place in the VBB.
 */
#ifndef SEEDSHIP_BITLOCKER_CIPHER_H
#define SEEDSHIP_BITLOCKER_CIPHER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

enum bitlocker_cipher {
	BITLOCKER_CBC_128,
	BITLOCKER_CBC_256,
	BITLOCKER_XTS_128,
	BITLOCKER_XTS_256,
	BITLOCKER_CIPHERS, /* how many */
};

/* Windows' own words (manage-bde -EncryptionMethod): aes128, aes256, xts_aes128, xts_aes256. */
const char *bitlocker_cipher_name(enum bitlocker_cipher cipher);
int bitlocker_cipher_parse(const char *name, enum bitlocker_cipher *ret, struct err *e)
	_warn_unused_result_; /* -EINVAL (user) */

/* The number on disk. -EINVAL for one that is unknown or has the diffuser of Windows 7. */
uint16_t bitlocker_cipher_method(enum bitlocker_cipher cipher);
int bitlocker_cipher_of_method(uint16_t method, enum bitlocker_cipher *ret) _warn_unused_result_;

/* Bytes of its FVEK; XTS has two keys, data before tweak. */
size_t bitlocker_cipher_fvek_bytes(enum bitlocker_cipher cipher);

/* A key made ready. One thread at a time; make one for each thread. */
struct sector_cipher;

/*
 * sector_bytes: 512 or 4096. The key schedule is OpenSSL's memory, which is not locked but wiped.
 */
int sector_cipher_new(enum bitlocker_cipher cipher, uint32_t sector_bytes, const uint8_t *fvek,
		      struct sector_cipher **ret, struct err *e) _warn_unused_result_;
void sector_cipher_free(struct sector_cipher *c);
static inline void sector_cipher_freep(struct sector_cipher **c)
{
	sector_cipher_free(*c);
}

/*
 * Whole sectors from src to dst, which may be the same but not overlap otherwise. off_bytes: where
 * on the volume the ciphertext stands. -EINVAL: not whole sectors; -EIO: OpenSSL failed.
 */
int sector_cipher_encrypt(struct sector_cipher *c, const void *src, void *dst, size_t len_bytes,
			  uint64_t off_bytes) _warn_unused_result_;
int sector_cipher_decrypt(struct sector_cipher *c, const void *src, void *dst, size_t len_bytes,
			  uint64_t off_bytes) _warn_unused_result_;

#endif
