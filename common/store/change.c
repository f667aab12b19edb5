/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Change sets: built by one thread, consumed by the committer. A failed allocation marks the set. */
#include "common/store/change.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/store/frame.h"

/*
 * Buffers that were given back, all of one size: those of whole chunks, of the one store a program works on.
 * Fresh memory costs a page fault for every 4 KiB, which is more than filling it.
 */
#define IDLE_MAX       64
#define IDLE_BYTES_MIN CHUNK_BYTES_MIN

static struct {
	pthread_mutex_t lock;
	struct chunk_buf *bufs[IDLE_MAX]; /* lock */
	size_t n;			  /* lock */
} idle = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct chunk_buf *take_idle(uint32_t capacity_bytes)
{
	LOCK_SCOPE(&idle.lock);
	if (idle.n == 0 || idle.bufs[idle.n - 1]->capacity_bytes != capacity_bytes)
		return NULL;
	return idle.bufs[--idle.n];
}

static bool keep_idle(struct chunk_buf *b)
{
	if (b->capacity_bytes < IDLE_BYTES_MIN)
		return false;
	LOCK_SCOPE(&idle.lock);
	if (idle.n == IDLE_MAX || (idle.n && idle.bufs[0]->capacity_bytes != b->capacity_bytes))
		return false;
	idle.bufs[idle.n++] = b;
	return true;
}

struct chunk_buf *chunk_buf_new(uint32_t capacity_bytes)
{
	struct chunk_buf *b = take_idle(capacity_bytes);

	if (!b)
		b = malloc(sizeof(*b) + capacity_bytes);
	if (!b)
		return NULL;
	atomic_init(&b->refs, 1);
	b->raw_bytes = b->swept_bytes = 0;
	b->capacity_bytes = capacity_bytes;
	return b;
}

struct chunk_buf *chunk_buf_grow(struct chunk_buf *b, uint32_t capacity_bytes)
{
	struct chunk_buf *grown = chunk_buf_new(capacity_bytes);

	if (!grown)
		return NULL;
	grown->raw_bytes = b->raw_bytes;
	grown->swept_bytes = b->swept_bytes;
	memcpy(grown->data, b->data, b->raw_bytes);
	chunk_buf_unref(b);
	return grown;
}

struct chunk_buf *chunk_buf_ref(struct chunk_buf *b)
{
	(void)atomic_fetch_add(&b->refs, 1);
	return b;
}

void chunk_buf_unref(struct chunk_buf *b)
{
	if (b && atomic_fetch_sub(&b->refs, 1) == 1 && !keep_idle(b))
		free(b);
}

struct change_set *change_set_new(void)
{
	return calloc(1, sizeof(struct change_set));
}

static void change_done(struct change *c)
{
	if (c->kind == CHANGE_CHUNK || c->kind == CHANGE_MOVE) {
		chunk_buf_unref(c->chunk.buf);
		buf_done(&c->chunk.record);
	}
	free(c->name);
	free(c->value);
}

void change_set_free(struct change_set *set)
{
	if (!set)
		return;
	for (unsigned i = 0; i < set->n_changes; i++)
		change_done(&set->changes[i]);
	free(set->changes);
	free(set);
}

size_t change_set_bytes(const struct change_set *set)
{
	size_t n = sizeof(*set) + set->capacity * sizeof(*set->changes);

	for (unsigned i = 0; i < set->n_changes; i++) {
		const struct change *c = &set->changes[i];

		n += c->value_bytes;
		if (c->kind == CHANGE_CHUNK)
			n += 2 * (size_t)c->chunk.buf->capacity_bytes;
		else if (c->kind == CHANGE_MOVE)
			n += c->chunk.record.capacity_bytes;
	}
	return n;
}

/* A fresh zeroed change at the end of the set; NULL (and the set marked) when out of memory. */
static struct change *add(struct change_set *set, enum change_kind kind, uint64_t ino, void *owner)
{
	struct change *c;

	if (!set)
		return NULL;
	if (set->n_changes == set->capacity) {
		unsigned capacity = set->capacity ? set->capacity * 2 : 4;
		struct change *grown = reallocarray(set->changes, capacity, sizeof(*grown));

		if (!grown) {
			set->failed = true;
			return NULL;
		}
		set->changes = grown;
		set->capacity = capacity;
	}
	c = &set->changes[set->n_changes++];
	*c = (struct change){.kind = kind, .ino = ino, .owner = owner};
	return c;
}

static void set_name(struct change_set *set, struct change *c, const char *name)
{
	if (!c)
		return;
	c->name = strdup(name);
	if (!c->name)
		set->failed = true;
}

static void set_value(struct change_set *set, struct change *c, const void *value, size_t len_bytes)
{
	if (!c)
		return;
	c->value = malloc(len_bytes + 1);
	if (!c->value) {
		set->failed = true;
		return;
	}
	if (len_bytes)
		memcpy(c->value, value, len_bytes);
	c->value_bytes = len_bytes;
}

void change_inode(struct change_set *set, void *owner, uint64_t ino, const struct inode_row *row)
{
	struct change *c = add(set, CHANGE_INODE, ino, owner);

	if (c)
		c->row = *row;
}

void change_inode_gone(struct change_set *set, void *owner, uint64_t ino)
{
	(void)add(set, CHANGE_INODE_GONE, ino, owner);
}

static void add_dentry(struct change_set *set, enum change_kind kind, void *owner, uint64_t id,
		       uint64_t parent, const char *name, uint64_t ino)
{
	struct change *c = add(set, kind, ino, owner);

	if (!c)
		return;
	c->dentry.id = id;
	c->dentry.parent = parent;
	set_name(set, c, name);
}

void change_dentry(struct change_set *set, void *owner, uint64_t id, uint64_t parent,
		   const char *name, uint64_t ino)
{
	add_dentry(set, CHANGE_DENTRY, owner, id, parent, name, ino);
}

void change_dentry_gone(struct change_set *set, void *owner, uint64_t id, uint64_t parent,
			const char *name, uint64_t ino)
{
	add_dentry(set, CHANGE_DENTRY_GONE, owner, id, parent, name, ino);
}

void change_symlink(struct change_set *set, uint64_t ino, const char *target)
{
	set_value(set, add(set, CHANGE_SYMLINK, ino, NULL), target, strlen(target));
}

void change_xattr(struct change_set *set, uint64_t ino, const char *name, const void *value,
		  size_t len_bytes)
{
	struct change *c = add(set, CHANGE_XATTR, ino, NULL);

	set_name(set, c, name);
	set_value(set, c, value, len_bytes);
}

void change_xattr_gone(struct change_set *set, uint64_t ino, const char *name)
{
	set_name(set, add(set, CHANGE_XATTR_GONE, ino, NULL), name);
}

void change_chunk(struct change_set *set, void *owner, uint64_t ino, uint64_t idx,
		  struct chunk_buf *buf, const char *path)
{
	struct change *c = add(set, CHANGE_CHUNK, ino, owner);

	if (!c)
		return;
	c->chunk.idx = idx;
	c->chunk.buf = chunk_buf_ref(buf);
	set->has_chunks = true;
	if (path)
		set_name(set, c, path);
}

void change_chunks_gone(struct change_set *set, void *owner, uint64_t ino, uint64_t first_idx,
			uint64_t end_idx, uint64_t mark)
{
	struct change *c = add(set, CHANGE_CHUNKS_GONE, ino, owner);

	if (!c)
		return;
	c->range.first_idx = first_idx;
	c->range.end_idx = end_idx;
	c->range.mark = mark;
}

void change_move(struct change_set *set, uint64_t ino, uint64_t idx, const struct chunk_place *from,
		 struct buf *record)
{
	struct change *c = add(set, CHANGE_MOVE, ino, NULL);

	if (c) {
		c->chunk.idx = idx;
		c->chunk.from = *from;
		c->chunk.record = *record;
		c->chunk.place = *from;
		c->chunk.place.pack = 0;
		c->chunk.place.off_bytes = record->len_bytes - from->stored_bytes;
		*record = BUF_INIT;
	}
	buf_done(record);
}

void change_log_copy(struct change_set *set, const void *payload, size_t len_bytes)
{
	set_value(set, add(set, CHANGE_LOG_COPY, 0, NULL), payload, len_bytes);
}

static void add_pack(struct change_set *set, enum change_kind kind, uint32_t pack)
{
	struct change *c = add(set, kind, 0, NULL);

	if (c)
		c->pack = pack;
}

void change_pack_gone(struct change_set *set, uint32_t pack)
{
	add_pack(set, CHANGE_PACK_GONE, pack);
}

void change_pack_sealed(struct change_set *set, uint32_t pack)
{
	add_pack(set, CHANGE_PACK_SEALED, pack);
}

void change_orphan(struct change_set *set, uint64_t ino)
{
	(void)add(set, CHANGE_ORPHAN, ino, NULL);
}

void change_orphan_gone(struct change_set *set, uint64_t ino)
{
	(void)add(set, CHANGE_ORPHAN_GONE, ino, NULL);
}
