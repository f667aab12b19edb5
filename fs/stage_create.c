/* SPDX-License-Identifier: GPL-3.0-or-later */
/* New names: of new inodes and of inodes that have names already. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "fs/stage_priv.h"

#define LINK_MAX UINT32_C(1000000)

/* The directory a name is to be put into: -EEXIST when the name is there. name NULL: any. */
static int join_parent(struct op *op, uint64_t parent, const char *name, struct inode **ret)
{
	uint64_t ino;
	int r = op_join(op, parent, ret);

	if (r < 0)
		return r;
	if (!S_ISDIR((*ret)->row.mode))
		return -ENOTDIR;
	if ((*ret)->row.nlink == 0)
		return -ENOENT;
	if (!name)
		return 0;
	r = stage_find_name(op->s, parent, name, &ino);
	return r == 0 ? -EEXIST : r == -ENOENT ? 0 : r;
}

/* What is to be created. */
struct creation {
	const struct stage_caller *who;
	uint64_t parent;
	const char *name; /* NULL: none yet (O_TMPFILE) */
	mode_t mode;
	dev_t rdev;
	const char *target; /* of a symlink */
	bool open;
};

/* The new inode in op; owners, setgid and ACLs as on a local filesystem. */
static int create_inode(struct op *op, const struct creation *c, struct inode *parent,
			struct inode **ret)
{
	uint64_t now = stage_now_ns();
	struct inode_row row = {
		.mode = c->mode,
		.nlink = !c->name	    ? 0
			 : S_ISDIR(c->mode) ? 2
					    : 1,
		.uid = c->who->uid,
		.gid = c->who->gid,
		.rdev = c->rdev,
		.size_bytes = c->target ? strlen(c->target) : 0,
		.atime_ns = now,
		.mtime_ns = now,
		.ctime_ns = now,
		.btime_ns = now,
	};
	int r;

	if (parent->row.mode & S_ISGID) {
		row.gid = parent->row.gid;
		if (S_ISDIR(c->mode))
			row.mode |= S_ISGID;
	}
	r = op_create(op, &row, ret);
	return r < 0 ? r : stage_inherit_acl(op, parent, *ret, c->who->umask);
}

/* Puts the new inode where it belongs: under its name, or among the orphans. */
static int place(struct op *op, const struct creation *c, struct inode *parent, struct inode *i)
{
	int r;

	if (!c->name) {
		change_orphan(op->set, i->ino);
		return 0;
	}
	r = op_add_name(op, parent, c->name, i);
	if (r < 0)
		return r;
	parent->row.nlink += S_ISDIR(c->mode) ? 1 : 0;
	stage_touch(parent, true);
	return 0;
}

static int create(struct stage *s, const struct creation *c, struct stat *st)
{
	_cleanup_(op_end) struct op op = {0};
	struct inode *parent, *i;
	int r = op_begin(&op, s, true);

	if (r == 0)
		r = join_parent(&op, c->parent, c->name, &parent);
	if (r == 0)
		r = create_inode(&op, c, parent, &i);
	if (r == 0)
		r = place(&op, c, parent, i);
	if (r < 0)
		return r;
	if (c->target) {
		i->target = strdup(c->target);
		if (!i->target)
			op.set->failed = true;
		change_symlink(op.set, i->ino, c->target);
	}
	r = op_submit(&op);
	if (r == 0)
		r = stage_give(s, i, st);
	if (r == 0 && c->open)
		inode_add_open(&s->inodes, i);
	return r;
}

int stage_mknod(struct stage *s, const struct stage_caller *who, uint64_t parent, const char *name,
		mode_t mode, dev_t rdev, struct stat *st)
{
	return create(
		s,
		&(struct creation){
			.who = who, .parent = parent, .name = name, .mode = mode, .rdev = rdev},
		st);
}

int stage_mkdir(struct stage *s, const struct stage_caller *who, uint64_t parent, const char *name,
		mode_t mode, struct stat *st)
{
	return create(s,
		      &(struct creation){.who = who,
					 .parent = parent,
					 .name = name,
					 .mode = (mode & 07777) | S_IFDIR},
		      st);
}

int stage_create(struct stage *s, const struct stage_caller *who, uint64_t parent, const char *name,
		 mode_t mode, struct stat *st)
{
	return create(s,
		      &(struct creation){.who = who,
					 .parent = parent,
					 .name = name,
					 .mode = (mode & 07777) | S_IFREG,
					 .open = true},
		      st);
}

int stage_tmpfile(struct stage *s, const struct stage_caller *who, uint64_t parent, mode_t mode,
		  struct stat *st)
{
	return create(s,
		      &(struct creation){.who = who,
					 .parent = parent,
					 .mode = (mode & 07777) | S_IFREG,
					 .open = true},
		      st);
}

int stage_symlink(struct stage *s, const struct stage_caller *who, uint64_t parent,
		  const char *name, const char *target, struct stat *st)
{
	return create(s,
		      &(struct creation){.who = who,
					 .parent = parent,
					 .name = name,
					 .mode = S_IFLNK | 0777,
					 .target = target},
		      st);
}

int stage_link(struct stage *s, uint64_t ino, uint64_t parent_ino, const char *name,
	       struct stat *st)
{
	_cleanup_(op_end) struct op op = {0};
	struct inode *parent, *i;
	int r = op_begin(&op, s, true);

	if (r == 0)
		r = join_parent(&op, parent_ino, name, &parent);
	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r < 0)
		return r;
	if (S_ISDIR(i->row.mode))
		return -EPERM;
	if (i->row.nlink >= LINK_MAX)
		return -EMLINK;
	r = op_add_name(&op, parent, name, i);
	if (r < 0)
		return r;
	/* Made by stage_tmpfile(): the kernel lets nobody link what has lost its last name. */
	if (i->row.nlink == 0)
		change_orphan_gone(op.set, ino);
	i->row.nlink++;
	stage_touch(i, false);
	stage_touch(parent, true);
	r = op_submit(&op);
	return r < 0 ? r : stage_give(s, i, st);
}
