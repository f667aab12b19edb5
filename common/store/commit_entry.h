/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct commit_entry: one thing that a commit changed besides content, as packs keep it, so that the
 * index can be rebuilt from them alone. A commit record's payload is a list of entries; each has the
 * sequence of the change it speaks of, and of two entries for one thing the greater sequence is the newer.
 * Pure functions on memory; the byte layout is FORMAT.md.
 */
#ifndef SEEDSHIP_STORE_COMMIT_ENTRY_H
#define SEEDSHIP_STORE_COMMIT_ENTRY_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/store/change.h"

enum commit_entry_kind {
	COMMIT_STORE = 1, /* the store's settings and counters */
	COMMIT_INODE = 2,
	COMMIT_INODE_GONE = 3, /* with all that hangs on it: chunks, attributes, target */
	COMMIT_DENTRY = 4,
	COMMIT_DENTRY_GONE = 5,
	COMMIT_SYMLINK = 6,
	COMMIT_XATTR = 7,
	COMMIT_XATTR_GONE = 8,
	COMMIT_CHUNKS_GONE = 9, /* older content of a range of chunks */
};

struct commit_entry {
	enum commit_entry_kind kind;
	uint64_t sequence;
	uint64_t ino; /* not for STORE and DENTRY_GONE */
	union {
		struct inode_row row; /* INODE */
		struct {
			uint64_t id, parent; /* DENTRY; DENTRY_GONE: parent only */
		} dentry;
		struct {
			uint64_t first_idx, end_idx; /* CHUNKS_GONE: [first, end) */
		} range;
		struct {
			uint64_t chunk_bytes, pack_bytes, created_ns;
			uint64_t commits, committed_ns; /* as of this commit */
			uint64_t next_ino, next_dentry; /* first numbers never used */
		} store;				/* STORE */
	};
	const char *name; /* of dentry or xattr; lent, not NUL-terminated */
	size_t name_bytes;
	const void *value; /* of an xattr, target of a symlink; lent */
	size_t value_bytes;
};

/* Appends an entry to a payload. *as_of: the sequence the payload is at; 0 at its start. */
void commit_entry_put(struct buf *payload, uint64_t *as_of, const struct commit_entry *entry);

/*
 * Decodes the next entry; *as_of as above. 1 = *ret is filled in and lends from the payload, 0 = the end,
 * -EBADMSG = no entry can be like this, -ENOTSUP = an entry of a kind that a newer program wrote.
 */
int commit_entry_get(struct cursor *payload, uint64_t *as_of, struct commit_entry *ret);

/* Whether a writer can have written such an entry: numbers, names, sizes, settings in their bounds. */
bool commit_entry_possible(const struct commit_entry *entry);

#endif
