/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table jobs. The texts of a job are handled as a row of offsets, in the order of COLUMNS. */
#include "exporter/shipping/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "exporter/shipping/internal.h"

#define COLUMNS                                                                                   \
	"name, staging_location, subscription_id, resource_group, storage_account, "              \
	"storage_resource_group, container, blob_prefix, location, publish_settings, blob_type, " \
	"cipher, recipient, street, street2, city, state, postal_code, country, phone, email, "   \
	"carrier, carrier_account"

enum query { INSERT, UPDATE, GET, LIST, COUNT_SESSION, SESSIONS, PROGRESS };

static const char *const sql[] = {
	[INSERT] =
		"INSERT INTO jobs (" COLUMNS ", created_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
		" ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)",
	[UPDATE] = "UPDATE jobs SET (" COLUMNS
		   ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
		   " ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23) WHERE id = ?24",
	[GET] = "SELECT " COLUMNS ", created_ns, sessions, id FROM jobs WHERE name = ?1",
	[LIST] = "SELECT " COLUMNS ", created_ns, sessions, id FROM jobs ORDER BY name",
	[COUNT_SESSION] = "UPDATE jobs SET sessions = sessions + 1 WHERE id = ?1",
	[SESSIONS] = "SELECT sessions FROM jobs WHERE id = ?1",
	[PROGRESS] = "SELECT drives, drives_sealed, drives_verified, files, files_sealed, "
		     "files_verified,"
		     " files_changed, size, streamed FROM job_progress WHERE job = ?1",
};

static const size_t texts[] = {
	offsetof(struct job, name),
	offsetof(struct job, staging_location),
	offsetof(struct job, subscription_id),
	offsetof(struct job, resource_group),
	offsetof(struct job, storage_account),
	offsetof(struct job, storage_resource_group),
	offsetof(struct job, container),
	offsetof(struct job, blob_prefix),
	offsetof(struct job, location),
	offsetof(struct job, publish_settings),
	offsetof(struct job, blob_type),
	offsetof(struct job, cipher),
	offsetof(struct job, recipient),
	offsetof(struct job, street),
	offsetof(struct job, street2),
	offsetof(struct job, city),
	offsetof(struct job, state),
	offsetof(struct job, postal_code),
	offsetof(struct job, country),
	offsetof(struct job, phone),
	offsetof(struct job, email),
	offsetof(struct job, carrier),
	offsetof(struct job, carrier_account),
};

#define N_TEXTS ((int)ARRAY_SIZE(texts))

static char **text_of(struct job *job, int i)
{
	return (char **)(void *)((char *)job + texts[i]);
}

void job_done(struct job *job)
{
	for (int i = 0; i < N_TEXTS; i++)
		free(*text_of(job, i));
	*job = (struct job){0};
}

static void bind_texts(struct sql_stmt *stmt, const struct job *job)
{
	for (int i = 0; i < N_TEXTS; i++)
		sql_bind_text(stmt, i + 1,
			      *(char *const *)(const void *)((const char *)job + texts[i]));
}

static int read_job(struct sql_stmt *stmt, struct job *ret, struct err *e)
{
	_cleanup_(job_done) struct job job = {0};
	int r = 0;

	for (int i = 0; i < N_TEXTS && r == 0; i++)
		r = shipping_copy_text(stmt, i, text_of(&job, i), e);
	if (r < 0)
		return r;
	job.created_ns = (uint64_t)sql_col_i64(stmt, N_TEXTS);
	job.sessions = (uint64_t)sql_col_i64(stmt, N_TEXTS + 1);
	job.id = sql_col_i64(stmt, N_TEXTS + 2);
	*ret = job;
	job = (struct job){0};
	return 0;
}

int job_insert(struct shipping *s, struct job *job, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[INSERT], &stmt, e);

	if (r < 0)
		return r;
	bind_texts(stmt, job);
	sql_bind_i64(stmt, N_TEXTS + 1, (int64_t)job->created_ns);
	r = sql_run(stmt, e);
	if (r < 0)
		return err_wrap(e, r, "job '%s'", job->name);
	job->id = shipping_last_id(s);
	return 0;
}

int job_update(struct shipping *s, const struct job *job, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[UPDATE], &stmt, e);

	if (r < 0)
		return r;
	bind_texts(stmt, job);
	sql_bind_i64(stmt, N_TEXTS + 1, job->id);
	r = sql_run(stmt, e);
	if (r == 0 && shipping_changes(s) == 0)
		r = err_set(e, ENOENT, "it is gone");
	return r < 0 ? err_wrap(e, r, "job '%s'", job->name) : 0;
}

int job_get(struct shipping *s, const char *name, struct job *ret, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[GET], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_text(stmt, 1, name);
	r = sql_step(stmt, e);
	if (r == 0)
		return err_hint(e, err_set(e, ENOENT, "there is no job '%s'", name),
				"see 'seedship job list'");
	if (r > 0)
		r = read_job(stmt, ret, e);
	sql_reset(stmt);
	return r;
}

int job_next_session(struct shipping *s, int64_t job_id, uint64_t *ret, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[COUNT_SESSION], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, job_id);
	r = sql_run(stmt, e);
	if (r < 0)
		return r;
	r = shipping_statement(s, sql[SESSIONS], &stmt, e);
	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, job_id);
	r = sql_step(stmt, e);
	if (r == 0)
		return err_set(e, ENOENT, "there is no such job");
	if (r > 0)
		*ret = (uint64_t)sql_col_i64(stmt, 0);
	sql_reset(stmt);
	return r < 0 ? r : 0;
}

void job_list_done(struct job_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		job_done(&list->items[i]);
	free(list->items);
	*list = (struct job_list){0};
}

static int append(struct job_list *list, struct sql_stmt *stmt, struct err *e)
{
	struct job *items = reallocarray(list->items, list->n + 1, sizeof(*items));
	int r;

	if (!items)
		return err_oom(e);
	list->items = items;
	r = read_job(stmt, &items[list->n], e);
	if (r == 0)
		list->n++;
	return r;
}

int job_list(struct shipping *s, struct job_list *ret, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	_cleanup_(job_list_done) struct job_list list = {0};
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[LIST], &stmt, e);

	if (r < 0)
		return r;
	while ((r = sql_step(stmt, e)) > 0) {
		r = append(&list, stmt, e);
		if (r < 0)
			break;
	}
	sql_reset(stmt);
	if (r < 0)
		return r;
	*ret = list;
	list = (struct job_list){0};
	return 0;
}

int job_progress(struct shipping *s, const char *name, struct job_progress *ret, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	uint64_t *const values[] = {&ret->drives,	 &ret->drives_sealed, &ret->drives_verified,
				    &ret->files,	 &ret->files_sealed,  &ret->files_verified,
				    &ret->files_changed, &ret->size_bytes,    &ret->streamed_bytes};
	int r = shipping_statement(s, sql[PROGRESS], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_text(stmt, 1, name);
	r = sql_step(stmt, e);
	if (r == 0)
		return err_set(e, ENOENT, "there is no job '%s'", name);
	for (size_t i = 0; r > 0 && i < ARRAY_SIZE(values); i++)
		*values[i] = (uint64_t)sql_col_i64(stmt, (int)i);
	sql_reset(stmt);
	return r < 0 ? r : 0;
}
