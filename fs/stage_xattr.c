/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Extended attributes. An inode's list is loaded when it is first asked for and is the truth while the
 * inode is in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "common/base/cleanup.h"
#include "fs/stage_priv.h"

#define XATTR_NAME_BYTES  255
#define XATTR_VALUE_BYTES 65536

static void free_xattr(struct xattr *x)
{
	free(x->name);
	free(x->value);
	free(x);
}

static int push_front(struct inode *i, const char *name, const void *value, size_t len_bytes)
{
	struct xattr *x = calloc(1, sizeof(*x));

	if (!x)
		return -ENOMEM;
	x->name = strdup(name);
	x->value = malloc(len_bytes + 1);
	if (!x->name || !x->value) {
		free_xattr(x);
		return -ENOMEM;
	}
	if (len_bytes)
		memcpy(x->value, value, len_bytes);
	x->value_bytes = len_bytes;
	x->next = i->xattrs;
	i->xattrs = x;
	return 0;
}

static int load_one(const char *name, const void *value, size_t len_bytes, void *arg)
{
	return push_front(arg, name, value, len_bytes);
}

/* With i locked. */
static int load(struct stage *s, struct inode *i)
{
	int r;

	if (i->xattrs_loaded)
		return 0;
	r = catalog_xattrs(s->catalog, i->ino, load_one, i);
	i->xattrs_loaded = r == 0;
	return r;
}

/* The link that leads to an attribute of that name, or to the NULL at the end. */
static struct xattr **find(struct inode *i, const char *name)
{
	struct xattr **p = &i->xattrs;

	while (*p && strcmp((*p)->name, name) != 0)
		p = &(*p)->next;
	return p;
}

static void drop(struct xattr **p)
{
	struct xattr *x = *p;

	*p = x->next;
	free_xattr(x);
}

int stage_setxattr(struct stage *s, uint64_t ino, const char *name, const void *value,
		   size_t len_bytes, int flags)
{
	_cleanup_(op_end) struct op op = {0};
	struct inode *i;
	struct xattr **p;
	int r;

	if (strlen(name) > XATTR_NAME_BYTES)
		return -ERANGE;
	if (len_bytes > XATTR_VALUE_BYTES)
		return -E2BIG;
	r = op_begin(&op, s, false);
	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r == 0)
		r = load(s, i);
	if (r < 0)
		return r;
	p = find(i, name);
	if (*p && flags & XATTR_CREATE)
		return -EEXIST;
	if (!*p && flags & XATTR_REPLACE)
		return -ENODATA;
	r = push_front(i, name, value, len_bytes);
	if (r < 0)
		return r;
	p = &i->xattrs->next;
	while (*p && strcmp((*p)->name, name) != 0)
		p = &(*p)->next;
	if (*p)
		drop(p);
	stage_touch(i, false);
	change_xattr(op.set, ino, name, value, len_bytes);
	return op_submit(&op);
}

ssize_t stage_getxattr(struct stage *s, uint64_t ino, const char *name, void *value,
		       size_t size_bytes)
{
	_cleanup_(op_end) struct op op = {0};
	struct inode *i;
	struct xattr *x;
	int r = op_begin(&op, s, false);

	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r == 0)
		r = load(s, i);
	if (r < 0)
		return r;
	x = *find(i, name);
	if (!x)
		return -ENODATA;
	if (size_bytes && x->value_bytes > size_bytes)
		return -ERANGE;
	if (size_bytes)
		memcpy(value, x->value, x->value_bytes);
	return (ssize_t)x->value_bytes;
}

ssize_t stage_listxattr(struct stage *s, uint64_t ino, char *list, size_t size_bytes)
{
	_cleanup_(op_end) struct op op = {0};
	struct inode *i;
	size_t total = 0;
	int r = op_begin(&op, s, false);

	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r == 0)
		r = load(s, i);
	if (r < 0)
		return r;
	for (struct xattr *x = i->xattrs; x; x = x->next) {
		size_t n = strlen(x->name) + 1;

		if (size_bytes && total + n > size_bytes)
			return -ERANGE;
		if (size_bytes)
			memcpy(list + total, x->name, n);
		total += n;
	}
	return (ssize_t)total;
}

/* With i in op; -ENODATA when there is none. */
static int remove_xattr(struct op *op, struct inode *i, const char *name)
{
	struct xattr **p;
	int r = load(op->s, i);

	if (r < 0)
		return r;
	p = find(i, name);
	if (!*p)
		return -ENODATA;
	drop(p);
	change_xattr_gone(op->set, i->ino, name);
	return 0;
}

int stage_removexattr(struct stage *s, uint64_t ino, const char *name)
{
	_cleanup_(op_end) struct op op = {0};
	struct inode *i;
	int r = op_begin(&op, s, false);

	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r == 0)
		r = remove_xattr(&op, i, name);
	if (r < 0)
		return r;
	stage_touch(i, false);
	return op_submit(&op);
}

/* HANDLE_KILLPRIV_V2: suid goes, sgid where the group may execute, and the file capability. */
int stage_kill_priv(struct op *op, struct inode *i)
{
	int r;

	if (!S_ISREG(i->row.mode))
		return 0;
	i->row.mode &= ~(uint32_t)S_ISUID;
	if (i->row.mode & S_IXGRP)
		i->row.mode &= ~(uint32_t)S_ISGID;
	r = remove_xattr(op, i, "security.capability");
	return r == -ENODATA ? 0 : r;
}
