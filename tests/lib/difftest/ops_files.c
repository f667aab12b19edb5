/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations that open and close. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/difftest/difftest.h"

static struct open_pair *free_slot(struct writer *w)
{
	for (size_t i = 0; i < N_OPEN; i++)
		if (w->open[i].fd[TESTED] < 0)
			return &w->open[i];
	return NULL;
}

void close_pair(struct writer *w, struct open_pair *p)
{
	struct outcome o[N_SIDES];

	BOTH(w, o, close(p->fd[side]));
	p->fd[TESTED] = p->fd[LOCAL] = -1;
}

/*
 * O_NOATIME and no O_RDONLY without it: seedfs does not change atime by reading, as with noatime.
 * O_NONBLOCK, so that a FIFO does not wait for its other end.
 */
static int pick_flags(struct writer *w)
{
	static const int access[] = {O_RDWR, O_RDWR, O_RDWR, O_RDONLY, O_WRONLY};
	int flags = access[pick(w, ARRAY_SIZE(access))] | O_NONBLOCK | O_CLOEXEC | O_NOATIME;

	if (chance(w, 60))
		flags |= O_CREAT;
	if (chance(w, 10))
		flags |= O_EXCL;
	if (chance(w, 10))
		flags |= O_TRUNC;
	if (chance(w, 10))
		flags |= O_APPEND;
	if (!(flags & O_APPEND) && chance(w, 8)) /* ext4 wants the end of the file aligned */
		flags |= O_DIRECT;
	if (chance(w, 2))
		flags |= chance(w, 50) ? O_SYNC : O_DSYNC;
	if (chance(w, 5))
		flags |= O_NOFOLLOW;
	if (chance(w, 2))
		flags |= O_DIRECTORY;
	return flags;
}

/* Device nodes lead to whatever driver there is: not opened. */
static bool is_device(struct writer *w, const char *path)
{
	struct stat st;

	return fstatat(w->root[LOCAL], path, &st, 0) == 0 &&
	       (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

/* Opens on both sides into a free slot. Descriptors differ, so only success and error are compared. */
static void open_path(struct writer *w, const struct path *p, int flags, mode_t mode)
{
	struct open_pair *f = free_slot(w);
	struct outcome o[N_SIDES];

	if (!f || is_device(w, p->text))
		return;
	BOTH(w, o, (f->fd[side] = openat(w->root[side], p->text, flags, mode)) < 0 ? -1 : 0);
	f->flags = flags;
	(void)snprintf(f->label, sizeof(f->label), "%s", p->label);
}

static void op_open(struct writer *w)
{
	struct path p;
	int flags = pick_flags(w);
	mode_t mode = chance(w, 70) ? 0666 : (mode_t)pick(w, 010000);

	pick_path(w, &p);
	note(w, "open %s flags %o mode %o", p.label, (unsigned)flags, mode);
	open_path(w, &p, flags, mode);
}

static void op_tmpfile(struct writer *w)
{
	struct path p;
	int flags = O_TMPFILE | O_RDWR | O_NOATIME | O_CLOEXEC | (chance(w, 20) ? O_EXCL : 0);

	pick_dir_path(w, &p);
	note(w, "open O_TMPFILE in %s flags %o", p.label, (unsigned)flags);
	open_path(w, &p, flags, 0640);
}

static void op_close(struct writer *w)
{
	struct open_pair *f = pick_open(w);

	if (!f)
		return;
	note(w, "close %s", f->label);
	close_pair(w, f);
}

const struct weighted open_operations[] = {
	{op_open, 20}, {op_tmpfile, 1}, {op_close, 8}, {NULL, 0}};
