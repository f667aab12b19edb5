/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decoded chunks, least recently used first to go, and a free list of fetchers. */
#include "fs/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include <uthash.h>

#include "common/base/cleanup.h"

#define MAX_WANTED 64

struct place_key {
	uint64_t off_bytes;
	uint64_t pack;
};

struct entry {
	struct place_key key;
	UT_hash_handle hh;
	struct entry *next, *prev; /* oldest first */
	struct chunk_buf *buf;
};

struct idle_fetcher {
	struct idle_fetcher *next;
	struct fetcher *fetcher;
	unsigned age; /* the cache's when its packs were opened */
};

struct cache {
	int packs_fd;
	uint32_t chunk_bytes;
	size_t capacity;
	pthread_mutex_t lock;
	struct entry *entries;	   /* lock */
	struct entry *by_age;	   /* lock */
	size_t n;		   /* lock */
	struct idle_fetcher *idle; /* lock */
	unsigned age;		   /* lock: counts cache_forget_packs() */
};

int cache_new(int packs_fd, uint32_t chunk_bytes, size_t capacity_bytes, struct cache **ret,
	      struct err *e)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (!c || pthread_mutex_init(&c->lock, NULL)) {
		free(c);
		return err_oom(e);
	}
	c->packs_fd = packs_fd;
	c->chunk_bytes = chunk_bytes;
	c->capacity = MAX(capacity_bytes / chunk_bytes, (size_t)1);
	*ret = c;
	return 0;
}

static void drop(struct cache *c, struct entry *entry)
{
	HASH_DEL(c->entries, entry);
	DL_DELETE(c->by_age, entry);
	c->n--;
	chunk_buf_unref(entry->buf);
	free(entry);
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	while (c->by_age)
		drop(c, c->by_age);
	while (c->idle) {
		struct idle_fetcher *idle = c->idle;

		c->idle = idle->next;
		fetcher_free(idle->fetcher);
		free(idle);
	}
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

static int borrow(struct cache *c, struct idle_fetcher **ret, struct err *e)
{
	struct idle_fetcher *idle;
	unsigned age;
	int fd, r;

	(void)pthread_mutex_lock(&c->lock);
	age = c->age;
	idle = c->idle;
	if (idle)
		c->idle = idle->next;
	(void)pthread_mutex_unlock(&c->lock);
	if (!idle) {
		idle = calloc(1, sizeof(*idle));
		if (!idle)
			return err_oom(e);
		fd = fcntl(c->packs_fd, F_DUPFD_CLOEXEC, 0);
		r = fd < 0 ? err_sys(e, "pack folder") : fetcher_new(fd, &idle->fetcher, e);
		if (r < 0) {
			free(idle);
			return r;
		}
	}
	idle->age = age;
	*ret = idle;
	return 0;
}

static void give_back(struct cache *c, struct idle_fetcher *idle)
{
	LOCK_SCOPE(&c->lock);
	if (idle->age != c->age)
		fetcher_forget(idle->fetcher);
	idle->next = c->idle;
	c->idle = idle;
}

void cache_forget_packs(struct cache *c)
{
	LOCK_SCOPE(&c->lock);
	c->age++; /* those in use are looked after when they come back */
	for (struct idle_fetcher *idle = c->idle; idle; idle = idle->next)
		fetcher_forget(idle->fetcher);
}

static struct chunk_buf *find(struct cache *c, const struct chunk_place *place)
{
	struct place_key key = {.pack = place->pack, .off_bytes = place->off_bytes};
	struct entry *entry;

	LOCK_SCOPE(&c->lock);
	HASH_FIND(hh, c->entries, &key, sizeof(key), entry);
	if (!entry)
		return NULL;
	DL_DELETE(c->by_age, entry);
	DL_APPEND(c->by_age, entry);
	return chunk_buf_ref(entry->buf);
}

static void keep(struct cache *c, const struct chunk_place *place, struct chunk_buf *buf)
{
	struct place_key key = {.pack = place->pack, .off_bytes = place->off_bytes};
	struct entry *entry = calloc(1, sizeof(*entry)), *there;

	if (!entry)
		return; /* only slower next time */
	entry->key = key;
	entry->buf = chunk_buf_ref(buf);
	LOCK_SCOPE(&c->lock);
	HASH_FIND(hh, c->entries, &key, sizeof(key), there);
	if (there)
		drop(c, there);
	while (c->n >= c->capacity)
		drop(c, c->by_age);
	HASH_ADD(hh, c->entries, key, sizeof(entry->key), entry);
	DL_APPEND(c->by_age, entry);
	c->n++;
}

static void copy_part(const struct fetch *part, const struct chunk_buf *buf)
{
	size_t have = buf->raw_bytes > part->from_bytes ? buf->raw_bytes - part->from_bytes : 0;
	size_t n = MIN(have, (size_t)part->len_bytes);

	memcpy(part->data, buf->data + part->from_bytes, n);
	memset((char *)part->data + n, 0, part->len_bytes - n);
}

/* Reads the chunk of a part whole, keeps it, and copies the part. */
static int fetch_part(struct cache *c, struct fetcher *f, const struct fetch *part, struct err *e)
{
	struct chunk_buf *buf = find(c, &part->place);
	int r = 0;

	if (!buf) {
		struct fetch whole = {.place = part->place, .len_bytes = part->place.raw_bytes};

		buf = chunk_buf_new(c->chunk_bytes);
		if (!buf)
			return err_oom(e);
		buf->raw_bytes = part->place.raw_bytes;
		whole.data = buf->data;
		r = fetcher_read(f, &whole, 1, e);
		if (r == 0)
			keep(c, &part->place, buf);
	}
	if (r == 0)
		copy_part(part, buf);
	chunk_buf_unref(buf);
	return r;
}

int cache_fetch(struct cache *c, struct fetch *wanted, size_t n, struct err *e)
{
	struct idle_fetcher *idle;
	struct fetch whole[MAX_WANTED];
	size_t n_whole = 0;
	int r = borrow(c, &idle, e);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct fetch *part = &wanted[i];

		if (!chunk_place_possible(&part->place, c->chunk_bytes))
			r = err_set(e, EBADMSG, "pack %08u at %ju: impossible chunk",
				    part->place.pack, (uintmax_t)part->place.off_bytes);
		else if (part->from_bytes == 0 && part->len_bytes >= part->place.raw_bytes)
			whole[n_whole++] = *part;
		else
			r = fetch_part(c, idle->fetcher, part, e);
		if (n_whole == MAX_WANTED || (n_whole && i + 1 == n)) {
			if (r == 0)
				r = fetcher_read(idle->fetcher, whole, n_whole, e);
			n_whole = 0;
		}
	}
	/* Packs may have been removed since they were opened. */
	if (r < 0)
		fetcher_forget(idle->fetcher);
	give_back(c, idle);
	return r;
}
