/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of a progress report; pure functions. */
#ifndef SEEDSHIP_CLI_PROGRESS_TEXT_H
#define SEEDSHIP_CLI_PROGRESS_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct progress_view {
	const char *label;
	uint64_t done_bytes;
	uint64_t total_bytes; /* 0 = unknown */
	uint64_t rate;	      /* bytes a second, 0 = not known yet */
};

/* Whole percent, 100 only when all is done. 0 when the total is unknown. */
unsigned progress_percent(const struct progress_view *v);

/* Seconds that are left at this rate; UINT64_MAX when not known. */
uint64_t progress_seconds_left(const struct progress_view *v);

/* "WX12: 45 %, 1.80 GiB of 4.00 GiB, 180 MiB/s, 12s left". Returns out. */
const char *progress_plain(const struct progress_view *v, char *out, size_t out_bytes);

/* "WX12 [=====>      ] 45 %  1.80 GiB of 4.00 GiB ...", at most `columns` wide. Returns out. */
const char *progress_bar(const struct progress_view *v, size_t columns, char *out,
			 size_t out_bytes);

#endif
