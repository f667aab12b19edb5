/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedship plan: how many drives of which size, what goes on which, what cannot ship and why. Writes to no drive. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "common/cli/output.h"
#include "exporter/cmd/commands.h"
#include "exporter/cmd/plan_list.h"
#include "exporter/cmd/store_option.h"
#include "exporter/drive/shipment.h"

#define DRIVES_MAX 100

struct values {
	const char *store;
	const char *drives;
	const char *files;
	const char *problems;
	uint64_t rate_bytes;
	bool json;
};

static const struct option_row rows[] = {
	OPTION_STORE(struct values),
	{"drives", 'd', OPTION_TEXT, "SIZE,...",
	 "the drives at hand, by the size they are sold with: 8T,8T,4T (default: several sizes)",
	 offsetof(struct values, drives)},
	{"files", 0, OPTION_TEXT, "FILE",
	 "write there which file goes on which drive; - for stdout",
	 offsetof(struct values, files)},
	{"problems", 0, OPTION_TEXT, "FILE",
	 "write there what cannot ship, or ships under another name, and why; - for stdout",
	 offsetof(struct values, problems)},
	{"rate", 0, OPTION_SIZE, "SIZE", "bytes a drive writes in a second (default: 150MB)",
	 offsetof(struct values, rate_bytes)},
	OPTION_JSON(struct values),
	OPTION_END,
};

/* What drives are sold as, in TB. */
static const unsigned common_sizes_tb[] = {1, 2, 4, 6, 8, 10, 12, 16, 20};

static int parse_drive(char *word, uint64_t *ret, struct err *e)
{
	char text[32];
	size_t n = strlen(word);

	/* As the label on the drive counts, by thousands. */
	if (n > 0 && n + 1 < sizeof(text) && strchr("KMGT", word[n - 1])) {
		(void)snprintf(text, sizeof(text), "%sB", word);
		word = text;
	}
	return parse_size(word, ret, e);
}

static int parse_drives(const char *list, uint64_t sizes[DRIVES_MAX], unsigned *ret_n,
			struct err *e)
{
	_cleanup_free_ char *copy = strdup(list);
	char *rest = copy, *word;
	int r = 0;

	if (!copy)
		return err_oom(e);
	*ret_n = 0;
	while (r == 0 && (word = strsep(&rest, ","))) {
		if (*ret_n == DRIVES_MAX)
			return err_user(e, "--drives: more than %d", DRIVES_MAX);
		r = parse_drive(word, &sizes[(*ret_n)++], e);
	}
	return r < 0 ? err_wrap(e, r, "--drives") : 0;
}

static void put_totals(const struct shipment *s, struct output *o)
{
	const struct plan_totals *t = plan_totals(s->plan);

	output_number(o, "files", t->files);
	output_size(o, "content_bytes", t->blob_bytes);
	output_size(o, "largest_bytes", t->largest_bytes);
	output_number(o, "on_earlier_drives", t->placed);
	output_number(o, "hard_links", t->links);
	output_number(o, "renamed", t->renamed);
	output_number(o, "not_shipped", t->not_shipped);
	output_number(o, "refused", t->refused);
}

/* ---- the drives at hand ---- */

struct fleet {
	struct share *shares[DRIVES_MAX];
	unsigned n;
};

static void fleet_done(struct fleet *f)
{
	for (unsigned i = 0; i < f->n; i++)
		share_free(f->shares[i]);
}

static void put_drive(unsigned number, uint64_t size_bytes, const struct share *share,
		      uint64_t rate_bytes, struct output *o)
{
	const struct share_totals *t = share_totals(share);

	output_open_row(o);
	output_number(o, "drive", number);
	output_size(o, "size_bytes", size_bytes);
	output_number(o, "files", t->files);
	output_size(o, "content_bytes", t->blob_bytes);
	output_percent(o, "full", t->load.content_bytes, size_bytes);
	/* Written once and read once. */
	output_number(o, "minutes", t->load.content_bytes * 2 / rate_bytes / 60);
	output_close(o);
}

static int share_out(struct shipment *s, const struct values *values, struct fleet *f,
		     struct output *o, struct err *e)
{
	uint64_t sizes[DRIVES_MAX];
	unsigned n;
	int r = parse_drives(values->drives, sizes, &n, e);

	output_open_table(o, "drives");
	for (unsigned i = 0; r == 0 && i < n; i++) {
		r = share_take(s->shares, sizes[i], &f->shares[i], e);
		if (r < 0)
			break;
		f->n++;
		put_drive(i + 1, sizes[i], f->shares[i], values->rate_bytes, o);
	}
	output_close(o);
	output_number(o, "left_files", shares_left_files(s->shares));
	output_size(o, "left_bytes", shares_left_bytes(s->shares));
	return r;
}

/* ---- how many drives ---- */

/* How many drives of one size take everything; 0 = no number of them does. */
static int count_drives(struct shipment *s, uint64_t size_bytes, unsigned *ret, struct err *e)
{
	_cleanup_(fleet_done) struct fleet f = {0};
	int r = 0;

	while (r == 0 && shares_left_files(s->shares) && f.n < DRIVES_MAX) {
		r = share_take(s->shares, size_bytes, &f.shares[f.n], e);
		if (r == 0 && share_totals(f.shares[f.n++])->files == 0)
			break;
	}
	*ret = r == 0 && shares_left_files(s->shares) == 0 ? f.n : 0;
	for (unsigned i = 0; i < f.n; i++)
		share_give_back(s->shares, f.shares[i]);
	return r;
}

static int put_choices(struct shipment *s, struct output *o, struct err *e)
{
	uint64_t need_bytes;
	int r = 0;

	if (shares_needed_bytes(s->shares, &need_bytes, NULL) == 0)
		output_size(o, "one_drive_of_bytes", need_bytes);
	output_open_table(o, "drives_needed");
	for (unsigned i = 0; r == 0 && i < ARRAY_SIZE(common_sizes_tb); i++) {
		uint64_t size_bytes = common_sizes_tb[i] * UINT64_C(1000000000000);
		unsigned n;
		char label[16];

		r = count_drives(s, size_bytes, &n, e);
		if (r < 0 || n == 0)
			continue;
		(void)snprintf(label, sizeof(label), "%u TB", common_sizes_tb[i]);
		output_open_row(o);
		output_text(o, "drives_of", label);
		output_size(o, "size_bytes", size_bytes);
		output_number(o, "drives", n);
		output_close(o);
		if (n == 1)
			break; /* larger ones are not needed */
	}
	output_close(o);
	return r;
}

/* ---- the command ---- */

static int plan_job(const struct values *values, const char *name, struct shipment **ret,
		    struct err *e)
{
	_cleanup_(shipping_freep) struct shipping *shipping = NULL;
	_cleanup_(job_done) struct job job = {0};
	_cleanup_free_ char *store = NULL;
	int r = store_option_path(values->store, &store, e);

	if (r == 0)
		r = store_option_open(values->store, SHIPPING_READ, &shipping, e);
	if (r == 0)
		r = job_get(shipping, name, &job, e);
	return r < 0 ? r : shipment_new(store, shipping, &job, ret, e);
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	struct values values = *(const struct values *)given;
	_cleanup_(shipment_freep) struct shipment *s = NULL;
	_cleanup_(output_freep) struct output *o = NULL;
	_cleanup_(fleet_done) struct fleet fleet = {0};
	int r = plan_job(&values, arguments[0], &s, e);

	if (r == 0)
		r = output_new("seedship.plan/1", &o, e);
	if (r < 0)
		return r;
	values.rate_bytes = values.rate_bytes ? values.rate_bytes : 150000000;
	output_text(o, "job", arguments[0]);
	put_totals(s, o);
	r = values.drives ? share_out(s, &values, &fleet, o, e) : put_choices(s, o, e);
	if (r == 0 && values.problems)
		r = plan_list_problems(values.problems, s->plan, e);
	if (r == 0 && values.files)
		r = plan_list_files(values.files, s->plan,
				    (const struct share *const *)fleet.shares, fleet.n, e);
	return r < 0 ? r : output_print(o, values.json, stdout, e);
}

const struct command command_plan = {
	.name = "plan",
	.summary = "how many drives of what size, which file on which, what cannot ship",
	.about =
		"Tells what an export would do, and writes to no drive. Files are put on drives in "
		"the order of their paths; what does not fit on one goes on the next. What earlier "
		"drives of the job hold as it stands is not planned again. --files writes lines of "
		"drive, bytes, path and blob, --problems lines of kind, path and reason, separated "
		"by tabs; a tab, a newline or a backslash in a name is written as \\t, \\n, \\\\.",
	.arguments = "JOB",
	.options = rows,
	.values_bytes = sizeof(struct values),
	.run = run,
};
