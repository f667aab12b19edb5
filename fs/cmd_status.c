/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedfs status: a store in a few numbers, mounted or not. */
#include <stdio.h>

#include "common/cli/output.h"
#include "common/store/store.h"
#include "common/store/summary.h"
#include "fs/commands.h"

struct status_values {
	bool json;
};

static const struct option_row rows[] = {
	{"json", 0, OPTION_FLAG, NULL, "print one JSON object",
	 offsetof(struct status_values, json)},
	OPTION_END,
};

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct status_values *values = given;
	__attribute__((cleanup(output_freep))) struct output *o = NULL;
	struct store_holder holder = {0};
	struct store_summary s;
	int r = store_summary_get(arguments[0], &s, e);

	if (r == 0)
		r = store_get_holder(arguments[0], &holder, e);
	if (r == 0)
		r = output_new("seedfs.status/1", &o, e);
	if (r < 0)
		return r;
	output_text(o, "store", arguments[0]);
	output_text(o, "state", holder.held ? holder.state : "not mounted");
	output_text(o, "mount_point", holder.held ? holder.mount_point : NULL);
	output_number(o, "files", s.files);
	output_number(o, "directories", s.directories);
	output_size(o, "size_bytes", s.size_bytes);
	output_size(o, "stored_bytes", s.stored_bytes);
	output_percent(o, "stored_percent", s.stored_bytes, s.size_bytes);
	output_number(o, "packs", s.packs);
	output_size(o, "packs_bytes", s.packs_bytes);
	output_size(o, "chunk_bytes", s.chunk_bytes);
	output_number(o, "commits", s.commits);
	output_time(o, "committed", s.committed_ns);
	return output_print(o, values->json, stdout, e);
}

const struct command command_status = {
	.name = "status",
	.summary = "show what a store holds",
	.arguments = "STORE",
	.options = rows,
	.values_bytes = sizeof(struct status_values),
	.run = run,
};
