/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of a progress report. */
#include "common/cli/progress_text.h"

#include <stdio.h>
#include <string.h>

#include "common/base/units.h"

#define BAR_MIN_COLUMNS 8
#define BAR_MAX_COLUMNS 40

unsigned progress_percent(const struct progress_view *v)
{
	if (v->total_bytes == 0)
		return 0;
	if (v->done_bytes >= v->total_bytes)
		return 100;
	return (unsigned)((double)v->done_bytes * 100 / (double)v->total_bytes);
}

uint64_t progress_seconds_left(const struct progress_view *v)
{
	if (v->rate == 0 || v->total_bytes == 0)
		return UINT64_MAX;
	if (v->done_bytes >= v->total_bytes)
		return 0;
	return (v->total_bytes - v->done_bytes + v->rate - 1) / v->rate;
}

/* "1.80 GiB of 4.00 GiB", then rate and time left as far as they are known. */
static void format_amounts(const struct progress_view *v, const char *separator, char *out,
			   size_t out_bytes)
{
	uint64_t left_s = progress_seconds_left(v);
	char done[32], total[32], rate[32], left[32];
	size_t n;

	(void)format_size(v->done_bytes, done, sizeof(done));
	(void)format_size(v->total_bytes, total, sizeof(total));
	(void)snprintf(out, out_bytes, "%s%s%s", done, v->total_bytes ? " of " : "",
		       v->total_bytes ? total : "");
	n = strlen(out);
	if (v->rate)
		(void)snprintf(out + n, out_bytes - n, "%s%s/s", separator,
			       format_size(v->rate, rate, sizeof(rate)));
	n = strlen(out);
	if (left_s != UINT64_MAX && left_s > 0)
		(void)snprintf(out + n, out_bytes - n, "%s%s left", separator,
			       format_duration(left_s, left, sizeof(left)));
}

const char *progress_plain(const struct progress_view *v, char *out, size_t out_bytes)
{
	char amounts[160];

	format_amounts(v, ", ", amounts, sizeof(amounts));
	if (v->total_bytes)
		(void)snprintf(out, out_bytes, "%s: %u %%, %s", v->label, progress_percent(v),
			       amounts);
	else
		(void)snprintf(out, out_bytes, "%s: %s", v->label, amounts);
	return out;
}

/* "[====>     ]" of `columns` in all, into out. */
static void draw_bar(unsigned percent, size_t columns, char *out)
{
	size_t inside = columns - 2, full = inside * percent / 100;

	memset(out, ' ', columns);
	out[0] = '[';
	memset(out + 1, '=', full);
	if (full < inside)
		out[1 + full] = '>';
	out[columns - 1] = ']';
	out[columns] = '\0';
}

const char *progress_bar(const struct progress_view *v, size_t columns, char *out, size_t out_bytes)
{
	char amounts[160], bar[BAR_MAX_COLUMNS + 1] = "";
	unsigned percent = progress_percent(v);
	size_t taken, room;

	format_amounts(v, "  ", amounts, sizeof(amounts));
	taken = strlen(v->label) + strlen("  100 %  ") + strlen(amounts) + 1;
	room = columns > taken ? columns - taken : 0;
	if (room > BAR_MAX_COLUMNS)
		room = BAR_MAX_COLUMNS;
	if (v->total_bytes && room >= BAR_MIN_COLUMNS)
		draw_bar(percent, room, bar);
	if (v->total_bytes)
		(void)snprintf(out, out_bytes, "%s %s%s%3u %%  %s", v->label, bar,
			       bar[0] ? " " : "", percent, amounts);
	else
		(void)snprintf(out, out_bytes, "%s  %s", v->label, amounts);
	if (strlen(out) >= columns && columns > 0)
		out[columns - 1] = '\0';
	return out;
}
