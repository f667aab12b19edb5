/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the asker runs stands in /proc; it is looked up once in a streak and then now and again. */
#include "fs/near.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define LOOK_AFTER	 12 /* short requests in a row */
#define LOOK_AGAIN_AFTER 32 /* once bound: the asker may have been moved */
#define PROCESSOR_FIELD	 39 /* of /proc/TID/stat, proc(5) */

/* -1: not known. */
static int processor_of(pid_t tid)
{
	char path[32], text[1024], *at, *end;
	long cpu;
	_cleanup_fd_ int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%jd/stat", (intmax_t)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	at = strrchr(text, ')'); /* the end of field 2, which may hold anything */
	for (int field = 2; at && field < PROCESSOR_FIELD; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -1;
	cpu = strtol(at, &end, 10);
	return end != at && cpu >= 0 && cpu < CPU_SETSIZE ? (int)cpu : -1;
}

static void bind_to(struct near *n, int cpu)
{
	cpu_set_t set;

	if (cpu < 0 || cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &n->allowed) ||
	    (n->bound && n->cpu == cpu))
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	n->bound = sched_setaffinity(0, sizeof(set), &set) == 0;
	n->cpu = cpu;
}

void near_init(struct near *n, const cpu_set_t *allowed)
{
	*n = (struct near){.allowed = *allowed};
	(void)sched_setaffinity(0, sizeof(n->allowed), &n->allowed);
}

void near_forget(struct near *n)
{
	if (n->bound)
		(void)sched_setaffinity(0, sizeof(n->allowed), &n->allowed);
	n->bound = false;
	n->streak = 0;
	n->tid = 0;
}

void near_note(struct near *n, pid_t tid, bool is_short)
{
	if (tid == 0)
		return;
	if (!is_short || tid != n->tid)
		near_forget(n);
	n->tid = tid;
	n->streak = is_short ? n->streak + 1 : 0;
	if (n->streak == LOOK_AFTER || (n->streak && n->streak % LOOK_AGAIN_AFTER == 0))
		bind_to(n, processor_of(tid));
}
