/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct reader: a read-only look into a store, mounted or not. It sees the last commit, never changes
 * anything and holds no long read transaction (a long one keeps the mount's WAL growing) but for the
 * time of reader_walk(). A reader belongs to one thread at a time; open one per thread.
 */
#ifndef SEEDSHIP_STORE_READER_H
#define SEEDSHIP_STORE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct reader;

/*
 * -ENOENT with a clear message when path is no store; refused are an index of a newer program (-ENOTSUP),
 * of an older one that was not opened by its writer since (-ESTALE), of another one (-EMEDIUMTYPE).
 */
int reader_open(const char *store_path, struct reader **ret, struct err *e);
void reader_free(struct reader *reader); /* NULL is fine */
static inline void reader_freep(struct reader **reader)
{
	reader_free(*reader);
}

uint32_t reader_chunk_bytes(const struct reader *reader);
const uint8_t *reader_uuid(const struct reader *reader); /* 16 bytes, lent */

/* One staged name. All pointers are lent until the callback returns. */
struct staged_entry {
	uint64_t ino;
	const char *path; /* below the staging location, no leading slash; any bytes but NUL */
	const char *name; /* its last component, inside path */
	uint32_t mode;	  /* st_mode */
	uint32_t nlink;
	uint32_t uid, gid;
	uint64_t rdev;
	uint64_t size_bytes;
	uint64_t stored_bytes;
	uint64_t mtime_ns;
	uint64_t content_version;   /* differs after any change of the content */
	const char *symlink_target; /* symlinks only, else NULL */
};

/*
 * Calls fn for every name below the root, parents before children, children of a directory in byte order
 * of their names: the order is the same on every run over the same tree. A non-zero return of fn ends
 * the walk and is returned. The walk is one snapshot, held in one read transaction: fn should be quick,
 * and must not call this reader. Memory does not grow with the tree. -EBADMSG when the index has a
 * name that cannot be, a name without inode, or a circle of directories.
 */
int reader_walk(struct reader *reader,
		int (*fn)(const struct staged_entry *entry, void *arg, struct err *e), void *arg,
		struct err *e);

/*
 * Current facts of one inode; path and name are "", symlink_target is NULL. -ENOENT when it is gone
 * (a file without any name, still open in the mount, counts as gone).
 */
int reader_stat(struct reader *reader, uint64_t ino, struct staged_entry *ret, struct err *e);

/*
 * Reads content of a file: len_bytes at off_bytes, zeros where nothing is stored and past its end. Checks
 * every frame; -EBADMSG names pack and offset. -ESTALE when the file's content version is not
 * content_version any more (it was changed or removed since). -EFBIG beyond the largest file offset.
 * Blocks on disk reads. On failure data is garbage. Large, chunk-aligned reads are fastest.
 */
int reader_pread(struct reader *reader, uint64_t ino, uint64_t content_version, void *data,
		 size_t len_bytes, uint64_t off_bytes, struct err *e);

#endif
