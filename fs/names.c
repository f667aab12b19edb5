/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names the index does not show yet, per directory: by name, and in order of their position. */
#include "fs/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/base/cleanup.h"

struct name_dir {
	uint64_t parent;
	UT_hash_handle hh;
	struct name_entry *by_name;
	struct name_entry *list; /* every entry, ascending id: new ones are appended */
};

int names_init(struct names *n)
{
	*n = (struct names){0};
	return pthread_mutex_init(&n->lock, NULL) ? -ENOMEM : 0;
}

static void remove_entry(struct name_dir *d, struct name_entry *entry)
{
	HASH_DEL(d->by_name, entry);
	DL_DELETE(d->list, entry);
	free(entry);
}

void names_done(struct names *n)
{
	struct name_dir *d, *next_dir;
	struct name_entry *entry, *next;

	HASH_ITER (hh, n->dirs, d, next_dir) {
		HASH_ITER (hh, d->by_name, entry, next)
			remove_entry(d, entry);
		HASH_DEL(n->dirs, d);
		free(d);
	}
	(void)pthread_mutex_destroy(&n->lock);
}

/* With the lock held. */
static struct name_dir *find_dir(struct names *n, uint64_t parent)
{
	struct name_dir *d;

	HASH_FIND(hh, n->dirs, &parent, sizeof(parent), d);
	return d;
}

static struct name_entry *find_entry(struct name_dir *d, const char *name)
{
	struct name_entry *entry = NULL;

	if (d)
		HASH_FIND(hh, d->by_name, name, strlen(name), entry);
	return entry;
}

enum names_answer names_find(struct names *n, uint64_t parent, const char *name, uint64_t *ret_ino)
{
	struct name_entry *entry;

	LOCK_SCOPE(&n->lock);
	entry = find_entry(find_dir(n, parent), name);
	if (!entry)
		return NAMES_ASK_INDEX;
	if (entry->ino == 0)
		return NAMES_GONE;
	*ret_ino = entry->ino;
	return NAMES_LIVE;
}

static int put(struct names *n, uint64_t parent, const char *name, uint64_t ino, uint32_t mode,
	       uint64_t id)
{
	struct name_entry *entry, *old;
	size_t len = strlen(name);
	struct name_dir *d;

	entry = calloc(1, sizeof(*entry) + len + 1);
	if (!entry)
		return -ENOMEM;
	entry->ino = ino;
	entry->mode = mode;
	entry->id = id;
	memcpy(entry->name, name, len + 1);
	LOCK_SCOPE(&n->lock);
	d = find_dir(n, parent);
	if (!d) {
		d = calloc(1, sizeof(*d));
		if (!d) {
			free(entry);
			return -ENOMEM;
		}
		d->parent = parent;
		HASH_ADD(hh, n->dirs, parent, sizeof(d->parent), d);
	}
	old = find_entry(d, name);
	if (old)
		remove_entry(d, old);
	HASH_ADD(hh, d->by_name, name, len, entry);
	DL_APPEND(d->list, entry);
	return 0;
}

int names_set(struct names *n, uint64_t parent, const char *name, uint64_t ino, uint32_t mode,
	      uint64_t id)
{
	return put(n, parent, name, ino, mode, id);
}

int names_set_gone(struct names *n, uint64_t parent, const char *name, uint64_t mark)
{
	return put(n, parent, name, 0, 0, mark);
}

void names_durable(struct names *n, uint64_t parent, const char *name, uint64_t mark)
{
	struct name_entry *entry;
	struct name_dir *d;

	LOCK_SCOPE(&n->lock);
	d = find_dir(n, parent);
	entry = find_entry(d, name);
	if (!entry || entry->id != mark)
		return;
	remove_entry(d, entry);
	if (!d->by_name) {
		HASH_DEL(n->dirs, d);
		free(d);
	}
}

/* ---- listing ---- */

#define LIST_LIMIT 256

static int add_entry(struct dir_list *l, uint64_t id, uint64_t ino, uint32_t mode, const char *name)
{
	struct dir_entry *entry;

	if (l->n % LIST_LIMIT == 0) {
		struct dir_entry *grown =
			reallocarray(l->entries, l->n + LIST_LIMIT, sizeof(*l->entries));

		if (!grown)
			return -ENOMEM;
		l->entries = grown;
	}
	entry = &l->entries[l->n];
	*entry = (struct dir_entry){.id = id, .ino = ino, .mode = mode, .name = strdup(name)};
	if (!entry->name)
		return -ENOMEM;
	l->n++;
	return 0;
}

struct listing {
	struct name_dir *dir;
	struct dir_list *list;
	uint64_t last_id; /* of the index's rows seen */
	size_t n_rows;
};

static int add_row(const struct catalog_dentry *d, void *arg)
{
	struct listing *g = arg;

	g->last_id = d->id;
	g->n_rows++;
	if (find_entry(g->dir, d->name))
		return 0;
	return add_entry(g->list, d->id, d->ino, d->mode, d->name);
}

static int compare_ids(const void *a, const void *b)
{
	const struct dir_entry *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Adds the live names that are only here, up to the last row the index gave. */
static int add_pending(struct listing *g, uint64_t after, uint64_t up_to)
{
	struct name_entry *entry;
	size_t room = LIST_LIMIT;

	for (entry = g->dir ? g->dir->list : NULL; entry && room; entry = entry->next) {
		if (entry->ino == 0 || entry->id <= after || entry->id > up_to)
			continue;
		if (add_entry(g->list, entry->id, entry->ino, entry->mode, entry->name) < 0)
			return -ENOMEM;
		room--;
	}
	if (!room)
		g->list->complete = false;
	return 0;
}

/* Holding the lock across the query keeps both halves at one moment: entries are dropped under it. */
int names_list(struct names *n, struct catalog *catalog, uint64_t parent, uint64_t after,
	       struct dir_list *ret)
{
	struct listing g = {.list = ret};
	int r = 0;

	*ret = (struct dir_list){0};
	LOCK_SCOPE(&n->lock);
	g.dir = find_dir(n, parent);
	g.last_id = after;
	do {
		g.n_rows = 0;
		r = catalog_list(catalog, parent, g.last_id, LIST_LIMIT, add_row, &g);
	} while (r == 0 && g.n_rows == LIST_LIMIT && ret->n == 0);
	ret->complete = g.n_rows < LIST_LIMIT;
	if (r == 0)
		r = add_pending(&g, after, ret->complete ? UINT64_MAX : g.last_id);
	if (r < 0) {
		dir_list_done(ret);
		return r;
	}
	if (ret->n)
		qsort(ret->entries, ret->n, sizeof(*ret->entries), compare_ids);
	return 0;
}

void dir_list_done(struct dir_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->entries[i].name);
	free(l->entries);
	*l = (struct dir_list){0};
}
