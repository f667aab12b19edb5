/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Block blob or page blob: which a file becomes, and which files it cannot hold. */
#ifndef SEEDSHIP_PLAN_BLOBTYPE_H
#define SEEDSHIP_PLAN_BLOBTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

#define BLOBTYPE_BLOCK_BYTES (4 * MiB) /* of a block, and of a page range, at most */
#define BLOBTYPE_BLOCKS_MAX  50000     /* of a block blob: 195.3 GiB */
#define BLOBTYPE_PAGE_BYTES  512
#define BLOBTYPE_PAGE_MAX    (8 * TiB) /* of a page blob */

enum blobtype {
	BLOBTYPE_BLOCK,
	BLOBTYPE_PAGE,
	BLOBTYPE_AUTO, /* a wish only: .vhd and .vhdx of whole pages become page blobs, the rest block blobs */
};

/* "block", "page" or "auto"; -EINVAL (user) otherwise. */
int blobtype_parse(const char *text, enum blobtype *ret, struct err *e);
const char *blobtype_name(enum blobtype type);

/* What a file becomes: never BLOBTYPE_AUTO. */
enum blobtype blobtype_choose(enum blobtype wish, const char *name, uint64_t size_bytes);

/* The most bytes a blob of this type can hold. */
uint64_t blobtype_max_bytes(enum blobtype type);

/* Whether a size is a multiple of what a blob of this type is made of: pages, or single bytes. */
bool blobtype_aligned(enum blobtype type, uint64_t size_bytes);

#endif
