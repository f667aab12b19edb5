/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A BitLocker volume as a whole: made with fresh keys, written to a partition, unlocked again with
 * its recovery password. The only protector is the recovery password.
 *
 * A volume is written in this order: bitlocker_unseal(), the encrypted filesystem,
 * bitlocker_seal(). Nobody recognises it before the last step of the last one.
 */
#ifndef SEEDSHIP_BITLOCKER_VOLUME_H
#define SEEDSHIP_BITLOCKER_VOLUME_H

#include "common/ext/guid.h"
#include "exporter/bitlocker/cipher.h"
#include "exporter/bitlocker/geometry.h"
#include "exporter/bitlocker/recovery.h"
#include "exporter/block/target.h"

/* What a volume is made of. The FVE2 files of its NTFS must own the areas that geometry names. */
struct bitlocker_params {
	enum bitlocker_cipher cipher;
	struct bitlocker_geometry geometry;
	uint32_t sectors_per_cluster; /* of the NTFS: 1 to 128, a power of two */
	uint64_t hidden_sectors;      /* first LBA of the partition */
	uint64_t now_filetime;
	const char *description; /* UTF-8, shown by tools: "HOST Backup 2026-11-22"; lent */
};

/* FILETIME: 100 ns units since 1601-01-01 UTC. */
static inline uint64_t filetime_of_unix_ns(uint64_t ns_since_1970)
{
	return ns_since_1970 / 100 + UINT64_C(116444736000000000);
}

/* The keys of a volume, in secret memory. Does not change; any number of threads may use it. */
struct bitlocker_keys;

void bitlocker_keys_free(struct bitlocker_keys *k);
static inline void bitlocker_keys_freep(struct bitlocker_keys **k)
{
	bitlocker_keys_free(*k);
}

/* What is known about an unlocked volume. */
struct bitlocker_info {
	enum bitlocker_cipher cipher;
	struct bitlocker_geometry geometry;
	char recovery_key_id[GUID_TEXT_BYTES]; /* upper case, as Windows shows it */
	unsigned damaged_copies; /* of the metadata; Windows repairs it from a good one */
};

const struct bitlocker_info *bitlocker_keys_info(const struct bitlocker_keys *k); /* lent */

/*
 * A cipher for one thread to encrypt and decrypt sectors with; see bitlocker_map() for the places.
 */
int bitlocker_keys_cipher(const struct bitlocker_keys *k, struct sector_cipher **ret, struct err *e)
	_warn_unused_result_;

/* All that is random in a volume; lives in secret memory. */
struct bitlocker_seed {
	uint8_t recovery_key[FVE_RECOVERY_KEY_BYTES];
	uint8_t vmk[FVE_VMK_BYTES];
	uint8_t fvek[FVE_FVEK_MAX_BYTES];
	uint8_t salt[FVE_SALT_BYTES];
	uint8_t volume_guid[GUID_BYTES];
	uint8_t recovery_guid[GUID_BYTES];
};

/* A new volume, not written anywhere yet. */
struct bitlocker_volume {
	struct bitlocker_keys *keys;
	char *recovery_password; /* RECOVERY_PASSWORD_BYTES of secret memory */
	uint8_t *metadata; /* FVE_METADATA_BYTES; no secret, worth nothing without the password */
};

/*
 * Makes a volume with fresh keys; takes a quarter of a second. -EINVAL: params are not those of a
 * volume. *ret is to be freed with bitlocker_volume_done().
 */
int bitlocker_create(const struct bitlocker_params *p, struct bitlocker_volume *ret, struct err *e)
	_warn_unused_result_;

/* The same from given randomness: for tests, as the same seed twice would break the encryption. */
int bitlocker_create_from_seed(const struct bitlocker_params *p, const struct bitlocker_seed *seed,
			       struct bitlocker_volume *ret, struct err *e) _warn_unused_result_;

void bitlocker_volume_done(struct bitlocker_volume *v);

/*
 * Makes sure that nobody takes the partition for a finished volume: zeros its first 8 KiB and
 * flushes.
 */
int bitlocker_unseal(struct target *partition, struct err *e) _warn_unused_result_;

/*
 * Finishes a volume whose filesystem has been written: the ICE area, the unused sectors, the
 * metadata copies from the last to the first, a flush, the volume header and another flush.
 * metadata: the block that was created for these params.
 */
int bitlocker_seal(struct target *partition, const struct bitlocker_params *p,
		   const uint8_t metadata[FVE_METADATA_BYTES], struct err *e) _warn_unused_result_;

/*
 * The keys of a metadata block that was kept elsewhere, to go on with a volume that is half
 * written. password: as typed, see recovery_password_parse(). -EINVAL (user): it is mistyped;
 * -EACCES (user): it is another volume's; -EBADMSG: the block is damaged.
 */
int bitlocker_unlock_metadata(const uint8_t metadata[FVE_METADATA_BYTES], const char *password,
			      struct bitlocker_keys **ret, struct err *e) _warn_unused_result_;

/*
 * The keys of a finished volume, from its own metadata; a damaged copy is passed over. Errors as
 * above, and -EBADMSG when the partition is no such volume or has another size.
 */
int bitlocker_unlock(struct target *partition, const char *password, struct bitlocker_keys **ret,
		     struct err *e) _warn_unused_result_;

#endif
