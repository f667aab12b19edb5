/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last operations of a writer, and the end of a run that found a difference. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/difftest/difftest.h"

#define N_LINES	    20000
#define LINE_BYTES  256
#define LATEST	    30	/* printed whatever they were about */
#define SHOWN_OF_IT 400 /* earlier ones about the same path */

static char (*lines)[LINE_BYTES];
static size_t n_lines;

void note(struct writer *w, const char *format, ...)
{
	va_list ap;
	char *line;
	int n;

	if (!lines)
		lines = calloc(N_LINES, LINE_BYTES);
	if (!lines)
		abort();
	line = lines[n_lines++ % N_LINES];
	n = snprintf(line, LINE_BYTES, "%u%s ", w->n_ops, w->as_user ? " user:" : "");
	va_start(ap, format);
	(void)vsnprintf(line + n, LINE_BYTES - (size_t)n, format, ap);
	va_end(ap);
	if (getenv("DIFFTEST_TRACE"))
		(void)fprintf(stderr, "writer %u: %s\n", w->id, line);
}

/* Whether a line speaks of the name: "n1" is not "n12". */
static bool speaks_of(const char *line, const char *name)
{
	size_t n = strlen(name);

	while (n && (line = strstr(line, name))) {
		line += n;
		if (*line < '0' || *line > '9')
			return true;
	}
	return false;
}

static void print_history(const struct writer *w)
{
	size_t first = n_lines > N_LINES ? n_lines - N_LINES : 0, shown = 0;

	(void)fprintf(stderr, "earlier operations on %s:\n", w->about);
	for (size_t i = first; i + LATEST < n_lines; i++)
		shown += speaks_of(lines[i % N_LINES], w->about);
	for (size_t i = first; i + LATEST < n_lines; i++)
		if (speaks_of(lines[i % N_LINES], w->about) && shown-- <= SHOWN_OF_IT)
			(void)fprintf(stderr, "  %s\n", lines[i % N_LINES]);
	(void)fprintf(stderr, "the latest, the last of which differs:\n");
	for (size_t i = MAX(first, n_lines > LATEST ? n_lines - LATEST : 0); i < n_lines; i++)
		(void)fprintf(stderr, "  %s\n", lines[i % N_LINES]);
}

void differs(struct writer *w, const char *format, ...)
{
	va_list ap;

	flockfile(stderr);
	(void)fprintf(stderr, "\nDIFFERENCE: writer %u, seed %ju, operation %u: ", w->id,
		      (uintmax_t)w->seed, w->n_ops);
	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	(void)fprintf(stderr, "\n(nK in a path is the writer's name number K)\n");
	print_history(w);
	funlockfile(stderr);
	exit(1);
}

void expect_same_outcome(struct writer *w, const struct outcome o[N_SIDES])
{
	w->n_failed_ops += o[LOCAL].result < 0;
	if (o[TESTED].result != o[LOCAL].result || o[TESTED].error != o[LOCAL].error)
		differs(w, "tested gave %ld (%s), local %ld (%s)", o[TESTED].result,
			strerror(o[TESTED].error), o[LOCAL].result, strerror(o[LOCAL].error));
}
