/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct change_set: what one operation changes in the index, applied in one transaction or not at all.
 * Sets are numbered by tickets in the order in which they were submitted; the index is always the
 * result of a prefix of them.
 */
#ifndef SEEDSHIP_STORE_CHANGE_H
#define SEEDSHIP_STORE_CHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/* A row of table inode without its stored_bytes, which the index keeps itself. */
struct inode_row {
	uint32_t mode, nlink, uid, gid;
	uint64_t rdev, size_bytes;
	uint64_t atime_ns, mtime_ns, ctime_ns, btime_ns;
	uint64_t content_version;
};

/* Where a chunk's frame lies. stored_bytes 0 = a hole. */
struct chunk_place {
	uint32_t pack;
	uint32_t stored_bytes, raw_bytes;
	uint64_t off_bytes; /* of the frame */
	uint64_t checksum;
};

static inline bool chunk_place_equal(const struct chunk_place *a, const struct chunk_place *b)
{
	return a->pack == b->pack && a->off_bytes == b->off_bytes && a->checksum == b->checksum;
}

/* The raw bytes of one chunk on their way to the store: counted references, immutable once submitted. */
struct chunk_buf {
	atomic_uint refs;
	uint32_t raw_bytes;	 /* content; what lies behind in the chunk is zeros */
	uint32_t swept_bytes;	 /* of it that was written in one sweep from the start on */
	uint32_t capacity_bytes; /* at most the store's chunk size */
	uint8_t data[];
};

/* New buffer with one reference and undefined content. NULL when out of memory. */
struct chunk_buf *chunk_buf_new(uint32_t capacity_bytes);

/* The same content with more room: takes the caller's reference over, unless out of memory (NULL). */
struct chunk_buf *chunk_buf_grow(struct chunk_buf *b, uint32_t capacity_bytes);
struct chunk_buf *chunk_buf_ref(struct chunk_buf *b);
void chunk_buf_unref(struct chunk_buf *b); /* NULL is fine */

enum change_kind {
	CHANGE_INODE,	   /* insert or update the row */
	CHANGE_INODE_GONE, /* the row and all that hangs on it */
	CHANGE_DENTRY,
	CHANGE_DENTRY_GONE,
	CHANGE_SYMLINK,
	CHANGE_XATTR,
	CHANGE_XATTR_GONE,
	CHANGE_CHUNK,	    /* content of one chunk */
	CHANGE_CHUNKS_GONE, /* a range of chunks becomes a hole */
	CHANGE_ORPHAN,
	CHANGE_ORPHAN_GONE,
	CHANGE_MOVE,	 /* content of one chunk as it is, from one pack to the open one */
	CHANGE_LOG_COPY, /* commit entries of another pack; value = a payload */
	CHANGE_PACK_GONE, /* a pack to which no chunk refers any more; its file goes after the commit */
	CHANGE_PACK_SEALED, /* nothing more is appended to a pack, if it is the open one */
};

struct change {
	enum change_kind kind;
	uint64_t ino;
	void *owner;  /* the submitter's; passed back with the events */
	bool applied; /* the submitter was told; applied again after a rollback, it is not */
	union {
		struct inode_row row;
		struct {
			uint64_t id,
				parent; /* ino = what the name refers to; id of a gone one is only a mark */
		} dentry;
		struct {
			uint64_t idx;
			struct chunk_buf *buf; /* one reference; dropped once placed */
			struct buf record; /* made by the compressing worker: header and frame */
			struct chunk_place place; /* pack and offset by the committer */
			int result;		  /* of the worker: 0 or -errno */
			struct chunk_place
				from; /* MOVE: where it stands now; elsewhere it is left alone */
		} chunk;
		struct {
			uint64_t first_idx, end_idx; /* [first, end) */
			uint64_t mark;		     /* the submitter's, to know it again */
		} range;
		uint32_t pack; /* PACK_GONE, PACK_SEALED */
	};
	char *name;  /* dentry or xattr name, path of a file's first chunk; owned */
	void *value; /* xattr value, symlink target; owned */
	size_t value_bytes;
};

struct change_set {
	struct change_set *next; /* the committer's */
	uint64_t ticket;	 /* set by writer_submit() */
	bool wants_sync;	 /* commit as soon as it is reached */
	bool has_chunks;
	bool failed; /* an allocation failed while it was built */
	unsigned n_changes, capacity;
	struct change *changes;
};

/* Building a set; an allocation failure shows in writer_submit(). */
struct change_set *change_set_new(void);
void change_set_free(struct change_set *set); /* NULL is fine */
static inline void change_set_freep(struct change_set **set)
{
	change_set_free(*set);
}

/* Memory that a set takes while it is on its way, frames included. */
size_t change_set_bytes(const struct change_set *set);

void change_inode(struct change_set *set, void *owner, uint64_t ino, const struct inode_row *row);
void change_inode_gone(struct change_set *set, void *owner, uint64_t ino);
void change_dentry(struct change_set *set, void *owner, uint64_t id, uint64_t parent,
		   const char *name, uint64_t ino);
void change_dentry_gone(struct change_set *set, void *owner, uint64_t id, uint64_t parent,
			const char *name, uint64_t ino);
void change_symlink(struct change_set *set, uint64_t ino, const char *target);
void change_xattr(struct change_set *set, uint64_t ino, const char *name, const void *value,
		  size_t len_bytes);
void change_xattr_gone(struct change_set *set, uint64_t ino, const char *name);
/* Takes a reference of its own on buf. path: of the file, for idx 0; may be NULL. */
void change_chunk(struct change_set *set, void *owner, uint64_t ino, uint64_t idx,
		  struct chunk_buf *buf, const char *path);
void change_chunks_gone(struct change_set *set, void *owner, uint64_t ino, uint64_t first_idx,
			uint64_t end_idx, uint64_t mark);
/* record: header and frame as they stand in the pack of `from`; taken over. */
void change_move(struct change_set *set, uint64_t ino, uint64_t idx, const struct chunk_place *from,
		 struct buf *record);
void change_log_copy(struct change_set *set, const void *payload, size_t len_bytes);
void change_pack_gone(struct change_set *set, uint32_t pack);
void change_pack_sealed(struct change_set *set, uint32_t pack);
void change_orphan(struct change_set *set, uint64_t ino);
void change_orphan_gone(struct change_set *set, uint64_t ino);

#endif
