/* SPDX-License-Identifier: GPL-3.0-or-later */
/* struct bitlocker_keys: what an unlocked volume is, and its FVEK. */
#include "exporter/bitlocker/volume_keys.h"

#include "common/base/cleanup.h"
#include "common/ext/secret.h"

/* The recovery key ID in upper case, as Windows shows it: people compare the two by eye. */
static void format_key_id(const uint8_t guid[GUID_BYTES], char ret[GUID_TEXT_BYTES])
{
	(void)guid_format(guid, ret);
	for (char *p = ret; *p; p++) {
		if (*p >= 'a' && *p <= 'f')
			*p = (char)(*p - 'a' + 'A');
	}
}

int bitlocker_keys_new(const struct metadata *m, struct bitlocker_keys **ret, struct err *e)
{
	struct bitlocker_keys *k;
	int r = secret_alloc(sizeof(*k), (void **)&k, e);

	if (r < 0)
		return r;
	k->info.cipher = m->cipher;
	k->info.geometry = m->geometry;
	format_key_id(m->recovery_guid, k->info.recovery_key_id);
	*ret = k;
	return 0;
}

void bitlocker_keys_free(struct bitlocker_keys *k)
{
	secret_free(k);
}

const struct bitlocker_info *bitlocker_keys_info(const struct bitlocker_keys *k)
{
	return &k->info;
}

int bitlocker_keys_cipher(const struct bitlocker_keys *k, struct sector_cipher **ret, struct err *e)
{
	return sector_cipher_new(k->info.cipher, k->info.geometry.sector_bytes, k->fvek, ret, e);
}
