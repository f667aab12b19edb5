/* SPDX-License-Identifier: GPL-3.0-or-later */
/* POSIX ACLs of inodes: kept as extended attributes, in step with the mode. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "fs/acl.h"
#include "fs/stage_priv.h"

/* A copy of an ACL of an inode in op. -ENODATA; -EIO when what was stored is none. */
static int load_acl(struct op *op, struct inode *i, const char *name, void **ret, size_t *ret_bytes)
{
	const struct xattr *x;
	int r = stage_find_xattr(op->s, i, name, &x);

	if (r < 0)
		return r;
	if (!acl_valid(x->value, x->value_bytes))
		return -EIO;
	*ret = malloc(x->value_bytes);
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, x->value, x->value_bytes);
	*ret_bytes = x->value_bytes;
	return 0;
}

int stage_inherit_acl(struct op *op, struct inode *parent, struct inode *i, uint32_t umask)
{
	_cleanup_free_ void *acl = NULL;
	size_t n_bytes = 0;
	bool in_mode;
	int r;

	if (S_ISLNK(i->row.mode))
		return 0;
	r = load_acl(op, parent, ACL_DEFAULT_NAME, &acl, &n_bytes);
	if (r == -ENODATA) {
		i->row.mode &= ~(umask & 0777);
		return 0;
	}
	if (r == 0 && S_ISDIR(i->row.mode))
		r = op_put_xattr(op, i, ACL_DEFAULT_NAME, acl, n_bytes);
	if (r < 0)
		return r;
	in_mode = acl_inherit(acl, n_bytes, &i->row.mode);
	return in_mode ? 0 : op_put_xattr(op, i, ACL_ACCESS_NAME, acl, n_bytes);
}

int stage_chmod_acl(struct op *op, struct inode *i)
{
	_cleanup_free_ void *acl = NULL;
	size_t n_bytes = 0;
	int r = load_acl(op, i, ACL_ACCESS_NAME, &acl, &n_bytes);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	acl_set_mode(acl, n_bytes, i->row.mode);
	return op_put_xattr(op, i, ACL_ACCESS_NAME, acl, n_bytes);
}

int stage_set_acl(struct op *op, struct inode *i, const char *name, const void *acl,
		  size_t len_bytes)
{
	int r;

	if (!acl_valid(acl, len_bytes))
		return -EINVAL;
	if (strcmp(name, ACL_DEFAULT_NAME) == 0)
		return S_ISDIR(i->row.mode) ? op_put_xattr(op, i, name, acl, len_bytes) : -EACCES;
	if (!acl_to_mode(acl, len_bytes, &i->row.mode))
		return op_put_xattr(op, i, name, acl, len_bytes);
	r = op_remove_xattr(op, i, name);
	return r == -ENODATA ? 0 : r;
}
