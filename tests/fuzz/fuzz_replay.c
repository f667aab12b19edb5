/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packs of hostile content, rebuilt: whatever they say, an index comes out whose tree can be walked, or an
 * error. The input is a script that appends raw bytes, chunk records and commit records to two packs.
 */
#include "common/base/log.h"
#include "common/store/commit_record.h"
#include "common/store/frame.h"
#include "common/store/reader.h"
#include "common/store/rebuild.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t uuid[STORE_UUID_BYTES] = {1};

enum step { RAW, CHUNK, COMMIT, PART, NEXT_PACK, N_STEPS };

static void put_chunk(struct frame_codec *codec, struct cursor *c, struct buf *pack)
{
	struct frame_header h = {.type = RECORD_CHUNK,
				 .ino = cursor_get_u8(c),
				 .off_bytes = (uint64_t)cursor_get_u8(c) * CHUNK_BYTES_MIN,
				 .sequence = cursor_get_u8(c),
				 .raw_bytes = 1};
	uint8_t content = cursor_get_u8(c), frame[64];
	size_t frame_bytes;

	MUST(frame_bound(1) <= sizeof(frame));
	MUST(frame_pack(codec, &content, 1, 1, frame, &frame_bytes) == 0);
	memcpy(h.store_uuid, uuid, sizeof(uuid));
	h.stored_bytes = (uint32_t)frame_bytes;
	h.checksum = frame_checksum(frame, frame_bytes);
	frame_header_put(pack, &h);
	buf_put(pack, frame, frame_bytes);
}

static void put_commit(struct frame_codec *codec, struct cursor *c, bool part, struct buf *pack)
{
	_cleanup_(buf_done) struct buf payload = BUF_INIT;
	uint64_t sequence = cursor_get_u8(c);
	uint64_t n_parts = part ? cursor_get_u8(c) % 4 + 1u : 1;
	uint64_t number = part ? cursor_get_u8(c) % n_parts : 0;
	size_t n;
	const uint8_t *data = take_piece(c, &n);

	buf_put(&payload, data, n);
	if (payload.len_bytes)
		(void)commit_record_put(codec, uuid, sequence, number, n_parts, &payload, pack);
}

static void run_script(struct frame_codec *codec, struct cursor *c, struct buf packs[2])
{
	size_t n, pack = 0;
	const uint8_t *data;

	while (cursor_left(c) > 0) {
		switch ((enum step)(cursor_get_u8(c) % N_STEPS)) {
		case RAW:
			data = take_piece(c, &n);
			buf_put(&packs[pack], data, n);
			break;
		case CHUNK:
			put_chunk(codec, c, &packs[pack]);
			break;
		case COMMIT:
			put_commit(codec, c, false, &packs[pack]);
			break;
		case PART:
			put_commit(codec, c, true, &packs[pack]);
			break;
		case NEXT_PACK:
			pack = 1;
			break;
		case N_STEPS:
			break;
		}
	}
}

static int look_at(const struct staged_entry *entry, void *arg, struct err *e)
{
	unsigned *n = arg;

	(void)e;
	MUST(entry->path[0] && entry->name[0] && !strchr(entry->name, '/'));
	MUST(entry->path[0] != '/' && strcmp(entry->name, "..") != 0);
	return ++*n > 100000; /* no input is long enough for so many names */
}

static void check_result(const char *dir)
{
	_cleanup_(reader_freep) struct reader *reader = NULL;
	unsigned n = 0;
	struct err e = {0};

	if (reader_open(dir, &reader, &e) < 0 || reader_walk(reader, look_at, &n, &e) != 0) {
		(void)fprintf(stderr, "%s\n", e.text);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	static struct frame_codec *codec;
	static const struct rebuild_options options;
	static const char *const made[] = {"index.db", "index.db-wal", "index.db-shm"};
	struct buf packs[2] = {BUF_INIT, BUF_INIT};
	struct cursor c = cursor_over(data, len_bytes);
	struct rebuild_summary sum;
	const char *dir = fuzz_store();
	char path[128];

	if (!codec) {
		log_open("fuzz", LOG_LEVEL_ERROR, false);
		MUST(frame_codec_new(&codec, NULL) == 0);
	}
	run_script(codec, &c, packs);
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/packs/%08u.pack", dir, i + 1);
		write_whole(path, packs[i].data, packs[i].len_bytes);
		buf_done(&packs[i]);
	}
	if (rebuild_store(dir, &options, &sum, NULL) == 0)
		check_result(dir);
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, made[i]);
		(void)unlink(path);
	}
	return 0;
}
