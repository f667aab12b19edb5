/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct pipeline: the segments of a drive on their way. The calling thread fills one, workers have those that
 * are full, and take() gets them back in the same order. Only segments in flight have memory for content, and
 * they are PIPELINE_BUFFERS at most, however many cores there are: 48 MiB a drive.
 */
#ifndef SEEDSHIP_DRIVE_PIPELINE_H
#define SEEDSHIP_DRIVE_PIPELINE_H

#include "common/base/pool.h"
#include "exporter/drive/segment.h"

#define PIPELINE_BUFFERS 3

struct pipeline_desc {
	const char *name; /* of the threads */
	unsigned n_workers;
	void (*work)(void *segment, void *worker); /* these four as in struct pool_desc */
	void *(*worker_new)(void *arg);
	void (*worker_free)(void *worker);
	void *arg;
	/* On the calling thread, in order: a segment that has been worked on. An error ends it all. */
	int (*take)(struct segment *segment, void *take_arg, struct err *e);
	void *take_arg;
};

/* All zeros is an empty one, on which pipeline_done() is fine. */
struct pipeline {
	struct pipeline_desc desc;
	struct pool *pool;
	unsigned in_flight;
	struct segment *filling, *idle;
};

int pipeline_start(struct pipeline *p, const struct pipeline_desc *desc, struct err *e);

/* Whatever is in flight is lost. */
void pipeline_done(struct pipeline *p);

/* The segment for the next piece, with so many runs; a full one is handed on. Blocks; calls take(). */
int pipeline_room(struct pipeline *p, uint32_t padded_bytes, size_t n_runs, struct segment **ret,
		  struct err *e);

/* Lends the segment that is being filled its buffer now, for a caller who puts content in. Blocks; calls take(). */
int pipeline_lend_buffer(struct pipeline *p, struct err *e);

/* Hands on what has been filled, and waits until all is taken. */
int pipeline_finish(struct pipeline *p, struct err *e);

#endif
