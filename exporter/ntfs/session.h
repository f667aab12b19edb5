/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct ntfs_session: a volume mounted by libntfs-3g on a target, and the translation of its failures
 * into struct err. The library belongs to one thread at a time per session; it prints nothing, changes
 * no locale and installs no signal handler.
 */
#ifndef SEEDSHIP_NTFS_SESSION_H
#define SEEDSHIP_NTFS_SESSION_H

#include <stdbool.h>

#include "common/base/cleanup.h"
#include "exporter/block/target.h"
#include "exporter/ntfs/lib.h"

struct ntfs_session {
	struct target *target; /* lent */
	ntfs_volume *vol;      /* owned */
	bool writable;
	uint64_t pos_bytes; /* the library's file position */
	struct err
		io_error; /* first failure of the target since ntfs_session_begin(); code 0 = none */
};

/* Mounts the NTFS that fills the target. -EBADMSG when it is none or damaged. */
int ntfs_session_open(struct target *target, bool writable, struct ntfs_session **ret,
		      struct err *e);

/* Unmounts and frees; a writable target has been flushed. The session is gone on failure too. */
int ntfs_session_close(struct ntfs_session *s, struct err *e);

/* ntfs_session_close() for the paths that fail anyway; NULL is fine. */
void ntfs_session_free(struct ntfs_session *s);
DEFINE_FREEP(struct ntfs_session, ntfs_session_free)

/* Forgets what the library said before. Call at the start of each operation. */
void ntfs_session_begin(struct ntfs_session *s);

/*
 * After a call of the library failed: returns -errno with "text: cause", the cause being the target's
 * own failure if it had one, else errno and the library's words.
 */
int ntfs_session_fail(struct ntfs_session *s, struct err *e, const char *fmt, ...) _printf_(3, 4);

/* The same while reading a volume that may be damaged: what is no fault of the target is -EBADMSG. */
int ntfs_session_corrupt(struct ntfs_session *s, struct err *e, const char *fmt, ...)
	_printf_(3, 4);

#endif
