/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct catalog: the read side of index.db for the mount: a small set of read-only connections lent to
 * whoever asks. Every call sees the last commit. Thread-safe.
 */
#ifndef SEEDSHIP_STORE_CATALOG_H
#define SEEDSHIP_STORE_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/store/change.h"

struct catalog;

/* frozen: nobody writes as long as the catalog lives (store.h); nothing is then written to look. */
int catalog_new(const char *store_path, bool frozen, struct catalog **ret, struct err *e);
void catalog_free(struct catalog *c); /* NULL is fine */

/* -ENOENT when there is no such name, inode, chunk. Index damage and I/O errors are -EIO and logged. */
int catalog_lookup(struct catalog *c, uint64_t parent, const char *name, uint64_t *ret_ino,
		   uint64_t *ret_id);
int catalog_inode(struct catalog *c, uint64_t ino, struct inode_row *ret,
		  uint64_t *ret_stored_bytes);
int catalog_symlink(struct catalog *c, uint64_t ino, char **ret_target); /* caller frees */

/* One committed name of a directory; name is lent until fn returns. */
struct catalog_dentry {
	uint64_t id, ino;
	uint32_t mode;
	const char *name;
};

/* Names of parent with id > after in order of id; a non-zero return of fn ends the walk and is returned. */
int catalog_list(struct catalog *c, uint64_t parent, uint64_t after, size_t limit,
		 int (*fn)(const struct catalog_dentry *d, void *arg), void *arg);

/* A name that refers to ino and the directory it stands in; any of them. Caller frees. */
int catalog_name_of(struct catalog *c, uint64_t ino, uint64_t *ret_parent, char **ret_name);

/* Places of chunks [first_idx, first_idx + n): ret[i].stored_bytes = 0 where nothing is stored. */
int catalog_chunks(struct catalog *c, uint64_t ino, uint64_t first_idx, size_t n,
		   struct chunk_place *ret);

/* The first stored chunk at or after idx. -ENOENT when there is none. */
int catalog_next_chunk(struct catalog *c, uint64_t ino, uint64_t idx, uint64_t *ret_idx);

/* One committed pack. */
struct catalog_pack {
	uint32_t pack;
	uint64_t size_bytes, live_bytes, log_bytes;
	bool sealed;
};

/* How many chunks stand in a pack. */
int catalog_count_chunks(struct catalog *c, uint32_t pack, uint64_t *ret);

/* Calls fn for every pack, in order of numbers; a non-zero return of it ends the walk and is returned. */
int catalog_packs(struct catalog *c, int (*fn)(const struct catalog_pack *pack, void *arg),
		  void *arg);

/* Calls fn for every extended attribute of ino. */
int catalog_xattrs(struct catalog *c, uint64_t ino,
		   int (*fn)(const char *name, const void *value, size_t len_bytes, void *arg),
		   void *arg);

#endif
