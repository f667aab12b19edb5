/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scratch folder: flat, made by mkdtemp(), emptied and removed at the end. */
#include "common/store/scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/cleanup.h"

static char *join(const char *a, const char *b)
{
	char *path;

	return asprintf(&path, "%s/%s", a, b) < 0 ? NULL : path;
}

int scratch_new(const char *parent, struct scratch **ret, struct err *e)
{
	_cleanup_(scratch_freep) struct scratch *s = calloc(1, sizeof(*s));
	_cleanup_free_ char *dir = join(parent, "scratch.XXXXXX");

	if (!s || !dir)
		return err_oom(e);
	if (!mkdtemp(dir))
		return err_sys(e, "cannot make a folder for the work in '%s'", parent);
	s->dir = take_ptr(dir);
	s->index_path = join(s->dir, "index.db");
	s->staging_path = join(s->dir, "staging.db");
	if (!s->index_path || !s->staging_path)
		return err_oom(e);
	*ret = take_ptr(s);
	return 0;
}

static void remove_files(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	if (!dir)
		return;
	while ((d = readdir(dir)))
		(void)unlinkat(dirfd(dir), d->d_name, 0);
	(void)closedir(dir);
}

void scratch_free(struct scratch *s)
{
	if (!s)
		return;
	if (s->dir) {
		remove_files(s->dir);
		(void)rmdir(s->dir);
	}
	free(s->dir);
	free(s->index_path);
	free(s->staging_path);
	free(s);
}
