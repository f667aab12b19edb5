/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the keys of a volume hang together: the recovery key is stretched into a key, which opens the
 * box with the VMK, which opens the boxes with the FVEK and the metadata's seal. A box is
 * AES-256-CCM (RFC 3610, L = 3, 16-byte tag, no associated data), stored as nonce, tag, ciphertext.
 * All keys in and out belong in secret memory.
 */
#ifndef SEEDSHIP_BITLOCKER_KEYS_H
#define SEEDSHIP_BITLOCKER_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "exporter/bitlocker/layout.h"

#define BOX_KEY_BYTES 32

/*
 * SHA-256 of (last, SHA-256 of the recovery key, salt, round) for FVE_STRETCH_ROUNDS rounds; about
 * a quarter of a second.
 */
int key_stretch(const uint8_t recovery_key[FVE_RECOVERY_KEY_BYTES],
		const uint8_t salt[FVE_SALT_BYTES], uint8_t ret[BOX_KEY_BYTES], struct err *e)
	_warn_unused_result_;

/*
 * The nonce of a box: must never come twice under one key, so counter counts the boxes of a moment.
 */
struct box_nonce {
	uint64_t filetime;
	uint32_t counter;
};

/* Seals len_bytes of plain into ret, which holds FVE_BOX_OVERHEAD more. */
int box_seal(const uint8_t key[BOX_KEY_BYTES], struct box_nonce nonce, const void *plain,
	     size_t len_bytes, uint8_t *ret, struct err *e) _warn_unused_result_;

/*
 * Opens a box of box_bytes into ret, FVE_BOX_OVERHEAD less. -EACCES: not this key's box, or
 * changed.
 */
int box_open(const uint8_t key[BOX_KEY_BYTES], const uint8_t *box, size_t box_bytes, void *ret)
	_warn_unused_result_;

/* Boxes the key datum {key_type, secret}: the form of everything BitLocker boxes. */
int box_seal_key(const uint8_t key[BOX_KEY_BYTES], struct box_nonce nonce, uint16_t key_type,
		 const uint8_t *secret, size_t secret_bytes, uint8_t *ret, struct err *e)
	_warn_unused_result_;

/* Size of the box that box_seal_key() makes. */
static inline size_t box_key_bytes(size_t secret_bytes)
{
	return FVE_BOX_OVERHEAD + FVE_KEY_DATUM_OVERHEAD + secret_bytes;
}

/*
 * Opens a box that must hold a key datum {key_type, secret_bytes}. -EACCES as box_open(); -EBADMSG:
 * it holds something else.
 */
int box_open_key(const uint8_t key[BOX_KEY_BYTES], const uint8_t *box, size_t box_bytes,
		 uint16_t key_type, uint8_t *ret_secret, size_t secret_bytes, struct err *e)
	_warn_unused_result_;

#endif
