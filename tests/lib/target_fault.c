/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A disk with a volatile cache that fails on demand; see the header. One lock over everything. */
#include "tests/lib/target_fault.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

struct pending {
	struct pending *next;
	uint64_t off_bytes;
	size_t len_bytes;
	uint8_t data[];
};

struct target_fault {
	struct target target;
	struct target *base; /* lent */
	pthread_mutex_t lock;
	struct pending *first, **last; /* the cache, oldest first */
	struct fault_plan plan;
	uint64_t seen; /* calls that the plan counts */
	bool struck, dead;
	uint64_t count[FAULT_OPS];
};

static struct target_fault *fault_of(struct target *t)
{
	return container_of(t, struct target_fault, target);
}

static void drop_cache(struct target_fault *f)
{
	while (f->first) {
		struct pending *p = f->first;

		f->first = p->next;
		free(p);
	}
	f->last = &f->first;
}

static int write_through(struct target_fault *f, struct err *e)
{
	int r = 0;

	for (struct pending *p = f->first; r == 0 && p; p = p->next)
		r = target_pwrite(f->base, p->data, p->len_bytes, p->off_bytes, e);
	drop_cache(f);
	return r;
}

/* Each sector of the cache reaches the disk or not. */
static void write_torn(struct target_fault *f)
{
	unsigned coin = f->plan.seed;

	for (struct pending *p = f->first; p; p = p->next) {
		for (size_t done = 0, n; done < p->len_bytes; done += n) {
			n = MIN(p->len_bytes - done, f->target.sector_bytes);
			if (rand_r(&coin) & 0x100)
				(void)target_pwrite(f->base, p->data + done, n, p->off_bytes + done,
						    NULL);
		}
	}
	drop_cache(f);
}

static void strike(struct target_fault *f)
{
	f->struck = true;
	f->dead = f->plan.kind != FAULT_ERROR;
	if (f->plan.kind == FAULT_UNPLUG)
		(void)write_through(f, NULL);
	else if (f->plan.kind == FAULT_POWER_CUT)
		drop_cache(f);
	else if (f->plan.kind == FAULT_POWER_TORN)
		write_torn(f);
}

/* Counts a call and fails it when its time has come. */
static int admit(struct target_fault *f, enum fault_op op, struct err *e)
{
	static const char *const name[] = {"read", "write", "flush"};

	f->count[op]++;
	f->count[FAULT_ANY]++;
	if (!f->struck && f->plan.nth && (f->plan.op == FAULT_ANY || f->plan.op == op) &&
	    ++f->seen == f->plan.nth) {
		strike(f);
		return err_set(e, f->plan.code, "%s: injected %s fault", f->target.name, name[op]);
	}
	if (f->dead)
		return err_set(e, f->plan.code, "%s: %s after the disk has gone", f->target.name,
			       name[op]);
	return 0;
}

/* Lays what a cached write has of the range over what was read. */
static void overlay(const struct pending *p, uint8_t *data, size_t len_bytes, uint64_t off_bytes)
{
	uint64_t first = MAX(p->off_bytes, off_bytes);
	uint64_t end = MIN(p->off_bytes + p->len_bytes, off_bytes + len_bytes);

	if (first < end)
		memcpy(data + (first - off_bytes), p->data + (first - p->off_bytes), end - first);
}

static int fault_pread(struct target *t, void *data, size_t len_bytes, uint64_t off_bytes,
		       struct err *e)
{
	struct target_fault *f = fault_of(t);
	LOCK_SCOPE(&f->lock);
	int r = admit(f, FAULT_PREAD, e);

	if (r == 0)
		r = target_pread(f->base, data, len_bytes, off_bytes, e);
	for (struct pending *p = f->first; r == 0 && p; p = p->next)
		overlay(p, data, len_bytes, off_bytes);
	return r;
}

static int fault_pwrite(struct target *t, const void *data, size_t len_bytes, uint64_t off_bytes,
			struct err *e)
{
	struct target_fault *f = fault_of(t);
	LOCK_SCOPE(&f->lock);
	int r = admit(f, FAULT_PWRITE, e);
	struct pending *p;

	if (r < 0)
		return r;
	if (!target_has_range(t, len_bytes, off_bytes))
		return err_set(e, ENOSPC, "%s: write past the end", t->name);
	p = malloc(sizeof(*p) + len_bytes);
	if (!p)
		return err_oom(e);
	*p = (struct pending){.off_bytes = off_bytes, .len_bytes = len_bytes};
	memcpy(p->data, data, len_bytes);
	*f->last = p;
	f->last = &p->next;
	return 0;
}

static int fault_flush(struct target *t, struct err *e)
{
	struct target_fault *f = fault_of(t);
	LOCK_SCOPE(&f->lock);
	int r = admit(f, FAULT_FLUSH, e);

	if (r < 0) {
		drop_cache(f);
		return r;
	}
	r = write_through(f, e);
	return r < 0 ? r : target_flush(f->base, e);
}

static int fault_drop_caches(struct target *t, struct err *e)
{
	return target_drop_caches(fault_of(t)->base, e);
}

static void fault_close(struct target *t)
{
	struct target_fault *f = fault_of(t);

	(void)write_through(f, NULL);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

static const struct target_ops fault_ops = {
	.pread = fault_pread,
	.pwrite = fault_pwrite,
	.flush = fault_flush,
	.drop_caches = fault_drop_caches,
	.close = fault_close,
};

int target_fault_new(struct target *base, struct target **ret)
{
	struct target_fault *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->target.ops = &fault_ops;
	f->target.size_bytes = base->size_bytes;
	f->target.sector_bytes = base->sector_bytes;
	memcpy(f->target.name, base->name, sizeof(f->target.name));
	f->base = base;
	f->last = &f->first;
	(void)pthread_mutex_init(&f->lock, NULL);
	*ret = &f->target;
	return 0;
}

void target_fault_arm(struct target *t, const struct fault_plan *plan)
{
	struct target_fault *f = fault_of(t);
	LOCK_SCOPE(&f->lock);

	f->plan = *plan;
	f->seen = 0;
	f->struck = f->dead = false;
}

uint64_t target_fault_count(struct target *t, enum fault_op op)
{
	struct target_fault *f = fault_of(t);
	LOCK_SCOPE(&f->lock);

	return f->count[op];
}

bool target_fault_struck(struct target *t)
{
	struct target_fault *f = fault_of(t);
	LOCK_SCOPE(&f->lock);

	return f->struck;
}
