/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every commit has an entry about the store, so that the first one found will do. */
#include "common/store/replay_store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/store/commit_entry.h"
#include "common/store/commit_record.h"
#include "common/store/names.h"
#include "common/store/pack.h"
#include "common/store/pack_scan.h"

int replay_open_pack(int packs_fd, uint32_t pack, int *ret_fd, struct err *e)
{
	char name[PACK_NAME_BYTES];
	int fd = openat(packs_fd, pack_name(pack, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_sys(e, "cannot open 'packs/%s'", name);
	*ret_fd = fd;
	return 0;
}

int replay_read_commit(struct frame_codec *codec, int fd, const struct frame_header *h,
		       uint64_t frame_off_bytes, struct buf *body, struct buf *payload,
		       struct err *e)
{
	uint8_t *data;
	int r;

	buf_reset(body);
	data = buf_extend(body, h->stored_bytes);
	if (!data)
		return err_oom(e);
	r = fd_pread_full(fd, data, h->stored_bytes, frame_off_bytes);
	if (r < 0)
		return err_set(e, -r, "cannot read the pack: %s", strerror(-r));
	return commit_record_get(codec, h, data, payload, e);
}

/* Whether the payload has an entry about the store. */
static bool find_entry(const struct buf *payload, struct replay_store *ret)
{
	struct cursor c = cursor_over(payload->data, payload->len_bytes);
	struct commit_entry entry;
	uint64_t as_of = 0;

	while (commit_entry_get(&c, &as_of, &entry) == 1) {
		if (entry.kind != COMMIT_STORE || !chunk_bytes_possible(entry.store.chunk_bytes))
			continue;
		ret->chunk_bytes = (uint32_t)entry.store.chunk_bytes;
		return true;
	}
	return false;
}

/* 1 = found in this pack, 0 = not. */
static int look_into(const struct replay_options *o, const struct pack_file *file,
		     struct frame_codec *codec, struct replay_store *ret, struct err *e)
{
	_cleanup_(pack_scan_freep) struct pack_scan *scan = NULL;
	_cleanup_(buf_done) struct buf body = BUF_INIT, payload = BUF_INIT;
	_cleanup_fd_ int fd = -1;
	struct pack_span span;
	int r = replay_open_pack(o->packs_fd, file->pack, &fd, e);

	if (r == 0)
		r = pack_scan_new(fd, o->uuid, file->size_bytes, &scan, e);
	while (r == 0 && (r = pack_scan_next(scan, &span, e)) > 0) {
		r = 0;
		if (span.kind != SPAN_RECORD || span.header.type != RECORD_COMMIT)
			continue;
		r = replay_read_commit(codec, fd, &span.header, span.frame_off_bytes, &body,
				       &payload, e);
		if (r == 0 && find_entry(&payload, ret)) {
			memcpy(ret->uuid, span.header.store_uuid, STORE_UUID_BYTES);
			return 1;
		}
		if (r == -EBADMSG)
			r = 0;
	}
	return r;
}

int replay_find_store(const struct replay_options *options, struct replay_store *ret, struct err *e)
{
	_cleanup_(frame_codec_freep) struct frame_codec *codec = NULL;
	int r = frame_codec_new(&codec, e);

	for (size_t i = 0; r == 0 && i < options->n_packs; i++) {
		r = look_into(options, &options->packs[i], codec, ret, e);
		if (r < 0)
			return err_wrap(e, r, "pack %08" PRIu32, options->packs[i].pack);
	}
	if (r == 0)
		return err_set(e, ENODATA, "the packs hold no commit record");
	return r < 0 ? r : 0;
}
