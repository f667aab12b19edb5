/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scratch folder: flat, made by mkdtemp(), emptied and removed at the end. */
#include "common/store/scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"

#define SCRATCH_PREFIX "scratch."

static char *join(const char *a, const char *b)
{
	char *path;

	return asprintf(&path, "%s/%s", a, b) < 0 ? NULL : path;
}

int scratch_new(const char *parent, struct scratch **ret, struct err *e)
{
	_cleanup_(scratch_freep) struct scratch *s = calloc(1, sizeof(*s));
	_cleanup_free_ char *dir = join(parent, SCRATCH_PREFIX "XXXXXX");

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

/* The folder and the files in it, as far as that is possible. */
static void remove_folder(int parent_fd, const char *path)
{
	DIR *dir = fd_opendir(parent_fd, path);
	struct dirent *d;

	if (!dir)
		return;
	while ((d = readdir(dir)))
		(void)unlinkat(dirfd(dir), d->d_name, 0);
	(void)closedir(dir);
	(void)unlinkat(parent_fd, path, AT_REMOVEDIR);
}

void scratch_remove_left(int parent_fd)
{
	DIR *dir = fd_opendir(parent_fd, ".");
	struct dirent *d;

	if (!dir)
		return;
	while ((d = readdir(dir)))
		if (strncmp(d->d_name, SCRATCH_PREFIX, strlen(SCRATCH_PREFIX)) == 0)
			remove_folder(parent_fd, d->d_name);
	(void)closedir(dir);
}

int scratch_hint(struct err *e, int r)
{
	return r == -ENOSPC ? err_hint(e, r,
				       "it needs room beside the store, about as much as its "
				       "index takes")
			    : r;
}

void scratch_free(struct scratch *s)
{
	if (!s)
		return;
	if (s->dir)
		remove_folder(AT_FDCWD, s->dir);
	free(s->dir);
	free(s->index_path);
	free(s->staging_path);
	free(s);
}
