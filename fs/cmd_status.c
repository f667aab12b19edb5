/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seedfs status: a store in figures. What it holds comes from the index, as of the last commit; what is going on
 * comes from the seedfs that has it mounted, if there is one.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/cli/output.h"
#include "common/store/store.h"
#include "common/store/summary.h"
#include "fs/commands.h"
#include "fs/control.h"
#include "fs/mount_point.h"
#include "fs/mounts.h"

struct status_values {
	bool json;
};

static const struct option_row rows[] = {
	{"json", 0, OPTION_FLAG, NULL, "print one JSON object",
	 offsetof(struct status_values, json)},
	OPTION_END,
};

/* ---- which store ---- */

static bool is_store(const char *path)
{
	_cleanup_free_ char *index = NULL;

	if (asprintf(&index, "%s/index.db", path) < 0) {
		index = NULL;
		return false;
	}
	return access(index, F_OK) == 0;
}

/* The argument is a store or where one is mounted. A mount may well show somebody's index.db: it goes first. */
static int find_store(const char *argument, char **ret, struct err *e)
{
	_cleanup_free_ char *dir = NULL;
	int r = mount_point_resolve(argument, &dir, e);

	if (r < 0)
		return r;
	r = mounts_find_store(dir, ret, NULL);
	if (r == 0)
		return 0;
	if (is_store(dir)) {
		*ret = take_ptr(dir);
		return 0;
	}
	r = err_set(e, ENOENT, "'%s' is neither a store nor a seedfs mount", argument);
	return err_hint(e, r, "a store is a folder with index.db in it, made by 'seedfs mount'");
}

/* ---- what is going on ---- */

enum kind { NUMBER, SIZE, TIME };

struct field {
	const char *key;
	enum kind kind;
};

static const struct field traffic[] = {
	{"written_bytes", SIZE},
	{"written_per_second_bytes", SIZE},
	{"read_bytes", SIZE},
	{"read_per_second_bytes", SIZE},
	{"compressed_bytes", SIZE},
	{"stored_bytes", SIZE},
	{"stored_per_second_bytes", SIZE},
	{"level", NUMBER},
	{NULL, NUMBER},
};
static const struct field pending[] = {
	{"dirty_bytes", SIZE},	  {"queue_sets", NUMBER}, {"queue_bytes", SIZE},
	{"promised_bytes", SIZE}, {"free_bytes", SIZE},	  {NULL, NUMBER},
};
static const struct field commits[] = {
	{"commits", NUMBER}, {"committed_ns", TIME},	 {"age_seconds", NUMBER},
	{"log_bytes", SIZE}, {"log_held_pages", NUMBER}, {NULL, NUMBER},
};
static const struct field memory[] = {
	{"resident_bytes", SIZE},
	{"accounted_bytes", SIZE},
	{"limit_bytes", SIZE},
	{NULL, NUMBER},
};
static const struct field requests[] = {
	{"lookup", NUMBER}, {"list", NUMBER},	{"read", NUMBER},   {"write", NUMBER},
	{"create", NUMBER}, {"remove", NUMBER}, {"change", NUMBER}, {"sync", NUMBER},
	{"other", NUMBER},  {NULL, NUMBER},
};

static const struct {
	const char *key;
	const struct field *fields;
} groups[] = {
	{"traffic", traffic}, {"pending", pending},   {"commits", commits},
	{"memory", memory},   {"requests", requests},
};

static void put_field(struct output *o, const struct field *f, uint64_t value)
{
	switch (f->kind) {
	case NUMBER:
		output_number(o, f->key, value);
		break;
	case SIZE:
		output_size(o, f->key, value);
		break;
	case TIME:
		output_time(o, "committed", value);
		break;
	}
}

static void put_groups(struct output *o, json_t *live)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		json_t *group = json_object_get(live, groups[i].key);

		output_open_group(o, groups[i].key);
		for (const struct field *f = groups[i].fields; f->key; f++)
			put_field(o, f,
				  (uint64_t)json_integer_value(json_object_get(group, f->key)));
		output_close(o);
	}
}

static void put_live(struct output *o, json_t *live)
{
	const char *reason = json_string_value(json_object_get(live, "reason"));

	if (reason)
		output_text(o, "reason", reason);
	output_number(o, "pid", (uint64_t)json_integer_value(json_object_get(live, "pid")));
	output_number(o, "uptime_seconds",
		      (uint64_t)json_integer_value(json_object_get(live, "uptime_seconds")));
}

/* ---- what it holds ---- */

static void put_summary(struct output *o, const struct store_summary *s)
{
	output_number(o, "files", s->files);
	output_number(o, "directories", s->directories);
	output_size(o, "size_bytes", s->size_bytes);
	output_size(o, "stored_bytes", s->stored_bytes);
	output_percent(o, "stored_percent", s->stored_bytes, s->size_bytes);
	output_number(o, "packs", s->packs);
	output_size(o, "pack_files_bytes", s->packs_bytes);
	output_size(o, "chunk_bytes", s->chunk_bytes);
	output_number(o, "commits_ever", s->commits);
	output_time(o, "committed", s->committed_ns);
}

static const char *state_of(const struct store_holder *holder, json_t *live)
{
	const char *state = json_string_value(json_object_get(live, "state"));

	if (state)
		return state;
	if (holder->held)
		return holder->state;
	return holder->shared ? "mounted read-only" : "not mounted";
}

/* NULL when the seedfs that holds the store does not tell; why not is said. */
static json_t *ask_live(const char *store, const struct store_holder *holder)
{
	json_t *live = NULL;
	struct err e = {0};

	if (holder->held && strcmp(holder->state, "mounted") == 0 &&
	    control_ask(store, "status", &live, &e) < 0)
		(void)fprintf(stderr, "seedfs: status: %s\n", e.text);
	return live;
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct status_values *values = given;
	_cleanup_(output_freep) struct output *o = NULL;
	_cleanup_json_ json_t *live = NULL;
	_cleanup_free_ char *store = NULL;
	struct store_holder holder = {0};
	struct store_summary summary;
	int r = find_store(arguments[0], &store, e);

	if (r == 0)
		r = store_get_holder(store, &holder, e);
	if (r == 0)
		r = store_summary_get(store, &summary, e);
	if (r == 0)
		r = output_new("seedfs.status/1", &o, e);
	if (r < 0)
		return r;
	live = ask_live(store, &holder);
	output_text(o, "store", store);
	output_text(o, "state", state_of(&holder, live));
	output_text(o, "mount_point", holder.held ? holder.mount_point : NULL);
	if (live)
		put_live(o, live);
	put_summary(o, &summary);
	if (live)
		put_groups(o, live);
	return output_print(o, values->json, stdout, e);
}

const struct command command_status = {
	.name = "status",
	.summary = "show what a store holds, and what its mount is doing",
	.about = "Shows what the store holds as of the last commit. If it is mounted, also what "
		 "seedfs "
		 "is doing: rates of the last seconds, what waits to be committed, memory, "
		 "requests.",
	.arguments = "STORE|DIR",
	.options = rows,
	.values_bytes = sizeof(struct status_values),
	.run = run,
};
