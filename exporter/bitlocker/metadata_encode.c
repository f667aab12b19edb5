/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes a metadata block. Datums come in the order and with the values of Windows 10; what no
 * reader checks is still what Windows would write. One time and a counter make the nonces: the
 * boxes count from 1, the seal comes last, and the block names the next free number.
 */
#include <inttypes.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/le.h"
#include "common/ext/digest.h"
#include "common/ext/utf16.h"
#include "exporter/bitlocker/metadata.h"

/* The info while it grows; after the first failure r the rest does nothing. */
struct encoder {
	const struct metadata *m;
	const struct metadata_secrets *secrets;
	struct buf info;
	uint32_t boxes; /* so far; also the last counter used */
	int r;
	struct err *e;
};

static size_t datum_begin(struct encoder *x, uint16_t role, uint16_t type)
{
	size_t start = x->info.len_bytes;

	buf_put_le16(&x->info, 0); /* the size, see datum_end() */
	buf_put_le16(&x->info, role);
	buf_put_le16(&x->info, type);
	buf_put_le16(&x->info, FVE_FLAGS_CLEAR);
	return start;
}

static void datum_end(struct encoder *x, size_t start)
{
	if (!x->info.failed)
		le16_store(x->info.data + start, (uint16_t)(x->info.len_bytes - start));
}

static struct box_nonce next_nonce(struct encoder *x)
{
	return (struct box_nonce){.filetime = x->m->created_filetime, .counter = ++x->boxes};
}

static void put_box(struct encoder *x, uint16_t role, const uint8_t *key, uint16_t key_type,
		    const uint8_t *secret, size_t secret_bytes)
{
	uint8_t box[FVE_BOX_OVERHEAD + FVE_KEY_DATUM_MAX_BYTES];
	size_t start = datum_begin(x, role, FVE_TYPE_BOX);

	if (x->r == 0)
		x->r = box_seal_key(key, next_nonce(x), key_type, secret, secret_bytes, box, x->e);
	if (x->r < 0)
		return;
	buf_put(&x->info, box, box_key_bytes(secret_bytes));
	datum_end(x, start);
}

static void put_text(struct encoder *x, uint16_t role, const char *text)
{
	size_t start = datum_begin(x, role, FVE_TYPE_TEXT), len_bytes = strlen(text), raw_bytes;
	_cleanup_free_ uint8_t *raw = NULL;
	int r;

	if (x->r < 0)
		return;
	if (utf16_units(text, len_bytes) > METADATA_DESCRIPTION_MAX_UNITS) {
		x->r = err_user(x->e, "the volume's description is too long, or not UTF-8");
		return;
	}
	r = utf16le_encode(text, len_bytes, &raw, &raw_bytes);
	if (r < 0) {
		x->r = err_set(x->e, -r, "cannot encode the volume's description");
		return;
	}
	buf_put(&x->info, raw, raw_bytes);
	buf_put_le16(&x->info, 0);
	datum_end(x, start);
}

/* The salt, and what lets an unlocked Windows show the password again or wrap the VMK anew. */
static void put_stretch(struct encoder *x)
{
	const struct metadata_secrets *s = x->secrets;
	size_t start = datum_begin(x, FVE_ROLE_PROPERTY, FVE_TYPE_STRETCH);

	buf_put_le16(&x->info, FVE_KEY_RECOVERY);
	buf_put_le16(&x->info, 0);
	buf_put(&x->info, x->m->salt, FVE_SALT_BYTES);
	put_box(x, FVE_ROLE_ESCROW_RECOVERY_KEY, s->vmk, FVE_KEY_RECOVERY, s->recovery_key,
		FVE_RECOVERY_KEY_BYTES);
	put_box(x, FVE_ROLE_ESCROW_STRETCHED, s->vmk, FVE_KEY_STRETCHED, s->stretched_key,
		BOX_KEY_BYTES);
	datum_end(x, start);
}

static void put_vmk(struct encoder *x)
{
	size_t start = datum_begin(x, FVE_ROLE_VMK, FVE_TYPE_VMK);

	buf_put(&x->info, x->m->recovery_guid, GUID_BYTES);
	buf_put_le64(&x->info, x->m->created_filetime);
	buf_put_le16(&x->info, 0);
	buf_put_le16(&x->info, FVE_PROTECTOR_RECOVERY_PASSWORD);
	put_text(x, FVE_ROLE_PROPERTY, FVE_PROTECTOR_NAME);
	put_stretch(x);
	put_box(x, FVE_ROLE_PROPERTY, x->secrets->stretched_key, FVE_KEY_VMK, x->secrets->vmk,
		FVE_VMK_BYTES);
	datum_end(x, start);
}

static void put_extended_info(struct encoder *x)
{
	struct buf *b = &x->info;

	buf_put_le16(b, FVE_EXT_VERSION);
	buf_put_le16(b, FVE_EXT_BYTES);
	buf_put_le32(b, 0); /* wipe files */
	buf_put_le64(b, FVE_EXT_FLAGS);
	buf_put_le64(b, 0); /* conversion log: offset, size */
	buf_put_le32(b, 0);
	buf_put_le32(b, x->m->geometry.sector_bytes); /* logical, native */
	buf_put_le32(b, x->m->geometry.sector_bytes);
	buf_put_le32(b, FVE_EXT_MAJOR);
	buf_put_le32(b, FVE_EXT_MINOR);
	buf_put_le32(b, FVE_EXT_BUILD);
	buf_put_le32(b, FVE_EXT_PLATFORM_NT);
	buf_put_le16(b, 0); /* service pack: major, minor */
	buf_put_le16(b, 0);
	buf_put_le16(b, FVE_EXT_SUITE_MASK);
	buf_put_u8(b, FVE_EXT_PRODUCT_TYPE);
	buf_put_u8(b, FVE_EXT_ARCHITECTURE);
	buf_put_le64(b, x->m->geometry.ice_off_bytes);
	buf_put_le64(b, FVE_ICE_BYTES);
}

static void put_virtual(struct encoder *x)
{
	size_t start = datum_begin(x, FVE_ROLE_VIRTUAL, FVE_TYPE_VIRTUAL);

	buf_put_le64(&x->info, x->m->geometry.vbb_off_bytes);
	buf_put_le64(&x->info, FVE_VBB_BYTES);
	put_extended_info(x);
	datum_end(x, start);
}

static void fill_info_header(const struct encoder *x, size_t info_bytes)
{
	const struct bitlocker_geometry *g = &x->m->geometry;
	uint8_t *p = x->info.data;

	memcpy(p + FVE_INFO_OFF_SIGNATURE, FVE_SIGNATURE, FVE_SIGNATURE_BYTES);
	le16_store(p + FVE_INFO_OFF_SIZE, (uint16_t)(info_bytes / FVE_INFO_UNIT_BYTES));
	le16_store(p + FVE_INFO_OFF_VERSION, FVE_INFO_VERSION);
	le16_store(p + FVE_INFO_OFF_STATE, FVE_STATE_ENCRYPTED);
	le16_store(p + FVE_INFO_OFF_NEXT_STATE, FVE_STATE_ENCRYPTED);
	le64_store(p + FVE_INFO_OFF_VOLUME_BYTES, g->volume_bytes);
	le32_store(p + FVE_INFO_OFF_RELOCATED, FVE_VBB_BYTES / g->sector_bytes);
	for (size_t i = 0; i < FVE_COPIES; i++)
		le64_store(p + FVE_INFO_OFF_METADATA + 8 * i, g->meta_off_bytes[i]);
	le64_store(p + FVE_INFO_OFF_VBB, g->vbb_off_bytes);
}

static void fill_dataset_header(const struct encoder *x, size_t dataset_bytes)
{
	uint16_t method = bitlocker_cipher_method(x->m->cipher);
	uint8_t *p = x->info.data;

	le32_store(p + FVE_DATASET_OFF_BYTES, (uint32_t)dataset_bytes);
	le32_store(p + FVE_DATASET_OFF_VERSION, FVE_DATASET_VERSION);
	le32_store(p + FVE_DATASET_OFF_START, FVE_DATASET_HEADER_BYTES);
	le32_store(p + FVE_DATASET_OFF_END, (uint32_t)dataset_bytes);
	memcpy(p + FVE_DATASET_OFF_GUID, x->m->volume_guid, GUID_BYTES);
	le32_store(p + FVE_DATASET_OFF_NEXT_COUNTER, x->boxes + 2); /* behind the seal's */
	le16_store(p + FVE_DATASET_OFF_METHOD, method);
	le16_store(p + FVE_DATASET_OFF_PREFERRED_METHOD, method);
	le64_store(p + FVE_DATASET_OFF_CREATED, x->m->created_filetime);
}

/* Everything that is sealed: headers, datums, padding. */
static int encode_info(struct encoder *x, const char *description)
{
	size_t dataset_bytes, info_bytes;

	buf_put_zero(&x->info, FVE_INFO_HEADER_BYTES + FVE_DATASET_HEADER_BYTES);
	put_text(x, FVE_ROLE_DESCRIPTION, description);
	put_vmk(x);
	put_box(x, FVE_ROLE_FVEK, x->secrets->vmk, bitlocker_cipher_method(x->m->cipher),
		x->secrets->fvek, bitlocker_cipher_fvek_bytes(x->m->cipher));
	put_virtual(x);
	dataset_bytes = x->info.len_bytes - FVE_INFO_HEADER_BYTES;
	info_bytes = (size_t)round_up_u64(x->info.len_bytes, FVE_INFO_UNIT_BYTES);
	buf_put_zero(&x->info, info_bytes - x->info.len_bytes);
	if (x->r < 0)
		return x->r;
	if (buf_error(&x->info) < 0)
		return err_oom(x->e);
	fill_info_header(x, info_bytes);
	fill_dataset_header(x, dataset_bytes);
	return 0;
}

/* CRC and seal behind the info. */
static int encode_validation(struct encoder *x, uint8_t *ret)
{
	_cleanup_(digest_freep) struct digest *d = NULL;
	uint8_t *datum = ret + FVE_VALIDATION_HEADER_BYTES;
	uint8_t hash[SHA256_BYTES];
	int r;

	le16_store(ret, (uint16_t)(FVE_METADATA_BYTES - x->info.len_bytes));
	le16_store(ret + 2, FVE_VALIDATION_VERSION);
	le32_store(ret + 4, crc32_of(x->info.data, x->info.len_bytes));
	le16_store(datum, (uint16_t)(FVE_DATUM_HEADER_BYTES + box_key_bytes(SHA256_BYTES)));
	le16_store(datum + 2, FVE_ROLE_PROPERTY);
	le16_store(datum + 4, FVE_TYPE_BOX);
	le16_store(datum + 6, FVE_FLAGS_CLEAR);
	r = digest_new(DIGEST_SHA256, &d, x->e);
	if (r < 0)
		return r;
	r = digest_once(d, x->info.data, x->info.len_bytes, hash);
	if (r < 0)
		return err_set(x->e, -r, "OpenSSL failed to hash the metadata");
	return box_seal_key(x->secrets->vmk, next_nonce(x), FVE_KEY_SHA256, hash, sizeof(hash),
			    datum + FVE_DATUM_HEADER_BYTES, x->e);
}

int metadata_encode(const struct metadata *m, const char *description,
		    const struct metadata_secrets *secrets, uint8_t ret[FVE_METADATA_BYTES],
		    struct err *e)
{
	struct encoder x = {.m = m, .secrets = secrets, .info = BUF_INIT, .e = e};
	uint8_t validation[FVE_VALIDATION_HEADER_BYTES + FVE_DATUM_HEADER_BYTES + FVE_BOX_OVERHEAD +
			   FVE_KEY_DATUM_OVERHEAD + SHA256_BYTES];
	int r = encode_info(&x, description);

	if (r == 0)
		r = encode_validation(&x, validation);
	if (r == 0) {
		memset(ret, 0, FVE_METADATA_BYTES);
		memcpy(ret, x.info.data, x.info.len_bytes);
		memcpy(ret + x.info.len_bytes, validation, sizeof(validation));
	}
	buf_done(&x.info);
	return r;
}
