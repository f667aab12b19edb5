/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of struct bitlocker_keys, for the files that make one. */
#ifndef SEEDSHIP_BITLOCKER_VOLUME_KEYS_H
#define SEEDSHIP_BITLOCKER_VOLUME_KEYS_H

#include "exporter/bitlocker/metadata.h"
#include "exporter/bitlocker/volume.h"

struct bitlocker_keys {
	struct bitlocker_info info;
	uint8_t fvek[FVE_FVEK_MAX_BYTES];
};

/* The keys of a volume with this metadata; the FVEK is the caller's to fill in. */
int bitlocker_keys_new(const struct metadata *m, struct bitlocker_keys **ret, struct err *e)
	_warn_unused_result_;

#endif
