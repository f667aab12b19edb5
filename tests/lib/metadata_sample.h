/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A metadata block made from counting bytes, for the tests of its codec; include behind cmocka.h.
 */
#ifndef SEEDSHIP_TESTS_METADATA_SAMPLE_H
#define SEEDSHIP_TESTS_METADATA_SAMPLE_H

#include <stdlib.h>

#include "exporter/bitlocker/metadata.h"
#include "tests/lib/expect.h"

#define SAMPLE_DESCRIPTION "HOST Backup 2026-11-22"

/* Where things lie in the sample's block (XTS-128). */
#define INFO_BYTES 0x2a0
#define OFF_DESC   0x70
#define OFF_VMK	   (OFF_DESC + 0x36)
#define OFF_FVEK   (OFF_VMK + 0x142)
#define OFF_VIRT   (OFF_FVEK + 0x50)
#define OFF_END	   (OFF_VIRT + 0x64)

struct sample {
	struct metadata m;
	struct metadata_secrets secrets;
	uint8_t *block; /* of its own, so that a sanitizer sees where it ends */
};

static inline void count_up(uint8_t *p, size_t n, uint8_t first)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(first + i);
}

static inline void fill_sample(struct sample *s, enum bitlocker_cipher cipher,
			       uint32_t sector_bytes)
{
	s->m = (struct metadata){
		.cipher = cipher,
		.geometry = {.volume_bytes = 0x18000000,
			     .sector_bytes = sector_bytes,
			     .meta_off_bytes = {0x2100000, 0x8000000, 0x10000000},
			     .vbb_off_bytes = 0x2110000,
			     .ice_off_bytes = 0x2112000},
		.created_filetime = 0x01dc000000000000,
	};
	count_up(s->m.volume_guid, GUID_BYTES, 0x80);
	count_up(s->m.recovery_guid, GUID_BYTES, 0x90);
	count_up(s->m.salt, FVE_SALT_BYTES, 0);
	count_up(s->secrets.vmk, FVE_VMK_BYTES, 0);
	count_up(s->secrets.fvek, FVE_FVEK_MAX_BYTES, 0x40);
	assert_int_equal(parse_hex("7527ea4e5f76d49d49c5beec0100ffff", s->secrets.recovery_key,
				   FVE_RECOVERY_KEY_BYTES),
			 0);
	/* What stretching makes of that key and that salt. */
	assert_int_equal(
		parse_hex("b0aa07a07d40c3c23bf4e39a723701a42adfd6a37060fbb15c747f30bbce6275",
			  s->secrets.stretched_key, BOX_KEY_BYTES),
		0);
}

static inline void encode_sample(struct sample *s, enum bitlocker_cipher cipher,
				 uint32_t sector_bytes)
{
	struct err e = {0};

	fill_sample(s, cipher, sector_bytes);
	s->block = malloc(FVE_METADATA_BYTES);
	assert_non_null(s->block);
	memset(s->block, 0xee, FVE_METADATA_BYTES);
	expect_ok(metadata_encode(&s->m, SAMPLE_DESCRIPTION, &s->secrets, s->block, &e), &e);
}

/* Decodes and unlocks: what a reader with the right password would do. */
static inline int open_block(const struct sample *s, uint8_t fvek[FVE_FVEK_MAX_BYTES],
			     struct err *e)
{
	struct metadata_boxes boxes;
	struct metadata m;
	int r = metadata_decode(s->block, &m, &boxes, e);

	return r < 0 ? r : metadata_unlock(&m, &boxes, s->secrets.stretched_key, fvek, e);
}

#endif
