/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What commit entries can say: those read from packs are not trusted beyond being well-formed. */
#include <string.h>
#include <sys/stat.h>

#include "common/store/commit_entry.h"
#include "common/store/names.h"

static bool number_possible(uint64_t number)
{
	return number > 0 && number < INT64_MAX;
}

static bool bytes_possible(const void *data, size_t len_bytes, size_t max_bytes)
{
	return len_bytes > 0 && len_bytes <= max_bytes && !memchr(data, '\0', len_bytes);
}

bool commit_entry_possible(const struct commit_entry *entry)
{
	if (entry->sequence > INT64_MAX ||
	    (entry->kind != COMMIT_STORE && entry->kind != COMMIT_DENTRY_GONE &&
	     !number_possible(entry->ino)))
		return false;
	switch (entry->kind) {
	case COMMIT_STORE:
		return chunk_bytes_possible(entry->store.chunk_bytes) &&
		       entry->store.pack_bytes >= MiB && entry->store.pack_bytes <= INT64_MAX &&
		       number_possible(entry->store.next_ino) &&
		       number_possible(entry->store.next_dentry);
	case COMMIT_INODE:
		return entry->row.size_bytes <= INT64_MAX && (entry->row.mode & ~07777u & S_IFMT);
	case COMMIT_INODE_GONE:
		return true;
	case COMMIT_DENTRY:
		return number_possible(entry->dentry.parent) && number_possible(entry->dentry.id) &&
		       name_possible(entry->name, entry->name_bytes);
	case COMMIT_DENTRY_GONE:
		return number_possible(entry->dentry.parent) &&
		       name_possible(entry->name, entry->name_bytes);
	case COMMIT_SYMLINK:
		return bytes_possible(entry->value, entry->value_bytes, SYMLINK_MAX_BYTES);
	case COMMIT_XATTR:
	case COMMIT_XATTR_GONE:
		return bytes_possible(entry->name, entry->name_bytes, NAME_MAX_BYTES);
	case COMMIT_CHUNKS_GONE:
		return entry->range.first_idx <= INT64_MAX;
	}
	return false;
}
