/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations on names. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/lib/difftest/difftest.h"

static const mode_t modes[] = {0644,  0600,  0755,  0777,  0,	  0444,
			       02755, 01777, 04711, 02770, 06777, 07777};

static mode_t pick_mode(struct writer *w)
{
	return modes[pick(w, ARRAY_SIZE(modes))];
}

static void op_mkdir(struct writer *w)
{
	struct outcome o[N_SIDES];
	mode_t mode = chance(w, 70) ? 0777 : pick_mode(w);
	struct path p;

	pick_dir_path(w, &p);
	note(w, "mkdir %s %o", p.label, mode);
	BOTH(w, o, mkdirat(w->root[side], p.text, mode));
}

static void op_mknod(struct writer *w)
{
	static const mode_t kinds[] = {S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, 0};
	mode_t mode = kinds[pick(w, ARRAY_SIZE(kinds))] | pick_mode(w);
	dev_t device = makedev(1 + pick(w, 300), pick(w, 70000));
	struct outcome o[N_SIDES];
	struct path p;

	pick_path(w, &p);
	note(w, "mknod %s %o %jx", p.label, mode, (uintmax_t)device);
	BOTH(w, o, mknodat(w->root[side], p.text, mode, device));
}

static void op_symlink(struct writer *w)
{
	struct outcome o[N_SIDES];
	struct path p, target;

	pick_path(w, &p);
	pick_path(w, &target);
	if (chance(w, 20)) {
		size_t n = 1 + pick(w, 4095);

		memset(target.text, 't', n);
		target.text[n] = '\0';
	}
	note(w, "symlink %s -> %s (%zu bytes)", p.label, target.label, strlen(target.text));
	BOTH(w, o, symlinkat(target.text, w->root[side], p.text));
}

static void op_readlink(struct writer *w)
{
	struct outcome o[N_SIDES];
	struct path p;

	pick_path(w, &p);
	note(w, "readlink %s", p.label);
	BOTH(w, o, readlinkat(w->root[side], p.text, (char *)w->data[side], PATH_MAX));
	if (o[LOCAL].result > 0 &&
	    memcmp(w->data[TESTED], w->data[LOCAL], (size_t)o[LOCAL].result) != 0)
		differs(w, "the targets differ");
}

static void op_link(struct writer *w)
{
	int flags = chance(w, 20) ? AT_SYMLINK_FOLLOW : 0;
	struct outcome o[N_SIDES];
	struct path from, to;

	pick_path(w, &from);
	pick_path(w, &to);
	note(w, "link %s %s flags %x", from.label, to.label, (unsigned)flags);
	BOTH(w, o, linkat(w->root[side], from.text, w->root[side], to.text, flags));
}

/* By descriptor: what has no name yet (O_TMPFILE) gets one, what has lost its last gets none. */
static void op_link_open(struct writer *w)
{
	struct open_pair *f = pick_open(w);
	struct outcome o[N_SIDES];
	struct path to;

	if (!f)
		return;
	pick_path(w, &to);
	note(w, "link open %s -> %s", f->label, to.label);
	BOTH(w, o, linkat(f->fd[side], "", w->root[side], to.text, AT_EMPTY_PATH));
}

static void op_unlink(struct writer *w)
{
	struct outcome o[N_SIDES];
	struct path p;

	pick_path(w, &p);
	note(w, "unlink %s", p.label);
	BOTH(w, o, unlinkat(w->root[side], p.text, 0));
}

static void op_rmdir(struct writer *w)
{
	struct outcome o[N_SIDES];
	struct path p;

	pick_dir_path(w, &p);
	note(w, "rmdir %s", p.label);
	BOTH(w, o, unlinkat(w->root[side], p.text, AT_REMOVEDIR));
}

static void op_rename(struct writer *w)
{
	/* ext4 knows RENAME_WHITEOUT, which only overlay filesystems use; seedfs refuses it. */
	static const unsigned flags_of[] = {
		0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_NOREPLACE | RENAME_EXCHANGE};
	unsigned flags = flags_of[pick(w, ARRAY_SIZE(flags_of))];
	bool dirs = chance(w, 30);
	struct outcome o[N_SIDES];
	struct path from, to;

	if (dirs) {
		pick_dir_path(w, &from);
		pick_dir_path(w, &to);
	} else {
		pick_path(w, &from);
		pick_path(w, &to);
	}
	note(w, "rename %s %s flags %u", from.label, to.label, flags);
	BOTH(w, o, renameat2(w->root[side], from.text, w->root[side], to.text, flags));
}

/* The number of entries and the sum of their names: an order is promised by nobody. */
static long list(struct writer *w, int side, const char *path)
{
	int fd = openat(w->root[side], path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	long n = 0;
	DIR *d;

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return -1;
	while ((entry = readdir(d))) {
		n++;
		for (const char *c = entry->d_name; *c; c++)
			n += (unsigned char)*c * 257L;
		n += entry->d_type * 65537L;
	}
	(void)closedir(d);
	return n;
}

static void op_list(struct writer *w)
{
	struct outcome o[N_SIDES];
	struct path p;

	pick_dir_path(w, &p);
	note(w, "list %s", p.label);
	BOTH(w, o, list(w, side, p.text));
}

static void op_access(struct writer *w)
{
	int mode = (int)pick(w, 8), flags = AT_EACCESS | (chance(w, 20) ? AT_SYMLINK_NOFOLLOW : 0);
	struct outcome o[N_SIDES];
	struct path p;

	pick_path(w, &p);
	note(w, "access %s %d", p.label, mode);
	BOTH(w, o, faccessat(w->root[side], p.text, mode, flags));
}

const struct weighted name_operations[] = {
	{op_mkdir, 10}, {op_mknod, 4},	{op_symlink, 4},   {op_readlink, 2},
	{op_link, 6},	{op_unlink, 8}, {op_rename, 12},   {op_rmdir, 3},
	{op_list, 3},	{op_access, 3}, {op_link_open, 2}, {NULL, 0},
};
