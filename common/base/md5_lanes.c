/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages onto lanes. A lane takes the whole blocks of its message where they lie, then its tail: what is
 * left, padded (RFC 1321, 3.1 and 3.2) in memory of its own. All lanes advance by as many blocks as the one
 * that has fewest; one that ends takes the next message. Lanes in use are the first, without gaps, so that
 * the narrowest function that holds them will do.
 */
#include "common/base/md5_lanes.h"

#include <string.h>

#include "common/base/le.h"
#include "common/base/macros.h"
#include "common/base/md5_blocks.h"

#define LENGTH_BYTES  8 /* of the message's length in bits, at its end */
#define TAIL_BYTES    (2 * MD5_BLOCK_BYTES)
#define FUNCTIONS_MAX 4

struct function {
	unsigned lanes;
	md5_blocks_function *blocks;
};

/* The functions of a way, narrowest first. */
struct way {
	const char *name;
	struct function functions[FUNCTIONS_MAX];
	unsigned n_functions;
};

static const struct way ways[MD5_WAYS] = {
	[MD5_SCALAR] = {"scalar", {{1, md5_blocks_1}}, 1},
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	[MD5_VECTOR] = {"vector", {{1, md5_blocks_1}, {4, md5_blocks_4}, {8, md5_blocks_8}}, 3},
#else
	/* Vectors are loaded as they lie in memory. */
	[MD5_VECTOR] = {"vector", {{1, md5_blocks_1}}, 1},
#endif
#ifdef MD5_ON_X86
	[MD5_AVX2] = {"AVX2",
		      {{1, md5_blocks_1},
		       {4, md5_blocks_4},
		       {8, md5_blocks_avx2_8},
		       {16, md5_blocks_avx2_16}},
		      4},
	[MD5_AVX512] = {"AVX-512",
			{{1, md5_blocks_1},
			 {4, md5_blocks_avx512_4},
			 {8, md5_blocks_avx512_8},
			 {16, md5_blocks_avx512_16}},
			4},
#else
	[MD5_AVX2] = {"AVX2", {{0}}, 0},
	[MD5_AVX512] = {"AVX-512", {{0}}, 0},
#endif
};

struct lane {
	uint8_t *md5;
	uint64_t len_bytes;
	size_t n_blocks; /* ahead: of the message, then of its tail; 0 = the lane is not in use */
	bool in_tail;
	uint8_t *tail; /* TAIL_BYTES */
};

struct hasher {
	const struct way *way;
	const struct md5_message *next, *end;
	struct md5_state state;
	struct lane lanes[MD5_LANES_MAX];
	unsigned n_lanes; /* in use */
	uint8_t tails[MD5_LANES_MAX][TAIL_BYTES];
};

static unsigned most_lanes(const struct way *way)
{
	return way->n_functions ? way->functions[way->n_functions - 1].lanes : 0;
}

/* Behind the last whole block: 80, zeros, and the length in bits. */
static void begin_tail(struct hasher *h, unsigned i)
{
	struct lane *lane = &h->lanes[i];
	size_t left = lane->len_bytes % MD5_BLOCK_BYTES;

	lane->n_blocks = left + 1 + LENGTH_BYTES <= MD5_BLOCK_BYTES ? 1 : 2;
	lane->in_tail = true;
	memset(lane->tail, 0, TAIL_BYTES);
	if (left)
		memcpy(lane->tail, h->state.at[i], left);
	lane->tail[left] = 0x80;
	le64_store(lane->tail + lane->n_blocks * MD5_BLOCK_BYTES - LENGTH_BYTES,
		   lane->len_bytes * 8);
	h->state.at[i] = lane->tail;
}

static void begin_message(struct hasher *h, unsigned i, const struct md5_message *m)
{
	static const uint32_t first[MD5_STATE_WORDS] = {0x67452301, 0xefcdab89, 0x98badcfe,
							0x10325476};
	struct lane *lane = &h->lanes[i];

	for (unsigned word = 0; word < MD5_STATE_WORDS; word++)
		h->state.words[word][i] = first[word];
	lane->md5 = m->md5;
	lane->len_bytes = m->len_bytes;
	lane->n_blocks = m->len_bytes / MD5_BLOCK_BYTES;
	lane->in_tail = false;
	h->state.at[i] = m->data;
	if (lane->n_blocks == 0)
		begin_tail(h, i);
}

/* The last lane moves to where one has ended. */
static void close_gap(struct hasher *h, unsigned gap)
{
	unsigned last = --h->n_lanes;
	struct lane ended = h->lanes[gap];

	for (unsigned word = 0; word < MD5_STATE_WORDS; word++)
		h->state.words[word][gap] = h->state.words[word][last];
	h->state.at[gap] = h->state.at[last];
	h->lanes[gap] = h->lanes[last];
	h->lanes[last] = ended; /* each tail keeps one owner */
}

static void end_blocks(struct hasher *h, unsigned i)
{
	struct lane *lane = &h->lanes[i];

	if (!lane->in_tail) {
		begin_tail(h, i);
		return;
	}
	for (unsigned word = 0; word < MD5_STATE_WORDS; word++)
		le32_store(lane->md5 + 4 * (size_t)word, h->state.words[word][i]);
	if (h->next < h->end)
		begin_message(h, i, h->next++);
	else
		close_gap(h, i);
}

/* All lanes to the end of the one that has fewest blocks ahead. */
static void advance(struct hasher *h)
{
	const struct function *function = h->way->functions;
	size_t n_blocks = h->lanes[0].n_blocks;

	while (function->lanes < h->n_lanes)
		function++;
	for (unsigned i = 1; i < h->n_lanes; i++)
		n_blocks = MIN(n_blocks, h->lanes[i].n_blocks);
	/* What is not in use reads along, and nobody looks at it. */
	for (unsigned i = h->n_lanes; i < function->lanes; i++)
		h->state.at[i] = h->state.at[0];
	function->blocks(&h->state, n_blocks);
	/* From the end, because the last lane may move to i. */
	for (unsigned i = h->n_lanes; i-- > 0;) {
		h->lanes[i].n_blocks -= n_blocks;
		if (h->lanes[i].n_blocks == 0)
			end_blocks(h, i);
	}
}

void md5_many_by(enum md5_way way, const struct md5_message *messages, size_t n)
{
	struct hasher h = {.way = &ways[way], .next = messages, .end = messages + n};

	for (unsigned i = 0; i < MD5_LANES_MAX; i++)
		h.lanes[i].tail = h.tails[i];
	while (h.n_lanes < most_lanes(h.way) && h.next < h.end)
		begin_message(&h, h.n_lanes++, h.next++);
	while (h.n_lanes)
		advance(&h);
}

void md5_many(const struct md5_message *messages, size_t n)
{
	md5_many_by(md5_way_best(), messages, n);
}

const char *md5_way_name(enum md5_way way)
{
	return ways[way].name;
}

unsigned md5_way_lanes(enum md5_way way)
{
	return most_lanes(&ways[way]);
}

bool md5_way_offered(enum md5_way way)
{
#ifdef MD5_ON_X86
	if (way == MD5_AVX2)
		return __builtin_cpu_supports("avx2");
	if (way == MD5_AVX512)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
#endif
	return most_lanes(&ways[way]) > 0;
}

enum md5_way md5_way_best(void)
{
	enum md5_way way = MD5_WAYS - 1;

	while (way > MD5_SCALAR && !md5_way_offered(way))
		way--;
	return way;
}
