/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Segments from the thread that fills them through the pool and back. */
#include "exporter/drive/pipeline.h"

#include <stdlib.h>

#include "common/base/cleanup.h"

int pipeline_start(struct pipeline *p, const struct pipeline_desc *desc, struct err *e)
{
	struct pool_desc pool = {.name = desc->name,
				 .n_workers = MIN(desc->n_workers, PIPELINE_BUFFERS),
				 .depth = PIPELINE_BUFFERS,
				 .work = desc->work,
				 .worker_new = desc->worker_new,
				 .worker_free = desc->worker_free,
				 .arg = desc->arg};

	p->desc = *desc;
	return pool_new(&pool, &p->pool, e);
}

void pipeline_done(struct pipeline *p)
{
	void *item;

	if (p->pool) {
		pool_close(p->pool);
		while (pool_next(p->pool, &item))
			segment_free(item);
	}
	pool_free(take_ptr(p->pool));
	segment_free(take_ptr(p->filling));
	while (p->idle) {
		struct segment *segment = p->idle;

		p->idle = segment->next;
		segment_free(segment);
	}
}

static int take_oldest(struct pipeline *p, struct err *e)
{
	struct segment *segment;
	void *item;
	int r;

	if (!pool_next(p->pool, &item))
		return err_set(e, EIO, "the worker threads ended");
	segment = item;
	p->in_flight--;
	r = p->desc.take(segment, p->desc.take_arg, e);
	segment_reset(segment);
	segment->next = p->idle;
	p->idle = segment;
	return r;
}

int pipeline_lend_buffer(struct pipeline *p, struct err *e)
{
	int r = 0;

	if (p->filling->data)
		return 0;
	/* Then all buffers are in flight. */
	if (p->in_flight == PIPELINE_BUFFERS)
		r = take_oldest(p, e);
	if (r < 0)
		return r;
	for (struct segment *s = p->idle; s && !p->filling->data; s = s->next)
		p->filling->data = take_ptr(s->data);
	if (!p->filling->data)
		p->filling->data = malloc(SEGMENT_BYTES);
	return p->filling->data ? 0 : err_oom(e);
}

static int hand_on(struct pipeline *p, struct err *e)
{
	int r = pipeline_lend_buffer(p, e);

	if (r == 0 && pool_submit(p->pool, p->filling, 1) < 0)
		r = err_set(e, EIO, "the worker threads ended");
	if (r < 0)
		return r;
	p->filling = NULL;
	p->in_flight++;
	return 0;
}

int pipeline_room(struct pipeline *p, uint32_t padded_bytes, size_t n_runs, struct segment **ret,
		  struct err *e)
{
	int r = 0;

	if (p->filling && !segment_has_room(p->filling, padded_bytes, n_runs))
		r = hand_on(p, e);
	if (r < 0)
		return r;
	if (!p->filling && p->idle) {
		p->filling = p->idle;
		p->idle = p->idle->next;
	} else if (!p->filling) {
		p->filling = segment_new();
	}
	if (!p->filling)
		return err_oom(e);
	*ret = p->filling;
	return 0;
}

int pipeline_finish(struct pipeline *p, struct err *e)
{
	int r = 0;

	if (p->filling && p->filling->n_pieces)
		r = hand_on(p, e);
	while (r == 0 && p->in_flight)
		r = take_oldest(p, e);
	return r;
}
