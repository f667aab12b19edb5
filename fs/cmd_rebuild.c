/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedfs rebuild: makes the index of a store again from its packs. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/cli/output.h"
#include "common/cli/progress.h"
#include "common/store/rebuild.h"
#include "fs/commands.h"

struct rebuild_values {
	bool json;
};

static const struct option_row rows[] = {
	{"json", 0, OPTION_FLAG, NULL, "print one JSON object",
	 offsetof(struct rebuild_values, json)},
	OPTION_END,
};

struct talk {
	bool json;
	struct progress *progress;
};

static void on_started(void *arg, uint64_t pack_bytes)
{
	struct talk *t = arg;
	struct progress_desc desc = {.style = progress_style_of(stderr, t->json),
				     .label = "packs",
				     .total_bytes = pack_bytes,
				     .out = stderr};

	(void)progress_new(&desc, &t->progress, NULL);
}

static void on_progress(void *arg, uint64_t pack_bytes)
{
	const struct talk *t = arg;

	progress_add(t->progress, pack_bytes);
}

static void on_damaged(void *arg, uint32_t pack, uint64_t off_bytes, const char *text)
{
	const struct talk *t = arg;

	progress_say(t->progress, "pack %08" PRIu32 " at %" PRIu64 ": %s", pack, off_bytes, text);
}

static void put_summary(struct output *o, const char *store, const struct rebuild_summary *s)
{
	output_text(o, "store", store);
	output_number(o, "files", s->files);
	output_number(o, "directories", s->directories);
	output_size(o, "size_bytes", s->size_bytes);
	output_size(o, "stored_bytes", s->stored_bytes);
	output_number(o, "packs", s->packs);
	output_number(o, "commits", s->commits);
	output_number(o, "damaged_records", s->damages);
	output_size(o, "uncommitted_bytes", s->tail_bytes);
	output_number(o, "lost_found", s->lost_found);
	output_text(o, "old_index", s->kept_as[0] ? s->kept_as : NULL);
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct rebuild_values *values = given;
	_cleanup_(output_freep) struct output *o = NULL;
	struct talk t = {.json = values->json};
	const struct rebuild_options options = {
		.started = on_started, .progress = on_progress, .damaged = on_damaged, .arg = &t};
	struct rebuild_summary s;
	int r = output_new("seedfs.rebuild/1", &o, e);

	(void)umask(077); /* the index is for its owner only */
	if (r == 0)
		r = rebuild_store(arguments[0], &options, &s, e);
	progress_free(t.progress);
	if (r < 0)
		return r;
	put_summary(o, arguments[0], &s);
	r = output_print(o, values->json, stdout, e);
	if (r == 0 && s.damages)
		return err_set(e, EBADMSG,
			       "the index is made again, but %" PRIu64
			       " records in the packs are damaged: what they said is lost",
			       s.damages);
	return r;
}

const struct command command_rebuild = {
	.name = "rebuild",
	.summary = "make a store's index again from its packs",
	.about = "Makes index.db again from the packs alone, with every file, name, time and "
		 "attribute "
		 "as committed last. The old one is kept as index.db.damaged-TIME. Exit code 0: "
		 "everything is back; 3: packs are damaged, what could be read is back.",
	.arguments = "STORE",
	.options = rows,
	.values_bytes = sizeof(struct rebuild_values),
	.run = run,
};
