/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What names and sizes that come from a store's files can be, for those who read it. Pure. */
#ifndef SEEDSHIP_STORE_NAMES_H
#define SEEDSHIP_STORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/store/frame.h"

#define NAME_MAX_BYTES	  255
#define SYMLINK_MAX_BYTES 4095

/* Names come from a file: one like "../x" must not reach those who build paths from it. */
static inline bool name_possible(const char *name, size_t len_bytes)
{
	return len_bytes > 0 && len_bytes <= NAME_MAX_BYTES && !memchr(name, '/', len_bytes) &&
	       !memchr(name, '\0', len_bytes) && !(len_bytes == 1 && name[0] == '.') &&
	       !(len_bytes == 2 && name[0] == '.' && name[1] == '.');
}

static inline bool chunk_bytes_possible(uint64_t bytes)
{
	return bytes >= CHUNK_BYTES_MIN && bytes <= CHUNK_BYTES_MAX && (bytes & (bytes - 1)) == 0;
}

#endif
