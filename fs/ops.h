/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operations of the mount: each decodes a FUSE request, calls the stage, replies. No semantics here.
 * Only session.c, ops*.c know fuse_lowlevel.h; only wire.c knows what is below it.
 *
 * Names, attributes, pages, directory listings and symlinks are cached by the kernel for as long as it
 * likes: nobody but the kernel changes them. Not implemented, so that the kernel does them: locks (they
 * are local), access checks (default_permissions), copy_file_range (a copy through the page cache).
 */
#ifndef SEEDSHIP_FS_OPS_H
#define SEEDSHIP_FS_OPS_H

#include <stdbool.h>

#include "fs/stage.h"

struct fuse_lowlevel_ops;
struct fuse_session;

/* The user data of a FUSE session with ops_table. */
struct ops {
	struct stage *stage;	   /* lent */
	struct fuse_session *fuse; /* lent; it has these operations */
	bool posix_acl;		   /* the kernel enforces ACLs kept as extended attributes */
};

extern const struct fuse_lowlevel_ops ops_table;

#endif
