/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libuuid works in network order; Microsoft swaps the first three fields. */
#include "common/ext/guid.h"

#include <errno.h>
#include <string.h>
#include <uuid/uuid.h>

static void swap_fields(const uint8_t in[GUID_BYTES], uint8_t out[GUID_BYTES])
{
	static const uint8_t from[GUID_BYTES] = {3, 2, 1,  0,  5,  4,  7,  6,
						 8, 9, 10, 11, 12, 13, 14, 15};

	for (int i = 0; i < GUID_BYTES; i++)
		out[i] = in[from[i]];
}

void guid_random(uint8_t ret[GUID_BYTES])
{
	uuid_t u;

	uuid_generate_random(u);
	swap_fields(u, ret);
}

void guid_of_name(const uint8_t space[GUID_BYTES], const char *name, uint8_t ret[GUID_BYTES])
{
	uuid_t u, ns;

	swap_fields(space, ns);
	uuid_generate_sha1(u, ns, name, strlen(name));
	swap_fields(u, ret);
}

int guid_parse(const char *text, uint8_t ret[GUID_BYTES])
{
	uuid_t u;

	if (uuid_parse(text, u) < 0)
		return -EINVAL;
	swap_fields(u, ret);
	return 0;
}

const char *guid_format(const uint8_t guid[GUID_BYTES], char out[GUID_TEXT_BYTES])
{
	uuid_t u;

	swap_fields(guid, u);
	uuid_unparse_lower(u, out);
	return out;
}
