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
#include "common/base/macros.h"
#include "fs/acl.h"
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

int stage_find_xattr(struct stage *s, struct inode *i, const char *name, const struct xattr **ret)
{
	int r = load(s, i);

	if (r < 0)
		return r;
	*ret = *find(i, name);
	return *ret ? 0 : -ENODATA;
}

int op_put_xattr(struct op *op, struct inode *i, const char *name, const void *value,
		 size_t len_bytes)
{
	struct xattr **p;
	int r = load(op->s, i);

	if (r == 0)
		r = push_front(i, name, value, len_bytes);
	if (r < 0)
		return r;
	p = &i->xattrs->next;
	while (*p && strcmp((*p)->name, name) != 0)
		p = &(*p)->next;
	if (*p)
		drop(p);
	change_xattr(op->set, i->ino, name, value, len_bytes);
	return 0;
}

int op_remove_xattr(struct op *op, struct inode *i, const char *name)
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

/* ---- what the system calls do ---- */

static bool is_acl(const char *name)
{
	return strcmp(name, ACL_ACCESS_NAME) == 0 || strcmp(name, ACL_DEFAULT_NAME) == 0;
}

/* The namespaces of a local filesystem; each needs a name behind the dot. */
static int check_name(const char *name)
{
	static const char *const prefixes[] = {"user.", "trusted.", "security."};

	if (strlen(name) > XATTR_NAME_BYTES)
		return -ERANGE;
	for (size_t n = 0; n < ARRAY_SIZE(prefixes); n++) {
		size_t len = strlen(prefixes[n]);

		if (strncmp(name, prefixes[n], len) == 0)
			return name[len] ? 0 : -EINVAL;
	}
	return is_acl(name) ? 0 : -EOPNOTSUPP;
}

int stage_setxattr(struct stage *s, uint64_t ino, const char *name, const void *value,
		   size_t len_bytes, int flags)
{
	_cleanup_(op_end) struct op op = {0};
	const struct xattr *old;
	struct inode *i;
	int r = check_name(name);

	if (r < 0)
		return r;
	if (len_bytes > XATTR_VALUE_BYTES)
		return -E2BIG;
	r = stage_check_writable(s);
	if (r == 0)
		r = op_begin(&op, s, false);
	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r < 0)
		return r;
	r = stage_find_xattr(s, i, name, &old);
	if (r == 0 && flags & XATTR_CREATE)
		return -EEXIST;
	if (r == -ENODATA && !(flags & XATTR_REPLACE))
		r = 0;
	if (r == 0)
		r = is_acl(name) ? stage_set_acl(&op, i, name, value, len_bytes)
				 : op_put_xattr(&op, i, name, value, len_bytes);
	if (r < 0)
		return r;
	if (flags & STAGE_ACL_KILL_SGID)
		i->row.mode &= ~(uint32_t)S_ISGID;
	stage_touch(i, false);
	return op_submit(&op);
}

ssize_t stage_getxattr(struct stage *s, uint64_t ino, const char *name, void *value,
		       size_t size_bytes)
{
	_cleanup_(op_end) struct op op = {0};
	const struct xattr *x;
	struct inode *i;
	int r = check_name(name);

	if (r == 0)
		r = op_begin(&op, s, false);
	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r == 0)
		r = stage_find_xattr(s, i, name, &x);
	if (r < 0)
		return r;
	if (size_bytes && x->value_bytes > size_bytes)
		return -ERANGE;
	if (size_bytes)
		memcpy(value, x->value, x->value_bytes);
	return (ssize_t)x->value_bytes;
}

ssize_t stage_listxattr(struct stage *s, uint64_t ino, bool with_trusted, char *list,
			size_t size_bytes)
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

		if (!with_trusted && strncmp(x->name, "trusted.", strlen("trusted.")) == 0)
			continue;
		if (size_bytes && total + n > size_bytes)
			return -ERANGE;
		if (size_bytes)
			memcpy(list + total, x->name, n);
		total += n;
	}
	return (ssize_t)total;
}

int stage_removexattr(struct stage *s, uint64_t ino, const char *name)
{
	_cleanup_(op_end) struct op op = {0};
	struct inode *i;
	int r = check_name(name);

	if (r == 0)
		r = stage_check_writable(s);
	if (r == 0)
		r = op_begin(&op, s, false);
	if (r == 0)
		r = op_join(&op, ino, &i);
	if (r == 0)
		r = op_remove_xattr(&op, i, name);
	if (r == -ENODATA && is_acl(name))
		return 0; /* as on a local filesystem */
	if (r < 0)
		return r;
	stage_touch(i, false);
	return op_submit(&op);
}

/*
 * HANDLE_KILLPRIV_V2: suid goes, sgid where the group may execute, and the file capability. An empty attribute
 * is none: the kernel does not take it away from a local file, either.
 */
int stage_kill_priv(struct op *op, struct inode *i, unsigned kill)
{
	const struct xattr *capability;
	int r;

	if (!(kill & STAGE_KILL_PRIV) || S_ISDIR(i->row.mode))
		return 0;
	i->row.mode &= ~(uint32_t)S_ISUID;
	if (i->row.mode & S_IXGRP || kill & STAGE_KILL_SGID)
		i->row.mode &= ~(uint32_t)S_ISGID;
	r = stage_find_xattr(op->s, i, "security.capability", &capability);
	if (r == 0 && capability->value_bytes)
		r = op_remove_xattr(op, i, "security.capability");
	return r == -ENODATA ? 0 : r;
}
