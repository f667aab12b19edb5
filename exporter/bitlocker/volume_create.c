/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes a volume and writes everything of it that is not the filesystem. */
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/ext/digest.h"
#include "common/ext/secret.h"
#include "exporter/bitlocker/header.h"
#include "exporter/bitlocker/volume_keys.h"

void bitlocker_volume_done(struct bitlocker_volume *v)
{
	bitlocker_keys_free(take_ptr(v->keys));
	secret_free(take_ptr(v->recovery_password));
	free(take_ptr(v->metadata));
}

static int encode_header(const struct bitlocker_params *p, uint8_t ret[FVE_HEADER_BYTES],
			 struct err *e)
{
	struct volume_header h = {
		.sector_bytes = p->geometry.sector_bytes,
		.sectors_per_cluster = p->sectors_per_cluster,
		.hidden_sectors = p->hidden_sectors,
	};

	memcpy(h.meta_off_bytes, p->geometry.meta_off_bytes, sizeof(h.meta_off_bytes));
	return volume_header_encode(&h, ret, e);
}

/* Refuses now what could not be written in the end. */
static int check_params(const struct bitlocker_params *p, struct err *e)
{
	uint8_t header[FVE_HEADER_BYTES];
	struct err why = {0};

	if (p->cipher >= BITLOCKER_CIPHERS)
		return err_set(e, EINVAL, "no such cipher");
	if (!p->geometry.ice_off_bytes)
		return err_set(e, EINVAL, "no place for the ICE area");
	if (geometry_check(&p->geometry, &why) < 0)
		return err_set(e, EINVAL, "%s", why.text);
	return encode_header(p, header, e);
}

static struct metadata metadata_of(const struct bitlocker_params *p,
				   const struct bitlocker_seed *seed)
{
	struct metadata m = {
		.cipher = p->cipher,
		.geometry = p->geometry,
		.created_filetime = p->now_filetime,
	};

	memcpy(m.volume_guid, seed->volume_guid, GUID_BYTES);
	memcpy(m.recovery_guid, seed->recovery_guid, GUID_BYTES);
	memcpy(m.salt, seed->salt, FVE_SALT_BYTES);
	return m;
}

/* Stretches the seed's recovery key and encodes the block. */
static int encode_metadata(const struct metadata *m, const char *description,
			   const struct bitlocker_seed *seed, uint8_t *ret, struct err *e)
{
	_cleanup_secret_ struct metadata_secrets *s = NULL;
	int r = secret_alloc(sizeof(*s), (void **)&s, e);

	if (r < 0)
		return r;
	memcpy(s->recovery_key, seed->recovery_key, sizeof(s->recovery_key));
	memcpy(s->vmk, seed->vmk, sizeof(s->vmk));
	memcpy(s->fvek, seed->fvek, sizeof(s->fvek));
	r = key_stretch(s->recovery_key, m->salt, s->stretched_key, e);
	return r < 0 ? r : metadata_encode(m, description, s, ret, e);
}

static int format_password(const struct bitlocker_seed *seed, char **ret, struct err *e)
{
	int r = secret_alloc(RECOVERY_PASSWORD_BYTES, (void **)ret, e);

	if (r == 0)
		recovery_password_format(seed->recovery_key, *ret);
	return r;
}

static int create(const struct bitlocker_params *p, const struct bitlocker_seed *seed,
		  struct bitlocker_volume *v, struct err *e)
{
	struct metadata m = metadata_of(p, seed);
	int r = check_params(p, e);

	if (r < 0)
		return r;
	v->metadata = malloc(FVE_METADATA_BYTES);
	if (!v->metadata)
		return err_oom(e);
	r = encode_metadata(&m, p->description ? p->description : "", seed, v->metadata, e);
	if (r == 0)
		r = format_password(seed, &v->recovery_password, e);
	if (r == 0)
		r = bitlocker_keys_new(&m, &v->keys, e);
	if (r == 0)
		memcpy(v->keys->fvek, seed->fvek, bitlocker_cipher_fvek_bytes(p->cipher));
	return r;
}

int bitlocker_create_from_seed(const struct bitlocker_params *p, const struct bitlocker_seed *seed,
			       struct bitlocker_volume *ret, struct err *e)
{
	struct bitlocker_volume v = {0};
	int r = create(p, seed, &v, e);

	if (r < 0) {
		bitlocker_volume_done(&v);
		return err_wrap(e, r, "create BitLocker volume");
	}
	*ret = v;
	return 0;
}

int bitlocker_create(const struct bitlocker_params *p, struct bitlocker_volume *ret, struct err *e)
{
	_cleanup_secret_ struct bitlocker_seed *seed = NULL;
	int r = secret_alloc(sizeof(*seed), (void **)&seed, e);

	if (r < 0)
		return r;
	r = random_bytes(seed, sizeof(*seed));
	if (r < 0)
		return err_set(e, -r, "the system gives no randomness for keys");
	guid_random(seed->volume_guid);
	guid_random(seed->recovery_guid);
	return bitlocker_create_from_seed(p, seed, ret, e);
}

int bitlocker_unseal(struct target *partition, struct err *e)
{
	static const uint8_t zeros[FVE_VBB_BYTES];
	int r = target_pwrite(partition, zeros, sizeof(zeros), 0, e);

	return r < 0 ? r : target_flush(partition, e);
}

/* The ICE area is zeros; sectors nobody uses are random, as on Windows' volumes. */
static int write_fillers(struct target *partition, const struct bitlocker_geometry *g,
			 struct err *e)
{
	_cleanup_free_ uint8_t *zeros = calloc(1, FVE_ICE_BYTES);
	uint8_t filler[FVE_VBB_BYTES - FVE_HEADER_BYTES];
	int r;

	if (!zeros)
		return err_oom(e);
	r = random_bytes(filler, sizeof(filler));
	if (r < 0)
		return err_set(e, -r, "the system gives no randomness");
	r = target_pwrite(partition, zeros, FVE_ICE_BYTES, g->ice_off_bytes, e);
	return r < 0 ? r : target_pwrite(partition, filler, sizeof(filler), FVE_HEADER_BYTES, e);
}

int bitlocker_seal(struct target *partition, const struct bitlocker_params *p,
		   const uint8_t metadata[FVE_METADATA_BYTES], struct err *e)
{
	uint8_t header[FVE_HEADER_BYTES];
	int r = encode_header(p, header, e);

	if (r == 0 && partition->size_bytes != p->geometry.volume_bytes)
		r = err_set(e, EINVAL, "the partition is not of the volume's size");
	if (r == 0)
		r = write_fillers(partition, &p->geometry, e);
	for (size_t last = FVE_COPIES - 1, i = 0; r == 0 && i < FVE_COPIES; i++)
		r = target_pwrite(partition, metadata, FVE_METADATA_BYTES,
				  p->geometry.meta_off_bytes[last - i], e);
	if (r == 0)
		r = target_flush(partition, e);
	if (r == 0)
		r = target_pwrite(partition, header, sizeof(header), 0, e);
	if (r == 0)
		r = target_flush(partition, e);
	return r < 0 ? err_wrap(e, r, "seal BitLocker volume") : 0;
}
