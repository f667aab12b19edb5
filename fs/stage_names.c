/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations on the tree: lookup, forget, remove. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "fs/stage_priv.h"

#define NAME_MAX_BYTES 255
#define PATH_BYTES     8192 /* a longer path is not told */

int stage_find_name(struct stage *s, uint64_t parent, const char *name, uint64_t *ret_ino)
{
	uint64_t id;

	if (strlen(name) > NAME_MAX_BYTES)
		return -ENAMETOOLONG;
	switch (names_find(&s->names, parent, name, ret_ino)) {
	case NAMES_LIVE:
		return 0;
	case NAMES_GONE:
		return -ENOENT;
	case NAMES_ASK_INDEX:
		break;
	}
	return catalog_lookup(s->catalog, parent, name, ret_ino, &id);
}

char *stage_path(struct stage *s, uint64_t ino)
{
	char path[PATH_BYTES];
	size_t at = sizeof(path) - 1;

	path[at] = '\0';
	while (ino != STAGE_ROOT_INO) {
		_cleanup_free_ char *name = NULL;
		size_t n;

		if (inode_place(&s->inodes, ino, &ino, &name) < 0 &&
		    catalog_name_of(s->catalog, ino, &ino, &name) < 0)
			return NULL;
		n = strlen(name);
		if (at < n + 1)
			return NULL;
		if (path[at])
			path[--at] = '/';
		at -= n;
		memcpy(path + at, name, n);
	}
	return strdup(path + at);
}

int stage_give(struct stage *s, struct inode *i, struct stat *st)
{
	inode_stat(i, st);
	return inode_add_lookup(&s->inodes, i->ino);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* "." and ".." of a directory: asked for by network re-export. */
static int find_dots(struct stage *s, uint64_t dir, const char *name, uint64_t *ret_ino)
{
	_cleanup_free_ char *unused = NULL;
	struct inode *i;
	int r;

	if (strcmp(name, ".") == 0 || dir == STAGE_ROOT_INO) {
		*ret_ino = dir;
		return 0;
	}
	r = inode_get(&s->inodes, dir, &i);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&s->inodes.lock);
	*ret_ino = i->parent;
	(void)pthread_mutex_unlock(&s->inodes.lock);
	inode_unpin(&s->inodes, i);
	return *ret_ino ? 0 : catalog_name_of(s->catalog, dir, ret_ino, &unused);
}

int stage_lookup(struct stage *s, uint64_t parent, const char *name, struct stat *st)
{
	struct inode *i;
	uint64_t ino;
	int r = is_dots(name) ? find_dots(s, parent, name, &ino)
			      : stage_find_name(s, parent, name, &ino);

	if (r == 0)
		r = inode_get(&s->inodes, ino, &i);
	if (r < 0)
		return r;
	if (!is_dots(name)) /* they are no place where it stands */
		inode_set_place(&s->inodes, i, parent, name);
	(void)pthread_mutex_lock(&i->lock);
	/* A number may outlive its file: the kernel keeps some to itself, others in file handles. */
	r = i->removed ? -ENOENT : stage_give(s, i, st);
	(void)pthread_mutex_unlock(&i->lock);
	inode_unpin(&s->inodes, i);
	return r;
}

void stage_reap(struct stage *s, struct inode *i)
{
	_cleanup_(op_end) struct op op = {0};
	struct inode *same;
	bool named;

	(void)pthread_mutex_lock(&i->lock);
	named = i->row.nlink != 0;
	(void)pthread_mutex_unlock(&i->lock);
	if (named) /* nearly always */
		return;
	if (op_begin(&op, s, false) < 0 || op_join(&op, i->ino, &same) < 0)
		return;
	if (i->row.nlink || i->removed || !inode_unreferenced(&s->inodes, i))
		return;
	i->removed = true;
	stage_release_dirty(s, content_drop_dirty(&i->content));
	change_orphan_gone(op.set, i->ino);
	change_inode_gone(op.set, i, i->ino);
	(void)op_submit(
		&op); /* a failed store says so elsewhere; the orphan is removed at the next mount */
}

void stage_forget(struct stage *s, uint64_t ino, uint64_t n_lookups)
{
	struct inode *i;

	inode_drop_lookups(&s->inodes, ino, n_lookups, &i);
	if (!i)
		return;
	stage_reap(s, i);
	inode_unpin(&s->inodes, i);
}

void stage_touch(struct inode *i, bool content)
{
	i->row.ctime_ns = stage_now_ns();
	if (content)
		i->row.mtime_ns = i->row.ctime_ns;
}

int stage_readlink(struct stage *s, uint64_t ino, char **ret_target)
{
	struct inode *i;
	char *target = NULL;
	bool known;
	int r = inode_get(&s->inodes, ino, &i);

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&i->lock);
	known = i->target != NULL;
	if (known)
		target = strdup(i->target);
	(void)pthread_mutex_unlock(&i->lock);
	inode_unpin(&s->inodes, i);
	if (!known)
		return catalog_symlink(s->catalog, ino, ret_target);
	if (!target)
		return -ENOMEM;
	*ret_target = target;
	return 0;
}

/* One name less for an inode in op; the last one makes it an orphan until it is closed. */
void op_drop_link(struct op *op, struct inode *parent, struct inode *i)
{
	if (S_ISDIR(i->row.mode)) {
		i->row.nlink = 0;
		parent->row.nlink -= MIN(parent->row.nlink, 1);
	} else {
		i->row.nlink -= MIN(i->row.nlink, 1);
	}
	stage_touch(i, false);
	if (i->row.nlink == 0)
		change_orphan(op->set, i->ino);
}

int stage_dir_empty(struct stage *s, uint64_t dir)
{
	struct dir_list list;
	int r = names_list(&s->names, s->catalog, dir, 0, &list);

	if (r < 0)
		return r;
	r = list.n ? -ENOTEMPTY : 0;
	dir_list_done(&list);
	return r;
}

/* Joins parent and the inode a name refers to, and checks that it may be removed. */
static int join_victim(struct op *op, uint64_t parent_ino, const char *name, bool dir,
		       struct inode **ret_parent, struct inode **ret)
{
	uint64_t ino;
	int r = op_join(op, parent_ino, ret_parent);

	if (r == 0)
		r = stage_find_name(op->s, parent_ino, name, &ino);
	if (r == 0)
		r = op_join(op, ino, ret);
	if (r < 0)
		return r;
	if (dir && !S_ISDIR((*ret)->row.mode))
		return -ENOTDIR;
	if (!dir && S_ISDIR((*ret)->row.mode))
		return -EISDIR;
	return dir ? stage_dir_empty(op->s, ino) : 0;
}

static int remove_name(struct stage *s, uint64_t parent_ino, const char *name, bool dir)
{
	struct op op = {0};
	struct inode *parent, *i = NULL;
	int r = op_begin(&op, s, true);

	if (r == 0)
		r = join_victim(&op, parent_ino, name, dir, &parent, &i);
	if (r == 0)
		r = op_remove_name(&op, parent, name, i->ino);
	if (r == 0) {
		op_drop_link(&op, parent, i);
		stage_touch(parent, true);
		inode_pin(&s->inodes, i);
		r = op_submit(&op);
	} else {
		i = NULL;
	}
	op_end(&op);
	if (i) {
		stage_reap(s, i); /* when the kernel holds no reference, e.g. over NFS */
		inode_unpin(&s->inodes, i);
	}
	return r;
}

int stage_unlink(struct stage *s, uint64_t parent, const char *name)
{
	return remove_name(s, parent, name, false);
}

int stage_rmdir(struct stage *s, uint64_t parent, const char *name)
{
	return remove_name(s, parent, name, true);
}
