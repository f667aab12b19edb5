/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames read from packs in runs. The frames of a file that was written in one stream lie one behind
 * the other, apart only by record headers; a run reads over such small gaps.
 */
#include "common/store/fetcher.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/store/frame.h"
#include "common/store/pack_files.h"

#define RUN_BYTES_MAX (2 * MiB) /* holds the largest frame */
#define GAP_BYTES_MAX (64 * KiB)

struct fetcher {
	struct pack_files *packs;
	struct frame_codec *codec;
	uint8_t *run;	  /* RUN_BYTES_MAX: frames as they lie in the pack */
	uint8_t *content; /* CHUNK_BYTES_MAX: of a chunk that is wanted in part */
};

int fetcher_new(int packs_fd, struct fetcher **ret, struct err *e)
{
	_cleanup_(pack_files_freep) struct pack_files *packs = NULL;
	_cleanup_(fetcher_freep) struct fetcher *f = NULL;
	int r = pack_files_new(packs_fd, &packs, e);

	if (r < 0)
		return r;
	f = calloc(1, sizeof(*f));
	if (!f)
		return err_oom(e);
	f->packs = take_ptr(packs);
	f->run = malloc(RUN_BYTES_MAX);
	f->content = malloc(CHUNK_BYTES_MAX);
	if (!f->run || !f->content)
		return err_oom(e);
	r = frame_codec_new(&f->codec, e);
	if (r < 0)
		return r;
	*ret = take_ptr(f);
	return 0;
}

void fetcher_free(struct fetcher *f)
{
	if (!f)
		return;
	pack_files_free(f->packs);
	frame_codec_free(f->codec);
	free(f->run);
	free(f->content);
	free(f);
}

void fetcher_forget(struct fetcher *f)
{
	pack_files_forget(f->packs);
}

bool chunk_place_possible(const struct chunk_place *place, uint32_t chunk_bytes)
{
	return place->raw_bytes > 0 && place->raw_bytes <= chunk_bytes && place->stored_bytes > 0 &&
	       place->stored_bytes <= frame_bound(place->raw_bytes) &&
	       place->off_bytes <= INT64_MAX / 2;
}

static uint64_t end_of(const struct chunk_place *place)
{
	return place->off_bytes + place->stored_bytes;
}

/* How many of the n parts, from the first on, can be read from their pack in one go. */
static size_t count_run(const struct fetch *wanted, size_t n)
{
	const struct chunk_place *first = &wanted[0].place;
	size_t i;

	for (i = 1; i < n; i++) {
		const struct chunk_place *last = &wanted[i - 1].place, *next = &wanted[i].place;

		if (next->pack != first->pack || next->off_bytes < end_of(last) ||
		    next->off_bytes - end_of(last) > GAP_BYTES_MAX ||
		    end_of(next) - first->off_bytes > RUN_BYTES_MAX)
			break;
	}
	return i;
}

static int unpack(struct fetcher *f, const struct fetch *want, const uint8_t *frame, struct err *e)
{
	const struct chunk_place *place = &want->place;
	bool direct = want->from_bytes == 0 && want->len_bytes >= place->raw_bytes;
	uint8_t *content = direct ? want->data : f->content;
	size_t have = place->raw_bytes > want->from_bytes ? place->raw_bytes - want->from_bytes : 0;
	int r = frame_unpack(f->codec, frame, place->stored_bytes, place->checksum, content,
			     place->raw_bytes, e);

	if (r < 0)
		return r;
	have = MIN(have, want->len_bytes);
	if (!direct)
		memcpy(want->data, content + want->from_bytes, have);
	memset((uint8_t *)want->data + have, 0, want->len_bytes - have);
	return 0;
}

/* Reads the bytes from the first to the last frame of a run; what they are is checked per frame. */
static int load_run(struct fetcher *f, const struct fetch *run, size_t n, size_t *ret_bytes,
		    struct err *e)
{
	const struct chunk_place *first = &run[0].place;
	int fd, r = pack_files_get(f->packs, first->pack, &fd, e);

	if (r < 0)
		return r;
	r = fd_pread(fd, f->run, end_of(&run[n - 1].place) - first->off_bytes, first->off_bytes,
		     ret_bytes);
	if (r < 0)
		return err_set(e, -r, "cannot read the pack: %s", strerror(-r));
	return 0;
}

static int wrap_place(struct err *e, int r, const struct chunk_place *place)
{
	return err_wrap(e, r, "pack %08" PRIu32 " at %" PRIu64, place->pack, place->off_bytes);
}

static int read_run(struct fetcher *f, const struct fetch *run, size_t n, struct err *e)
{
	uint64_t start = run[0].place.off_bytes;
	size_t loaded;
	int r = load_run(f, run, n, &loaded, e);

	if (r < 0)
		return wrap_place(e, r, &run[0].place);
	for (size_t i = 0; i < n; i++) {
		const struct chunk_place *place = &run[i].place;

		if (end_of(place) - start > loaded)
			r = err_set(e, EBADMSG, "the pack ends before");
		else
			r = unpack(f, &run[i], f->run + (place->off_bytes - start), e);
		if (r < 0)
			return wrap_place(e, r, place);
	}
	return 0;
}

int fetcher_read(struct fetcher *f, const struct fetch *wanted, size_t n, struct err *e)
{
	while (n > 0) {
		size_t n_run = count_run(wanted, n);
		int r = read_run(f, wanted, n_run, e);

		if (r < 0)
			return r;
		wanted += n_run;
		n -= n_run;
	}
	return 0;
}
