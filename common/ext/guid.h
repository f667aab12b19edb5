/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GUIDs as Microsoft's formats store them: the first three fields little-endian, the last eight bytes as printed. */
#ifndef SEEDSHIP_EXT_GUID_H
#define SEEDSHIP_EXT_GUID_H

#include <stdint.h>

#define GUID_BYTES	16
#define GUID_TEXT_BYTES 37

/* A fresh random (version 4) GUID in stored order. */
void guid_random(uint8_t ret[GUID_BYTES]);

/*
 * The version 5 GUID (RFC 4122, 4.3) of a name inside a namespace, both in stored order: the same for the same
 * two, at any time.
 */
void guid_of_name(const uint8_t space[GUID_BYTES], const char *name, uint8_t ret[GUID_BYTES]);

/* "4967d63b-2e29-4ad8-8399-f6a339e3d001" to stored order. -EINVAL. */
int guid_parse(const char *text, uint8_t ret[GUID_BYTES]);

/* Stored order to lower-case text of 36 characters and NUL. Returns out. */
const char *guid_format(const uint8_t guid[GUID_BYTES], char out[GUID_TEXT_BYTES]);

#endif
