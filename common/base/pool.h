/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct pool: worker threads whose results come out in the order in which the work went in. Work is
 * pure CPU: it does no I/O and takes no lock of the caller. One thread takes results (pool_next);
 * any number may submit, but the order they mean must be made by them (submit under a lock).
 * This is the only place in the project that creates worker threads.
 *
 * Waking a thread costs more than a little work: an item of at most small_cost wakes no worker, the taker
 * does it itself unless a worker is awake; and the taker lets items gather for gather_ms before it wakes up.
 */
#ifndef SEEDSHIP_BASE_POOL_H
#define SEEDSHIP_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"

struct pool;

struct pool_desc {
	const char *name; /* thread name, at most 12 characters are shown */
	unsigned
		n_workers; /* 0 = the serial twin: work runs in pool_next(), same results, no workers */
	size_t depth;	   /* items in flight at most; pool_submit() blocks beyond (backpressure) */
	size_t max_cost;    /* sum of their costs at most, but one item always fits; 0 = no limit */
	size_t small_cost;  /* see above; 0 = every item is for the workers */
	unsigned gather_ms; /* see above; 0 = the taker is woken for every item */
	void (*work)(void *item, void *worker_state);
	void *(*worker_new)(
		void *arg); /* per-worker state, may be NULL; a NULL result is passed on */
	void (*worker_free)(void *worker_state);
	void *arg;
};

int pool_new(const struct pool_desc *desc, struct pool **ret, struct err *e);

/* Items submitted and not taken yet, and the sum of their costs: how far the consumer lags. */
size_t pool_in_flight(struct pool *p);
size_t pool_cost(struct pool *p);

/*
 * Hands over an item of this cost (in whatever desc.max_cost counts); blocks while too much is in flight.
 * -ECANCELED after pool_close().
 */
int pool_submit(struct pool *p, void *item, size_t cost) _warn_unused_result_;

/* Like pool_submit() for an item that needs no work: it only takes its place in the order. */
int pool_submit_ready(struct pool *p, void *item, size_t cost) _warn_unused_result_;

/* The oldest item, once its work is done. Blocks. False when closed and drained. */
bool pool_next(struct pool *p, void **ret_item);

/* Like pool_next(), but gives up at the CLOCK_MONOTONIC time deadline_ns: *ret_item is then NULL. */
bool pool_next_until(struct pool *p, unsigned long long deadline_ns, void **ret_item);

/* What is inside now is taken without waiting for more to gather. */
void pool_hurry(struct pool *p);

/* No more items; what is inside still comes out of pool_next(). */
void pool_close(struct pool *p);

/* Closes and joins. Items not taken are lost to the caller: drain first. NULL is fine. */
void pool_free(struct pool *p);
static inline void pool_freep(struct pool **p)
{
	pool_free(*p);
}

#endif
