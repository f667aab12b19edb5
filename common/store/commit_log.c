/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entries of one batch, in as many payloads as they need. */
#include "common/store/commit_log.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/store/commit_record.h"

/* A payload that is longer gets no more entries; the longest entry is an attribute of 64 KiB. */
#define PART_BYTES (RECORD_PAYLOAD_BYTES_MAX / 2)

struct commit_log {
	struct frame_codec *codec;
	struct buf *parts; /* n_parts of them are in use */
	size_t n_parts, capacity;
	uint64_t as_of; /* of the last part */
	bool failed;	/* an allocation failed */
};

int commit_log_new(struct commit_log **ret, struct err *e)
{
	struct commit_log *log = calloc(1, sizeof(*log));
	int r;

	if (!log)
		return err_oom(e);
	r = frame_codec_new(&log->codec, e);
	if (r < 0) {
		free(log);
		return r;
	}
	*ret = log;
	return 0;
}

void commit_log_free(struct commit_log *log)
{
	if (!log)
		return;
	for (size_t i = 0; i < log->capacity; i++)
		buf_done(&log->parts[i]);
	frame_codec_free(log->codec);
	free(log->parts);
	free(log);
}

void commit_log_reset(struct commit_log *log)
{
	/* One part is kept for the next batch: most need no more. */
	for (size_t i = 1; i < log->capacity; i++)
		buf_done(&log->parts[i]);
	log->n_parts = 0;
	log->failed = false;
}

bool commit_log_is_empty(const struct commit_log *log)
{
	return log->n_parts == 0 && !log->failed;
}

static struct buf *start_part(struct commit_log *log)
{
	if (log->n_parts == log->capacity) {
		size_t capacity = log->capacity ? log->capacity * 2 : 4;
		struct buf *grown = reallocarray(log->parts, capacity, sizeof(*grown));

		if (!grown)
			return NULL;
		memset(grown + log->capacity, 0, (capacity - log->capacity) * sizeof(*grown));
		log->parts = grown;
		log->capacity = capacity;
	}
	log->as_of = 0;
	buf_reset(&log->parts[log->n_parts]);
	return &log->parts[log->n_parts++];
}

void commit_log_entry(struct commit_log *log, const struct commit_entry *entry)
{
	struct buf *part = log->n_parts ? &log->parts[log->n_parts - 1] : NULL;

	if (!part || part->len_bytes > PART_BYTES)
		part = start_part(log);
	if (part)
		commit_entry_put(part, &log->as_of, entry);
	else
		log->failed = true;
}

/* Entries of another pack's commit records, with the sequences they have. */
static void add_copies(struct commit_log *log, const struct change *c)
{
	struct cursor payload = cursor_over(c->value, c->value_bytes);
	struct commit_entry entry;
	uint64_t as_of = 0;

	while (commit_entry_get(&payload, &as_of, &entry) == 1)
		commit_log_entry(log, &entry);
}

void commit_log_change(struct commit_log *log, uint64_t sequence, const struct change *c,
		       int64_t stored_delta)
{
	struct commit_entry entry = {.sequence = sequence,
				     .ino = c->ino,
				     .name = c->name,
				     .name_bytes = c->name ? strlen(c->name) : 0,
				     .value = c->value,
				     .value_bytes = c->value_bytes};

	switch (c->kind) {
	case CHANGE_INODE_GONE:
		entry.kind = COMMIT_INODE_GONE;
		break;
	case CHANGE_DENTRY:
		entry.kind = COMMIT_DENTRY;
		entry.dentry.id = c->dentry.id;
		entry.dentry.parent = c->dentry.parent;
		break;
	case CHANGE_DENTRY_GONE:
		entry.kind = COMMIT_DENTRY_GONE;
		entry.dentry.parent = c->dentry.parent;
		break;
	case CHANGE_SYMLINK:
		entry.kind = COMMIT_SYMLINK;
		break;
	case CHANGE_XATTR:
		entry.kind = COMMIT_XATTR;
		break;
	case CHANGE_XATTR_GONE:
		entry.kind = COMMIT_XATTR_GONE;
		break;
	case CHANGE_CHUNKS_GONE:
		entry.kind = COMMIT_CHUNKS_GONE;
		entry.range.first_idx = c->range.first_idx;
		entry.range.end_idx = c->range.end_idx;
		break;
	case CHANGE_CHUNK:
		entry.kind = COMMIT_CHUNKS_GONE;
		entry.range.first_idx = c->chunk.idx;
		entry.range.end_idx = c->chunk.idx + 1;
		break;
	case CHANGE_LOG_COPY:
		add_copies(log, c);
		return;
	case CHANGE_INODE:
	case CHANGE_ORPHAN:
	case CHANGE_ORPHAN_GONE:
	case CHANGE_MOVE:
	case CHANGE_PACK_GONE:
	case CHANGE_PACK_SEALED:
		return;
	}
	/* Where nothing was stored, nothing is gone; content has a record of its own. */
	if (entry.kind == COMMIT_CHUNKS_GONE &&
	    (stored_delta == 0 || (c->kind == CHANGE_CHUNK && c->chunk.place.stored_bytes)))
		return;
	commit_log_entry(log, &entry);
}

int commit_log_put(struct commit_log *log, const uint8_t uuid[STORE_UUID_BYTES], uint64_t sequence,
		   struct buf *out, struct err *e)
{
	if (log->failed || log->n_parts == 0)
		return err_oom(e);
	for (size_t i = 0; i < log->n_parts; i++) {
		int r = buf_error(&log->parts[i]);

		if (r == 0)
			r = commit_record_put(log->codec, uuid, sequence, i, log->n_parts,
					      &log->parts[i], out);
		if (r < 0)
			return err_oom(e);
	}
	return 0;
}
