/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The place of a mount, before and after. */
#include "fs/mount_point.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "fs/mounts.h"

#define DEAD_MOUNTS_MAX 16 /* one upon the other */

int mount_point_resolve(const char *path, char **ret, struct err *e)
{
	_cleanup_free_ char *for_dir = NULL, *for_base = NULL, *dir = NULL;

	*ret = realpath(path, NULL);
	if (*ret)
		return 0;
	if (errno != ENOTCONN && errno != EACCES)
		return err_sys(e, "'%s'", path);
	for_dir = strdup(path);
	for_base = strdup(path);
	if (!for_dir || !for_base)
		return err_oom(e);
	dir = realpath(dirname(for_dir), NULL);
	if (!dir)
		return err_sys(e, "'%s'", path);
	if (asprintf(ret, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, basename(for_base)) < 0) {
		*ret = NULL;
		return err_oom(e);
	}
	return 0;
}

/* Asks the filesystem, not the kernel's memory of it, which outlives the filesystem. */
static bool is_dead(const char *path)
{
	struct statvfs st;

	return statvfs(path, &st) < 0 && errno == ENOTCONN;
}

/* Whether the topmost mount at path is one of ours. */
static bool is_seedfs(const char *path)
{
	_cleanup_free_ char *store = NULL;

	return mounts_find_store(path, &store, NULL) == 0;
}

/* The way for users who may not unmount by themselves. */
static int run_fusermount(const char *path)
{
	const char *argv[] = {"fusermount3", "-u", "-z", "-q", "--", path, NULL};
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ) != 0)
		return -EPERM;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

static int detach(const char *path)
{
	int r = umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno : 0;

	return r == -EPERM ? run_fusermount(path) : r;
}

static int detach_dead(const char *path, struct err *e)
{
	int r;

	if (!is_seedfs(path)) {
		r = err_set(e, EBUSY, "mount point '%s' has a dead mount of another filesystem",
			    path);
		return err_hint(e, r, "unmount it first: umount -l '%s'", path);
	}
	r = detach(path);
	if (r < 0)
		return err_set(e, -r, "cannot detach the dead mount at '%s': %s", path,
			       strerror(-r));
	log_warning("detached the mount that a seedfs left behind at '%s'", path);
	return 0;
}

int mount_point_prepare(const char *path, char **ret, struct err *e)
{
	_cleanup_free_ char *resolved = NULL;
	struct stat st;
	int r = mount_point_resolve(path, &resolved, e);

	if (r < 0)
		return err_wrap(e, r, "mount point");
	for (int i = 0; r == 0 && i < DEAD_MOUNTS_MAX && is_dead(resolved); i++)
		r = detach_dead(resolved, e);
	if (r < 0)
		return r;
	if (stat(resolved, &st) < 0)
		return err_sys(e, "mount point '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "mount point '%s' is not a directory", path);
	*ret = take_ptr(resolved);
	return 0;
}

void mount_point_clear(const char *path)
{
	if (is_dead(path) && is_seedfs(path))
		(void)detach(path);
}

void mount_point_raise_readahead(const char *path, unsigned kib)
{
	_cleanup_file_ FILE *f = NULL;
	char name[64];
	struct statx st;

	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, 0, &st) < 0)
		return;
	(void)snprintf(name, sizeof(name), "/sys/class/bdi/%" PRIu32 ":%" PRIu32 "/read_ahead_kb",
		       st.stx_dev_major, st.stx_dev_minor);
	f = fopen(name, "we");
	if (!f || fprintf(f, "%u\n", kib) < 0 || fflush(f) == EOF)
		log_debug("cannot write '%s'", name);
}
