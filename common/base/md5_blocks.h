/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The arithmetic of RFC 1321 on messages side by side; private to md5_lanes. A function for each number of
 * lanes and instruction set: of the lanes, the first are in use, and the fewer there are, the less each waits.
 */
#ifndef SEEDSHIP_BASE_MD5_BLOCKS_H
#define SEEDSHIP_BASE_MD5_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#define MD5_BLOCK_BYTES 64
#define MD5_STATE_WORDS 4 /* A, B, C, D of the RFC */
#define MD5_LANES_MAX	16

struct md5_state {
	uint32_t words[MD5_STATE_WORDS][MD5_LANES_MAX];
	const uint8_t *at[MD5_LANES_MAX]; /* the next block of each lane */
};

/* Takes n_blocks of every lane into the state, and moves at[] behind them. */
typedef void md5_blocks_function(struct md5_state *state, size_t n_blocks);

md5_blocks_function md5_blocks_1, md5_blocks_4, md5_blocks_8;

#if defined(__x86_64__) || defined(__i386__)
#define MD5_ON_X86 1
md5_blocks_function md5_blocks_avx2_8, md5_blocks_avx2_16;
md5_blocks_function md5_blocks_avx512_4, md5_blocks_avx512_8, md5_blocks_avx512_16; /* F and VL */
#endif

#endif
