/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The few bits of the FUSE protocol (linux/fuse.h) that libfuse 3.14 does not pass on. They are read from
 * the raw request and written into the raw reply; both happen in the thread that serves the request.
 *
 * FUSE_HANDLE_KILLPRIV_V2: without it the kernel asks for the attribute security.capability before every
 * single write. With it, clearing suid and sgid when a file's content changes is our duty: the kernel says
 * with each request whether the caller's rights call for it.
 *
 * FUSE_TMPFILE (open with O_TMPFILE) has the arguments and the answer of FUSE_CREATE: libfuse gets to see
 * that, and the operation asks here which of the two it is.
 *
 * FUSE_PARALLEL_DIROPS: without it one lookup or listing at a time in a directory.
 */
#ifndef SEEDSHIP_FS_WIRE_H
#define SEEDSHIP_FS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Looks at a request that was just read, and turns TMPFILE into CREATE. */
void wire_note_request(void *request, size_t len_bytes);

/* How many requests of a kind came so far. */
enum wire_kind {
	WIRE_LOOKUP, /* names and attributes asked for */
	WIRE_LIST,   /* directories */
	WIRE_READ,
	WIRE_WRITE,
	WIRE_CREATE, /* files, directories, links, special files */
	WIRE_REMOVE,
	WIRE_CHANGE, /* names, attributes, sizes */
	WIRE_SYNC,
	WIRE_OTHER,
	N_WIRE_KINDS,
};
void wire_get_counts(uint64_t ret[static N_WIRE_KINDS]);

/* Whether the request of this thread (write, open, create, setattr) drops suid and sgid. */
bool wire_kills_priv(void);

/*
 * Who waits for the answer to the request of this thread: the id of a thread, 0 when nobody does. *ret_short:
 * serving it takes hardly longer than waking somebody.
 */
pid_t wire_asker(bool *ret_short);

/* Whether the request of this thread is one that nobody waits for: something was closed or forgotten. */
bool wire_is_notice(void);

/* Whether the CREATE of this thread is to make a file without a name. */
bool wire_is_tmpfile(void);

/*
 * Looks at a reply before it is written: the one to INIT gets the two flags, as far as the kernel offers
 * them. True for that reply, when it says that all is well.
 */
bool wire_complete_init(const struct iovec *reply, int count);

#endif
