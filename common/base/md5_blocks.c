/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The four rounds of RFC 1321, written once (md5_blocks_width.h) and compiled for each number of lanes.
 * Vectors are the compiler's own (vector_size): each architecture gets its instructions for them, a machine
 * without any gets plain ones, and a vector wider than the machine's becomes several, whose waiting overlaps.
 */
#include "common/base/md5_blocks.h"

#include "common/base/le.h"

/* floor(2^32 * abs(sin(i))), i = 1 ... 64 radians: the table T of section 3.4. */
static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
	0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
	0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
	0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
	0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
	0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
	0xeb86d391,
};

/*
 * The functions F, G, H and I of section 3.4. x comes last out of the step before, so it is used as late as
 * possible. The halves of G have no bit in common: + is as good as |, and the sum takes them one by one.
 */
#define F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define G(x, y, z) (((x) & (z)) + ((y) & ~(z)))
#define H(x, y, z) ((x) ^ (y) ^ (z))
#define I(x, y, z) ((y) ^ ((x) | ~(z)))

/* a = b + ((a + f(b, c, d) + X[word] + T[i]) <<< turn) */
#define STEP(f, a, b, c, d, i, word, turn)                      \
	do {                                                    \
		(a) += words[(word) % 16] + sines[i];           \
		(a) += f(b, c, d);                              \
		(a) = ((a) << (turn)) | ((a) >> (32 - (turn))); \
		(a) += (b);                                     \
	} while (0)

/* The 16 steps from first on; step i takes word (mul * i + add) % 16 of the block. */
#define ROUND(f, first, mul, add, turn_1, turn_2, turn_3, turn_4)            \
	for (unsigned i = (first); i < (first) + 16; i += 4) {               \
		STEP(f, a, b, c, d, i, (mul)*i + (add), turn_1);             \
		STEP(f, d, a, b, c, i + 1, (mul) * (i + 1) + (add), turn_2); \
		STEP(f, c, d, a, b, i + 2, (mul) * (i + 2) + (add), turn_3); \
		STEP(f, b, c, d, a, i + 3, (mul) * (i + 3) + (add), turn_4); \
	}

/* Four words of one lane, or one word of four lanes. */
typedef uint32_t quad __attribute__((vector_size(16), may_alias));

/* Four words each of four lanes, from off_bytes of their blocks: to[i] gets word i of all. */
static inline __attribute__((always_inline)) void transpose(const uint8_t *const *at,
							    size_t off_bytes, quad *const *to)
{
	quad lane[4], low[2], high[2];

	for (unsigned i = 0; i < 4; i++)
		memcpy(&lane[i], at[i] + off_bytes, sizeof(lane[i]));
	for (unsigned i = 0; i < 2; i++) {
		low[i] = __builtin_shufflevector(lane[2 * i], lane[2 * i + 1], 0, 4, 1, 5);
		high[i] = __builtin_shufflevector(lane[2 * i], lane[2 * i + 1], 2, 6, 3, 7);
	}
	*to[0] = __builtin_shufflevector(low[0], low[1], 0, 1, 4, 5);
	*to[1] = __builtin_shufflevector(low[0], low[1], 2, 3, 6, 7);
	*to[2] = __builtin_shufflevector(high[0], high[1], 0, 1, 4, 5);
	*to[3] = __builtin_shufflevector(high[0], high[1], 2, 3, 6, 7);
}

#define TARGET
#define LANES 1
#define NAME  md5_blocks_1
#include "common/base/md5_blocks_width.h"
#define LANES 4
#define NAME  md5_blocks_4
#include "common/base/md5_blocks_width.h"
#define LANES 8
#define NAME  md5_blocks_8
#include "common/base/md5_blocks_width.h"

#ifdef MD5_ON_X86

#undef TARGET
#define TARGET __attribute__((target("avx2")))
#define LANES  8
#define NAME   md5_blocks_avx2_8
#include "common/base/md5_blocks_width.h"
#define LANES 16
#define NAME  md5_blocks_avx2_16
#include "common/base/md5_blocks_width.h"

#undef TARGET
#define TARGET __attribute__((target("avx512f,avx512vl")))
#define LANES  4
#define NAME   md5_blocks_avx512_4
#include "common/base/md5_blocks_width.h"
#define LANES 8
#define NAME  md5_blocks_avx512_8
#include "common/base/md5_blocks_width.h"
#define LANES 16
#define NAME  md5_blocks_avx512_16
#include "common/base/md5_blocks_width.h"

#endif
