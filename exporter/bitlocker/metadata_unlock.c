/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opens the boxes of a decoded metadata block and checks its seal. */
#include <openssl/crypto.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/ext/digest.h"
#include "common/ext/secret.h"
#include "exporter/bitlocker/metadata.h"

/* What is unboxed on the way. */
struct scratch {
	uint8_t vmk[FVE_VMK_BYTES];
	uint8_t sealed_hash[SHA256_BYTES];
	uint8_t fvek[FVE_FVEK_MAX_BYTES];
};

static int open_vmk(const struct metadata_boxes *boxes, const uint8_t *stretched_key, uint8_t *ret,
		    struct err *e)
{
	int r = box_open_key(stretched_key, boxes->vmk.data, boxes->vmk.len_bytes, FVE_KEY_VMK, ret,
			     FVE_VMK_BYTES, e);

	if (r == -EACCES)
		return err_user_code(e, EACCES, "the recovery password does not open this volume");
	return r;
}

/*
 * A box that the VMK must open: after the VMK itself came out of its box, a failure means damage.
 */
static int open_with_vmk(const struct scratch *s, const struct metadata_box *box, uint16_t key_type,
			 uint8_t *ret, size_t secret_bytes, struct err *e)
{
	int r = box_open_key(s->vmk, box->data, box->len_bytes, key_type, ret, secret_bytes, e);

	return r == -EACCES ? err_set(e, EBADMSG, "the metadata was changed without its key") : r;
}

static int check_seal(struct scratch *s, const struct metadata_boxes *boxes, struct err *e)
{
	_cleanup_(digest_freep) struct digest *d = NULL;
	uint8_t hash[SHA256_BYTES];
	int r;

	r = open_with_vmk(s, &boxes->seal, FVE_KEY_SHA256, s->sealed_hash, SHA256_BYTES, e);
	if (r == 0)
		r = digest_new(DIGEST_SHA256, &d, e);
	if (r < 0)
		return r;
	r = digest_once(d, boxes->info, boxes->info_bytes, hash);
	if (r < 0)
		return err_set(e, -r, "OpenSSL failed to hash the metadata");
	if (CRYPTO_memcmp(hash, s->sealed_hash, SHA256_BYTES) != 0)
		return err_set(e, EBADMSG, "the metadata was changed without its key");
	return 0;
}

int metadata_unlock(const struct metadata *m, const struct metadata_boxes *boxes,
		    const uint8_t stretched_key[BOX_KEY_BYTES],
		    uint8_t ret_fvek[FVE_FVEK_MAX_BYTES], struct err *e)
{
	_cleanup_secret_ struct scratch *s = NULL;
	size_t fvek_bytes = bitlocker_cipher_fvek_bytes(m->cipher);
	int r = secret_alloc(sizeof(*s), (void **)&s, e);

	if (r < 0)
		return r;
	r = open_vmk(boxes, stretched_key, s->vmk, e);
	if (r == 0)
		r = check_seal(s, boxes, e);
	if (r == 0)
		r = open_with_vmk(s, &boxes->fvek, bitlocker_cipher_method(m->cipher), s->fvek,
				  fvek_bytes, e);
	if (r == 0)
		memcpy(ret_fvek, s->fvek, FVE_FVEK_MAX_BYTES);
	return r;
}
