/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the stage share. Lock order: names_lock, inode locks, then leaves (table, names, content). */
#ifndef SEEDSHIP_FS_STAGE_PRIV_H
#define SEEDSHIP_FS_STAGE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/store/catalog.h"
#include "fs/cache.h"
#include "fs/inode.h"
#include "fs/names.h"
#include "fs/stage.h"

#define OP_MAX_INODES 6

/* What the janitor is asked and what it has done. */
struct compaction {
	pthread_mutex_t lock; /* leaf */
	pthread_cond_t changed;
	uint64_t asked, ended;	       /* lock: requests, counted */
	unsigned asked_percent;	       /* lock: of the last one */
	struct stage_compaction state; /* lock */
	atomic_bool stops;
	pthread_t thread;
	bool started;
};

struct stage {
	struct store *store;
	struct stage_options options;
	struct writer *writer; /* NULL: read-only */
	struct catalog *catalog;
	struct cache *cache;
	struct inode_table inodes;
	struct names names;
	pthread_mutex_t push_lock;  /* before all others: one push of many inodes at a time */
	pthread_mutex_t names_lock; /* one change of the tree at a time; held across submit */
	atomic_uint_fast64_t next_ino, next_dentry;
	atomic_uint_fast64_t dirty_bytes; /* buffers of DIRTY chunks */
	uint64_t dirty_max_bytes;
	atomic_uint_fast64_t written_bytes, read_bytes; /* by requests, since the mount */

	pthread_mutex_t dirty_lock; /* leaf */
	pthread_cond_t dirty_changed;
	struct inode *dirty; /* dirty_lock: inodes with DIRTY chunks, each pinned */
	bool stopping;	     /* dirty_lock */
	pthread_t flusher;
	bool flusher_started;
	struct compaction compaction;
};

static inline bool stage_is_read_only(const struct stage *s)
{
	return s->store->read_only;
}

/*
 * struct op: one operation on the tree or on a file. Inodes that join stay locked until the end, so that
 * the rows submitted are the last word on them. Only an op that holds names_lock may take more than one.
 */
struct op {
	struct stage *s;
	struct change_set *set;
	struct inode *inodes[OP_MAX_INODES];
	unsigned n_inodes;
	bool names_locked;
	bool names_changed; /* in memory and in the set */
};

/* -EROFS when names are to be changed and the store is read-only after an error of the disk. */
int op_begin(struct op *op, struct stage *s, bool changes_names);

/* 0, or -EROFS: for operations that change something else, before they change it in memory. */
int stage_check_writable(struct stage *s);
void op_end(struct op *op); /* unlocks and unpins; drops what was not submitted */

/* Finds, pins and locks an inode; the same one twice is fine. */
int op_join(struct op *op, uint64_t ino, struct inode **ret);

/* Creates an inode and lets it join. */
int op_create(struct op *op, const struct inode_row *row, struct inode **ret);

/* Submits the set with the rows of all inodes that joined. */
int op_submit(struct op *op);

/* Changes of names: in memory and in the set. mode: of the inode. */
int op_add_name(struct op *op, struct inode *parent, const char *name, struct inode *child);
int op_remove_name(struct op *op, struct inode *parent, const char *name, uint64_t ino);

/* The thread that compacts (stage_compact.c). Stopping it ends what it does at the next record. */
int stage_start_janitor(struct stage *s, struct err *e);
void stage_stop_janitor(struct stage *s);

uint64_t stage_now_ns(void);

/* Extended attributes of an inode in op. find: lent until the list changes; -ENODATA. */
int stage_find_xattr(struct stage *s, struct inode *i, const char *name, const struct xattr **ret);
int op_put_xattr(struct op *op, struct inode *i, const char *name, const void *value,
		 size_t len_bytes);
int op_remove_xattr(struct op *op, struct inode *i, const char *name); /* -ENODATA */

/* A new inode's mode and ACLs from its parent's default ACL; by the umask where there is none. */
int stage_inherit_acl(struct op *op, struct inode *parent, struct inode *i, uint32_t umask);

/* The access ACL follows a mode that was just changed. */
int stage_chmod_acl(struct op *op, struct inode *i);

/* setxattr of an ACL; the mode follows. -EINVAL, -EACCES: a default ACL on something else than a directory. */
int stage_set_acl(struct op *op, struct inode *i, const char *name, const void *acl,
		  size_t len_bytes);

/* ino of a name, without any reference. -ENOENT. */
int stage_find_name(struct stage *s, uint64_t parent, const char *name, uint64_t *ret_ino);

/* With i->lock held: counts a kernel reference and fills st. 0 or -ENOMEM. */
int stage_give(struct stage *s, struct inode *i, struct stat *st);

/* Removes an inode without name and references from the store. i is pinned and not locked. */
void stage_reap(struct stage *s, struct inode *i);

/* With i locked: ctime, and mtime when its content changed. */
void stage_touch(struct inode *i, bool content);

/* One name less for an inode in op; the last one makes it an orphan until it is closed. */
void op_drop_link(struct op *op, struct inode *parent, struct inode *i);

/* -ENOTEMPTY when the directory has names. */
int stage_dir_empty(struct stage *s, uint64_t dir);

/* With i in op: content. */
int stage_truncate(struct op *op, struct inode *i, uint64_t size_bytes);
int stage_kill_priv(struct op *op, struct inode *i, unsigned kill); /* STAGE_KILL_*; 0 = nothing */

/* With i in op: moves a DIRTY chunk, or every one, into the op's set. */
void stage_push_chunk(struct op *op, struct inode *i, uint64_t idx);
int stage_push(struct op *op, struct inode *i);

/*
 * The private buffer of chunk idx, with room for need_bytes; load: for a whole chunk and with its content so
 * far. Promises space for it: -ENOSPC.
 */
int stage_make_dirty(struct op *op, struct inode *i, uint64_t idx, bool load, uint32_t need_bytes,
		     struct chunk_buf **ret);

/* Takes the promise for content back that was dropped before it was pushed. */
void stage_release_dirty(struct stage *s, uint64_t bytes);

/* With i in op: chunks [first, end) become a hole. */
int stage_drop_chunks(struct op *op, struct inode *i, uint64_t first_idx, uint64_t end_idx);

/*
 * Reads the whole chunk idx from its pack, place->raw_bytes of it, looking its place up again when it has moved
 * meanwhile (then *place is the new one). -EIO after a line in the log.
 */
int stage_fetch_chunk(struct stage *s, struct inode *i, uint64_t idx, struct chunk_place *place,
		      void *data);

/* Logs why reading an inode failed, and returns what a system call may return. */
int stage_read_failed(struct stage *s, struct inode *i, const struct err *e);

/* Some path of an inode, without leading slash; NULL when it has none (any more). Caller frees. */
char *stage_path(struct stage *s, uint64_t ino);

/* Pushes an inode's dirty chunks in an operation of their own. */
int stage_push_inode(struct stage *s, uint64_t ino);

/* Pushes the DIRTY chunks of all inodes that have had some since then (CLOCK_MONOTONIC). No lock is held. */
void stage_push_older(struct stage *s, uint64_t older_than_ns);

/* i has DIRTY chunks: the flusher will look after it. */
void stage_note_dirty(struct stage *s, struct inode *i);

/* The size that may be recorded now: never beyond bytes that are still in memory only. */
uint64_t stage_recordable_bytes(const struct stage *s, const struct inode *i);

#endif
