/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The janitor: compacts packs beside a mount, when somebody asks for it, and by itself when nothing was
 * written for a while. `compaction.lock` is a leaf.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/units.h"
#include "common/store/compact.h"
#include "fs/stage_priv.h"

#define LOOK_EVERY_SECONDS 30
#define IDLE_WASTE_PERCENT 50			 /* by itself: packs that are mostly dead */
#define REST_NS		   (3600 * NSEC_PER_SEC) /* after a try that did not get far */

/* What is to be done next. */
enum turn { TURN_LOOK, TURN_ASKED, TURN_END };

/* Sleeps until the next look, or until somebody asks. */
static enum turn wait_for_turn(struct compaction *c)
{
	uint64_t wake = clock_monotonic_ns() + LOOK_EVERY_SECONDS * NSEC_PER_SEC;
	struct timespec ts = {.tv_sec = (time_t)(wake / NSEC_PER_SEC),
			      .tv_nsec = (long)(wake % NSEC_PER_SEC)};
	int r = 0;

	LOCK_SCOPE(&c->lock);
	while (!atomic_load(&c->stops) && c->asked == c->ended && r == 0)
		r = pthread_cond_timedwait(&c->changed, &c->lock, &ts);
	return atomic_load(&c->stops) ? TURN_END : c->asked > c->ended ? TURN_ASKED : TURN_LOOK;
}

static void note_pack_done(void *arg, uint32_t pack _unused_, uint64_t waste_bytes)
{
	struct compaction *c = arg;

	LOCK_SCOPE(&c->lock);
	c->state.packs++;
	c->state.freed_bytes += waste_bytes;
}

/* False: something was in the way that will be there again. */
static bool compact(struct stage *s, unsigned min_waste_percent)
{
	struct compaction *c = &s->compaction;
	struct compact_plan plan = {.min_waste_percent = min_waste_percent,
				    .stop = &c->stops,
				    .done = note_pack_done,
				    .arg = c};
	struct compact_result result;
	struct err e = {0};
	char size[32];
	int r = compact_store(s->store, s->writer, s->catalog, &plan, &result, &e);

	/* Descriptors of removed packs would keep their space. */
	cache_forget_packs(s->cache);
	if (r < 0 && r != -ECANCELED)
		log_warning("compacting: %s", e.text);
	if (result.packs)
		log_info("compacted %ju packs, %s are free again", (uintmax_t)result.packs,
			 format_size(result.freed_bytes, size, sizeof(size)));
	LOCK_SCOPE(&c->lock);
	c->state.packs_kept = result.packs_kept;
	c->state.failure = r < 0 ? e : (struct err){0};
	return r == 0 && result.packs_kept == 0;
}

static void do_asked(struct stage *s)
{
	struct compaction *c = &s->compaction;
	uint64_t asked;
	unsigned percent;

	(void)pthread_mutex_lock(&c->lock);
	asked = c->asked;
	percent = c->asked_percent;
	c->state = (struct stage_compaction){.running = true};
	(void)pthread_mutex_unlock(&c->lock);
	/* What was just deleted counts. When that fails, compacting says why. */
	(void)stage_syncfs(s);
	(void)compact(s, percent);
	(void)pthread_mutex_lock(&c->lock);
	c->ended = asked;
	c->state.running = c->asked > c->ended;
	(void)pthread_mutex_unlock(&c->lock);
}

static void *janitor_main(void *arg)
{
	struct stage *s = arg;
	uint64_t seen = writer_last_ticket(s->writer), rests_until = 0;
	enum turn turn;

	while ((turn = wait_for_turn(&s->compaction)) != TURN_END) {
		uint64_t now = writer_last_ticket(s->writer);

		if (turn == TURN_ASKED)
			do_asked(s);
		else if (now == seen && clock_monotonic_ns() >= rests_until &&
			 compact_is_due(s->store, s->catalog, IDLE_WASTE_PERCENT) &&
			 !compact(s, IDLE_WASTE_PERCENT))
			rests_until = clock_monotonic_ns() + REST_NS;
		seen = writer_last_ticket(s->writer);
	}
	return NULL;
}

int stage_ask_compaction(struct stage *s, unsigned min_waste_percent)
{
	struct compaction *c = &s->compaction;

	if (!c->started)
		return -EROFS;
	LOCK_SCOPE(&c->lock);
	c->asked++;
	c->asked_percent = min_waste_percent;
	c->state.running = true;
	(void)pthread_cond_broadcast(&c->changed);
	return 0;
}

void stage_get_compaction(struct stage *s, struct stage_compaction *ret)
{
	LOCK_SCOPE(&s->compaction.lock);
	*ret = s->compaction.state;
}

int stage_start_janitor(struct stage *s, struct err *e)
{
	struct compaction *c = &s->compaction;
	pthread_condattr_t attr;
	int r;

	if (pthread_condattr_init(&attr))
		return err_oom(e);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (pthread_mutex_init(&c->lock, NULL) || pthread_cond_init(&c->changed, &attr))
		return err_oom(e);
	(void)pthread_condattr_destroy(&attr);
	r = pthread_create(&c->thread, NULL, janitor_main, s);
	if (r)
		return err_set(e, r, "cannot start the janitor thread: %s", strerror(r));
	(void)pthread_setname_np(c->thread, "janitor");
	c->started = true;
	return 0;
}

void stage_stop_janitor(struct stage *s)
{
	struct compaction *c = &s->compaction;

	if (!c->started)
		return;
	(void)pthread_mutex_lock(&c->lock);
	atomic_store(&c->stops, true);
	(void)pthread_cond_broadcast(&c->changed);
	(void)pthread_mutex_unlock(&c->lock);
	(void)pthread_join(c->thread, NULL);
	c->started = false;
}
