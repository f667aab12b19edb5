/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the committer lives with a full disk: who is told what, and what is given up and taken back. */
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/store/writer_impl.h"

bool writer_is_full(struct writer *w)
{
	return writer_state(w, NULL) == WRITER_FULL;
}

/* The batch waits for room. */
void writer_note_full(struct writer *w, const struct err *e)
{
	LOCK_SCOPE(&w->state_lock);
	if (w->state == WRITER_FAILED)
		return; /* by another thread, which ran out of memory */
	if (w->state == WRITER_OK)
		log_warning(
			"store '%s' is full: %s; what is not committed waits in memory for room",
			w->store->path, e->text);
	w->state = WRITER_FULL;
	w->reason = *e;
}

/* Who waits for the batch is told that it has to wait longer. */
void writer_refuse_batch(struct writer *w)
{
	w->next_try_ns = clock_monotonic_ns() + WRITER_RETRY_NS;
	LOCK_SCOPE(&w->state_lock);
	w->refused_ticket = w->batch_ticket;
	(void)pthread_cond_broadcast(&w->state_changed);
}

/* Content is accepted again only when the next full disk would find ballast. */
void writer_end_full(struct writer *w)
{
	if (w->behind || !ballast_restore(&w->ballast, SPACE_MARGIN_BYTES))
		return;
	LOCK_SCOPE(&w->state_lock);
	if (w->state != WRITER_FULL)
		return;
	w->state = WRITER_OK;
	w->reason = (struct err){0};
	log_info("store '%s' has room again", w->store->path);
}

/* The ballast goes, and the index's log is copied so that it can start over. */
void writer_make_room(struct writer *w)
{
	(void)ballast_release(&w->ballast);
	(void)sql_checkpoint(w->store->db, SQL_CHECKPOINT_PASSIVE, NULL, NULL);
}
