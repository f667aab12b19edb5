/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of inodes in memory. Lock order: an inode's lock before the table's. */
#include "fs/inode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/base/cleanup.h"
#include "common/base/macros.h"

/* Clean inodes that are kept although nothing holds them: loading one costs a query. */
#define IDLE_MAX 8192

int inode_table_init(struct inode_table *t, struct catalog *catalog)
{
	*t = (struct inode_table){.catalog = catalog};
	return pthread_mutex_init(&t->lock, NULL) ? -ENOMEM : 0;
}

static void xattrs_free(struct xattr *x)
{
	while (x) {
		struct xattr *next = x->next;

		free(x->name);
		free(x->value);
		free(x);
		x = next;
	}
}

static void inode_free(struct inode *i)
{
	content_done(&i->content);
	xattrs_free(i->xattrs);
	(void)pthread_mutex_destroy(&i->lock);
	free(i->name);
	free(i->target);
	free(i);
}

void inode_table_done(struct inode_table *t)
{
	struct inode *i, *next;

	HASH_ITER (hh, t->by_ino, i, next) {
		HASH_DEL(t->by_ino, i);
		inode_free(i);
	}
	hashmap_done(&t->lookups);
	(void)pthread_mutex_destroy(&t->lock);
}

/* With the table's lock held: finds and pins. */
static struct inode *find(struct inode_table *t, uint64_t ino)
{
	struct inode *i;

	HASH_FIND(hh, t->by_ino, &ino, sizeof(ino), i);
	if (!i)
		return NULL;
	if (i->idle) {
		DL_DELETE(t->idle, i);
		t->n_idle--;
		i->idle = false;
	}
	i->n_pins++;
	return i;
}

static struct inode *inode_alloc(uint64_t ino, const struct inode_row *row, uint64_t stored_bytes)
{
	struct inode *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	if (pthread_mutex_init(&i->lock, NULL) || content_init(&i->content) < 0) {
		free(i);
		return NULL;
	}
	i->ino = ino;
	i->row = *row;
	i->recorded_bytes = row->size_bytes;
	atomic_init(&i->stored_bytes, (int_fast64_t)stored_bytes);
	return i;
}

/*
 * Puts an inode that was loaded into the table, or gives the one that was faster. -EAGAIN when another was
 * outdated since n_outdated was read.
 */
static int insert(struct inode_table *t, uint64_t ino, const struct inode_row *row,
		  uint64_t stored_bytes, uint64_t n_outdated, struct inode **ret)
{
	struct inode *fresh = inode_alloc(ino, row, stored_bytes), *there;
	bool outdated;

	if (!fresh)
		return -ENOMEM;
	fresh->known = true;
	(void)pthread_mutex_lock(&t->lock);
	there = find(t, ino);
	outdated = !there && t->n_outdated != n_outdated;
	if (!there && !outdated) {
		fresh->n_pins = 1;
		HASH_ADD(hh, t->by_ino, ino, sizeof(fresh->ino), fresh);
	}
	(void)pthread_mutex_unlock(&t->lock);
	if (there || outdated)
		inode_free(fresh);
	if (outdated)
		return -EAGAIN;
	*ret = there ? there : fresh;
	return 0;
}

int inode_get(struct inode_table *t, uint64_t ino, struct inode **ret)
{
	struct inode_row row;
	uint64_t stored_bytes, n_outdated;
	int r;

	/* Should it come, change and go while the index is asked, the answer is an old one: ask again. */
	do {
		(void)pthread_mutex_lock(&t->lock);
		*ret = find(t, ino);
		n_outdated = t->n_outdated;
		(void)pthread_mutex_unlock(&t->lock);
		if (*ret)
			return 0;
		r = catalog_inode(t->catalog, ino, &row, &stored_bytes);
		if (r == 0)
			r = insert(t, ino, &row, stored_bytes, n_outdated, ret);
	} while (r == -EAGAIN);
	return r;
}

int inode_new(struct inode_table *t, uint64_t ino, const struct inode_row *row, struct inode **ret)
{
	struct inode *fresh = inode_alloc(ino, row, 0);

	if (!fresh)
		return -ENOMEM;
	fresh->xattrs_loaded = true; /* none yet, and the index need not be asked */
	fresh->n_pins = 1;
	LOCK_SCOPE(&t->lock);
	HASH_ADD(hh, t->by_ino, ino, sizeof(fresh->ino), fresh);
	*ret = fresh;
	return 0;
}

void inode_pin(struct inode_table *t, struct inode *i)
{
	LOCK_SCOPE(&t->lock);
	i->n_pins++;
}

/* Takes an inode out of the table. */
static struct inode *take_out(struct inode_table *t, struct inode *i)
{
	t->n_outdated += i->changed || i->removed;
	HASH_DEL(t->by_ino, i);
	return i;
}

/*
 * With the table's lock held, after something let go of i. Returns an inode that is to be freed, or NULL.
 * Nobody who does not hold an inode changes it: without holders its fields can be read here.
 */
static struct inode *settle(struct inode_table *t, struct inode *i)
{
	if (i->n_pins || i->n_opens)
		return NULL;
	if (i->removed || !i->known)
		return take_out(t, i);
	if (i->row.nlink == 0)
		return NULL; /* until the kernel forgets it */
	i->idle = true;
	DL_APPEND(t->idle, i);
	if (++t->n_idle <= IDLE_MAX)
		return NULL;
	i = t->idle;
	DL_DELETE(t->idle, i);
	t->n_idle--;
	return take_out(t, i);
}

void inode_unpin(struct inode_table *t, struct inode *i)
{
	struct inode *gone;

	(void)pthread_mutex_lock(&t->lock);
	i->n_pins--;
	gone = settle(t, i);
	(void)pthread_mutex_unlock(&t->lock);
	if (gone)
		inode_free(gone);
}

int inode_add_lookup(struct inode_table *t, uint64_t ino)
{
	uint64_t *count;
	bool added;
	int r = 0;

	LOCK_SCOPE(&t->lock);
	count = hashmap_find(&t->lookups, ino);
	if (count)
		++*count;
	else
		r = hashmap_add(&t->lookups, ino, 1, &added);
	return r;
}

void inode_drop_lookups(struct inode_table *t, uint64_t ino, uint64_t n, struct inode **ret)
{
	uint64_t *count;
	struct inode *i;

	*ret = NULL;
	LOCK_SCOPE(&t->lock);
	count = hashmap_find(&t->lookups, ino);
	if (!count)
		return;
	*count -= MIN(*count, n);
	if (*count)
		return;
	hashmap_remove(&t->lookups, ino);
	HASH_FIND(hh, t->by_ino, &ino, sizeof(ino), i);
	/* What has a name is idle or held; either way nothing is to be done. */
	if (i && !i->idle)
		*ret = find(t, ino);
}

void inode_add_open(struct inode_table *t, struct inode *i)
{
	LOCK_SCOPE(&t->lock);
	i->n_opens++;
}

void inode_drop_open(struct inode_table *t, struct inode *i)
{
	LOCK_SCOPE(&t->lock);
	i->n_opens -= MIN(i->n_opens, 1);
}

bool inode_unreferenced(struct inode_table *t, struct inode *i)
{
	LOCK_SCOPE(&t->lock);
	return i->n_opens == 0 && !hashmap_find(&t->lookups, i->ino);
}

void inode_set_place(struct inode_table *t, struct inode *i, uint64_t parent, const char *name)
{
	char *copy = strdup(name); /* without it the path is not known, which is allowed */

	LOCK_SCOPE(&t->lock);
	free(i->name);
	i->name = copy;
	i->parent = copy ? parent : 0;
}

int inode_place(struct inode_table *t, uint64_t ino, uint64_t *ret_parent, char **ret_name)
{
	struct inode *i;
	char *name;

	LOCK_SCOPE(&t->lock);
	HASH_FIND(hh, t->by_ino, &ino, sizeof(ino), i);
	if (!i || !i->name)
		return -ENOENT;
	name = strdup(i->name);
	if (!name)
		return -ENOMEM;
	*ret_parent = i->parent;
	*ret_name = name;
	return 0;
}

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){
		.tv_sec = (time_t)((int64_t)ns / (int64_t)NSEC_PER_SEC -
				   ((int64_t)ns % (int64_t)NSEC_PER_SEC < 0)),
		.tv_nsec = (long)(((int64_t)ns % (int64_t)NSEC_PER_SEC + (int64_t)NSEC_PER_SEC) %
				  (int64_t)NSEC_PER_SEC)};
}

void inode_stat(const struct inode *i, struct stat *st)
{
	int64_t stored = atomic_load(&i->stored_bytes);
	uint64_t held = content_held_bytes(&i->content);

	*st = (struct stat){
		.st_ino = i->ino,
		.st_mode = i->row.mode,
		.st_nlink = i->row.nlink,
		.st_uid = i->row.uid,
		.st_gid = i->row.gid,
		.st_rdev = i->row.rdev,
		.st_size = (off_t)i->row.size_bytes,
		.st_blksize = 128 << 10,
		.st_blocks = (blkcnt_t)(((uint64_t)MAX(stored, 0) + held + 511) / 512),
		.st_atim = to_timespec(i->row.atime_ns),
		.st_mtim = to_timespec(i->row.mtime_ns),
		.st_ctim = to_timespec(i->row.ctime_ns),
	};
}
