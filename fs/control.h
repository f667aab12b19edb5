/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket of a mount, STORE/control: how other commands talk to the seedfs that runs. A
 * connection carries one request, a line "NAME [ARGUMENTS]", and one answer, a JSON object on a line; an
 * answer that begins with "error" tells why there is no other. Only root and the user whose seedfs it is are
 * answered. The server is a thread of its own: a slow or silent peer keeps other peers waiting for
 * a moment, never the filesystem.
 */
#ifndef SEEDSHIP_FS_CONTROL_H
#define SEEDSHIP_FS_CONTROL_H

#include "common/base/err.h"
#include "common/ext/json.h"

#define CONTROL_NAME	      "control"
#define CONTROL_REQUEST_BYTES 4096 /* at most, with its line end */
#define CONTROL_ANSWER_BYTES  (1 << 20)

/* One request the server understands; a table of them ends with a row without name. */
struct control_handler {
	const char *name;
	/*
	 * Fills answer, an empty object. arguments: the rest of the line, "" if there is none. Runs on the
	 * server's thread: takes only leaf locks, and what is long is only begun here.
	 */
	int (*run)(void *arg, const char *arguments, json_t *answer, struct err *e);
};

struct control_desc {
	int store_fd; /* the store's folder; lent for as long as the server runs */
	const struct control_handler *handlers;
	void (*tick)(void *arg); /* called about every second by the server's thread; may be NULL */
	void *arg;
};

struct control;

/* Starts the server, in place of a socket that a dead one left. The store must be locked by the caller. */
int control_start(const struct control_desc *desc, struct control **ret, struct err *e);

/* Stops it; no handler runs any more when this returns. NULL is fine. */
void control_stop(struct control *c);

/*
 * Asks the seedfs that has this store. *ret: its answer. -ECONNREFUSED or -ENOENT: no server there; -EACCES not ours to
 * ask; -EREMOTEIO it answered with an error, which is in e; -ETIMEDOUT. Blocks for some seconds at most.
 */
int control_ask(const char *store_path, const char *request, json_t **ret, struct err *e);

#endif
