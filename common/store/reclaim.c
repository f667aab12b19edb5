/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Dead frames become holes. Frames of a stream lie one behind the other, apart only by record headers: if
 * two neighbours die in one commit, what lies between them is dead, too. Only whole blocks are punched:
 * zeroing parts of blocks would write instead of free.
 */
#include "common/store/reclaim.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/store/frame.h"
#include "common/store/pack.h"

#define PUNCH_BYTES_MIN	   (8 * KiB)
#define HEADER_PROBE_BYTES 4352	      /* a header with the longest path there usually is */
#define WAITING_MAX_FRAMES (1u << 20) /* 16 MiB of them */

struct job {
	struct job *next;
	struct dead_frame *frames;
	uint32_t *packs;
	size_t n_frames, n_packs;
};

struct reclaim {
	int packs_fd; /* lent */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job *jobs, **tail; /* lock */
	size_t n_waiting;	  /* lock: frames in jobs */
	bool stopping;		  /* lock */
	bool cannot_punch;	  /* the thread's: the filesystem below knows no holes */
	atomic_uint_fast64_t freed_bytes;
};

/* A run of a pack that is dead from end to end. */
struct run {
	uint64_t start_bytes, end_bytes;
};

static int by_place(const void *a, const void *b)
{
	const struct dead_frame *x = a, *y = b;

	if (x->pack != y->pack)
		return x->pack < y->pack ? -1 : 1;
	return (x->off_bytes > y->off_bytes) - (x->off_bytes < y->off_bytes);
}

/* Whether nothing but the header of the frame at `next` lies between end and next. */
static bool only_header_between(int fd, uint64_t end_bytes, uint64_t next_bytes)
{
	uint8_t data[HEADER_PROBE_BYTES];
	struct frame_header h;
	size_t gap = (size_t)(next_bytes - end_bytes), n, header_bytes;

	if (next_bytes - end_bytes > sizeof(data))
		return false;
	if (gap == frame_header_bytes(0))
		return true;
	return fd_pread(fd, data, gap, end_bytes, &n) == 0 && n == gap &&
	       frame_header_get(data, n, &h, &header_bytes) == 0 && header_bytes == gap;
}

static void punch(struct reclaim *r, int fd, const struct run *run)
{
	struct stat st;
	uint64_t block, start, end;

	if (fstat(fd, &st) < 0)
		return;
	/* Whoever scans a pack takes no more than that for the edge of a hole. */
	block = MIN((uint64_t)st.st_blksize, 64 * KiB);
	start = (run->start_bytes + block - 1) / block * block;
	end = run->end_bytes / block * block;
	if (end < start + PUNCH_BYTES_MIN)
		return;
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)start,
		      (off_t)(end - start)) == 0) {
		(void)atomic_fetch_add(&r->freed_bytes, end - start);
	} else if (errno == EOPNOTSUPP) {
		r->cannot_punch = true;
		log_info("the filesystem below cannot punch holes; 'seedfs compact' gives space "
			 "back");
	} else {
		log_warning("giving space back: %s", strerror(errno));
	}
}

/* Frames of one pack, in order of their places. */
static void punch_pack(struct reclaim *r, const struct dead_frame *frames, size_t n)
{
	char name[PACK_NAME_BYTES];
	_cleanup_fd_ int fd = openat(r->packs_fd, pack_name(frames[0].pack, name),
				     O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct run run = {frames[0].off_bytes, frames[0].off_bytes + frames[0].stored_bytes};

	if (fd < 0)
		return; /* compacted and removed */
	for (size_t i = 1; i < n; i++) {
		uint64_t start = frames[i].off_bytes, end = start + frames[i].stored_bytes;

		if (start >= run.end_bytes && only_header_between(fd, run.end_bytes, start)) {
			run.end_bytes = end;
			continue;
		}
		punch(r, fd, &run);
		run = (struct run){start, end};
	}
	punch(r, fd, &run);
}

static void do_job(struct reclaim *r, const struct job *job)
{
	size_t from = 0;

	for (size_t i = 0; i < job->n_packs; i++) {
		char name[PACK_NAME_BYTES];

		if (unlinkat(r->packs_fd, pack_name(job->packs[i], name), 0) < 0)
			log_warning("cannot remove 'packs/%s': %s", name, strerror(errno));
	}
	if (job->n_frames)
		qsort(job->frames, job->n_frames, sizeof(*job->frames), by_place);
	for (size_t i = 1; i <= job->n_frames && !r->cannot_punch; i++) {
		if (i < job->n_frames && job->frames[i].pack == job->frames[from].pack)
			continue;
		punch_pack(r, job->frames + from, i - from);
		from = i;
	}
}

static void job_free(struct job *job)
{
	free(job->frames);
	free(job->packs);
	free(job);
}

static void *reclaim_main(void *arg)
{
	struct reclaim *r = arg;

	(void)pthread_mutex_lock(&r->lock);
	for (;;) {
		struct job *job = r->jobs;

		if (!job && r->stopping)
			break;
		if (!job) {
			(void)pthread_cond_wait(&r->changed, &r->lock);
			continue;
		}
		r->jobs = job->next;
		if (!r->jobs)
			r->tail = &r->jobs;
		r->n_waiting -= job->n_frames;
		(void)pthread_mutex_unlock(&r->lock);
		do_job(r, job);
		job_free(job);
		(void)pthread_mutex_lock(&r->lock);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return NULL;
}

int reclaim_new(int packs_fd, struct reclaim **ret, struct err *e)
{
	struct reclaim *r = calloc(1, sizeof(*r));
	int rc;

	if (!r || pthread_mutex_init(&r->lock, NULL) || pthread_cond_init(&r->changed, NULL)) {
		free(r);
		return err_oom(e);
	}
	r->packs_fd = packs_fd;
	r->tail = &r->jobs;
	rc = pthread_create(&r->thread, NULL, reclaim_main, r);
	if (rc) {
		(void)pthread_mutex_destroy(&r->lock);
		(void)pthread_cond_destroy(&r->changed);
		free(r);
		return err_set(e, rc, "cannot start the reclaiming thread: %s", strerror(rc));
	}
	(void)pthread_setname_np(r->thread, "reclaim");
	*ret = r;
	return 0;
}

void reclaim_free(struct reclaim *r)
{
	if (!r)
		return;
	(void)pthread_mutex_lock(&r->lock);
	r->stopping = true;
	(void)pthread_cond_broadcast(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
	(void)pthread_join(r->thread, NULL);
	(void)pthread_mutex_destroy(&r->lock);
	(void)pthread_cond_destroy(&r->changed);
	free(r);
}

void reclaim_add(struct reclaim *r, struct dead_frame *frames, size_t n_frames, uint32_t *packs,
		 size_t n_packs)
{
	struct job *job = n_frames || n_packs ? calloc(1, sizeof(*job)) : NULL;

	if (!job) {
		free(frames);
		free(packs);
		return;
	}
	*job = (struct job){
		.frames = frames, .n_frames = n_frames, .packs = packs, .n_packs = n_packs};
	LOCK_SCOPE(&r->lock);
	if (r->n_waiting + n_frames > WAITING_MAX_FRAMES) {
		free(take_ptr(job->frames));
		job->n_frames = 0;
	}
	r->n_waiting += job->n_frames;
	*r->tail = job;
	r->tail = &job->next;
	(void)pthread_cond_signal(&r->changed);
}

uint64_t reclaim_freed_bytes(struct reclaim *r)
{
	return atomic_load(&r->freed_bytes);
}
