/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedfs check: looks for damage in a store that is not mounted. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/cli/output.h"
#include "common/cli/progress.h"
#include "common/store/check.h"
#include "fs/commands.h"

#define SHOWN_MAX 1000 /* findings listed; all are counted */

struct check_values {
	bool read_data;
	bool repair;
	bool json;
};

static const struct option_row rows[] = {
	{"read-data", 0, OPTION_FLAG, NULL, "read all content, too: every frame in use",
	 offsetof(struct check_values, read_data)},
	{"repair", 0, OPTION_FLAG, NULL,
	 "set wrong sums right; make the index again if the packs are whole",
	 offsetof(struct check_values, repair)},
	{"json", 0, OPTION_FLAG, NULL, "print one JSON object",
	 offsetof(struct check_values, json)},
	OPTION_END,
};

struct talk {
	const struct check_values *values;
	struct progress *progress;
	struct output *out;
	uint64_t n_shown;
};

static void on_phase(void *arg, const char *what, uint64_t total_bytes)
{
	struct talk *t = arg;
	struct progress_desc desc = {.style = progress_style_of(stderr, t->values->json),
				     .label = what,
				     .total_bytes = total_bytes,
				     .out = stderr};

	progress_free(take_ptr(t->progress));
	(void)progress_new(&desc, &t->progress, NULL);
}

static void on_progress(void *arg, uint64_t bytes)
{
	const struct talk *t = arg;

	progress_add(t->progress, bytes);
}

static const char *kind_name(enum check_kind kind)
{
	switch (kind) {
	case CHECK_INDEX:
		return "index";
	case CHECK_PACK:
		return "pack";
	case CHECK_CONTENT:
		return "content";
	}
	return "";
}

static void on_found(void *arg, const struct check_finding *f)
{
	struct talk *t = arg;

	if (t->n_shown++ >= SHOWN_MAX)
		return;
	output_open_row(t->out);
	output_text(t->out, "kind", kind_name(f->kind));
	output_text(t->out, "path", f->path);
	output_number(t->out, "inode", f->ino);
	output_number(t->out, "pack", f->pack);
	output_number(t->out, "offset", f->off_bytes);
	output_text(t->out, "finding", f->text);
	output_close(t->out);
}

static const char *repair_name(enum check_repair repair)
{
	switch (repair) {
	case CHECK_REPAIR_NONE:
		return "nothing";
	case CHECK_REPAIR_SUMS:
		return "sums set right";
	case CHECK_REPAIR_REBUILT:
		return "index rebuilt from the packs";
	case CHECK_REPAIR_REFUSED:
		return "nothing: packs are damaged, too";
	}
	return "";
}

/* After a repair: whether the store is whole now. */
static int look_again(const char *store, struct check_summary *sum, struct err *e)
{
	const struct check_options options = {0};

	return check_store(store, &options, sum, e);
}

static int conclude(const char *store, const struct check_summary *first,
		    const struct check_summary *last, struct err *e)
{
	int r;

	if (last->findings == 0)
		return 0;
	r = err_set(e, EBADMSG, "store '%s' is damaged: %" PRIu64 " findings", store,
		    last->findings);
	if (first->repair == CHECK_REPAIR_REFUSED)
		return err_hint(e, r,
				"'seedfs rebuild' makes an index of what can still be read in the "
				"packs, and keeps the old one");
	return r;
}

static void put_summary(struct output *o, const char *store, const struct check_values *values,
			const struct check_summary *s, uint64_t left)
{
	output_text(o, "store", store);
	output_number(o, "findings", s->findings);
	output_number(o, "files", s->files);
	output_number(o, "directories", s->directories);
	output_number(o, "packs", s->packs);
	output_size(o, "packs_bytes", s->pack_bytes);
	output_number(o, "frames_read", s->frames);
	output_size(o, "frames_read_bytes", s->frame_bytes);
	if (values->repair) {
		output_text(o, "repaired", repair_name(s->repair));
		output_number(o, "findings_left", left);
	}
}

static int check(const char *store, const struct check_values *values, struct talk *t,
		 struct check_summary *ret, struct err *e)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const struct check_options options = {.read_data = values->read_data,
					      .repair = values->repair,
					      .n_workers = (unsigned)MAX(cpus, 1L),
					      .found = on_found,
					      .phase = on_phase,
					      .progress = on_progress,
					      .arg = t};
	int r;

	output_open_table(t->out, "damage");
	r = check_store(store, &options, ret, e);
	output_close(t->out);
	progress_free(take_ptr(t->progress));
	return r;
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct check_values *values = given;
	_cleanup_(output_freep) struct output *o = NULL;
	const char *store = arguments[0];
	struct check_summary first, last;
	struct talk t = {.values = values};
	int r = output_new("seedfs.check/1", &o, e);

	t.out = o;
	(void)umask(077); /* a rebuilt index is for its owner only */
	if (r == 0)
		r = check(store, values, &t, &first, e);
	if (r < 0)
		return r;
	last = first;
	if (first.repair == CHECK_REPAIR_SUMS || first.repair == CHECK_REPAIR_REBUILT)
		r = look_again(store, &last, e);
	if (r == 0) {
		put_summary(o, store, values, &first, last.findings);
		r = output_print(o, values->json, stdout, e);
	}
	if (r == 0 && t.n_shown > SHOWN_MAX)
		(void)fprintf(stderr, "%d of %" PRIu64 " findings are shown.\n", SHOWN_MAX,
			      t.n_shown);
	return r < 0 ? r : conclude(store, &first, &last, e);
}

const struct command command_check = {
	.name = "check",
	.summary = "look for damage in a store that is not mounted",
	.about = "Checks the index by itself and against what the packs say. Exit code 0: nothing "
		 "is "
		 "damaged, or all that was is repaired; 3: something is.",
	.arguments = "STORE",
	.options = rows,
	.values_bytes = sizeof(struct check_values),
	.run = run,
};
