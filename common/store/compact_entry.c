/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which entries of a pack still matter. One that says what the index says is the last word, or as good as
 * it. One that says something else was overruled by a later one, in this pack or another. A tombstone (an
 * entry that something is gone) must stay as long as a pack before it may hold what it speaks of.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/store/compact_pack.h"

/* Turns what a lookup returned into: 1 = found, 0 = it is not there. */
static int found(int r)
{
	return r == 0 ? 1 : r == -ENOENT ? 0 : r;
}

static int inode_exists(struct catalog *c, uint64_t ino)
{
	struct inode_row row;
	uint64_t stored_bytes;

	return found(catalog_inode(c, ino, &row, &stored_bytes));
}

static bool same_row(const struct inode_row *a, const struct inode_row *b)
{
	return a->mode == b->mode && a->nlink == b->nlink && a->uid == b->uid && a->gid == b->gid &&
	       a->rdev == b->rdev && a->size_bytes == b->size_bytes && a->atime_ns == b->atime_ns &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns &&
	       a->btime_ns == b->btime_ns && a->content_version == b->content_version;
}

static int inode_is(struct catalog *c, const struct commit_entry *entry)
{
	struct inode_row row;
	uint64_t stored_bytes;
	int r = found(catalog_inode(c, entry->ino, &row, &stored_bytes));

	return r > 0 ? same_row(&row, &entry->row) : r;
}

/* Without a name it was about to go; when it is gone, that entry is the only one that says so. */
static int inode_matters(struct catalog *c, const struct commit_entry *entry, bool lowest)
{
	int r = inode_is(c, entry);

	if (r != 0 || entry->row.nlink || lowest)
		return r;
	r = inode_exists(c, entry->ino);
	return r < 0 ? r : !r;
}

/* What stands under a name: *ret_ino and *ret_id. */
static int look_up(struct catalog *c, const struct commit_entry *entry, uint64_t *ret_ino,
		   uint64_t *ret_id)
{
	_cleanup_free_ char *name = strndup(entry->name, entry->name_bytes);

	return name ? found(catalog_lookup(c, entry->dentry.parent, name, ret_ino, ret_id))
		    : -ENOMEM;
}

static int name_is(struct catalog *c, const struct commit_entry *entry)
{
	uint64_t ino, id;
	int r = look_up(c, entry, &ino, &id);

	return r > 0 ? ino == entry->ino && id == entry->dentry.id : r;
}

static int name_is_gone(struct catalog *c, const struct commit_entry *entry)
{
	uint64_t ino, id;
	int r = look_up(c, entry, &ino, &id);

	return r < 0 ? r : !r;
}

static int symlink_is(struct catalog *c, const struct commit_entry *entry)
{
	_cleanup_free_ char *target = NULL;
	int r = found(catalog_symlink(c, entry->ino, &target));

	return r > 0 ? strlen(target) == entry->value_bytes &&
			       memcmp(target, entry->value, entry->value_bytes) == 0
		     : r;
}

struct xattr_search {
	const struct commit_entry *entry;
	bool is_there, is_same;
};

static int see_xattr(const char *name, const void *value, size_t len_bytes, void *arg)
{
	struct xattr_search *s = arg;
	const struct commit_entry *entry = s->entry;

	if (strlen(name) != entry->name_bytes || memcmp(name, entry->name, entry->name_bytes) != 0)
		return 0;
	s->is_there = true;
	s->is_same = len_bytes == entry->value_bytes &&
		     (len_bytes == 0 || memcmp(value, entry->value, len_bytes) == 0);
	return 0;
}

static int xattr_matters(struct catalog *c, const struct commit_entry *entry)
{
	struct xattr_search s = {.entry = entry};
	int r = catalog_xattrs(c, entry->ino, see_xattr, &s);

	if (r < 0)
		return r;
	if (entry->kind == COMMIT_XATTR)
		return s.is_same;
	return s.is_there ? 0 : inode_exists(c, entry->ino);
}

int compact_keeps_entry(struct catalog *c, const struct commit_entry *entry, bool lowest)
{
	switch (entry->kind) {
	case COMMIT_STORE:
		return 0; /* every commit says it */
	case COMMIT_INODE:
		return inode_matters(c, entry, lowest);
	case COMMIT_INODE_GONE:
		return !lowest;
	case COMMIT_DENTRY:
		return name_is(c, entry);
	case COMMIT_DENTRY_GONE:
		return lowest ? 0 : name_is_gone(c, entry);
	case COMMIT_SYMLINK:
		return symlink_is(c, entry);
	case COMMIT_XATTR:
		return xattr_matters(c, entry);
	case COMMIT_XATTR_GONE:
		return lowest ? 0 : xattr_matters(c, entry);
	case COMMIT_CHUNKS_GONE:
		/* The tombstone of the inode does it for one that is gone. */
		return lowest ? 0 : inode_exists(c, entry->ino);
	}
	return -EBADMSG;
}

int compact_entry_went(struct catalog *c, struct commit_entry *entry)
{
	struct xattr_search s = {.entry = entry};
	int r;

	switch (entry->kind) {
	case COMMIT_INODE:
	case COMMIT_SYMLINK:
		r = inode_exists(c, entry->ino);
		entry->kind = COMMIT_INODE_GONE;
		return r < 0 ? r : !r;
	case COMMIT_DENTRY:
		r = name_is_gone(c, entry);
		entry->kind = COMMIT_DENTRY_GONE;
		return r;
	case COMMIT_XATTR:
		r = catalog_xattrs(c, entry->ino, see_xattr, &s);
		entry->kind = COMMIT_XATTR_GONE;
		return r < 0 ? r : !s.is_there;
	default:
		return 0;
	}
}
