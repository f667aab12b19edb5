/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct inode: the state of one file in memory, and the table of them. An inode is in the table while
 * somebody has it open, a change of it is not durable yet, an operation works on it, or it has lost its last
 * name; then memory is the truth. Otherwise the index is, and the table only keeps the inodes used last.
 * How often the kernel refers to an inode is counted apart from it: a million files that the kernel
 * remembers are to cost little.
 */
#ifndef SEEDSHIP_FS_INODE_H
#define SEEDSHIP_FS_INODE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <uthash.h>

#include "common/base/hashmap.h"
#include "common/store/catalog.h"
#include "common/store/change.h"
#include "fs/content.h"

struct xattr {
	struct xattr *next;
	char *name;
	void *value;
	size_t value_bytes;
};

struct inode {
	uint64_t ino;
	UT_hash_handle hh;   /* table lock */
	uint64_t n_opens;    /* table lock */
	uint64_t n_mappable; /* table lock: opens through which it can be mapped for writing */
	uint64_t n_pins;     /* table lock: changes that are not durable, operations in progress */
	uint64_t parent;     /* table lock: where a name of it stood last; 0 = not known */
	char *name;	     /* table lock */
	struct inode *next, *prev; /* table lock: among the idle ones */
	bool idle;		   /* table lock */
	struct inode *next_dirty;  /* the stage's dirty_lock */
	bool listed;		   /* the stage's dirty_lock: among the dirty ones */

	pthread_mutex_t lock;
	struct inode_row row;		  /* lock */
	uint64_t recorded_bytes;	  /* lock: the size in the last submitted row */
	bool known;			  /* lock: the index has it, or was sent its row */
	bool changed;			  /* lock: since it was loaded */
	bool removed;			  /* lock: its removal was submitted */
	bool xattrs_loaded;		  /* lock: xattrs is the truth */
	struct xattr *xattrs;		  /* lock */
	char *target;			  /* lock: of a symlink made here; NULL = ask the index */
	atomic_int_fast64_t stored_bytes; /* what its chunks take in the packs */

	struct content content;
};

struct inode_table {
	pthread_mutex_t lock;
	struct inode *by_ino;	 /* lock */
	struct inode *idle;	 /* lock: nothing holds them; least recently used first */
	size_t n_idle;		 /* lock */
	struct hashmap lookups;	 /* lock: the kernel's references by inode number */
	uint64_t n_outdated;	 /* lock: inodes that left and had changed since they were loaded */
	struct catalog *catalog; /* lent */
};

int inode_table_init(struct inode_table *t, struct catalog *catalog);
void inode_table_done(struct inode_table *t); /* frees whatever is left */

/* Finds or loads an inode and pins it. -ENOENT. */
int inode_get(struct inode_table *t, uint64_t ino, struct inode **ret);

/* A new inode, pinned, not in the index yet. */
int inode_new(struct inode_table *t, uint64_t ino, const struct inode_row *row, struct inode **ret);

void inode_pin(struct inode_table *t, struct inode *i);

/* Gives a pin back; the inode may be freed when nothing holds it. */
void inode_unpin(struct inode_table *t, struct inode *i);

/* Counts kernel references. Out of memory: -ENOMEM, and the kernel must not be told of the inode. */
int inode_add_lookup(struct inode_table *t, uint64_t ino);

/*
 * *ret = the inode, pinned, when that was the last reference and something else holds it, or it has no name
 * any more; else NULL.
 */
void inode_drop_lookups(struct inode_table *t, uint64_t ino, uint64_t n, struct inode **ret);

void inode_add_open(struct inode_table *t, struct inode *i);
void inode_drop_open(struct inode_table *t, struct inode *i);

/* Whether neither the kernel nor an open file refers to it. */
bool inode_unreferenced(struct inode_table *t, struct inode *i);

/* Remembers where a name of the inode stands, for the paths in packs. */
void inode_set_place(struct inode_table *t, struct inode *i, uint64_t parent, const char *name);

/* Where a name of it stands, if memory knows. *ret_name: caller frees. -ENOENT, -ENOMEM. */
int inode_place(struct inode_table *t, uint64_t ino, uint64_t *ret_parent, char **ret_name);

/* With i->lock held. */
void inode_stat(const struct inode *i, struct stat *st);

#endif
