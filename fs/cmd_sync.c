/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedfs sync: commits everything; readers of the store then see all of it. */
#include <fcntl.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "fs/commands.h"
#include "fs/mount_point.h"
#include "fs/mounts.h"

static int run(const void *values _unused_, char *const *arguments, struct err *e)
{
	_cleanup_free_ char *dir = NULL, *store = NULL;
	_cleanup_fd_ int fd = -1;
	int r = mount_point_resolve(arguments[0], &dir, e);

	if (r == 0)
		r = mounts_find_store(dir, &store, e);
	if (r < 0)
		return r;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return err_sys(e, "'%s'", dir);
	return 0;
}

const struct command command_sync = {
	.name = "sync",
	.summary = "commit everything that was written to a mount",
	.arguments = "DIR",
	.run = run,
};
