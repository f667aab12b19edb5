/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pool's face of streaming: stream_work() reads, pads, hashes and encrypts a segment. */
#ifndef SEEDSHIP_DRIVE_STREAM_WORKER_H
#define SEEDSHIP_DRIVE_STREAM_WORKER_H

#include "exporter/bitlocker/volume.h"

struct stream_worker_desc {
	const char *store_path;
	const struct bitlocker_keys *keys;
};
void *stream_worker_new(void *arg); /* struct stream_worker_desc */
void stream_worker_free(void *arg);
void stream_work(void *segment, void *worker);

#endif
