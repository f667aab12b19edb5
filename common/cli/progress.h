/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct progress: how far a long operation is. Any thread adds bytes; now and then one of them
 * prints, so there is no thread behind it. On a terminal one line is redrawn at most five times a
 * second; elsewhere a plain line comes every 10 s or 10 %; with --json a JSON line at the same
 * pace.
 */
#ifndef SEEDSHIP_CLI_PROGRESS_H
#define SEEDSHIP_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/err.h"

enum progress_style {
	PROGRESS_NONE,
	PROGRESS_TERMINAL, /* one line, redrawn */
	PROGRESS_LINES,
	PROGRESS_JSON, /* {"progress": {...}} on a line */
};

struct progress_desc {
	enum progress_style style;
	const char *label;    /* what is going on, such as a drive id; copied */
	uint64_t total_bytes; /* 0 = unknown */
	uint64_t done_bytes;  /* done by an earlier run: part of the percentage, not of the rate */
	FILE *out;	      /* stderr; lent */
	const struct clock *clock; /* lent; NULL = the system's */
};

struct progress;

/* The style that fits the stream: terminal or lines, JSON lines if json. */
enum progress_style progress_style_of(FILE *out, bool json);

int progress_new(const struct progress_desc *desc, struct progress **ret, struct err *e);

/* Counts bytes as done. Any thread; cheap; p may be NULL. */
void progress_add(struct progress *p, uint64_t bytes);

/* Prints a line of talk without tearing the progress line. Any thread. */
void progress_say(struct progress *p, const char *fmt, ...) _printf_(2, 3);

/* Prints where it ended, and frees; NULL is fine. No other thread may use p any more. */
void progress_free(struct progress *p);
static inline void progress_freep(struct progress **p)
{
	progress_free(*p);
}

#endif
