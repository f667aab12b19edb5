/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Block blob or page blob. */
#include "exporter/plan/blobtype.h"

#include <string.h>
#include <strings.h>

static const char *const names[] = {
	[BLOBTYPE_BLOCK] = "block",
	[BLOBTYPE_PAGE] = "page",
	[BLOBTYPE_AUTO] = "auto",
};

int blobtype_parse(const char *text, enum blobtype *ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum blobtype)i;
			return 0;
		}
	}
	return err_user(e, "blob type '%s': must be block, page or auto", text);
}

const char *blobtype_name(enum blobtype type)
{
	return names[type];
}

static bool is_disk_image(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (strcasecmp(dot, ".vhd") == 0 || strcasecmp(dot, ".vhdx") == 0);
}

enum blobtype blobtype_choose(enum blobtype wish, const char *name, uint64_t size_bytes)
{
	if (wish != BLOBTYPE_AUTO)
		return wish;
	if (is_disk_image(name) && size_bytes && blobtype_aligned(BLOBTYPE_PAGE, size_bytes))
		return BLOBTYPE_PAGE;
	return BLOBTYPE_BLOCK;
}

uint64_t blobtype_max_bytes(enum blobtype type)
{
	return type == BLOBTYPE_PAGE ? BLOBTYPE_PAGE_MAX
				     : BLOBTYPE_BLOCKS_MAX * BLOBTYPE_BLOCK_BYTES;
}

bool blobtype_aligned(enum blobtype type, uint64_t size_bytes)
{
	return type != BLOBTYPE_PAGE || size_bytes % BLOBTYPE_PAGE_BYTES == 0;
}
