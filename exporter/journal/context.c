/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The context of a drive: one table of keys serves writing and reading. */
#include "exporter/journal/context.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "common/ext/secret.h"
#include "exporter/journal/file.h"

#define ACTIVITY "PrepImportDriveCommandContext"

static const struct {
	const char *key;
	size_t offset;
} keys[] = {
	{"SessionId", offsetof(struct journal_context, session_id)},
	{"DriveId", offsetof(struct journal_context, drive_id)},
	{"Target", offsetof(struct journal_context, target)},
	{"JobName", offsetof(struct journal_context, job_name)},
	{"StorageAccount", offsetof(struct journal_context, storage_account)},
	{"Container", offsetof(struct journal_context, container)},
	{"LogDirectory", offsetof(struct journal_context, log_directory)},
	{"BitLockerKey", offsetof(struct journal_context, bitlocker_key)},
};

void journal_context_done(struct journal_context *c)
{
	secret_free(c->memory);
	*c = (struct journal_context){0};
}

int journal_append_context(const char *path, uint64_t time_ns, const struct journal_context *c,
			   struct err *e)
{
	struct record record = {.time_ns = time_ns, .type = JOURNAL_TYPE_ACTIVITY};

	record_add(&record, "ActivityId", ACTIVITY);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		record_add(&record, keys[i].key,
			   *(const char *const *)(const void *)((const char *)c + keys[i].offset));
	return journal_append(path, &record, e);
}

struct found {
	struct journal_context context;
	bool any;
};

static int take_context(const struct record *record, void *arg, struct err *e _unused_)
{
	const char *activity = record_get(record, "ActivityId");
	struct found *found = arg;

	if (!activity || strcmp(activity, ACTIVITY) != 0)
		return 0;
	found->any = true;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = record_get(record, keys[i].key);
		char *member = (char *)&found->context + keys[i].offset;

		if (value)
			*(const char **)(void *)member = value;
	}
	return 0;
}

int journal_context(const char *path, struct journal_context *ret, struct err *e)
{
	_cleanup_(journal_file_done) struct journal_file f = {.fd = -1};
	struct found found = {0};
	int r = journal_file_open(path, O_RDONLY, &f, e);

	if (r == 0)
		r = journal_file_scan(&f, path, take_context, &found, e);
	if (r < 0)
		return r;
	if (!found.any)
		return err_set(e, ENODATA, "journal '%s' has no context record", path);
	found.context.memory = take_ptr(f.text);
	*ret = found.context;
	return 0;
}
