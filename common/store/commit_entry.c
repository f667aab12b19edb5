/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The codec of commit entries. An entry is a kind byte and its fields; a kind AS_OF sets the sequence of
 * those that follow. Numbers are varints; times are told as differences from mtime.
 */
#include "common/store/commit_entry.h"

#include <errno.h>

#include "common/base/varint.h"

#define KIND_AS_OF 0

static void put_bytes(struct buf *b, const void *data, size_t len_bytes)
{
	buf_put_varint(b, len_bytes);
	buf_put(b, data, len_bytes);
}

static void put_row(struct buf *b, const struct inode_row *row)
{
	const uint64_t numbers[] = {
		row->mode,	 row->nlink,	       row->uid,     row->gid, row->rdev,
		row->size_bytes, row->content_version, row->mtime_ns};
	const uint64_t times[] = {row->atime_ns, row->ctime_ns, row->btime_ns};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		buf_put_varint(b, numbers[i]);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		buf_put_varint(b, zigzag(times[i] - row->mtime_ns));
}

static void put_fields(struct buf *b, const struct commit_entry *entry)
{
	switch (entry->kind) {
	case COMMIT_STORE:
		buf_put_varint(b, entry->store.chunk_bytes);
		buf_put_varint(b, entry->store.pack_bytes);
		buf_put_varint(b, entry->store.created_ns);
		buf_put_varint(b, entry->store.commits);
		buf_put_varint(b, entry->store.committed_ns);
		buf_put_varint(b, entry->store.next_ino);
		buf_put_varint(b, entry->store.next_dentry);
		break;
	case COMMIT_INODE:
		buf_put_varint(b, entry->ino);
		put_row(b, &entry->row);
		break;
	case COMMIT_INODE_GONE:
		buf_put_varint(b, entry->ino);
		break;
	case COMMIT_DENTRY:
		buf_put_varint(b, entry->ino);
		buf_put_varint(b, entry->dentry.id);
		__attribute__((fallthrough));
	case COMMIT_DENTRY_GONE:
		buf_put_varint(b, entry->dentry.parent);
		put_bytes(b, entry->name, entry->name_bytes);
		break;
	case COMMIT_SYMLINK:
		buf_put_varint(b, entry->ino);
		put_bytes(b, entry->value, entry->value_bytes);
		break;
	case COMMIT_XATTR:
	case COMMIT_XATTR_GONE:
		buf_put_varint(b, entry->ino);
		put_bytes(b, entry->name, entry->name_bytes);
		if (entry->kind == COMMIT_XATTR)
			put_bytes(b, entry->value, entry->value_bytes);
		break;
	case COMMIT_CHUNKS_GONE:
		buf_put_varint(b, entry->ino);
		buf_put_varint(b, entry->range.first_idx);
		buf_put_varint(b, entry->range.end_idx);
		break;
	}
}

void commit_entry_put(struct buf *payload, uint64_t *as_of, const struct commit_entry *entry)
{
	if (entry->sequence != *as_of) {
		buf_put_u8(payload, KIND_AS_OF);
		buf_put_varint(payload, zigzag(entry->sequence - *as_of));
		*as_of = entry->sequence;
	}
	buf_put_u8(payload, (uint8_t)entry->kind);
	put_fields(payload, entry);
}

static const void *get_bytes(struct cursor *c, size_t *ret_bytes)
{
	uint64_t n = cursor_get_varint(c);

	if (n > cursor_left(c)) {
		c->bad = true;
		return NULL;
	}
	*ret_bytes = (size_t)n;
	return cursor_get(c, (size_t)n);
}

static uint32_t get_u32(struct cursor *c)
{
	uint64_t v = cursor_get_varint(c);

	c->bad |= v > UINT32_MAX;
	return (uint32_t)v;
}

static void get_row(struct cursor *c, struct inode_row *row)
{
	row->mode = get_u32(c);
	row->nlink = get_u32(c);
	row->uid = get_u32(c);
	row->gid = get_u32(c);
	row->rdev = cursor_get_varint(c);
	row->size_bytes = cursor_get_varint(c);
	row->content_version = cursor_get_varint(c);
	row->mtime_ns = cursor_get_varint(c);
	row->atime_ns = row->mtime_ns + unzigzag(cursor_get_varint(c));
	row->ctime_ns = row->mtime_ns + unzigzag(cursor_get_varint(c));
	row->btime_ns = row->mtime_ns + unzigzag(cursor_get_varint(c));
}

/* -ENOTSUP for a kind that is not known. */
static int get_fields(struct cursor *c, struct commit_entry *entry)
{
	if (entry->kind != COMMIT_STORE && entry->kind != COMMIT_DENTRY_GONE)
		entry->ino = cursor_get_varint(c);
	switch (entry->kind) {
	case COMMIT_STORE:
		entry->store.chunk_bytes = cursor_get_varint(c);
		entry->store.pack_bytes = cursor_get_varint(c);
		entry->store.created_ns = cursor_get_varint(c);
		entry->store.commits = cursor_get_varint(c);
		entry->store.committed_ns = cursor_get_varint(c);
		entry->store.next_ino = cursor_get_varint(c);
		entry->store.next_dentry = cursor_get_varint(c);
		return 0;
	case COMMIT_INODE:
		get_row(c, &entry->row);
		return 0;
	case COMMIT_INODE_GONE:
		return 0;
	case COMMIT_DENTRY:
		entry->dentry.id = cursor_get_varint(c);
		__attribute__((fallthrough));
	case COMMIT_DENTRY_GONE:
		entry->dentry.parent = cursor_get_varint(c);
		entry->name = get_bytes(c, &entry->name_bytes);
		return 0;
	case COMMIT_SYMLINK:
		entry->value = get_bytes(c, &entry->value_bytes);
		return 0;
	case COMMIT_XATTR:
		entry->name = get_bytes(c, &entry->name_bytes);
		entry->value = get_bytes(c, &entry->value_bytes);
		return 0;
	case COMMIT_XATTR_GONE:
		entry->name = get_bytes(c, &entry->name_bytes);
		return 0;
	case COMMIT_CHUNKS_GONE:
		entry->range.first_idx = cursor_get_varint(c);
		entry->range.end_idx = cursor_get_varint(c);
		return 0;
	}
	return -ENOTSUP;
}

int commit_entry_get(struct cursor *payload, uint64_t *as_of, struct commit_entry *ret)
{
	struct commit_entry entry = {0};
	uint8_t kind;
	int r;

	do {
		if (cursor_left(payload) == 0)
			return payload->bad ? -EBADMSG : 0;
		kind = cursor_get_u8(payload);
		if (kind == KIND_AS_OF)
			*as_of += unzigzag(cursor_get_varint(payload));
	} while (kind == KIND_AS_OF);
	entry.kind = kind;
	entry.sequence = *as_of;
	r = get_fields(payload, &entry);
	if (r < 0 || payload->bad)
		return payload->bad ? -EBADMSG : r;
	*ret = entry;
	return 1;
}
