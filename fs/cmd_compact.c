/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedfs compact: gives the space back that dead frames take in packs; mounted or not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/cli/output.h"
#include "common/store/compact.h"
#include "common/store/store.h"
#include "fs/commands.h"
#include "fs/control.h"
#include "fs/mount_point.h"
#include "fs/mounts.h"

#define WASTE_PERCENT_DEFAULT 10
#define POLL_NS		      UINT64_C(200000000)

struct values {
	uint64_t waste_percent;
	bool all;
	bool json;
};

static const struct option_row rows[] = {
	{"waste", 0, OPTION_NUMBER, "PERCENT",
	 "compact packs of which so much is dead (default: 10)",
	 offsetof(struct values, waste_percent)},
	{"all", 0, OPTION_FLAG, NULL, "compact every pack but the open one",
	 offsetof(struct values, all)},
	{"json", 0, OPTION_FLAG, NULL, "print one JSON object", offsetof(struct values, json)},
	OPTION_END,
};

static void tell_pack(void *arg _unused_, uint32_t pack, uint64_t waste_bytes _unused_)
{
	(void)fprintf(stderr, "pack %08u is compacted\n", pack);
}

static int compact_unmounted(const char *path, unsigned percent, struct compact_result *ret,
			     struct err *e)
{
	struct store_options options = {0};
	struct writer_options how = {.level = 1, .queue_depth = 64, .commit_ms = 5000};
	struct writer_events events = {0};
	struct compact_plan plan = {.min_waste_percent = percent, .done = tell_pack};
	_cleanup_(store_freep) struct store *store = NULL;
	struct catalog *catalog = NULL;
	struct writer *writer = NULL;
	int r = store_open(path, &options, &store, e), closed;

	if (r == 0)
		r = catalog_new(store->path, false, &catalog, e);
	if (r == 0)
		r = writer_new(store, &how, &events, &writer, e);
	if (r == 0)
		r = compact_store(store, writer, catalog, &plan, ret, e);
	if (writer) {
		closed = writer_close(writer, r == 0 ? e : NULL);
		if (r == 0)
			r = closed;
	}
	catalog_free(catalog);
	return r;
}

/* Reads an answer to "compaction"; *ret_running: it goes on. */
static int read_answer(const json_t *answer, struct compact_result *ret, bool *ret_running,
		       struct err *e)
{
	const char *failure = json_string_value(json_object_get(answer, "failure"));

	ret->packs = (uint64_t)json_integer_value(json_object_get(answer, "packs"));
	ret->packs_kept = (uint64_t)json_integer_value(json_object_get(answer, "packs_kept"));
	ret->freed_bytes = (uint64_t)json_integer_value(json_object_get(answer, "freed_bytes"));
	*ret_running = json_is_true(json_object_get(answer, "running"));
	return failure ? err_set(e, EIO, "%s", failure) : 0;
}

/* The seedfs that has the store does it; here is only waited. */
static int compact_mounted(const char *path, unsigned percent, struct compact_result *ret,
			   struct err *e)
{
	uint64_t told = 0;
	bool running = true;
	char request[32];
	json_t *answer = NULL;
	int r;

	(void)snprintf(request, sizeof(request), "compact %u", percent);
	r = control_ask(path, request, &answer, e);
	json_decref(answer);
	while (r == 0 && running) {
		clock_system.sleep_ns(&clock_system, POLL_NS);
		r = control_ask(path, "compaction", &answer, e);
		if (r < 0)
			break;
		r = read_answer(answer, ret, &running, e);
		json_decref(answer);
		for (; told < ret->packs; told++)
			(void)fprintf(stderr, "%ju packs are compacted\n", (uintmax_t)told + 1);
	}
	return r;
}

static int print_result(const struct compact_result *result, bool json, struct err *e)
{
	_cleanup_(output_freep) struct output *o = NULL;
	int r = output_new("seedfs.compact/1", &o, e);

	if (r < 0)
		return r;
	output_number(o, "packs", result->packs);
	output_number(o, "packs_kept", result->packs_kept);
	output_size(o, "freed_bytes", result->freed_bytes);
	r = output_print(o, json, stdout, e);
	if (r == 0 && result->packs_kept)
		r = err_hint(e,
			     err_set(e, EBADMSG, "%ju packs are damaged and were kept",
				     (uintmax_t)result->packs_kept),
			     "'seedfs check' tells more");
	return r;
}

/* STORE may also be where it is mounted. */
static int find_store(const char *path, char **ret, struct err *e)
{
	_cleanup_free_ char *dir = NULL;

	if (mount_point_resolve(path, &dir, NULL) == 0 && mounts_find_store(dir, ret, NULL) == 0)
		return 0;
	*ret = strdup(path);
	return *ret ? 0 : err_oom(e);
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct values *values = given;
	unsigned percent = values->all		   ? 0
			   : values->waste_percent ? (unsigned)values->waste_percent
						   : WASTE_PERCENT_DEFAULT;
	_cleanup_free_ char *store = NULL;
	struct compact_result result = {0};
	struct store_holder holder = {0};
	int r;

	if (values->waste_percent > 100)
		return err_user(e, "--waste: at most 100");
	r = find_store(arguments[0], &store, e);
	if (r == 0)
		r = store_get_holder(store, &holder, e);
	if (r == 0)
		r = holder.held ? compact_mounted(store, percent, &result, e)
				: compact_unmounted(store, percent, &result, e);
	return r < 0 ? r : print_result(&result, values->json, e);
}

const struct command command_compact = {
	.name = "compact",
	.summary = "give the space of deleted and overwritten data back",
	.about = "Most of it is given back as it falls free, and a mount compacts packs that are "
		 "mostly "
		 "dead when nothing is written. This does it now, mounted or not, for packs of "
		 "which "
		 "less is dead, too.",
	.arguments = "STORE",
	.options = rows,
	.values_bytes = sizeof(struct values),
	.run = run,
};
