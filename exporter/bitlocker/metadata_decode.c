/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a metadata block that may hold anything. First the frame (signature, sizes, CRC-32), then
 * each datum within its own bounds, then whether the parts agree. Datums of an unknown kind are
 * passed over, as a later Windows may add some.
 */
#include <inttypes.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/le.h"
#include "common/ext/digest.h"
#include "exporter/bitlocker/metadata.h"

struct datum {
	uint16_t role, type;
	struct cursor body;
};

struct decoder {
	struct metadata *m;
	struct metadata_boxes *boxes;
	uint64_t virtual_off_bytes; /* the VBB by its own datum; 0 = none seen */
	bool has_salt;
	struct err *e;
};

static int next_datum(struct cursor *c, struct datum *ret, struct err *e)
{
	size_t size = cursor_get_le16(c), body_bytes;
	const uint8_t *body;

	ret->role = cursor_get_le16(c);
	ret->type = cursor_get_le16(c);
	(void)cursor_get_le16(c); /* flags */
	body_bytes = size - FVE_DATUM_HEADER_BYTES;
	body = size >= FVE_DATUM_HEADER_BYTES ? cursor_get(c, body_bytes) : NULL;
	if (!body)
		return err_set(e, EBADMSG, "a datum of %zu bytes does not fit", size);
	ret->body = cursor_over(body, body_bytes);
	return 0;
}

static void decode_box(const struct datum *d, struct metadata_box *ret)
{
	*ret = (struct metadata_box){.data = d->body.data, .len_bytes = d->body.len_bytes};
}

/* u16 key type, u16 0, salt; the escrow boxes behind them are Windows' own. */
static int decode_stretch(struct decoder *x, struct datum *d)
{
	uint16_t key_type = cursor_get_le16(&d->body);
	const uint8_t *salt;

	(void)cursor_get_le16(&d->body);
	salt = cursor_get(&d->body, FVE_SALT_BYTES);
	if (!salt || key_type != FVE_KEY_RECOVERY)
		return err_set(x->e, EBADMSG, "a stretched key is damaged");
	memcpy(x->m->salt, salt, FVE_SALT_BYTES);
	x->has_salt = true;
	return 0;
}

static int decode_protector(struct decoder *x, struct cursor *properties)
{
	while (cursor_left(properties)) {
		struct datum d;
		int r = next_datum(properties, &d, x->e);

		if (r == 0 && d.type == FVE_TYPE_STRETCH)
			r = decode_stretch(x, &d);
		else if (r == 0 && d.type == FVE_TYPE_BOX)
			decode_box(&d, &x->boxes->vmk);
		if (r < 0)
			return r;
	}
	if (!x->has_salt || x->boxes->vmk.len_bytes != box_key_bytes(FVE_VMK_BYTES))
		return err_set(x->e, EBADMSG, "the recovery password's protector is incomplete");
	return 0;
}

/*
 * GUID, FILETIME, u16 0, u16 protector, properties. Only the first recovery password is looked at.
 */
static int decode_vmk(struct decoder *x, struct datum *d)
{
	const uint8_t *guid = cursor_get(&d->body, GUID_BYTES);
	uint16_t protector;

	(void)cursor_get_le64(&d->body);
	(void)cursor_get_le16(&d->body);
	protector = cursor_get_le16(&d->body);
	if (!guid || d->body.bad)
		return err_set(x->e, EBADMSG, "a key protector is cut short");
	if (protector != FVE_PROTECTOR_RECOVERY_PASSWORD || x->boxes->vmk.data)
		return 0;
	memcpy(x->m->recovery_guid, guid, GUID_BYTES);
	return decode_protector(x, &d->body);
}

/*
 * u64 VBB offset, u64 VBB size and, since Windows 8, the extended info, of which the ICE area is
 * known.
 */
static int decode_virtual(struct decoder *x, struct datum *d)
{
	const uint8_t *ext;

	x->virtual_off_bytes = cursor_get_le64(&d->body);
	if (cursor_get_le64(&d->body) != FVE_VBB_BYTES)
		return err_set(x->e, EBADMSG, "the area of the boot sectors is damaged");
	if (cursor_left(&d->body) < FVE_EXT_BYTES)
		return 0;
	ext = cursor_get(&d->body, FVE_EXT_BYTES);
	if (ext && le16_load(ext) == FVE_EXT_VERSION &&
	    le64_load(ext + FVE_EXT_OFF_ICE_BYTES) == FVE_ICE_BYTES)
		x->m->geometry.ice_off_bytes = le64_load(ext + FVE_EXT_OFF_ICE);
	return 0;
}

static int decode_datum(struct decoder *x, struct datum *d)
{
	if (d->role == FVE_ROLE_VMK && d->type == FVE_TYPE_VMK)
		return decode_vmk(x, d);
	if (d->role == FVE_ROLE_VIRTUAL && d->type == FVE_TYPE_VIRTUAL)
		return decode_virtual(x, d);
	if (d->role == FVE_ROLE_FVEK && d->type == FVE_TYPE_BOX)
		decode_box(d, &x->boxes->fvek);
	return 0;
}

static int decode_info_header(const uint8_t *info, struct metadata *m, struct err *e)
{
	struct bitlocker_geometry *g = &m->geometry;
	uint32_t relocated = le32_load(info + FVE_INFO_OFF_RELOCATED);

	if (le16_load(info + FVE_INFO_OFF_STATE) != FVE_STATE_ENCRYPTED ||
	    le16_load(info + FVE_INFO_OFF_NEXT_STATE) != FVE_STATE_ENCRYPTED)
		return err_set(e, EBADMSG, "the volume is not fully encrypted");
	g->volume_bytes = le64_load(info + FVE_INFO_OFF_VOLUME_BYTES);
	g->sector_bytes = relocated ? FVE_VBB_BYTES / relocated : 0;
	for (size_t i = 0; i < FVE_COPIES; i++)
		g->meta_off_bytes[i] = le64_load(info + FVE_INFO_OFF_METADATA + 8 * i);
	g->vbb_off_bytes = le64_load(info + FVE_INFO_OFF_VBB);
	return 0;
}

/* Gives the datums' bytes. */
static int decode_dataset_header(const uint8_t *info, size_t info_bytes, struct metadata *m,
				 struct cursor *ret_datums, struct err *e)
{
	uint32_t bytes = le32_load(info + FVE_DATASET_OFF_BYTES);
	uint16_t method = le16_load(info + FVE_DATASET_OFF_METHOD);

	if (le32_load(info + FVE_DATASET_OFF_VERSION) != FVE_DATASET_VERSION ||
	    le32_load(info + FVE_DATASET_OFF_START) != FVE_DATASET_HEADER_BYTES ||
	    le32_load(info + FVE_DATASET_OFF_END) != bytes || bytes < FVE_DATASET_HEADER_BYTES ||
	    bytes > info_bytes - FVE_INFO_HEADER_BYTES)
		return err_set(e, EBADMSG, "the dataset's header is damaged");
	if (bitlocker_cipher_of_method(method, &m->cipher) < 0)
		return err_set(e, EBADMSG, "encryption method 0x%04x is not supported", method);
	memcpy(m->volume_guid, info + FVE_DATASET_OFF_GUID, GUID_BYTES);
	m->created_filetime = le64_load(info + FVE_DATASET_OFF_CREATED);
	*ret_datums = cursor_over(info + FVE_INFO_HEADER_BYTES + FVE_DATASET_HEADER_BYTES,
				  bytes - FVE_DATASET_HEADER_BYTES);
	return 0;
}

/* The seal, which stands behind CRC and info; its datum's size is fixed. */
static int decode_validation(const uint8_t *block, size_t info_bytes, struct metadata_box *ret_seal,
			     struct err *e)
{
	struct cursor c = cursor_over(block + info_bytes, FVE_METADATA_BYTES - info_bytes);
	uint16_t size = cursor_get_le16(&c), version = cursor_get_le16(&c);
	uint32_t crc = cursor_get_le32(&c);
	struct datum d;
	int r;

	if (size != FVE_METADATA_BYTES - info_bytes || version != FVE_VALIDATION_VERSION)
		return err_set(e, EBADMSG, "the validation's header is damaged");
	if (crc != crc32_of(block, info_bytes))
		return err_set(e, EBADMSG, "checksum differs");
	r = next_datum(&c, &d, e);
	if (r < 0)
		return r;
	if (d.type != FVE_TYPE_BOX || d.body.len_bytes != box_key_bytes(SHA256_BYTES))
		return err_set(e, EBADMSG, "the seal is damaged");
	decode_box(&d, ret_seal);
	return 0;
}

/* Signature, version, size, checksum: after this the info is as it was written. */
static int decode_frame(const uint8_t *block, struct metadata_boxes *boxes, struct err *e)
{
	size_t info_bytes = (size_t)le16_load(block + FVE_INFO_OFF_SIZE) * FVE_INFO_UNIT_BYTES;

	if (memcmp(block + FVE_INFO_OFF_SIGNATURE, FVE_SIGNATURE, FVE_SIGNATURE_BYTES) != 0)
		return err_set(e, EBADMSG, "signature missing");
	if (le16_load(block + FVE_INFO_OFF_VERSION) != FVE_INFO_VERSION)
		return err_set(e, EBADMSG, "version %u is not supported",
			       le16_load(block + FVE_INFO_OFF_VERSION));
	if (info_bytes < FVE_INFO_HEADER_BYTES + FVE_DATASET_HEADER_BYTES ||
	    info_bytes >= FVE_METADATA_BYTES)
		return err_set(e, EBADMSG, "info of %zu bytes", info_bytes);
	boxes->info = block;
	boxes->info_bytes = info_bytes;
	return decode_validation(block, info_bytes, &boxes->seal, e);
}

static int decode_datums(struct decoder *x, struct cursor *datums)
{
	while (cursor_left(datums)) {
		struct datum d;
		int r = next_datum(datums, &d, x->e);

		if (r == 0)
			r = decode_datum(x, &d);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_agreement(const struct decoder *x)
{
	const struct metadata *m = x->m;

	if (!x->boxes->vmk.data)
		return err_set(x->e, EBADMSG, "no recovery password protects this volume");
	if (x->boxes->fvek.len_bytes != box_key_bytes(bitlocker_cipher_fvek_bytes(m->cipher)))
		return err_set(x->e, EBADMSG, "the volume's key is missing or damaged");
	if (x->virtual_off_bytes != m->geometry.vbb_off_bytes)
		return err_set(x->e, EBADMSG, "two places for the boot sectors");
	return geometry_check(&m->geometry, x->e);
}

int metadata_decode(const uint8_t block[FVE_METADATA_BYTES], struct metadata *ret,
		    struct metadata_boxes *ret_boxes, struct err *e)
{
	struct metadata_boxes boxes = {0};
	struct metadata m = {0};
	struct decoder x = {.m = &m, .boxes = &boxes, .e = e};
	struct cursor datums;
	int r;

	r = decode_frame(block, &boxes, e);
	if (r == 0)
		r = decode_info_header(block, &m, e);
	if (r == 0)
		r = decode_dataset_header(block, boxes.info_bytes, &m, &datums, e);
	if (r == 0)
		r = decode_datums(&x, &datums);
	if (r == 0)
		r = check_agreement(&x);
	if (r < 0)
		return r;
	*ret = m;
	*ret_boxes = boxes;
	return 0;
}
