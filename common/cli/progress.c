/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counting is one atomic addition. Whoever finds that a report is due prints it under `lock`; a
 * thread that finds the lock taken goes on. The rate is an average that forgets over
 * RATE_MEMORY_NS.
 */
#include "common/cli/progress.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/base/cleanup.h"
#include "common/cli/progress_text.h"
#include "common/ext/json.h"

#define REDRAW_NS      (NSEC_PER_SEC / 5)
#define LINE_NS	       (10 * NSEC_PER_SEC)
#define LINE_PERCENT   10
#define RATE_MEMORY_NS (20 * NSEC_PER_SEC)
#define COLUMNS_MAX    200

struct progress {
	enum progress_style style;
	char *label;
	uint64_t total_bytes;
	FILE *out;
	const struct clock *clock;

	atomic_uint_fast64_t done_bytes;
	atomic_uint_fast64_t due_ns;	/* the next report, by time */
	atomic_uint_fast64_t due_bytes; /* the next report, by amount */

	pthread_mutex_t lock; /* of what follows, and of out */
	uint64_t last_ns;
	uint64_t last_bytes;
	uint64_t told_bytes; /* by the line that stands there; UINT64_MAX = none does */
	double rate;	     /* bytes a second; < 0 = not known yet */
	bool drawn;	     /* a line without its end stands on the terminal */
};

enum progress_style progress_style_of(FILE *out, bool json)
{
	if (json)
		return PROGRESS_JSON;
	return isatty(fileno(out)) ? PROGRESS_TERMINAL : PROGRESS_LINES;
}

static void plan_next(struct progress *p, uint64_t now_ns, uint64_t done_bytes)
{
	bool terminal = p->style == PROGRESS_TERMINAL;
	uint64_t step =
		terminal || !p->total_bytes ? UINT64_MAX : p->total_bytes / LINE_PERCENT + 1;

	atomic_store(&p->due_ns, now_ns + (terminal ? REDRAW_NS : LINE_NS));
	atomic_store(&p->due_bytes,
		     step > UINT64_MAX - done_bytes ? UINT64_MAX : done_bytes + step);
}

int progress_new(const struct progress_desc *desc, struct progress **ret, struct err *e)
{
	struct progress *p = calloc(1, sizeof(*p));
	char *label = strdup(desc->label);

	if (!p || !label) {
		free(p);
		free(label);
		return err_oom(e);
	}
	p->style = desc->style;
	p->label = label;
	p->total_bytes = desc->total_bytes;
	p->out = desc->out;
	p->clock = desc->clock ? desc->clock : &clock_system;
	p->last_ns = p->clock->monotonic_ns(p->clock);
	p->last_bytes = desc->done_bytes;
	p->rate = -1;
	atomic_init(&p->done_bytes, desc->done_bytes);
	p->told_bytes = UINT64_MAX;
	(void)pthread_mutex_init(&p->lock, NULL);
	plan_next(p, p->last_ns, desc->done_bytes);
	*ret = p;
	return 0;
}

static void update_rate(struct progress *p, uint64_t now_ns, uint64_t done_bytes)
{
	double passed = (double)(now_ns - p->last_ns);
	double weight, rate;

	if (now_ns <= p->last_ns)
		return;
	rate = (double)(done_bytes - p->last_bytes) * (double)NSEC_PER_SEC / passed;
	weight = p->rate < 0 ? 1 : passed / (passed + (double)RATE_MEMORY_NS);
	p->rate = p->rate < 0 ? rate : p->rate + (rate - p->rate) * weight;
	p->last_ns = now_ns;
	p->last_bytes = done_bytes;
}

static size_t terminal_columns(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return MIN(size.ws_col, COLUMNS_MAX);
}

static void print_json(const struct progress_view *v, FILE *out)
{
	uint64_t left_s = progress_seconds_left(v);
	_cleanup_json_ json_t *left =
		left_s == UINT64_MAX ? json_null() : json_integer((json_int_t)left_s);
	_cleanup_json_ json_t *line = json_pack(
		"{s:{s:s, s:I, s:I, s:I, s:O}}", "progress", "label", v->label, "done_bytes",
		(json_int_t)v->done_bytes, "total_bytes", (json_int_t)v->total_bytes,
		"bytes_per_second", (json_int_t)v->rate, "seconds_left", left);

	(void)json_dumpf(line, out, JSON_COMPACT);
	(void)fputc('\n', out);
}

/* Prints a report. Called with the lock held. */
static void report(struct progress *p)
{
	uint64_t now_ns = p->clock->monotonic_ns(p->clock);
	uint64_t done_bytes = atomic_load(&p->done_bytes);
	struct progress_view v = {p->label, done_bytes, p->total_bytes, 0};
	char text[COLUMNS_MAX * 2];

	update_rate(p, now_ns, done_bytes);
	v.rate = p->rate > 0 ? (uint64_t)p->rate : 0;
	if (p->style == PROGRESS_TERMINAL) {
		(void)fprintf(p->out, "\r%s\033[K",
			      progress_bar(&v, terminal_columns(p->out), text, sizeof(text)));
		p->drawn = true;
	} else if (p->style == PROGRESS_LINES) {
		(void)fprintf(p->out, "%s\n", progress_plain(&v, text, sizeof(text)));
	} else {
		print_json(&v, p->out);
	}
	(void)fflush(p->out);
	p->told_bytes = done_bytes;
	plan_next(p, now_ns, done_bytes);
}

void progress_add(struct progress *p, uint64_t bytes)
{
	uint64_t done_bytes;

	if (!p)
		return;
	done_bytes = atomic_fetch_add(&p->done_bytes, bytes) + bytes;
	if (p->style == PROGRESS_NONE)
		return;
	if (done_bytes < atomic_load(&p->due_bytes) &&
	    p->clock->monotonic_ns(p->clock) < atomic_load(&p->due_ns))
		return;
	if (pthread_mutex_trylock(&p->lock) != 0)
		return;
	report(p);
	(void)pthread_mutex_unlock(&p->lock);
}

void progress_say(struct progress *p, const char *fmt, ...)
{
	LOCK_SCOPE(&p->lock);
	va_list ap;

	if (p->drawn)
		(void)fputs("\r\033[K", p->out);
	p->drawn = false;
	va_start(ap, fmt);
	(void)vfprintf(p->out, fmt, ap);
	va_end(ap);
	(void)fputc('\n', p->out);
	(void)fflush(p->out);
	p->told_bytes = UINT64_MAX;
	atomic_store(&p->due_ns, 0);
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	/* A line that says so already stands there. */
	if (p->style != PROGRESS_NONE && p->told_bytes != atomic_load(&p->done_bytes))
		report(p);
	if (p->drawn)
		(void)fputc('\n', p->out);
	(void)fflush(p->out);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->label);
	free(p);
}
