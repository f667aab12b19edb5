/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The packs behind the committed end are looked through for commits that were followed by another one. */
#include "common/store/beyond.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/store/commit_entry.h"
#include "common/store/commit_record.h"
#include "common/store/pack.h"
#include "common/store/pack_list.h"
#include "common/store/pack_scan.h"

struct beyond {
	struct store *store;
	struct frame_codec *codec;
	uint64_t newest; /* count of the newest commit that was found */
};

/* The count that a commit's entry STORE tells; 0 when the payload has none. */
static uint64_t commits_of(const struct buf *payload)
{
	struct cursor c = cursor_over(payload->data, payload->len_bytes);
	struct commit_entry entry;
	uint64_t as_of = 0, commits = 0;

	while (commit_entry_get(&c, &as_of, &entry) > 0)
		if (entry.kind == COMMIT_STORE)
			commits = entry.store.commits;
	return commits;
}

/* What is torn or damaged here was never committed: nothing is known from it. */
static int see_commit(struct beyond *b, int fd, const struct pack_span *span, struct err *e)
{
	_cleanup_(buf_done) struct buf payload = BUF_INIT;
	size_t n, want = span->header.stored_bytes;
	_cleanup_free_ uint8_t *body = malloc(want);
	int r;

	if (!body)
		return err_oom(e);
	r = fd_pread(fd, body, want, span->frame_off_bytes, &n);
	if (r < 0)
		return err_set(e, -r, "at %" PRIu64 ": %s", span->off_bytes, strerror(-r));
	if (n == want && commit_record_get(b->codec, &span->header, body, &payload, NULL) == 0)
		b->newest = MAX(b->newest, commits_of(&payload));
	return 0;
}

static int look_through(struct beyond *b, uint32_t pack, uint64_t from_bytes, struct err *e)
{
	_cleanup_(pack_scan_freep) struct pack_scan *scan = NULL;
	char name[PACK_NAME_BYTES];
	_cleanup_fd_ int fd = openat(b->store->packs_fd, pack_name(pack, name),
				     O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct pack_span span;
	int r;

	if (fd < 0)
		return err_sys(e, "cannot open 'packs/%s'", name);
	r = pack_scan_new(fd, b->store->uuid, UINT64_MAX, &scan, e);
	if (r == 0)
		pack_scan_seek(scan, from_bytes);
	while (r == 0 && (r = pack_scan_next(scan, &span, e)) > 0)
		r = span.kind == SPAN_RECORD && span.header.type == RECORD_COMMIT
			    ? see_commit(b, fd, &span, e)
			    : 0;
	return r < 0 ? err_wrap(e, r, "'packs/%s'", name) : 0;
}

static int look_through_all(struct beyond *b, const struct pack_row *last, struct err *e)
{
	_cleanup_free_ struct pack_file *packs = NULL;
	size_t n;
	int r = pack_list(b->store->packs_fd, &packs, &n, e);

	for (size_t i = 0; r == 0 && i < n; i++) {
		uint64_t from = packs[i].pack == last->pack ? last->size_bytes : 0;

		if (packs[i].pack >= last->pack && packs[i].size_bytes > from)
			r = look_through(b, packs[i].pack, from, e);
	}
	return r;
}

int beyond_check(struct store *store, const struct pack_row *last, struct err *e)
{
	struct beyond b = {.store = store};
	int r = frame_codec_new(&b.codec, e);

	if (r == 0)
		r = look_through_all(&b, last, e);
	frame_codec_free(b.codec);
	/* The one that comes next may be there without having become durable in the index. */
	if (r < 0 || b.newest <= store->commits + 1)
		return r;
	r = err_set(e, ESTALE,
		    "the index is older than the packs: it knows %" PRIu64
		    " commits, they hold %" PRIu64,
		    store->commits, b.newest);
	return err_hint(e, r, "'seedfs rebuild %s' brings the index up to the packs", store->path);
}
