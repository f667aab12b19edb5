/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The face of jansson. */
#include "common/ext/json.h"

#include "common/ext/secret.h"

#define FORMAT_FLAGS JSON_INDENT(2)

void json_wipe_memory(void)
{
	json_set_alloc_funcs(malloc, secret_wiping_free);
}

int json_format_secret(const json_t *document, char **ret, struct err *e)
{
	size_t len_bytes = json_dumpb(document, NULL, 0, FORMAT_FLAGS);
	_cleanup_secret_ void *text = NULL;
	int r;

	if (!len_bytes)
		return err_oom(e);
	r = secret_alloc(len_bytes + 1, &text, e);
	if (r < 0)
		return r;
	if (json_dumpb(document, text, len_bytes, FORMAT_FLAGS) != len_bytes)
		return err_oom(e);
	*ret = take_ptr(text);
	return 0;
}
