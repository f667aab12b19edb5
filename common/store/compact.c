/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which packs waste space, and the order in which they are compacted. */
#include "common/store/compact.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/store/compact_pack.h"
#include "common/store/pack.h"

#define WASTE_BYTES_MIN	     (64 * KiB) /* less is not worth a pack's walk */
#define STAT_BLOCK	     512
#define HEADER_BYTES_TYPICAL 120 /* with the path of a first chunk */

struct candidate {
	uint32_t pack;
	uint64_t on_disk_bytes;
	uint64_t chunk_bytes, live_bytes; /* of live chunks; with the commit records */
	bool lowest;			  /* no pack has a smaller number */
	bool sealed;
};

struct candidates {
	struct candidate *list;
	size_t n, capacity;
	int packs_fd;
	struct catalog *catalog;
	unsigned min_waste_percent;
	bool first; /* the next pack is the lowest */
};

static uint64_t waste_of(const struct candidate *c)
{
	return c->on_disk_bytes - MIN(c->on_disk_bytes, c->live_bytes);
}

static bool is_wasteful(const struct candidates *cs, const struct candidate *c)
{
	uint64_t waste = waste_of(c);

	/* The open one only for a gain: each time it is closed another one begins. */
	if (c->sealed && (cs->min_waste_percent == 0 || c->chunk_bytes == 0))
		return true;
	return waste >= WASTE_BYTES_MIN && waste * 100 >= c->on_disk_bytes * cs->min_waste_percent;
}

static int add_candidate(const struct catalog_pack *pack, void *arg)
{
	struct candidates *cs = arg;
	struct candidate c = {.pack = pack->pack,
			      .chunk_bytes = pack->live_bytes,
			      .live_bytes = pack->live_bytes + pack->log_bytes,
			      .lowest = cs->first,
			      .sealed = pack->sealed};
	char name[PACK_NAME_BYTES];
	uint64_t n_chunks;
	struct stat st;

	cs->first = false;
	if (fstatat(cs->packs_fd, pack_name(pack->pack, name), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	c.on_disk_bytes = (uint64_t)st.st_blocks * STAT_BLOCK;
	if (!is_wasteful(cs, &c))
		return 0;
	/* Headers are needed, too; they are counted only where it matters. */
	if (catalog_count_chunks(cs->catalog, pack->pack, &n_chunks) == 0)
		c.live_bytes += n_chunks * HEADER_BYTES_TYPICAL;
	if (!is_wasteful(cs, &c))
		return 0;
	if (cs->n == cs->capacity) {
		size_t capacity = cs->capacity ? cs->capacity * 2 : 64;
		struct candidate *grown = reallocarray(cs->list, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		cs->list = grown;
		cs->capacity = capacity;
	}
	cs->list[cs->n++] = c;
	return 0;
}

/* The lowest first, since no other can let go of its tombstones; then the one that wastes most. */
static int by_waste(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->lowest != y->lowest)
		return x->lowest ? -1 : 1;
	return (waste_of(x) < waste_of(y)) - (waste_of(x) > waste_of(y));
}

static int find_candidates(struct store *store, struct catalog *c, unsigned min_waste_percent,
			   struct candidates *ret)
{
	int r;

	*ret = (struct candidates){.packs_fd = store->packs_fd,
				   .catalog = c,
				   .min_waste_percent = min_waste_percent,
				   .first = true};
	r = catalog_packs(c, add_candidate, ret);
	if (r == 0 && ret->n)
		qsort(ret->list, ret->n, sizeof(*ret->list), by_waste);
	return r;
}

bool compact_is_due(struct store *store, struct catalog *c, unsigned min_waste_percent)
{
	struct candidates cs;
	bool due = find_candidates(store, c, min_waste_percent, &cs) == 0 && cs.n > 0;

	free(cs.list);
	return due;
}

/* An open pack that wastes space is closed, so that it can be compacted like the others. */
static int seal(struct writer *w, uint32_t pack, struct err *e)
{
	struct change_set *set = change_set_new();
	int r;

	if (!set)
		return err_oom(e);
	change_pack_sealed(set, pack);
	r = writer_submit(w, &set, NULL);
	if (r == 0)
		r = writer_sync(w);
	return r < 0 ? err_set(e, -r, "sealing pack %08" PRIu32 ": %s", pack, strerror(-r)) : 0;
}

/* What is copied takes room that nobody else was promised. */
static int compact_within_room(struct store *store, struct writer *w, struct catalog *c,
			       const struct candidate *pack, const struct compact_plan *plan,
			       struct err *e)
{
	uint64_t room = MIN(pack->on_disk_bytes, pack->live_bytes) + MiB;
	int r = writer_reserve(w, room);

	if (r < 0)
		return err_set(e, -r, "no room to copy what is alive in pack %08" PRIu32,
			       pack->pack);
	r = compact_pack(store, w, c, pack->pack, pack->lowest, plan->stop, e);
	if (r < 0)
		(void)writer_sync(
			w); /* what was handed over is stored before its room is given back */
	writer_release(w, room);
	return r;
}

static bool is_stopped(const struct compact_plan *plan)
{
	return plan->stop && atomic_load(plan->stop);
}

int compact_store(struct store *store, struct writer *w, struct catalog *c,
		  const struct compact_plan *plan, struct compact_result *ret, struct err *e)
{
	struct candidates cs;
	int r = find_candidates(store, c, plan->min_waste_percent, &cs);

	*ret = (struct compact_result){0};
	if (r < 0)
		r = err_set(e, -r, "listing the packs: %s", strerror(-r));
	for (size_t i = 0; r == 0 && i < cs.n; i++) {
		const struct candidate *pack = &cs.list[i];
		struct err failure = {0};

		r = pack->sealed ? 0 : seal(w, pack->pack, &failure);
		if (r == 0)
			r = compact_within_room(store, w, c, pack, plan, &failure);
		if (r == 0) {
			ret->packs++;
			ret->freed_bytes += waste_of(pack);
			if (plan->done)
				plan->done(plan->arg, pack->pack, waste_of(pack));
		} else if (r == -EBADMSG) {
			/* What is damaged is kept: another copy of its bytes may turn up. */
			log_warning("compacting: %s; the pack is kept", failure.text);
			ret->packs_kept++;
			r = 0;
		} else if (e) {
			*e = failure;
		}
	}
	free(cs.list);
	return is_stopped(plan) ? err_set(e, ECANCELED, "stopped") : r;
}
