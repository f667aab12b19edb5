/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The packs that lie in the folder packs/, whatever an index says. */
#ifndef SEEDSHIP_STORE_PACK_LIST_H
#define SEEDSHIP_STORE_PACK_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct pack_file {
	uint32_t pack;
	uint64_t size_bytes;
};

/* All pack files in ascending order of their numbers; other names are passed over. Caller frees *ret. */
int pack_list(int packs_fd, struct pack_file **ret, size_t *ret_n, struct err *e);

#endif
