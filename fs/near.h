/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Serving near the asker. A program that makes one short request after the other and the thread that serves
 * them never work at the same time; on two processors each of them sleeps while the other one works,
 * and waking a sleeping processor takes longer than the work, most of all in a virtual machine. So a
 * thread that serves such a program moves to the program's processor, and away again when requests
 * become long (then working side by side pays) or come from several programs.
 *
 * Measured on a virtual machine with 2 processors, 15,000 files of 4 KiB: created in 0.8 s instead of 4.3 s.
 */
#ifndef SEEDSHIP_FS_NEAR_H
#define SEEDSHIP_FS_NEAR_H

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

/* What one serving thread knows. */
struct near {
	cpu_set_t allowed; /* where it may run at all */
	pid_t tid;	   /* of the thread that asks */
	unsigned streak;   /* of its short requests, one after the other */
	int cpu;	   /* where this thread is bound to, if it is */
	bool bound;
};

/* The calling thread begins, and may run on these processors; what its maker was bound to does not count. */
void near_init(struct near *n, const cpu_set_t *allowed);

/* The calling thread is about to serve a request of tid (0 = nobody who waits for it). */
void near_note(struct near *n, pid_t tid, bool is_short);

/* The calling thread may run anywhere again. */
void near_forget(struct near *n);

#endif
