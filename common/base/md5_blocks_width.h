/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The function NAME for LANES lanes and the instruction set TARGET; for md5_blocks.c, which includes it often. */

TARGET void NAME(struct md5_state *state, size_t n_blocks)
{
#if LANES == 1
	typedef uint32_t vector;
#else
	typedef uint32_t vector __attribute__((vector_size(LANES * sizeof(uint32_t)), may_alias));
#endif
	vector sum[MD5_STATE_WORDS];

	for (unsigned i = 0; i < MD5_STATE_WORDS; i++)
		memcpy(&sum[i], state->words[i], sizeof(sum[i]));
	for (; n_blocks; n_blocks--) {
		vector a = sum[0], b = sum[1], c = sum[2], d = sum[3], words[16];

#if LANES == 1
		for (unsigned i = 0; i < 16; i++)
			words[i] = le32_load(state->at[0] + 4 * (size_t)i);
#else
		for (unsigned lane = 0; lane < LANES; lane += 4) {
			for (unsigned i = 0; i < 16; i += 4) {
				quad *const to[4] = {
					(quad *)&words[i] + lane / 4,
					(quad *)&words[i + 1] + lane / 4,
					(quad *)&words[i + 2] + lane / 4,
					(quad *)&words[i + 3] + lane / 4,
				};

				transpose(state->at + lane, 4 * (size_t)i, to);
			}
		}
#endif
		ROUND(F, 0, 1, 0, 7, 12, 17, 22)
		ROUND(G, 16, 5, 1, 5, 9, 14, 20)
		ROUND(H, 32, 3, 5, 4, 11, 16, 23)
		ROUND(I, 48, 7, 0, 6, 10, 15, 21)
		sum[0] += a;
		sum[1] += b;
		sum[2] += c;
		sum[3] += d;
		for (unsigned lane = 0; lane < LANES; lane++)
			state->at[lane] += MD5_BLOCK_BYTES;
	}
	for (unsigned i = 0; i < MD5_STATE_WORDS; i++)
		memcpy(state->words[i], &sum[i], sizeof(sum[i]));
}

#undef LANES
#undef NAME
