/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loop of a FUSE session: threads that read requests and have them served, and the signals that end it.
 *
 * The kernel wakes the threads that wait for requests in turn: each that waits beside another one makes
 * caches colder. So two wait, the others are parked until nobody waits any more, and new ones are made only
 * then.
 */
#ifndef SEEDSHIP_FS_LOOP_H
#define SEEDSHIP_FS_LOOP_H

#include "common/base/err.h"

struct fuse_session;

/* Blocks SIGINT, SIGTERM and SIGHUP in this thread and those it makes; call it before any thread is made. */
int loop_block_signals(struct err *e);

/*
 * Serves until the filesystem is unmounted or one of those signals comes. All requests that were read have
 * been answered when it returns. max_threads: at least 2.
 */
int loop_run(struct fuse_session *fuse, unsigned max_threads, struct err *e);

#endif
