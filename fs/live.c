/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The requests that a running mount answers. Rates are those of the last seconds: a sample of the counts is
 * kept every second. All of it belongs to the control thread.
 */
#include "fs/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/units.h"
#include "fs/control.h"
#include "fs/wire.h"

#define N_SAMPLES 6 /* hence rates over five to six seconds */

struct sample {
	uint64_t at_ns, written_bytes, read_bytes, stored_bytes;
};

struct live {
	struct stage *stage;
	struct control *control;
	uint64_t started_ns;
	struct sample samples[N_SAMPLES]; /* a ring */
	unsigned next;
};

static struct sample take_sample(const struct stage_stats *s)
{
	return (struct sample){.at_ns = clock_monotonic_ns(),
			       .written_bytes = s->written_bytes,
			       .read_bytes = s->read_bytes,
			       .stored_bytes = s->writer.stored_bytes};
}

static void tick(void *arg)
{
	struct live *l = arg;
	struct stage_stats s;

	stage_get_stats(l->stage, &s);
	l->samples[l->next] = take_sample(&s);
	l->next = (l->next + 1) % N_SAMPLES;
}

/* The oldest one; until the ring is full there is one of zeros from the start. */
static struct sample oldest_sample(const struct live *l)
{
	struct sample oldest = l->samples[l->next];

	if (!oldest.at_ns)
		oldest.at_ns = l->started_ns;
	return oldest;
}

static uint64_t per_second(uint64_t now, uint64_t then, uint64_t passed_ns)
{
	return passed_ns
		       ? (uint64_t)((double)(now - then) * (double)NSEC_PER_SEC / (double)passed_ns)
		       : 0;
}

static uint64_t resident_bytes(void)
{
	_cleanup_file_ FILE *f = fopen("/proc/self/statm", "re");
	char text[128], *resident = NULL; /* "total resident shared ...", in pages */
	unsigned long pages;

	if (f && fgets(text, sizeof(text), f))
		resident = strchr(text, ' ');
	pages = resident ? strtoul(resident, NULL, 10) : 0;
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void put(json_t *object, const char *key, uint64_t value)
{
	(void)json_object_set_new(object, key, json_integer((json_int_t)value));
}

/* A new object inside another, lent; jansson takes NULL in all that follows when memory is short. */
static json_t *group(json_t *answer, const char *key)
{
	json_t *object = json_object();

	return json_object_set_new(answer, key, object) < 0 ? NULL : object;
}

static void put_traffic(json_t *o, const struct live *l, const struct stage_stats *s)
{
	struct sample now = take_sample(s), then = oldest_sample(l);
	uint64_t passed_ns = now.at_ns - then.at_ns;

	put(o, "written_bytes", s->written_bytes);
	put(o, "read_bytes", s->read_bytes);
	put(o, "compressed_bytes", s->writer.raw_bytes);
	put(o, "stored_bytes", s->writer.stored_bytes);
	put(o, "written_per_second_bytes",
	    per_second(now.written_bytes, then.written_bytes, passed_ns));
	put(o, "read_per_second_bytes", per_second(now.read_bytes, then.read_bytes, passed_ns));
	put(o, "stored_per_second_bytes",
	    per_second(now.stored_bytes, then.stored_bytes, passed_ns));
	put(o, "level", (uint64_t)s->writer.level);
}

static void put_pending(json_t *o, const struct stage_stats *s, struct stage *stage)
{
	struct statvfs st = {0};

	(void)stage_statfs(stage, &st);
	put(o, "dirty_bytes", s->dirty_bytes);
	put(o, "queue_sets", s->writer.queue_sets);
	put(o, "queue_bytes", s->writer.queue_bytes);
	put(o, "promised_bytes", s->writer.promised_bytes);
	put(o, "free_bytes", (uint64_t)st.f_bavail * st.f_frsize);
}

static void put_commits(json_t *o, const struct stage_stats *s)
{
	uint64_t at_ns = s->writer.committed_ns, now_ns = clock_realtime_ns();

	put(o, "commits", s->writer.commits);
	put(o, "committed_ns", at_ns);
	put(o, "age_seconds", at_ns && now_ns > at_ns ? (now_ns - at_ns) / NSEC_PER_SEC : 0);
	put(o, "log_bytes", s->writer.log_bytes);
	put(o, "log_held_pages", s->writer.log_held_pages);
}

static void put_requests(json_t *o)
{
	static const char *const names[N_WIRE_KINDS] = {
		[WIRE_LOOKUP] = "lookup", [WIRE_LIST] = "list",	    [WIRE_READ] = "read",
		[WIRE_WRITE] = "write",	  [WIRE_CREATE] = "create", [WIRE_REMOVE] = "remove",
		[WIRE_CHANGE] = "change", [WIRE_SYNC] = "sync",	    [WIRE_OTHER] = "other",
	};
	uint64_t counts[N_WIRE_KINDS];

	wire_get_counts(counts);
	for (int i = 0; i < N_WIRE_KINDS; i++)
		put(o, names[i], counts[i]);
}

static const char *const states[] = {
	[WRITER_OK] = "mounted", [WRITER_FULL] = "disk full", [WRITER_FAILED] = "failed"};

static int answer_status(void *arg, const char *arguments, json_t *answer, struct err *e)
{
	struct live *l = arg;
	struct stage_stats s;
	json_t *memory;

	if (*arguments)
		return err_user(e, "status takes no arguments");
	stage_get_stats(l->stage, &s);
	(void)json_object_set_new(answer, "state", json_string(states[s.writer.state]));
	if (s.writer.state != WRITER_OK)
		(void)json_object_set_new(answer, "reason", json_string(s.writer.reason));
	put(answer, "pid", (uint64_t)getpid());
	put(answer, "uptime_seconds", (clock_monotonic_ns() - l->started_ns) / NSEC_PER_SEC);
	put_traffic(group(answer, "traffic"), l, &s);
	put_pending(group(answer, "pending"), &s, l->stage);
	put_commits(group(answer, "commits"), &s);
	memory = group(answer, "memory");
	put(memory, "resident_bytes", resident_bytes());
	put(memory, "accounted_bytes", s.accounted_bytes);
	put(memory, "limit_bytes", s.memory_bytes);
	put_requests(group(answer, "requests"));
	return 0;
}

/* "compact PERCENT" begins it, "compaction" tells how far it is. */
static int answer_compact(void *arg, const char *arguments, json_t *answer _unused_, struct err *e)
{
	struct live *l = arg;
	uint64_t percent;
	int r = parse_u64(arguments, 0, 100, &percent, e);

	if (r == 0)
		r = stage_ask_compaction(l->stage, (unsigned)percent);
	return r == -EROFS ? err_set(e, EROFS, "the mount is read-only") : r;
}

static int answer_compaction(void *arg, const char *arguments, json_t *answer, struct err *e)
{
	struct live *l = arg;
	struct stage_compaction c;

	if (*arguments)
		return err_user(e, "compaction takes no arguments");
	stage_get_compaction(l->stage, &c);
	(void)json_object_set_new(answer, "running", json_boolean(c.running));
	put(answer, "packs", c.packs);
	put(answer, "packs_kept", c.packs_kept);
	put(answer, "freed_bytes", c.freed_bytes);
	if (c.failure.code)
		(void)json_object_set_new(answer, "failure", json_string(c.failure.text));
	return 0;
}

static const struct control_handler handlers[] = {
	{"status", answer_status},
	{"compact", answer_compact},
	{"compaction", answer_compaction},
	{NULL, NULL},
};

int live_start(struct stage *stage, const struct store *store, struct live **ret, struct err *e)
{
	_cleanup_(live_stopp) struct live *l = calloc(1, sizeof(*l));
	struct control_desc desc = {
		.store_fd = store->dir_fd, .handlers = handlers, .tick = tick, .arg = l};
	int r;

	if (!l)
		return err_oom(e);
	l->stage = stage;
	l->started_ns = clock_monotonic_ns();
	r = control_start(&desc, &l->control, e);
	if (r == 0)
		*ret = take_ptr(l);
	return r;
}

void live_stop(struct live *l)
{
	if (!l)
		return;
	control_stop(l->control);
	free(l);
}
