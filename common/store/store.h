/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct store: the folder of a staging location, opened by its one writer (seedfs). Opening takes the
 * lock, migrates the index, and repairs what a crash left: pack tails beyond the last commit are cut,
 * files without a name are removed. The time of that does not grow with the store. Layout: FORMAT.md.
 */
#ifndef SEEDSHIP_STORE_STORE_H
#define SEEDSHIP_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/ext/sql.h"
#include "common/store/change.h"
#include "common/store/frame.h"

#define STORE_CHUNK_BYTES_DEFAULT (UINT32_C(128) << 10)
#define STORE_PACK_BYTES_DEFAULT  (UINT64_C(1) << 30)
#define STORE_ROOT_INO		  1

struct store_options {
	bool create;	      /* create the store when path is missing or an empty folder */
	bool read_only;	      /* change nothing; excludes create */
	uint32_t chunk_bytes; /* for a new one: 64 KiB .. 1 MiB, a power of two; 0 = default */
	uint64_t pack_bytes;  /* for a new one; 0 = default */
	uint32_t uid, gid;    /* owner of a new root directory */
};

struct store {
	char *path;
	int dir_fd, packs_fd, lock_fd;
	struct sql *
		db; /* the one read-write connection; belongs to the committer thread once it runs */
	uint8_t uuid[STORE_UUID_BYTES];
	uint32_t chunk_bytes;
	uint64_t pack_bytes;
	uint64_t created_ns;
	struct inode_row root;		/* while nothing was committed yet, else zeros */
	uint64_t next_ino, next_dentry; /* first free numbers */
	uint64_t sequence;		/* of the last committed change */
	uint64_t commits;		/* up to now */
	bool created;			/* by this open */
	bool read_only;
	bool frozen; /* read_only, and index.db alone tells everything: it need not be watched */
};

/*
 * Errors to branch on: -ENOENT no store there (and !create), -EBUSY another seedfs has it (the message
 * says where it is mounted), -ENOTEMPTY path is a folder with other things in it, -ENOTSUP newer format.
 * Waits for a seedfs that is just flushing its last commit.
 *
 * Read-only: nothing in the folder is written, so it may be on a read-only filesystem; any number of
 * seedfs may have it at once, but no writer beside them. What a crash left is not repaired, only read past.
 */
int store_open(const char *path, const struct store_options *options, struct store **ret,
	       struct err *e);

/*
 * Takes a store's lock and opens its folders, nothing else: db is NULL and what the index says is not
 * filled in. For those who go over a store whose index may be damaged or missing. -ENOENT, -EBUSY as above.
 */
int store_lock(const char *path, struct store **ret, struct err *e);

void store_free(struct store *s); /* NULL is fine; releases the lock */
static inline void store_freep(struct store **s)
{
	store_free(*s);
}

/* Writes who holds the store into the lock file, for messages and `seedfs status`. */
int store_note_holder(struct store *s, const char *mount_point, const char *state, struct err *e);

/* Who holds a store. */
struct store_holder {
	bool held;   /* by its one writer */
	bool shared; /* by read-only mounts; what follows is then old */
	long pid;
	char state[16]; /* "mounted" or "flushing" */
	char mount_point[4096];
};

/* Looks without taking the lock. -ENOENT when path is no store. */
int store_get_holder(const char *path, struct store_holder *ret, struct err *e);

#endif
