/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct session: a mount of a stage, from mount to unmount. Opening mounts, running serves requests until
 * the filesystem is unmounted or the program is asked to end, closing unmounts. All three belong to one
 * thread; there is at most one session in a program. Knows FUSE; its callers need not.
 */
#ifndef SEEDSHIP_FS_SESSION_H
#define SEEDSHIP_FS_SESSION_H

#include <stdbool.h>

#include "common/base/err.h"
#include "fs/stage.h"

struct session;

struct session_options {
	const char *mount_point;
	const char *source;   /* what mount(8) and df(1) show: the store's path */
	const char *flags;    /* of the mount, comma-separated, as FUSE takes them; may be NULL */
	bool allow_other;     /* other users than the one who mounts; root always lets them */
	bool posix_acl;	      /* the stage keeps ACLs, the kernel enforces them */
	unsigned max_threads; /* requests served at once; 0 = default */
	void (*ready)(void *arg); /* may be NULL: called once, as soon as the mount answers */
	void *ready_arg;
};

/*
 * Mounts stage (lent). A mount of a seedfs that died, still in the way at the mount point, is detached.
 * From here on SIGTERM, SIGINT and SIGHUP end session_run(); they do nothing more after that, so that
 * what follows can finish. SIGALRM is used, SIGPIPE ignored. -ENOTDIR, -ENOENT for the mount point; -EPERM
 * and others from mounting.
 */
int session_open(struct stage *stage, const struct session_options *options, struct session **ret,
		 struct err *e);

/* The mount point as an absolute path without symlinks; lent. */
const char *session_mount_point(const struct session *s);

/*
 * Serves. Returns 0 once the filesystem was unmounted by someone, or after a signal (its requests at work
 * are finished and answered first), else -errno.
 */
int session_run(struct session *s, struct err *e);

/* Unmounts, unless that was done; files still open there fail from now on. NULL is fine. */
void session_close(struct session *s);
static inline void session_closep(struct session **s)
{
	session_close(*s);
}

#endif
