/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names, the life of nodes, and faults that are armed. */
#include "tests/lib/faultfs_disk.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/macros.h"

/* ---- tables of names ---- */

struct node *names_get(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->items[i].name, name) == 0)
			return names->items[i].node;
	return NULL;
}

int names_set(struct names *names, const char *name, struct node *node)
{
	struct name *grown;

	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->items[i].name, name) != 0)
			continue;
		if (node)
			names->items[i].node = node;
		else
			names->items[i] = names->items[--names->n];
		return 0;
	}
	if (!node)
		return 0;
	grown = reallocarray(names->items, names->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	names->items = grown;
	(void)snprintf(grown[names->n].name, sizeof(grown->name), "%s", name);
	grown[names->n++].node = node;
	return 0;
}

void name_change_apply(struct names *names, const struct name_change *c)
{
	if (c->gone[0] && names_get(names, c->gone) == c->node)
		(void)names_set(names, c->gone, NULL);
	if (c->added[0])
		(void)names_set(names, c->added, c->node);
}

/* Notes a change of a directory and shows it. */
static int change_names(struct node *dir, const char *gone, const char *added, struct node *node)
{
	struct name_change *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	(void)snprintf(c->gone, sizeof(c->gone), "%s", gone);
	(void)snprintf(c->added, sizeof(c->added), "%s", added);
	c->node = node;
	*dir->changes_tail = c;
	dir->changes_tail = &c->next;
	name_change_apply(&dir->names, c);
	(void)clock_gettime(CLOCK_REALTIME, &dir->st.st_mtim);
	return 0;
}

/* ---- nodes ---- */

static int new_image(struct image *image)
{
	void *bytes = mmap(NULL, DISK_FILE_MAX, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (bytes == MAP_FAILED)
		return -errno;
	image->bytes = bytes;
	return 0;
}

static void free_node(struct node *n)
{
	for (struct pending *p = n->pending, *next; p; p = next) {
		next = p->next;
		pending_free(p);
	}
	for (struct name_change *c = n->changes, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	if (n->seen.bytes)
		(void)munmap(n->seen.bytes, DISK_FILE_MAX);
	if (n->durable.bytes)
		(void)munmap(n->durable.bytes, DISK_FILE_MAX);
	free(n->names.items);
	free(n->durable_names.items);
	free(n->allocated);
	free(n);
}

static struct node *new_node(struct disk *d, mode_t mode)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	if (S_ISREG(mode) && (new_image(&n->seen) < 0 || new_image(&n->durable) < 0)) {
		free_node(n);
		return NULL;
	}
	n->st.st_ino = ++d->last_ino;
	n->st.st_mode = mode;
	(void)clock_gettime(CLOCK_REALTIME, &n->st.st_mtim);
	n->st.st_ctim = n->st.st_atim = n->st.st_mtim;
	n->pending_tail = &n->pending;
	n->changes_tail = &n->changes;
	n->next = d->all;
	d->all = n;
	return n;
}

struct disk *disk_new(void)
{
	struct disk *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->root = new_node(d, S_IFDIR | 0755);
	if (!d->root) {
		free(d);
		return NULL;
	}
	d->root->links = 1;
	return d;
}

void disk_free(struct disk *d)
{
	for (struct node *n = d->all, *next; n; n = next) {
		next = n->next;
		free_node(n);
	}
	free(d);
}

static void reach(struct node *n)
{
	if (n->reached)
		return;
	n->reached = true;
	for (size_t i = 0; i < n->names.n; i++)
		reach(n->names.items[i].node);
	for (size_t i = 0; i < n->durable_names.n; i++)
		reach(n->durable_names.items[i].node);
	for (struct name_change *c = n->changes; c; c = c->next)
		reach(c->node);
}

void disk_sweep(struct disk *d)
{
	struct node **at = &d->all, *n;

	for (n = d->all; n; n = n->next)
		n->reached = false;
	reach(d->root);
	for (n = d->all; n; n = n->next)
		if (n->opens)
			reach(n);
	while ((n = *at)) {
		if (n->reached) {
			at = &n->next;
			continue;
		}
		*at = n->next;
		free_node(n);
	}
}

/* Its space is free once nobody can see it any more, even if a power cut would bring it back. */
static void drop_if_unused(struct disk *d, struct node *n)
{
	if (n->links == 0 && n->opens == 0) {
		node_deallocate(d, n, 0, UINT64_MAX);
		d->used_blocks -= MIN(d->used_blocks, UINT64_C(1)); /* of the node itself */
	}
}

void disk_open(struct node *n)
{
	n->opens++;
}

void disk_close(struct disk *d, struct node *n)
{
	n->opens--;
	drop_if_unused(d, n);
}

/* ---- names ---- */

/* The node that the first len bytes of path lead to. */
static struct node *walk(struct disk *d, const char *path, size_t len)
{
	struct node *n = d->root;
	const char *end = path + len;

	while (n && path < end) {
		char name[NAME_MAX + 1];
		size_t part = strcspn(path, "/");

		part = MIN(part, (size_t)(end - path));
		if (part > 0) {
			if (part > NAME_MAX || !S_ISDIR(n->st.st_mode))
				return NULL;
			memcpy(name, path, part);
			name[part] = '\0';
			n = names_get(&n->names, name);
		}
		path += part + 1;
	}
	return n;
}

struct node *disk_find(struct disk *d, const char *path)
{
	return walk(d, path, strlen(path));
}

static struct node *parent_of(struct disk *d, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');

	*ret_name = slash + 1;
	return walk(d, path, (size_t)(slash - path));
}

int disk_create(struct disk *d, const char *path, mode_t mode, uid_t uid, gid_t gid,
		struct node **ret)
{
	const char *name;
	struct node *dir = parent_of(d, path, &name), *n;
	int r;

	if (!dir || !S_ISDIR(dir->st.st_mode))
		return -ENOENT;
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	if (names_get(&dir->names, name))
		return -EEXIST;
	if (d->capacity_blocks && disk_free_blocks(d) == 0)
		return -ENOSPC;
	n = new_node(d, mode);
	if (!n)
		return -ENOMEM;
	n->st.st_uid = uid;
	n->st.st_gid = gid;
	(void)snprintf(n->name, sizeof(n->name), "%s", name);
	r = change_names(dir, "", name, n);
	if (r < 0)
		return r;
	n->links = 1;
	d->used_blocks++;
	*ret = n;
	return 0;
}

int disk_remove(struct disk *d, const char *path)
{
	const char *name;
	struct node *dir = parent_of(d, path, &name),
		    *n = dir ? names_get(&dir->names, name) : NULL;
	int r;

	if (!n)
		return -ENOENT;
	if (n->names.n)
		return -ENOTEMPTY;
	r = change_names(dir, name, "", n);
	if (r < 0)
		return r;
	n->links--;
	drop_if_unused(d, n);
	return 0;
}

int disk_rename(struct disk *d, const char *from, const char *to)
{
	const char *old_name, *new_name;
	struct node *dir = parent_of(d, from, &old_name);
	struct node *n = dir ? names_get(&dir->names, old_name) : NULL, *replaced;
	int r;

	if (!n)
		return -ENOENT;
	if (parent_of(d, to, &new_name) != dir)
		return -EXDEV;
	replaced = names_get(&dir->names, new_name);
	if (replaced == n)
		return 0;
	if (replaced && replaced->names.n)
		return -ENOTEMPTY;
	r = change_names(dir, old_name, new_name, n);
	if (r < 0)
		return r;
	(void)snprintf(n->name, sizeof(n->name), "%s", new_name);
	if (replaced) {
		replaced->links--;
		drop_if_unused(d, replaced);
	}
	return 0;
}

/* ---- faults ---- */

int disk_add_fault(struct disk *d, enum disk_call call, uint64_t nth, bool always,
		   const char *pattern)
{
	struct fault *f = &d->faults[d->n_faults];

	if (d->n_faults == ARRAY_SIZE(d->faults) || nth == 0)
		return -EINVAL;
	*f = (struct fault){.call = call, .countdown = nth, .always = always};
	(void)snprintf(f->pattern, sizeof(f->pattern), "%s", pattern);
	d->n_faults++;
	return 0;
}

bool disk_fault_strikes(struct disk *d, enum disk_call call, const struct node *n)
{
	bool strikes = false;

	d->calls[call]++;
	for (size_t i = 0; i < d->n_faults; i++) {
		struct fault *f = &d->faults[i];

		if (f->call != call || f->countdown == 0 || fnmatch(f->pattern, n->name, 0) != 0)
			continue;
		strikes |= f->countdown == 1;
		if (f->countdown > 1 || !f->always)
			f->countdown--;
	}
	d->struck += strikes;
	return strikes;
}
