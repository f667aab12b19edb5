/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lock of a store: an open-file-description lock on its file "lock", exclusive for the one who writes,
 * shared by those who only read and want it to stay as it is. The writer's pid, state and mount point stand
 * in the file for others to read.
 */
#include "common/store/store_lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/fdio.h"

#define FLUSH_WAIT_MS UINT64_C(120000) /* how long to wait for a seedfs that is ending */
#define FLUSH_POLL_NS UINT64_C(100000000)
/* ... and for one that was unmounted a moment ago, but has not come to say that it is ending. */
#define END_WAIT_MS UINT64_C(2000)

static int write_holder(int lock_fd, const char *state, const char *mount_point)
{
	char text[8192];
	int n = snprintf(text, sizeof(text), "%ld %s %s\n", (long)getpid(), state, mount_point), r;

	if (n < 0 || (size_t)n >= sizeof(text))
		return -ENAMETOOLONG;
	r = fd_pwrite_full(lock_fd, text, (size_t)n, 0);
	/* Cut last: its block would be taken on a full disk. */
	return r == 0 && ftruncate(lock_fd, n) < 0 ? -errno : r;
}

static void parse_holder(int lock_fd, struct store_holder *ret)
{
	char text[8192], *rest;
	size_t n = 0;

	*ret = (struct store_holder){0};
	if (fd_pread(lock_fd, text, sizeof(text) - 1, 0, &n) < 0)
		return;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	ret->pid = strtol(text, &rest, 10);
	(void)sscanf(rest, " %15s %4095[^\n]", ret->state, ret->mount_point);
}

/* The kind of lock that keeps a writer out: F_UNLCK when there is none. Asks without taking it. */
static int ask_lock(int lock_fd, short *ret_type)
{
	struct flock probe = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(lock_fd, F_OFD_GETLK, &probe) < 0)
		return -errno;
	*ret_type = probe.l_type;
	return 0;
}

static int refuse(const struct store_holder *holder, bool writer, struct err *e)
{
	int r;

	if (!writer)
		return err_hint(e, err_set(e, EBUSY, "in use by a read-only mount"),
				"a store is mounted read-only by many or read-write by one; "
				"'findmnt -t fuse.seedfs' lists the mounts");
	r = err_set(e, EBUSY, "in use by seedfs (pid %ld), %s at '%s'", holder->pid, holder->state,
		    holder->mount_point);
	return err_hint(e, r, "one seedfs per store; 'seedfs umount %s' ends it",
			holder->mount_point);
}

/* Whether those who hold the store since waited_ns are not about to let it go. */
static bool is_to_stay(const struct store_holder *holder, short type, uint64_t waited_ns)
{
	bool ending = type == F_WRLCK && strcmp(holder->state, "flushing") == 0;

	return waited_ns > (ending ? FLUSH_WAIT_MS : END_WAIT_MS) * 1000000;
}

int store_lock_take(int dir_fd, bool shared, int *ret_fd, struct err *e)
{
	uint64_t began_ns = clock_monotonic_ns();
	struct flock whole_file = {.l_type = shared ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_fd_ int fd =
		openat(dir_fd, "lock", (shared ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0600);
	struct store_holder holder;
	short type = F_WRLCK;

	if (fd < 0)
		return err_sys(e, "cannot open the store's lock");
	while (fcntl(fd, F_OFD_SETLK, &whole_file) < 0) {
		if (errno != EAGAIN && errno != EACCES)
			return err_sys(e, "cannot lock the store");
		parse_holder(fd, &holder);
		(void)ask_lock(fd, &type);
		if (is_to_stay(&holder, type, clock_monotonic_ns() - began_ns))
			return refuse(&holder, type != F_RDLCK, e);
		clock_system.sleep_ns(&clock_system, FLUSH_POLL_NS);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

int store_note_holder(struct store *s, const char *mount_point, const char *state, struct err *e)
{
	int r = s->read_only ? 0 : write_holder(s->lock_fd, state, mount_point);

	return r < 0 ? err_set(e, -r, "cannot write the store's lock: %s", strerror(-r)) : 0;
}

int store_get_holder(const char *path, struct store_holder *ret, struct err *e)
{
	_cleanup_fd_ int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	short type;

	if (dir_fd < 0)
		return err_sys(e, "store '%s'", path);
	if (faccessat(dir_fd, "index.db", F_OK, 0) < 0)
		return err_set(e, ENOENT, "'%s' is not a Seedship store", path);
	fd = openat(dir_fd, "lock", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "store '%s': cannot open its lock", path);
	parse_holder(fd, ret);
	if (ask_lock(fd, &type) < 0)
		return err_sys(e, "store '%s': cannot ask for its lock", path);
	ret->held = type == F_WRLCK;
	ret->shared = type == F_RDLCK;
	return 0;
}
