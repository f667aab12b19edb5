/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The metadata block, of which a volume holds three equal copies: what the volume is, and its keys
 * in boxes (keys.h). Its CRC-32 shows damage; its seal, a SHA-256 in a box of the VMK, shows
 * tampering.
 */
#ifndef SEEDSHIP_BITLOCKER_METADATA_H
#define SEEDSHIP_BITLOCKER_METADATA_H

#include "common/ext/guid.h"
#include "exporter/bitlocker/cipher.h"
#include "exporter/bitlocker/geometry.h"
#include "exporter/bitlocker/keys.h"

#define METADATA_DESCRIPTION_MAX_UNITS 255

/* What a block says to everybody. */
struct metadata {
	enum bitlocker_cipher cipher;
	struct bitlocker_geometry geometry;
	uint64_t created_filetime;
	uint8_t volume_guid[GUID_BYTES];
	uint8_t recovery_guid
		[GUID_BYTES]; /* of the recovery password: the "recovery key ID" of Windows */
	uint8_t salt[FVE_SALT_BYTES];
};

/* What it says only to the holder of the recovery password; lives in secret memory. */
struct metadata_secrets {
	uint8_t recovery_key[FVE_RECOVERY_KEY_BYTES];
	uint8_t stretched_key[BOX_KEY_BYTES]; /* made from it and the salt by key_stretch() */
	uint8_t vmk[FVE_VMK_BYTES];
	uint8_t fvek[FVE_FVEK_MAX_BYTES]; /* as many as the cipher has; the rest is not used */
};

/*
 * Writes a block. description: UTF-8, what tools show, e.g. "HOST Backup 2026-11-22". The result
 * follows from the arguments alone. Errors: as of OpenSSL, -ENOMEM, -EINVAL (user) for the
 * description.
 */
int metadata_encode(const struct metadata *m, const char *description,
		    const struct metadata_secrets *secrets, uint8_t ret[FVE_METADATA_BYTES],
		    struct err *e) _warn_unused_result_;

/* A box of a decoded block: lent from it. */
struct metadata_box {
	const uint8_t *data; /* NULL = absent */
	size_t len_bytes;
};

struct metadata_boxes {
	const uint8_t *info; /* the sealed part of the block */
	size_t info_bytes;
	struct metadata_box vmk, fvek, seal;
};

/*
 * Checks everything that can be checked without a key and gives the first recovery password's
 * protector. The block may hold anything; all that does not fit is -EBADMSG.
 */
int metadata_decode(const uint8_t block[FVE_METADATA_BYTES], struct metadata *ret,
		    struct metadata_boxes *ret_boxes, struct err *e) _warn_unused_result_;

/*
 * Opens the boxes with the stretched key, checks the seal and gives the FVEK. -EACCES: the
 * stretched key, so the recovery password, is not the one; -EBADMSG: the block was changed.
 */
int metadata_unlock(const struct metadata *m, const struct metadata_boxes *boxes,
		    const uint8_t stretched_key[BOX_KEY_BYTES],
		    uint8_t ret_fvek[FVE_FVEK_MAX_BYTES], struct err *e) _warn_unused_result_;

#endif
