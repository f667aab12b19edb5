/* SPDX-License-Identifier: GPL-3.0-or-later */
/* struct store_summary: a store in a few numbers, as of the last commit, mounted or not. */
#ifndef SEEDSHIP_STORE_SUMMARY_H
#define SEEDSHIP_STORE_SUMMARY_H

#include <stdint.h>

#include "common/base/err.h"

struct store_summary {
	uint64_t files, directories;
	uint64_t size_bytes;	     /* of the files */
	uint64_t stored_bytes;	     /* of their chunks in the packs */
	uint64_t packs, packs_bytes; /* live and dead */
	uint64_t commits, committed_ns;
	uint32_t chunk_bytes;
};

/* -ENOENT when path is no store; a newer one is refused. Blocks: it counts all files. */
int store_summary_get(const char *path, struct store_summary *ret, struct err *e);

#endif
