/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The recovery password: 8 groups of 6 digits, each 11 times one little-endian 16-bit number of the
 * 16-byte recovery key. Divisibility by 11 makes each sixth digit a check digit.
 */
#ifndef SEEDSHIP_BITLOCKER_RECOVERY_H
#define SEEDSHIP_BITLOCKER_RECOVERY_H

#include <stdint.h>

#include "common/base/err.h"
#include "exporter/bitlocker/layout.h"

#define RECOVERY_PASSWORD_BYTES 56 /* "111111-222222-...", with the NUL */

/* Writes the password of a key. Both belong in secret memory. */
void recovery_password_format(const uint8_t key[FVE_RECOVERY_KEY_BYTES],
			      char ret[RECOVERY_PASSWORD_BYTES]);

/*
 * Reads a password: groups apart by blanks or dashes, or 48 digits in a row; blanks around it are
 * fine. -EINVAL (user) says which group is wrong and how, and quotes nothing of it.
 */
int recovery_password_parse(const char *text, uint8_t ret_key[FVE_RECOVERY_KEY_BYTES],
			    struct err *e) _warn_unused_result_;

#endif
