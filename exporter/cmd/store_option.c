/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From --store to an open database. */
#include "exporter/cmd/store_option.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/cleanup.h"

int store_option_path(const char *given, char **ret, struct err *e)
{
	_cleanup_free_ char *store = realpath(given ? given : ".", NULL);
	_cleanup_free_ char *index = NULL;

	if (!store)
		return err_wrap(e, err_sys(e, "cannot open '%s'", given ? given : "."), "--store");
	if (asprintf(&index, "%s/index.db", store) < 0) {
		index = NULL;
		return err_oom(e);
	}
	if (access(index, F_OK) == 0) {
		*ret = take_ptr(store);
		return 0;
	}
	if (given)
		return err_hint(e, err_user(e, "'%s' is not a store: it has no index.db", given),
				"name the folder that was given to 'seedfs mount', not where it is "
				"mounted");
	return err_hint(e, err_user(e, "the current folder is not a store"),
			"name the store with --store DIR");
}

int store_option_open(const char *given, enum shipping_mode mode, struct shipping **ret,
		      struct err *e)
{
	_cleanup_free_ char *store = NULL;
	int r = store_option_path(given, &store, e);

	if (r < 0)
		return r;
	r = shipping_open(store, mode, ret, e);
	if (r == -ENOENT && mode == SHIPPING_READ)
		return err_hint(e, err_set(e, ENOENT, "store '%s' has no jobs yet", store),
				"make one with 'seedship job new'");
	return r;
}
