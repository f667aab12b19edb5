/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads every frame in use: this thread reads packs from front to back, workers check and unpack. In use is
 * what the index says and what the packs say.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/base/pool.h"
#include "common/store/check_impl.h"
#include "common/store/fetcher.h"
#include "common/store/frame.h"
#include "common/store/pack_files.h"

#define ITEM_BYTES    (2 * MiB) /* holds the largest frame */
#define ITEM_FRAMES   256
#define GAP_BYTES_MAX (64 * KiB)

/* A frame to be checked. */
struct want {
	uint64_t ino;
	struct chunk_place place;
	struct err why; /* what is wrong with it */
};

/* Frames that lie close together in a pack. */
struct item {
	size_t n;
	struct want *wants; /* ITEM_FRAMES of room */
	uint8_t *data;	    /* ITEM_BYTES of room: the pack from the first frame on */
	size_t data_bytes;
};

struct content {
	struct check *check;
	struct pack_files *packs;
	struct pool *pool;
	struct sql_stmt *places;
	struct want next; /* read from places, not in an item yet */
	bool has_next;
	size_t depth;
};

struct worker {
	struct frame_codec *codec;
	uint8_t *raw; /* CHUNK_BYTES_MAX */
};

static void worker_free(void *state)
{
	struct worker *k = state;

	if (!k)
		return;
	frame_codec_free(k->codec);
	free(k->raw);
	free(k);
}

static void *worker_new(void *arg _unused_)
{
	struct worker *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->raw = malloc(CHUNK_BYTES_MAX);
	if (!k->raw || frame_codec_new(&k->codec, NULL) < 0) {
		worker_free(k);
		return NULL;
	}
	return k;
}

static void check_item(void *arg, void *state)
{
	struct item *item = arg;
	struct worker *k = state;

	for (size_t i = 0; i < item->n; i++) {
		struct want *want = &item->wants[i];
		const struct chunk_place *p = &want->place;
		uint64_t at = p->off_bytes - item->wants[0].place.off_bytes;

		if (!k)
			(void)err_oom(&want->why);
		else if (at + p->stored_bytes > item->data_bytes)
			(void)err_set(&want->why, EBADMSG, "the pack ends before");
		else
			(void)frame_unpack(k->codec, item->data + at, p->stored_bytes, p->checksum,
					   k->raw, p->raw_bytes, &want->why);
	}
}

static void item_free(struct item *item)
{
	if (!item)
		return;
	free(item->wants);
	free(item->data);
	free(item);
}
DEFINE_FREEP(struct item, item_free)

static struct item *item_new(void)
{
	struct item *item = calloc(1, sizeof(*item));

	if (!item)
		return NULL;
	item->wants = calloc(ITEM_FRAMES, sizeof(*item->wants));
	item->data = malloc(ITEM_BYTES);
	if (!item->wants || !item->data) {
		item_free(item);
		return NULL;
	}
	return item;
}

static void report(struct content *k, const struct want *want, const char *text)
{
	check_found(k->check, &(struct check_finding){.kind = CHECK_CONTENT,
						      .text = text,
						      .ino = want->ino,
						      .pack = want->place.pack,
						      .off_bytes = want->place.off_bytes});
}

/* Reads the next possible place into k->next. */
static int next_place(struct content *k, struct err *e)
{
	int r;

	k->has_next = false;
	while ((r = sql_step(k->places, e)) > 0) {
		struct sql_stmt *s = k->places;

		k->next = (struct want){.ino = (uint64_t)sql_col_i64(s, 0),
					.place = {.pack = (uint32_t)sql_col_i64(s, 1),
						  .off_bytes = (uint64_t)sql_col_i64(s, 2),
						  .stored_bytes = (uint32_t)sql_col_i64(s, 3),
						  .raw_bytes = (uint32_t)sql_col_i64(s, 4),
						  .checksum = (uint64_t)sql_col_i64(s, 5)}};
		k->has_next = chunk_place_possible(&k->next.place, CHUNK_BYTES_MAX);
		if (k->has_next)
			return 0;
		report(k, &k->next, "a chunk cannot be there");
	}
	return r;
}

static uint64_t end_of(const struct want *want)
{
	return want->place.off_bytes + want->place.stored_bytes;
}

static bool fits(const struct item *item, const struct want *next)
{
	const struct want *first = &item->wants[0], *last = &item->wants[item->n - 1];

	return item->n < ITEM_FRAMES && next->place.pack == first->place.pack &&
	       next->place.off_bytes >= first->place.off_bytes &&
	       next->place.off_bytes <= end_of(last) + GAP_BYTES_MAX &&
	       end_of(next) - first->place.off_bytes <= ITEM_BYTES;
}

static int load(struct content *k, struct item *item, struct err *e)
{
	const struct chunk_place *first = &item->wants[0].place;
	uint64_t end_bytes = 0;
	int fd, r = pack_files_get(k->packs, first->pack, &fd, e);

	for (size_t i = 0; i < item->n; i++)
		end_bytes = MAX(end_bytes, end_of(&item->wants[i]));
	if (r < 0)
		return r;
	r = fd_pread(fd, item->data, end_bytes - first->off_bytes, first->off_bytes,
		     &item->data_bytes);
	return r < 0 ? err_set(e, -r, "cannot read the pack: %s", strerror(-r)) : 0;
}

/* Takes the oldest item back and reports what is wrong in it. */
static int take_item(struct content *k, struct err *e)
{
	_cleanup_(item_freep) struct item *item = NULL;
	struct check *c = k->check;
	void *taken;

	if (!pool_next(k->pool, &taken))
		return 0;
	item = taken;
	for (size_t i = 0; i < item->n; i++) {
		const struct want *want = &item->wants[i];

		if (want->why.code == ENOMEM)
			return err_oom(e);
		if (want->why.code)
			report(k, want, want->why.text);
		c->sum.frames++;
		c->sum.frame_bytes += want->place.stored_bytes;
		if (c->options->progress)
			c->options->progress(c->options->arg, want->place.stored_bytes);
	}
	return 0;
}

/* Makes an item of the next places and hands it over. */
static int submit_item(struct content *k, struct err *e)
{
	_cleanup_(item_freep) struct item *item = item_new();
	struct err why = {0};
	int r = 0;

	if (!item)
		return err_oom(e);
	do {
		item->wants[item->n++] = k->next;
		r = next_place(k, e);
	} while (r == 0 && k->has_next && fits(item, &k->next));
	if (r < 0)
		return r;
	/* What cannot be read is damage of all that is in it. */
	r = load(k, item, &why);
	for (size_t i = 0; r < 0 && i < item->n; i++)
		report(k, &item->wants[i], why.text);
	if (r < 0)
		return 0;
	if (pool_in_flight(k->pool) >= k->depth)
		r = take_item(k, e);
	if (r == 0)
		r = pool_submit(k->pool, item, ITEM_BYTES);
	if (r == 0)
		(void)take_ptr(item);
	return r;
}

static void content_done(struct content *k)
{
	void *item;

	if (k->pool) {
		pool_close(k->pool);
		while (pool_next(k->pool, &item))
			item_free(item);
	}
	pool_free(k->pool);
	pack_files_free(k->packs);
	sql_finalize(k->places);
}

static int start(struct content *k, struct err *e)
{
#define PLACES "SELECT ino, pack, off_bytes, stored_bytes, raw_bytes, checksum FROM "
	struct check *c = k->check;
	struct pool_desc desc = {.name = "check",
				 .n_workers = c->options->n_workers,
				 .depth = k->depth,
				 .work = check_item,
				 .worker_new = worker_new,
				 .worker_free = worker_free};
	int fd = fcntl(c->store->packs_fd, F_DUPFD_CLOEXEC, 0);
	int64_t total_bytes = 0;
	int r = fd < 0 ? err_sys(e, "the pack folder") : pack_files_new(fd, &k->packs, e);

	if (r == 0)
		r = pool_new(&desc, &k->pool, e);
	if (r == 0)
		r = sql_prepare(c->db,
				c->has_packs ? PLACES "main.chunk UNION " PLACES
						      "packs.chunk ORDER BY pack, off_bytes"
					     : PLACES "main.chunk ORDER BY pack, off_bytes",
				&k->places, e);
	(void)sql_get_i64(c->db, "SELECT coalesce(sum(stored_bytes), 0) FROM chunk", &total_bytes,
			  NULL);
	if (r == 0 && c->options->phase)
		c->options->phase(c->options->arg, "content", (uint64_t)total_bytes);
	return r;
}

int check_content(struct check *c, struct err *e)
{
	_cleanup_(content_done) struct content k = {.check = c,
						    .depth = 2 * (size_t)c->options->n_workers + 2};
	struct err why = {0};
	int r = start(&k, e);

	if (r == 0)
		r = next_place(&k, &why);
	while (r == 0 && k.has_next)
		r = submit_item(&k, &why);
	while (r == 0 && pool_in_flight(k.pool) > 0)
		r = take_item(&k, &why);
	/* An index that cannot be read to its end was found to be damaged before. */
	if (r == -EBADMSG)
		return 0;
	if (r < 0 && why.code && e)
		*e = why;
	return r;
}
