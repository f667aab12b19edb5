/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ordered worker pool: a ring of slots. A slot is FREE, QUEUED (submitted), BUSY (a worker has it) or
 * DONE. head = next slot to submit into, work = next to start, tail = next to hand out;
 * tail <= work <= head, and head - tail <= depth. All three and the slots belong to `lock`.
 *
 * The taker sleeps until enough has gathered, then takes until nothing is inside (`draining`).
 */
#include "common/base/pool.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#define ENOUGH_ITEMS  512 /* gathered, for the taker to wake up */
#define BACKLOG_ITEMS 64  /* small ones not started, for a worker to wake up */

struct slot {
	void *item;
	size_t cost;
	bool done;
};

struct pool {
	struct pool_desc desc;
	pthread_mutex_t lock;
	pthread_cond_t can_submit, can_work, can_take;
	struct slot *slots;	   /* depth of them */
	uint64_t head, work, tail; /* lock */
	size_t cost;		   /* lock: of the items in flight */
	uint64_t hurry_to;	   /* lock: up to here nothing is to gather */
	uint64_t gathering_ns;	   /* lock: since when */
	bool draining;		   /* lock */
	bool closed;		   /* lock */
	void *taker_state;	   /* worker state of the taker */
	pthread_t *threads;
	unsigned n_started;
};

static struct slot *slot_at(struct pool *p, uint64_t n)
{
	return &p->slots[n % p->desc.depth];
}

/* Moves `work` past items that were ready from the start; false when nothing is to be done. */
static bool next_work(struct pool *p)
{
	while (p->work < p->head && slot_at(p, p->work)->done)
		p->work++;
	return p->work < p->head;
}

/* With the lock held: whether the taker need not wait for more. */
static bool is_enough(const struct pool *p)
{
	return p->desc.gather_ms == 0 || p->closed || p->tail < p->hurry_to ||
	       p->head - p->tail >= MIN(p->desc.depth, (size_t)ENOUGH_ITEMS) ||
	       (p->desc.max_cost && p->cost >= p->desc.max_cost / 4);
}

static void *worker_main(void *arg)
{
	struct pool *p = arg;
	void *state = p->desc.worker_new ? p->desc.worker_new(p->desc.arg) : p->desc.arg;

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		struct slot *slot;

		while (!next_work(p) && !p->closed)
			(void)pthread_cond_wait(&p->can_work, &p->lock);
		if (!next_work(p))
			break;
		slot = slot_at(p, p->work++);
		(void)pthread_mutex_unlock(&p->lock);
		p->desc.work(slot->item, state);
		(void)pthread_mutex_lock(&p->lock);
		slot->done = true;
		if (slot == slot_at(p, p->tail) && (p->draining || is_enough(p)))
			(void)pthread_cond_signal(&p->can_take);
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (p->desc.worker_free)
		p->desc.worker_free(state);
	return NULL;
}

static int init_locks(struct pool *p)
{
	pthread_condattr_t attr;

	if (pthread_mutex_init(&p->lock, NULL) || pthread_condattr_init(&attr))
		return -ENOMEM;
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (pthread_cond_init(&p->can_submit, &attr) || pthread_cond_init(&p->can_work, &attr) ||
	    pthread_cond_init(&p->can_take, &attr))
		return -ENOMEM;
	(void)pthread_condattr_destroy(&attr);
	return 0;
}

static int start_workers(struct pool *p, struct err *e)
{
	for (; p->n_started < p->desc.n_workers; p->n_started++) {
		char name[16];
		int r = pthread_create(&p->threads[p->n_started], NULL, worker_main, p);

		if (r)
			return err_set(e, r, "cannot start a worker thread: %s", strerror(r));
		(void)snprintf(name, sizeof(name), "%.12s-%u", p->desc.name, p->n_started);
		(void)pthread_setname_np(p->threads[p->n_started], name);
	}
	return 0;
}

int pool_new(const struct pool_desc *desc, struct pool **ret, struct err *e)
{
	_cleanup_(pool_freep) struct pool *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return err_oom(e);
	p->desc = *desc;
	if (p->desc.depth == 0)
		p->desc.depth = 1;
	p->slots = calloc(p->desc.depth, sizeof(*p->slots));
	p->threads = calloc(p->desc.n_workers + 1, sizeof(*p->threads));
	if (!p->slots || !p->threads || init_locks(p) < 0)
		return err_oom(e);
	if (p->desc.n_workers == 0 || p->desc.small_cost)
		p->taker_state = desc->worker_new ? desc->worker_new(desc->arg) : desc->arg;
	r = start_workers(p, e);
	if (r < 0)
		return r;
	*ret = take_ptr(p);
	return 0;
}

/* With the lock held: whether one more item of this cost would be too much. */
static bool is_full(const struct pool *p, size_t cost)
{
	if (p->head == p->tail)
		return false;
	return p->head - p->tail == p->desc.depth ||
	       (p->desc.max_cost && p->cost + cost > p->desc.max_cost);
}

/* With the lock held: whether the taker does this work itself when it comes to it. */
static bool is_takers(const struct pool *p, size_t cost)
{
	return p->desc.n_workers == 0 || (p->desc.small_cost && cost <= p->desc.small_cost);
}

static void wake_for_new_item(struct pool *p, size_t cost, bool ready, bool was_empty)
{
	uint64_t waiting = p->head - MAX(p->work, p->tail);

	if (!ready && (!is_takers(p, cost) || waiting >= BACKLOG_ITEMS))
		(void)pthread_cond_signal(&p->can_work);
	if (was_empty || is_enough(p))
		(void)pthread_cond_signal(&p->can_take);
}

static int submit(struct pool *p, void *item, size_t cost, bool ready)
{
	bool was_empty;

	LOCK_SCOPE(&p->lock);
	while (is_full(p, cost) && !p->closed) {
		p->hurry_to = p->head;
		(void)pthread_cond_signal(&p->can_take);
		(void)pthread_cond_wait(&p->can_submit, &p->lock);
	}
	if (p->closed)
		return -ECANCELED;
	was_empty = p->head == p->tail;
	if (was_empty)
		p->gathering_ns = clock_monotonic_ns();
	*slot_at(p, p->head) = (struct slot){.item = item, .cost = cost, .done = ready};
	p->cost += cost;
	p->head++;
	wake_for_new_item(p, cost, ready, was_empty);
	return 0;
}

int pool_submit(struct pool *p, void *item, size_t cost)
{
	return submit(p, item, cost, false);
}

int pool_submit_ready(struct pool *p, void *item, size_t cost)
{
	return submit(p, item, cost, true);
}

size_t pool_in_flight(struct pool *p)
{
	LOCK_SCOPE(&p->lock);
	return (size_t)(p->head - p->tail);
}

size_t pool_cost(struct pool *p)
{
	LOCK_SCOPE(&p->lock);
	return p->cost;
}

/* With the lock held: whether the oldest item is done, or is the taker's to do. */
static bool can_take(struct pool *p)
{
	struct slot *slot = slot_at(p, p->tail);

	return p->tail < p->head &&
	       (slot->done || (p->work <= p->tail && is_takers(p, slot->cost)));
}

/* With the lock held and can_take(). */
static void *take(struct pool *p)
{
	struct slot *slot = slot_at(p, p->tail);

	if (!slot->done) {
		p->work = p->tail + 1;
		(void)pthread_mutex_unlock(&p->lock);
		p->desc.work(slot->item, p->taker_state);
		(void)pthread_mutex_lock(&p->lock);
	}
	p->tail++;
	p->cost -= slot->cost;
	if (p->work < p->tail)
		p->work = p->tail; /* an item that was ready from the start */
	(void)pthread_cond_broadcast(&p->can_submit);
	return slot->item;
}

/* Waits for a signal, but not beyond until_ns. */
static void wait_until(struct pool *p, uint64_t until_ns)
{
	struct timespec ts = {.tv_sec = (time_t)(until_ns / NSEC_PER_SEC),
			      .tv_nsec = (long)(until_ns % NSEC_PER_SEC)};

	if (until_ns == UINT64_MAX)
		(void)pthread_cond_wait(&p->can_take, &p->lock);
	else
		(void)pthread_cond_timedwait(&p->can_take, &p->lock, &ts);
}

bool pool_next_until(struct pool *p, unsigned long long deadline_ns, void **ret_item)
{
	LOCK_SCOPE(&p->lock);
	*ret_item = NULL;
	for (;;) {
		uint64_t now = clock_monotonic_ns();
		uint64_t gathered_ns = p->gathering_ns + p->desc.gather_ms * UINT64_C(1000000);

		if (p->tail == p->head && p->closed)
			return false;
		if (p->tail == p->head)
			p->draining = false;
		else if (is_enough(p) || now >= MIN(gathered_ns, deadline_ns))
			p->draining = true;
		if (p->draining && can_take(p)) {
			*ret_item = take(p);
			return true;
		}
		if (now >= deadline_ns)
			return true;
		/* While it drains, the worker that ends the oldest item sends a signal. */
		wait_until(p, p->tail < p->head && !p->draining ? MIN(gathered_ns, deadline_ns)
								: deadline_ns);
	}
}

bool pool_next(struct pool *p, void **ret_item)
{
	return pool_next_until(p, UINT64_MAX, ret_item);
}

void pool_hurry(struct pool *p)
{
	LOCK_SCOPE(&p->lock);
	p->hurry_to = p->head;
	(void)pthread_cond_signal(&p->can_take);
}

void pool_close(struct pool *p)
{
	LOCK_SCOPE(&p->lock);
	p->closed = true;
	(void)pthread_cond_broadcast(&p->can_submit);
	(void)pthread_cond_broadcast(&p->can_work);
	(void)pthread_cond_broadcast(&p->can_take);
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pool_close(p);
	for (unsigned i = 0; i < p->n_started; i++)
		(void)pthread_join(p->threads[i], NULL);
	if (p->desc.worker_free && p->taker_state)
		p->desc.worker_free(p->taker_state);
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_cond_destroy(&p->can_submit);
	(void)pthread_cond_destroy(&p->can_work);
	(void)pthread_cond_destroy(&p->can_take);
	free(p->slots);
	free(p->threads);
	free(p);
}
