/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threads that serve. A thread is WAITING for a request, serving one, or parked. `lock` guards the counts;
 * whoever takes a request and leaves nobody waiting calls the thread that was parked last (its memory is still at
 * hand), or makes a new one.
 */
#define FUSE_USE_VERSION 314

#include "fs/loop.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/macros.h"
#include "fs/near.h"
#include "fs/wire.h"

#define WAITING_MAX   2
#define WAKE_SIGNAL   SIGUSR1 /* takes threads out of read(2) */
#define WAKE_EVERY_MS 20      /* one that came just before the read is lost */

struct loop;

struct server {
	struct loop *loop;
	pthread_t thread;
	struct fuse_buf buf;	    /* its memory is libfuse's to allocate, ours to free */
	struct near near;	    /* this thread's own */
	pthread_cond_t called;	    /* parked, it waits for this */
	bool is_parked;		    /* lock: and not called yet */
	struct server *next_parked; /* lock */
	bool ended;		    /* lock */
};

struct loop {
	struct fuse_session *fuse;
	int ended_fd;	   /* eventfd: a thread saw the end */
	cpu_set_t allowed; /* processors of the process */
	pthread_mutex_t lock;
	struct server *parked;		 /* lock: a stack */
	unsigned n_waiting;		 /* lock */
	unsigned n_coming;		 /* lock: called or new, not waiting yet */
	unsigned n_ended;		 /* lock */
	struct server *servers;		 /* max_threads of them */
	unsigned n_servers, max_threads; /* lock */
};

static void on_wake(int number _unused_)
{
}

static void signals_of_end(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGINT);
	(void)sigaddset(ret, SIGTERM);
	(void)sigaddset(ret, SIGHUP);
}

int loop_block_signals(struct err *e)
{
	struct sigaction wake = {.sa_handler = on_wake}; /* without SA_RESTART */
	sigset_t set;
	int r;

	signals_of_end(&set);
	r = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (r)
		return err_set(e, r, "blocking signals: %s", strerror(r));
	(void)signal(SIGPIPE, SIG_IGN);
	return sigaction(WAKE_SIGNAL, &wake, NULL) < 0 ? err_sys(e, "signals") : 0;
}

/* ---- threads ---- */

static void *serve(void *arg);

/* With the lock held: one more thread that will wait for requests, if there may be one. */
static int call_one(struct loop *l)
{
	struct server *s;
	int r;

	if (l->parked) {
		s = l->parked;
		l->parked = s->next_parked;
		s->is_parked = false;
		l->n_coming++;
		(void)pthread_cond_signal(&s->called);
		return 0;
	}
	if (l->n_servers == l->max_threads)
		return 0;
	s = &l->servers[l->n_servers];
	s->loop = l;
	if (pthread_cond_init(&s->called, NULL))
		return -ENOMEM;
	r = pthread_create(&s->thread, NULL, serve, s);
	if (r) {
		(void)pthread_cond_destroy(&s->called);
		return -r;
	}
	(void)pthread_setname_np(s->thread, "fuse");
	l->n_servers++;
	l->n_coming++;
	return 0;
}

/* With the lock held: sleeps until somebody calls, or the end. */
static void park(struct loop *l, struct server *s)
{
	free(take_ptr(s->buf.mem));
	near_forget(&s->near);
	s->is_parked = true;
	s->next_parked = l->parked;
	l->parked = s;
	while (s->is_parked && !fuse_session_exited(l->fuse))
		(void)pthread_cond_wait(&s->called, &l->lock);
}

/* Becomes one of those that wait; called: was told to. False: the loop has ended. */
static bool begin_waiting(struct loop *l, struct server *s, bool called)
{
	LOCK_SCOPE(&l->lock);
	if (!called && l->n_waiting + l->n_coming >= WAITING_MAX) {
		park(l, s);
		called = true;
	}
	if (fuse_session_exited(l->fuse))
		return false;
	l->n_coming -= called;
	l->n_waiting++;
	return true;
}

static void end_waiting(struct loop *l, bool got_request)
{
	int r = 0;

	(void)pthread_mutex_lock(&l->lock);
	l->n_waiting--;
	if (got_request && l->n_waiting + l->n_coming == 0)
		r = call_one(l);
	(void)pthread_mutex_unlock(&l->lock);
	if (r < 0)
		log_debug("no further thread: %s", strerror(-r));
}

/* With the lock held: at the end of the loop. */
static void wake_parked(struct loop *l)
{
	for (struct server *s = l->parked; s; s = s->next_parked)
		(void)pthread_cond_signal(&s->called);
}

static void end_serving(struct loop *l, struct server *s)
{
	uint64_t one = 1;

	free(take_ptr(s->buf.mem));
	(void)pthread_mutex_lock(&l->lock);
	s->ended = true;
	l->n_ended++;
	wake_parked(l);
	(void)pthread_mutex_unlock(&l->lock);
	(void)!write(l->ended_fd, &one, sizeof(one));
}

static void process(struct loop *l, struct server *s)
{
	bool is_short;
	pid_t asker = wire_asker(&is_short);

	near_note(&s->near, asker, is_short);
	fuse_session_process_buf(l->fuse, &s->buf);
}

/* What nobody waits for takes no time either: who serves it goes on counting as waiting. */
static int receive(struct loop *l, struct server *s)
{
	for (;;) {
		int n = fuse_session_receive_buf(l->fuse, &s->buf);

		if (n <= 0 || !wire_is_notice())
			return n;
		fuse_session_process_buf(l->fuse, &s->buf);
	}
}

static void *serve(void *arg)
{
	struct server *s = arg;
	struct loop *l = s->loop;

	near_init(&s->near, &l->allowed);
	for (bool called = true; begin_waiting(l, s, called); called = false) {
		int n = receive(l, s);

		end_waiting(l, n > 0);
		if (n > 0)
			process(l, s);
		else if (n < 0 && n != -EINTR && n != -EAGAIN)
			fuse_session_exit(l->fuse);
	}
	end_serving(l, s);
	return NULL;
}

/* ---- start and end ---- */

/* Returns when a signal says so, or a thread saw the filesystem go. */
static int wait_for_end(struct loop *l, struct err *e)
{
	struct pollfd fds[2] = {{.fd = l->ended_fd, .events = POLLIN}, {.events = POLLIN}};
	_cleanup_fd_ int signal_fd = -1;
	sigset_t set;

	signals_of_end(&set);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (signal_fd < 0)
		return err_sys(e, "signalfd");
	fds[1].fd = signal_fd;
	while (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		if (errno != EINTR)
			return err_sys(e, "poll");
	return 0;
}

/* Takes all threads out of their waits; those that serve finish first. */
static void end_all(struct loop *l)
{
	unsigned ended;

	fuse_session_exit(l->fuse);
	do {
		(void)pthread_mutex_lock(&l->lock);
		wake_parked(l);
		for (unsigned i = 0; i < l->n_servers; i++)
			if (!l->servers[i].ended)
				(void)pthread_kill(l->servers[i].thread, WAKE_SIGNAL);
		ended = l->n_ended;
		(void)pthread_mutex_unlock(&l->lock);
		if (ended < l->n_servers)
			(void)poll(NULL, 0, WAKE_EVERY_MS);
	} while (ended < l->n_servers);
	for (unsigned i = 0; i < l->n_servers; i++) {
		(void)pthread_join(l->servers[i].thread, NULL);
		(void)pthread_cond_destroy(&l->servers[i].called);
	}
}

int loop_run(struct fuse_session *fuse, unsigned max_threads, struct err *e)
{
	struct loop l = {.fuse = fuse, .max_threads = MAX(max_threads, 2u), .ended_fd = -1};
	int r;

	if (sched_getaffinity(0, sizeof(l.allowed), &l.allowed) < 0)
		CPU_ZERO(&l.allowed); /* more than a set holds: nothing is ever bound */
	l.servers = calloc(l.max_threads, sizeof(*l.servers));
	if (!l.servers || pthread_mutex_init(&l.lock, NULL)) {
		free(l.servers);
		return err_oom(e);
	}
	l.ended_fd = eventfd(0, EFD_CLOEXEC);
	if (l.ended_fd < 0) {
		r = err_sys(e, "eventfd");
		goto out;
	}
	(void)pthread_mutex_lock(&l.lock);
	r = call_one(&l);
	(void)pthread_mutex_unlock(&l.lock);
	r = r < 0 ? err_set(e, -r, "cannot start a thread: %s", strerror(-r)) : wait_for_end(&l, e);
	end_all(&l);
	(void)close(l.ended_fd);
out:
	(void)pthread_mutex_destroy(&l.lock);
	free(l.servers);
	return r;
}
