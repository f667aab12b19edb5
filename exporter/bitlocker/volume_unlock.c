/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unlocks a volume with its recovery password. Everything read is foreign until its seal has been
 * checked.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/ext/secret.h"
#include "exporter/bitlocker/header.h"
#include "exporter/bitlocker/volume_keys.h"

/* The two keys before the VMK. */
struct password_keys {
	uint8_t recovery_key[FVE_RECOVERY_KEY_BYTES];
	uint8_t stretched_key[BOX_KEY_BYTES];
};

/* The keys in a decoded block. */
static int unlock(const struct metadata *m, const struct metadata_boxes *boxes,
		  const char *password, struct bitlocker_keys **ret, struct err *e)
{
	_cleanup_secret_ struct password_keys *p = NULL;
	_cleanup_(bitlocker_keys_freep) struct bitlocker_keys *k = NULL;
	int r = secret_alloc(sizeof(*p), (void **)&p, e);

	if (r < 0)
		return r;
	r = recovery_password_parse(password, p->recovery_key, e);
	if (r == 0)
		r = bitlocker_keys_new(m, &k, e);
	if (r == 0)
		r = key_stretch(p->recovery_key, m->salt, p->stretched_key, e);
	if (r == 0)
		r = metadata_unlock(m, boxes, p->stretched_key, k->fvek, e);
	if (r == -EACCES)
		return err_hint(e, r, "the one with the key ID %s does", k->info.recovery_key_id);
	if (r < 0)
		return r;
	*ret = take_ptr(k);
	return 0;
}

int bitlocker_unlock_metadata(const uint8_t metadata[FVE_METADATA_BYTES], const char *password,
			      struct bitlocker_keys **ret, struct err *e)
{
	struct metadata_boxes boxes;
	struct metadata m;
	int r = metadata_decode(metadata, &m, &boxes, e);

	if (r < 0)
		return err_wrap(e, r, "BitLocker metadata");
	return unlock(&m, &boxes, password, ret, e);
}

/* A block read from a partition must describe that partition, as its header does. */
static int check_belongs(const struct target *partition, const struct volume_header *h,
			 const struct metadata *m, struct err *e)
{
	if (m->geometry.volume_bytes != partition->size_bytes)
		return err_set(e, EBADMSG,
			       "the volume has %" PRIu64 " bytes, the partition %" PRIu64,
			       m->geometry.volume_bytes, partition->size_bytes);
	if (m->geometry.sector_bytes != h->sector_bytes ||
	    memcmp(m->geometry.meta_off_bytes, h->meta_off_bytes, sizeof(h->meta_off_bytes)) != 0)
		return err_set(e, EBADMSG, "metadata and volume header disagree");
	return 0;
}

static int unlock_copy(struct target *partition, const struct volume_header *h, size_t copy,
		       uint8_t *block, const char *password, struct bitlocker_keys **ret,
		       struct err *e)
{
	struct metadata_boxes boxes;
	struct metadata m;
	int r = 0;

	if (!target_has_range(partition, FVE_METADATA_BYTES, h->meta_off_bytes[copy]))
		r = err_set(e, EBADMSG, "its place is past the partition's end");
	if (r == 0)
		r = target_pread(partition, block, FVE_METADATA_BYTES, h->meta_off_bytes[copy], e);
	if (r == 0)
		r = metadata_decode(block, &m, &boxes, e);
	if (r == 0)
		r = check_belongs(partition, h, &m, e);
	if (r < 0)
		return err_wrap(e, r, "metadata copy %zu", copy + 1);
	return unlock(&m, &boxes, password, ret, e);
}

/* How many copies are not the good block. */
static int count_damaged(struct target *partition, const struct volume_header *h,
			 const uint8_t *good, unsigned *ret, struct err *e)
{
	_cleanup_free_ uint8_t *block = malloc(FVE_METADATA_BYTES);
	unsigned n = 0;

	if (!block)
		return err_oom(e);
	for (size_t i = 0; i < FVE_COPIES; i++) {
		int r = target_pread(partition, block, FVE_METADATA_BYTES, h->meta_off_bytes[i],
				     NULL);

		if (r < 0 || memcmp(block, good, FVE_METADATA_BYTES) != 0)
			n++;
	}
	*ret = n;
	return 0;
}

/* Whether another copy of the metadata may do better. */
static bool means_damage(int r)
{
	return r == -EBADMSG || r == -EIO;
}

/* The first good copy serves; when there is none, the first one's story is told. */
static int unlock_any_copy(struct target *partition, const struct volume_header *h,
			   const char *password, struct bitlocker_keys **ret, struct err *e)
{
	_cleanup_free_ uint8_t *block = malloc(FVE_METADATA_BYTES);
	_cleanup_(bitlocker_keys_freep) struct bitlocker_keys *k = NULL;
	int r = -EBADMSG;

	if (!block)
		return err_oom(e);
	for (size_t copy = 0; copy < FVE_COPIES && means_damage(r); copy++) {
		struct err story = {0};
		int r_copy = unlock_copy(partition, h, copy, block, password, &k, &story);

		if (copy > 0 && means_damage(r_copy))
			continue;
		r = r_copy;
		if (e)
			*e = story;
	}
	if (r == 0)
		r = count_damaged(partition, h, block, &k->info.damaged_copies, e);
	if (r < 0)
		return r;
	*ret = take_ptr(k);
	return 0;
}

int bitlocker_unlock(struct target *partition, const char *password, struct bitlocker_keys **ret,
		     struct err *e)
{
	uint8_t sector[FVE_HEADER_BYTES];
	struct volume_header h;
	int r;

	r = target_pread(partition, sector, sizeof(sector), 0, e);
	if (r == 0)
		r = volume_header_decode(sector, &h, e);
	if (r == 0)
		r = unlock_any_copy(partition, &h, password, ret, e);
	return r < 0 ? err_wrap(e, r, "%s: unlock BitLocker volume", partition->name) : 0;
}
