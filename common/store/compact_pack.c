/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A walk over a pack's records in their order. The index says which chunks are alive; a row that changes
 * meanwhile wins, since the committer moves a chunk only from where it was seen.
 */
#include "common/store/compact_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/store/commit_record.h"
#include "common/store/pack.h"
#include "common/store/pack_scan.h"

#define SET_BYTES_MAX \
	(1 * MiB) /* a set is handed over at this size: the mount must not wait long for it */

struct compaction {
	struct store *store;
	struct writer *writer;
	struct catalog *catalog;
	uint32_t pack;
	bool lowest;
	_Atomic bool const *stop;
	int fd;
	struct frame_codec *codec;
	struct change_set *set; /* being filled */
	size_t set_bytes;
	struct buf kept; /* entries to copy */
	uint64_t kept_as_of;
	struct buf copied; /* all of them */
	uint64_t copied_as_of;
};

static int hand_over(struct compaction *k, struct err *e)
{
	int r;

	if (k->kept.len_bytes) {
		r = buf_error(&k->kept);
		if (r < 0)
			return err_oom(e);
		change_log_copy(k->set, k->kept.data, k->kept.len_bytes);
		buf_reset(&k->kept);
		k->kept_as_of = 0;
	}
	r = writer_submit(k->writer, &k->set, NULL);
	k->set_bytes = 0;
	k->set = change_set_new();
	if (r < 0)
		return err_set(e, -r, "handing over what was copied: %s", strerror(-r));
	return k->set ? 0 : err_oom(e);
}

static int read_record(struct compaction *k, const struct pack_span *span, struct buf *record,
		       struct err *e)
{
	size_t want = (size_t)(span->end_bytes - span->off_bytes), n;
	uint8_t *data = buf_extend(record, want);
	const uint8_t *frame;
	int r;

	if (!data)
		return err_oom(e);
	r = fd_pread(k->fd, data, want, span->off_bytes, &n);
	if (r < 0)
		return err_set(e, -r, "at %" PRIu64 ": %s", span->off_bytes, strerror(-r));
	frame = data + (span->frame_off_bytes - span->off_bytes);
	if (n < want || frame_checksum(frame, span->header.stored_bytes) != span->header.checksum)
		return err_set(e, EBADMSG, "at %" PRIu64 ": checksum differs",
			       span->frame_off_bytes);
	return 0;
}

static bool still_stands(struct compaction *k, uint64_t ino, uint64_t idx,
			 const struct chunk_place *place)
{
	struct chunk_place now;

	return catalog_chunks(k->catalog, ino, idx, 1, &now) < 0 ||
	       (now.stored_bytes && chunk_place_equal(&now, place));
}

/* A chunk's record goes along when the index says that this is where the chunk stands. */
static int move_chunk(struct compaction *k, const struct pack_span *span, struct err *e)
{
	const struct frame_header *h = &span->header;
	_cleanup_(buf_done) struct buf record = BUF_INIT;
	uint64_t idx = h->off_bytes / k->store->chunk_bytes;
	struct chunk_place place;
	int r = catalog_chunks(k->catalog, h->ino, idx, 1, &place);

	if (r < 0)
		return err_set(e, -r, "asking the index");
	if (place.stored_bytes == 0 || place.pack != k->pack ||
	    place.off_bytes != span->frame_off_bytes)
		return 0;
	if (place.stored_bytes != h->stored_bytes || place.checksum != h->checksum)
		return err_set(e, EBADMSG, "at %" PRIu64 ": the index knows another frame there",
			       span->frame_off_bytes);
	r = read_record(k, span, &record, e);
	if (r == -EBADMSG && !still_stands(k, h->ino, idx, &place))
		return 0; /* overwritten since, and its space given back */
	if (r < 0)
		return r;
	k->set_bytes += record.len_bytes;
	change_move(k->set, h->ino, idx, &place, &record);
	return k->set_bytes >= SET_BYTES_MAX ? hand_over(k, e) : 0;
}

static int copy_entries(struct compaction *k, const struct buf *payload, struct err *e)
{
	struct cursor c = cursor_over(payload->data, payload->len_bytes);
	struct commit_entry entry;
	uint64_t as_of = 0;
	int r;

	while ((r = commit_entry_get(&c, &as_of, &entry)) > 0) {
		r = compact_keeps_entry(k->catalog, &entry, k->lowest);
		if (r < 0)
			return err_set(e, -r, "asking the index");
		if (r > 0) {
			commit_entry_put(&k->kept, &k->kept_as_of, &entry);
			commit_entry_put(&k->copied, &k->copied_as_of, &entry);
		}
		if (k->kept.len_bytes >= SET_BYTES_MAX) {
			r = hand_over(k, e);
			if (r < 0)
				return r;
		}
	}
	return r < 0 ? err_set(e, -r, "a commit record has an entry that cannot be") : 0;
}

static int copy_commit(struct compaction *k, const struct pack_span *span, struct err *e)
{
	_cleanup_(buf_done) struct buf record = BUF_INIT, payload = BUF_INIT;
	int r = read_record(k, span, &record, e);

	if (r == 0)
		r = commit_record_get(k->codec, &span->header,
				      record.data + (span->frame_off_bytes - span->off_bytes),
				      &payload, e);
	return r < 0 ? r : copy_entries(k, &payload, e);
}

static int copy_span(struct compaction *k, const struct pack_span *span, struct err *e)
{
	switch (span->kind) {
	case SPAN_RECORD:
		return span->header.type == RECORD_CHUNK ? move_chunk(k, span, e)
							 : copy_commit(k, span, e);
	case SPAN_PUNCHED:
		return 0;
	case SPAN_FOREIGN:
		return err_set(e, EBADMSG, "at %" PRIu64 ": a record that is not understood",
			       span->off_bytes);
	case SPAN_DAMAGED:
	case SPAN_TORN:
		break;
	}
	return err_set(e, EBADMSG, "at %" PRIu64 ": no record", span->off_bytes);
}

static int copy_all(struct compaction *k, struct err *e)
{
	_cleanup_(pack_scan_freep) struct pack_scan *scan = NULL;
	struct pack_span span;
	off_t end = lseek(k->fd, 0, SEEK_END);
	int r;

	if (end < 0)
		return err_sys(e, "its length");
	r = pack_scan_new(k->fd, k->store->uuid, (uint64_t)end, &scan, e);
	while (r == 0 && (r = pack_scan_next(scan, &span, e)) > 0) {
		if (k->stop && atomic_load(k->stop))
			return err_set(e, ECANCELED, "stopped");
		r = copy_span(k, &span, e);
	}
	return r < 0 ? r : hand_over(k, e);
}

/*
 * An entry was looked at, and copied some time later: what it speaks of may have gone in between, and then its
 * tombstone stands before the copy and does not outlive it. So the copy gets one of its own, with the same
 * sequence, of which the later one counts.
 */
static int bury_what_went(struct compaction *k, struct err *e)
{
	struct cursor c = cursor_over(k->copied.data, k->copied.len_bytes);
	struct commit_entry entry;
	uint64_t as_of = 0;
	int r = buf_error(&k->copied);

	if (r < 0)
		return err_oom(e);
	while ((r = commit_entry_get(&c, &as_of, &entry)) > 0) {
		r = compact_entry_went(k->catalog, &entry);
		if (r < 0)
			return err_set(e, -r, "asking the index");
		if (r > 0)
			commit_entry_put(&k->kept, &k->kept_as_of, &entry);
	}
	return k->kept.len_bytes ? hand_over(k, e) : 0;
}

static int find_pack(const struct catalog_pack *pack, void *arg)
{
	const uint32_t *wanted = arg;

	return pack->pack == *wanted;
}

/* Everything copied must be durable before the row goes, and the row before the file (the committer's part). */
static int remove_pack(struct compaction *k, struct err *e)
{
	int r = writer_sync(k->writer);

	if (r == 0) {
		r = bury_what_went(k, e);
		if (r < 0)
			return r;
		change_pack_gone(k->set, k->pack);
		r = writer_submit(k->writer, &k->set, NULL);
	}
	if (r == 0)
		r = writer_sync(k->writer);
	if (r == 0)
		r = catalog_packs(k->catalog, find_pack, &k->pack);
	if (r > 0)
		return err_set(e, EBADMSG, "chunks refer to records that are not in it");
	return r < 0 ? err_set(e, -r, "committing: %s", strerror(-r)) : 0;
}

int compact_pack(struct store *store, struct writer *w, struct catalog *c, uint32_t pack,
		 bool lowest, const atomic_bool *stop, struct err *e)
{
	struct compaction k = {.store = store,
			       .writer = w,
			       .catalog = c,
			       .pack = pack,
			       .lowest = lowest,
			       .stop = stop,
			       .set = change_set_new()};
	char name[PACK_NAME_BYTES];
	int r = k.set ? frame_codec_new(&k.codec, e) : err_oom(e);

	k.fd = openat(store->packs_fd, pack_name(pack, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (r == 0 && k.fd < 0)
		r = err_sys(e, "cannot open it");
	if (r == 0)
		r = copy_all(&k, e);
	if (r == 0)
		r = remove_pack(&k, e);
	if (k.fd >= 0)
		(void)close(k.fd);
	frame_codec_free(k.codec);
	buf_done(&k.kept);
	buf_done(&k.copied);
	change_set_free(k.set);
	return r < 0 ? err_wrap(e, r, "'packs/%s'", name) : 0;
}
