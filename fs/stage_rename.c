/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rename: plain, over an existing name, without replacing, and exchange. */
#include <errno.h>
#include <stdio.h>

#include "common/base/cleanup.h"
#include "fs/stage_priv.h"

struct rename {
	struct inode *from_dir, *to_dir;
	const char *from, *to;
	struct inode *moved, *target; /* target NULL: the new name was free */
};

static int join_rename(struct op *op, struct rename *n, uint64_t from_ino, uint64_t to_ino,
		       unsigned flags)
{
	uint64_t ino;
	int r = op_join(op, from_ino, &n->from_dir);

	if (r == 0)
		r = op_join(op, to_ino, &n->to_dir);
	if (r == 0)
		r = stage_find_name(op->s, from_ino, n->from, &ino);
	if (r == 0)
		r = op_join(op, ino, &n->moved);
	if (r < 0)
		return r;
	if (n->to_dir->row.nlink == 0)
		return -ENOENT;
	r = stage_find_name(op->s, to_ino, n->to, &ino);
	if (r == -ENOENT)
		return flags & RENAME_EXCHANGE ? -ENOENT : 0;
	if (r < 0)
		return r;
	return flags & RENAME_NOREPLACE ? -EEXIST : op_join(op, ino, &n->target);
}

static int check_replace(struct op *op, const struct rename *n)
{
	bool moved_dir = S_ISDIR(n->moved->row.mode), target_dir = S_ISDIR(n->target->row.mode);

	if (moved_dir && !target_dir)
		return -ENOTDIR;
	if (!moved_dir && target_dir)
		return -EISDIR;
	return target_dir ? stage_dir_empty(op->s, n->target->ino) : 0;
}

/* A directory that changes parents takes its ".." along. */
static void move_subdir_count(const struct inode *i, struct inode *from, struct inode *to)
{
	if (!S_ISDIR(i->row.mode) || from == to)
		return;
	from->row.nlink -= MIN(from->row.nlink, 1);
	to->row.nlink++;
}

static int exchange(struct op *op, struct rename *n)
{
	/* As in replace(): the names change after what was written under them. */
	int r = stage_push(op, n->moved);

	if (r == 0)
		r = stage_push(op, n->target);
	if (r == 0)
		r = op_remove_name(op, n->from_dir, n->from, n->moved->ino);
	if (r == 0)
		r = op_remove_name(op, n->to_dir, n->to, n->target->ino);
	if (r == 0)
		r = op_add_name(op, n->to_dir, n->to, n->moved);
	if (r == 0)
		r = op_add_name(op, n->from_dir, n->from, n->target);
	if (r < 0)
		return r;
	move_subdir_count(n->moved, n->from_dir, n->to_dir);
	move_subdir_count(n->target, n->to_dir, n->from_dir);
	stage_touch(n->target, false);
	return 0;
}

static int replace(struct op *op, struct rename *n)
{
	int r = n->target ? check_replace(op, n) : 0;

	if (r < 0)
		return r;
	/* What was written to the file goes before its new name: never an empty file after a crash. */
	r = stage_push(op, n->moved);
	if (r == 0)
		r = op_remove_name(op, n->from_dir, n->from, n->moved->ino);
	if (r == 0 && n->target)
		r = op_remove_name(op, n->to_dir, n->to, n->target->ino);
	if (r == 0)
		r = op_add_name(op, n->to_dir, n->to, n->moved);
	if (r < 0)
		return r;
	if (n->target)
		op_drop_link(op, n->to_dir, n->target);
	move_subdir_count(n->moved, n->from_dir, n->to_dir);
	return 0;
}

int stage_rename(struct stage *s, uint64_t parent, const char *name, uint64_t new_parent,
		 const char *new_name, unsigned flags)
{
	struct rename n = {.from = name, .to = new_name};
	struct inode *dropped = NULL;
	struct op op = {0};
	int r;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	r = op_begin(&op, s, true);
	if (r == 0)
		r = join_rename(&op, &n, parent, new_parent, flags);
	if (r == 0 && n.moved == n.target) {
		op_end(&op); /* two names of one file: nothing happens (POSIX) */
		return 0;
	}
	if (r == 0)
		r = flags & RENAME_EXCHANGE ? exchange(&op, &n) : replace(&op, &n);
	if (r == 0) {
		stage_touch(n.moved, false);
		stage_touch(n.from_dir, true);
		stage_touch(n.to_dir, true);
		dropped = flags & RENAME_EXCHANGE ? NULL : n.target;
		if (dropped)
			inode_pin(&s->inodes, dropped);
		r = op_submit(&op);
	}
	op_end(&op);
	if (dropped) {
		stage_reap(s, dropped);
		inode_unpin(&s->inodes, dropped);
	}
	return r;
}
