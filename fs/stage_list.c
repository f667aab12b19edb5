/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listing directories. */
#include <errno.h>

#include "fs/stage_priv.h"

/* Positions 1 and 2 follow "." and ".."; names have greater ones. */
static bool fill_dots(uint64_t ino, uint64_t *off, stage_fill *fill, void *arg)
{
	static const char *const dots[] = {".", ".."};

	for (; *off < 2; ++*off) {
		struct stat st = {.st_ino = ino, .st_mode = S_IFDIR};

		if (!fill(arg, dots[*off], &st, *off + 1))
			return false;
	}
	return true;
}

/* One entry; false when the buffer is full. An entry that vanished meanwhile is passed over. */
static bool fill_entry(struct stage *s, const struct dir_entry *d, bool plus, stage_fill *fill,
		       void *arg)
{
	struct stat st = {.st_ino = d->ino, .st_mode = d->mode & S_IFMT};
	struct inode *i;
	bool given, taken;
	int r;

	if (!plus)
		return fill(arg, d->name, &st, d->id);
	r = inode_get(&s->inodes, d->ino, &i);
	if (r == -ENOENT)
		return true;
	/* The name is there: whoever looks it up is told what is wrong. */
	if (r < 0)
		return fill(arg, d->name, NULL, d->id);
	(void)pthread_mutex_lock(&i->lock);
	given = stage_give(s, i, &st) == 0;
	(void)pthread_mutex_unlock(&i->lock);
	taken = fill(arg, d->name, given ? &st : NULL, d->id);
	if (given && !taken)
		stage_forget(s, d->ino, 1);
	inode_unpin(&s->inodes, i);
	return taken;
}

int stage_readdir(struct stage *s, uint64_t ino, uint64_t off, bool plus, stage_fill *fill,
		  void *arg)
{
	bool room = fill_dots(ino, &off, fill, arg), complete = false;

	while (room && !complete) {
		struct dir_list list;
		int r = names_list(&s->names, s->catalog, ino, off, &list);

		if (r < 0)
			return r;
		for (size_t n = 0; room && n < list.n; n++) {
			room = fill_entry(s, &list.entries[n], plus, fill, arg);
			off = list.entries[n].id;
		}
		complete = list.complete;
		dir_list_done(&list);
	}
	return 0;
}
