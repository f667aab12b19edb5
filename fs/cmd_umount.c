/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedfs umount: unmounts and waits until the daemon has committed everything and is gone. */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/store/store.h"
#include "fs/commands.h"
#include "fs/mount_point.h"
#include "fs/mounts.h"

#define POLL_NS	     UINT64_C(20000000)
#define TELL_AFTER   UINT64_C(1000000000)
#define BUSY_WAIT_NS UINT64_C(2000000000) /* whoever looks at mounts holds them for a moment */

struct umount_values {
	bool lazy;
	bool force;
};

static const struct option_row rows[] = {
	{"lazy", 'l', OPTION_FLAG, NULL,
	 "take it out of the tree now, end it when nobody uses it any more; does not wait",
	 offsetof(struct umount_values, lazy)},
	{"force", 0, OPTION_FLAG, NULL, "let operations that hang fail",
	 offsetof(struct umount_values, force)},
	OPTION_END,
};

/* The way for users who may not unmount by themselves. It says itself why it does not. */
static int fusermount(const char *dir, bool lazy, struct err *e)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return err_sys(e, "cannot start fusermount3");
	if (child == 0) {
		(void)execlp("fusermount3", "fusermount3", lazy ? "-uz" : "-u", "--", dir,
			     (char *)NULL);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(e, EBUSY, "'%s' could not be unmounted", dir);
	return 0;
}

/* A mount whose seedfs died serves nobody, whatever is still open in it: it is taken out of the way. */
static bool daemon_is_dead(const char *store)
{
	struct store_holder holder;

	return store_get_holder(store, &holder, NULL) == 0 && !holder.held && !holder.shared;
}

/* 0 or -errno. */
static int try_unmount(const char *dir, const char *store, const struct umount_values *values)
{
	uint64_t give_up_ns = clock_monotonic_ns() + BUSY_WAIT_NS;
	int flags =
		UMOUNT_NOFOLLOW | (values->lazy ? MNT_DETACH : 0) | (values->force ? MNT_FORCE : 0);

	for (;;) {
		int detach = daemon_is_dead(store) ? MNT_DETACH : 0;

		if (umount2(dir, flags | detach) == 0)
			return 0;
		if (errno != EBUSY || clock_monotonic_ns() > give_up_ns)
			return -errno;
		clock_system.sleep_ns(&clock_system, POLL_NS);
	}
}

static int unmount(const char *dir, const char *store, const struct umount_values *values,
		   struct err *e)
{
	int r = try_unmount(dir, store, values);

	if (r == -EPERM)
		return fusermount(dir, values->lazy, e);
	if (r < 0)
		(void)err_set(e, -r, "'%s': %s", dir, strerror(-r));
	return r == -EBUSY
		       ? err_hint(e, r, "close what is open there; 'fuser -vm %s' shows who it is",
				  dir)
		       : r;
}

static int wait_released(const char *store, struct err *e)
{
	uint64_t began = clock_monotonic_ns();
	bool told = false;

	for (;;) {
		struct store_holder holder;
		int r = store_get_holder(store, &holder, e);

		if (r < 0 || !holder.held)
			return r;
		if (!told && clock_monotonic_ns() - began > TELL_AFTER) {
			(void)fprintf(stderr,
				      "Waiting for seedfs (pid %ld) to commit what is left.\n",
				      holder.pid);
			told = true;
		}
		clock_system.sleep_ns(&clock_system, POLL_NS);
	}
}

/* A store was named instead of its mount: say where that is. */
static int hint_at_mount(const char *path, int r, struct err *e)
{
	struct store_holder holder;

	if (r == -EINVAL && store_get_holder(path, &holder, NULL) == 0 && holder.held)
		return err_hint(e, r, "it is a store, mounted at '%s'", holder.mount_point);
	return r;
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct umount_values *values = given;
	_cleanup_free_ char *dir = NULL, *store = NULL;
	int r = mount_point_resolve(arguments[0], &dir, e);

	if (r < 0)
		return r;
	r = mounts_find_store(dir, &store, e);
	if (r < 0)
		return hint_at_mount(dir, r, e);
	r = unmount(dir, store, values, e);
	return r < 0 || values->lazy ? r : wait_released(store, e);
}

const struct command command_umount = {
	.name = "umount",
	.summary = "unmount, and wait until everything is committed",
	.arguments = "DIR",
	.options = rows,
	.values_bytes = sizeof(struct umount_values),
	.run = run,
};
