/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct stage: what the staging filesystem means, without FUSE. Every operation returns 0 (or a
 * length) or -errno as the system call would. Calls may come from many threads at once. What is not
 * yet committed lives in memory and is answered from there; the rest comes from the index by read-only
 * connections. Threads, queues and lock order: fs/README.md.
 */
#ifndef SEEDSHIP_FS_STAGE_H
#define SEEDSHIP_FS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/store/store.h"
#include "common/store/writer.h"

#define STAGE_ROOT_INO 1

struct stage;

struct stage_options {
	struct writer_options writer;
	uint64_t dirty_age_ms; /* unsubmitted data is pushed to the store at this age */
	/*
	 * About what the process may take. 3/16 for unsubmitted data, as much for what is on its way to the
	 * store, 3/32 for decoded chunks; the rest is for inodes, names, the index's caches and the allocator.
	 */
	uint64_t memory_bytes;
};

/* Who asks: new files belong to them. umask counts where the directory has no default ACL. */
struct stage_caller {
	uint32_t uid, gid;
	uint32_t umask;
};

/*
 * Takes over the store; stage_close() closes it. On a store that was opened read-only every change is -EROFS,
 * and there are no threads.
 */
int stage_new(struct store *store, const struct stage_options *options, struct stage **ret,
	      struct err *e);

/* Commits everything, stops the threads, closes the store. 0, or -EIO when something could not be kept. */
int stage_close(struct stage *s, struct err *e);

/*
 * Names. Those with `struct stat *st` count one kernel reference on the inode they return, given back
 * by stage_forget().
 */
int stage_lookup(struct stage *s, uint64_t parent, const char *name, struct stat *st);
void stage_forget(struct stage *s, uint64_t ino, uint64_t n_lookups);
int stage_mknod(struct stage *s, const struct stage_caller *who, uint64_t parent, const char *name,
		mode_t mode, dev_t rdev, struct stat *st); /* also regular files, FIFOs, sockets */
int stage_mkdir(struct stage *s, const struct stage_caller *who, uint64_t parent, const char *name,
		mode_t mode, struct stat *st);
int stage_symlink(struct stage *s, const struct stage_caller *who, uint64_t parent,
		  const char *name, const char *target, struct stat *st);
int stage_link(struct stage *s, uint64_t ino, uint64_t parent, const char *name, struct stat *st);
int stage_unlink(struct stage *s, uint64_t parent, const char *name);
int stage_rmdir(struct stage *s, uint64_t parent, const char *name);
int stage_rename(struct stage *s, uint64_t parent, const char *name, uint64_t new_parent,
		 const char *new_name, unsigned flags); /* RENAME_NOREPLACE, RENAME_EXCHANGE */
int stage_readlink(struct stage *s, uint64_t ino, char **ret_target); /* caller frees */

/*
 * One directory entry; off is the position after it. attr: filled, and a kernel reference counted on
 * it, only for plus; NULL there when it cannot be had. Return false when the caller's buffer is full: this entry then does not count
 * (its reference is taken back by the stage).
 */
typedef bool stage_fill(void *arg, const char *name, const struct stat *attr, uint64_t off);
int stage_readdir(struct stage *s, uint64_t ino, uint64_t off, bool plus, stage_fill *fill,
		  void *arg);

/* Attributes. valid: STAGE_SET_* of the fields of `want` that are meant. */
enum {
	STAGE_SET_MODE = 1 << 0,
	STAGE_SET_UID = 1 << 1,
	STAGE_SET_GID = 1 << 2,
	STAGE_SET_SIZE = 1 << 3,
	STAGE_SET_ATIME = 1 << 4,
	STAGE_SET_MTIME = 1 << 5,
	STAGE_SET_ATIME_NOW = 1 << 6,
	STAGE_SET_MTIME_NOW = 1 << 7,
	STAGE_SET_CTIME = 1 << 8,
	STAGE_KILL_PRIV =
		1 << 9, /* drop suid, sgid if the group may execute, security.capability */
	STAGE_KILL_SGID =
		1 << 10, /* with the former: sgid even if not; the caller is not of the group */
};
int stage_getattr(struct stage *s, uint64_t ino, struct stat *st);
int stage_setattr(struct stage *s, uint64_t ino, const struct stat *want, unsigned valid,
		  struct stat *st);

/* Files. An open file keeps its inode alive; every open is paired with a release. */
int stage_open(struct stage *s, uint64_t ino, bool truncate);
int stage_create(struct stage *s, const struct stage_caller *who, uint64_t parent, const char *name,
		 mode_t mode, struct stat *st); /* creates and opens; -EEXIST when there */
int stage_tmpfile(
	struct stage *s, const struct stage_caller *who, uint64_t parent, mode_t mode,
	struct stat
		*st); /* creates and opens, without a name (O_TMPFILE); stage_link() gives one */

/* For each open for reading and writing, until its release: it may be written to through a mapping. */
void stage_hold_mappable(struct stage *s, uint64_t ino);
void stage_drop_mappable(struct stage *s, uint64_t ino);
void stage_release(struct stage *s, uint64_t ino);
ssize_t stage_read(struct stage *s, uint64_t ino, void *data, size_t len_bytes, uint64_t off_bytes);
ssize_t stage_write(struct stage *s, uint64_t ino, const void *data, size_t len_bytes,
		    uint64_t off_bytes, unsigned kill); /* STAGE_KILL_* or 0 */
int stage_flush(struct stage *s,
		uint64_t ino); /* close(2): pushes what is buffered, does not wait */
int stage_fsync(struct stage *s,
		uint64_t ino);	   /* file or directory: waits until durable; root: everything */
int stage_syncfs(struct stage *s); /* everything */
int stage_fallocate(struct stage *s, uint64_t ino, int mode, uint64_t off_bytes, uint64_t len_bytes,
		    unsigned kill);
int64_t stage_lseek(struct stage *s, uint64_t ino, uint64_t off_bytes,
		    int whence); /* SEEK_DATA, SEEK_HOLE */

/*
 * Extended attributes of the namespaces user, trusted and security, and ACLs, with which the mode is kept in
 * step. value NULL or size 0: the needed length. flags: XATTR_CREATE, XATTR_REPLACE, STAGE_ACL_KILL_SGID.
 */
#define STAGE_ACL_KILL_SGID 0x100 /* sgid goes: who sets the ACL is not of the group */
int stage_setxattr(struct stage *s, uint64_t ino, const char *name, const void *value,
		   size_t len_bytes, int flags);
ssize_t stage_getxattr(struct stage *s, uint64_t ino, const char *name, void *value,
		       size_t size_bytes);
ssize_t stage_listxattr(struct stage *s, uint64_t ino, bool with_trusted, char *list,
			size_t size_bytes); /* trusted.*: shown to administrators only */
int stage_removexattr(struct stage *s, uint64_t ino, const char *name);

int stage_statfs(struct stage *s, struct statvfs *st);

/* What the last compaction that was asked for has done so far. */
struct stage_compaction {
	bool running;
	uint64_t packs, packs_kept, freed_bytes; /* as in struct compact_result */
	struct err failure;			 /* code 0: none */
};

/* Begins to compact packs that waste so much, 0 = all sealed ones. -EROFS on a read-only mount. */
int stage_ask_compaction(struct stage *s, unsigned min_waste_percent);
void stage_get_compaction(struct stage *s, struct stage_compaction *ret);

/* What the stage is at. Counts begin with stage_new(). Does not block on the disk. */
struct stage_stats {
	struct writer_stats writer; /* zeros when read-only */
	bool read_only;
	uint64_t written_bytes; /* by those who use the mount */
	uint64_t read_bytes;
	uint64_t dirty_bytes;	  /* written, and still in memory only */
	uint64_t accounted_bytes; /* memory of dirty data and of what is on its way to the store */
	uint64_t memory_bytes;	  /* what was allowed */
};

void stage_get_stats(struct stage *s, struct stage_stats *ret);

#endif
