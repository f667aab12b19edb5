/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writer in figures, for those who watch it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/store/writer_impl.h"

static uint64_t log_bytes(const struct writer *w)
{
	struct stat st;

	return fstatat(w->store->dir_fd, "index.db-wal", &st, 0) < 0 ? 0 : (uint64_t)st.st_size;
}

void writer_get_stats(struct writer *w, struct writer_stats *ret)
{
	struct err reason = {0};

	*ret = (struct writer_stats){
		.raw_bytes = atomic_load(&w->counts.raw_bytes),
		.stored_bytes = atomic_load(&w->counts.stored_bytes),
		.commits = atomic_load(&w->counts.commits),
		.committed_ns = atomic_load(&w->counts.committed_ns),
		.queue_sets = pool_in_flight(w->pool),
		.queue_bytes = pool_cost(w->pool),
		.promised_bytes = space_reserved(&w->space),
		.log_bytes = log_bytes(w),
		.log_held_pages = atomic_load(&w->counts.held_frames),
		.level = compress_level(w),
	};
	ret->state = writer_state(w, &reason);
	(void)snprintf(ret->reason, sizeof(ret->reason), "%.255s", reason.text);
}
