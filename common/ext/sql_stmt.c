/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SQLite's statements: prepared, bound, stepped, read. */
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/ext/sql_impl.h"
#include "common/ext/utf16.h"

int sql_prepare(struct sql *db, const char *text, struct sql_stmt **ret, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return err_oom(e);
	s->owner = db;
	rc = sqlite3_prepare_v3(db->db, text, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL);
	if (rc != SQLITE_OK)
		return sql_fail(db, rc, e);
	*ret = take_ptr(s);
	return 0;
}

void sql_finalize(struct sql_stmt *s)
{
	if (!s)
		return;
	(void)sqlite3_finalize(s->stmt);
	free(s);
}

static void note_bind(struct sql_stmt *s, int rc)
{
	if (rc != SQLITE_OK && s->bind_result == SQLITE_OK)
		s->bind_result = rc;
}

void sql_bind_i64(struct sql_stmt *s, int n, int64_t v)
{
	note_bind(s, sqlite3_bind_int64(s->stmt, n, v));
}

void sql_bind_text(struct sql_stmt *s, int n, const char *text)
{
	if (!text)
		sql_bind_null(s, n);
	else
		note_bind(s, sqlite3_bind_text64(s->stmt, n, text, strlen(text), SQLITE_TRANSIENT,
						 SQLITE_UTF8));
}

void sql_bind_blob(struct sql_stmt *s, int n, const void *data, size_t len_bytes)
{
	if (!data && len_bytes == 0)
		sql_bind_null(s, n);
	else
		note_bind(s, sqlite3_bind_blob64(s->stmt, n, data, len_bytes, SQLITE_TRANSIENT));
}

void sql_bind_null(struct sql_stmt *s, int n)
{
	note_bind(s, sqlite3_bind_null(s->stmt, n));
}

void sql_bind_name(struct sql_stmt *s, int n, const char *name, size_t len_bytes)
{
	if (utf8_valid(name, len_bytes))
		note_bind(s, sqlite3_bind_text64(s->stmt, n, name, len_bytes, SQLITE_TRANSIENT,
						 SQLITE_UTF8));
	else
		note_bind(s, sqlite3_bind_blob64(s->stmt, n, name, len_bytes, SQLITE_TRANSIENT));
}

int sql_step(struct sql_stmt *s, struct err *e)
{
	int rc = s->bind_result != SQLITE_OK ? s->bind_result : sqlite3_step(s->stmt);
	int r;

	if (rc == SQLITE_ROW)
		return 1;
	r = rc == SQLITE_DONE ? 0 : sql_fail(s->owner, rc, e);
	sql_reset(s);
	return r;
}

int sql_run(struct sql_stmt *s, struct err *e)
{
	int r = sql_step(s, e);

	sql_reset(s);
	(void)sqlite3_clear_bindings(s->stmt);
	return r < 0 ? r : 0;
}

void sql_reset(struct sql_stmt *s)
{
	(void)sqlite3_reset(s->stmt);
	s->bind_result = SQLITE_OK;
}

int64_t sql_col_i64(struct sql_stmt *s, int n)
{
	return sqlite3_column_int64(s->stmt, n);
}

const char *sql_col_text(struct sql_stmt *s, int n)
{
	return (const char *)sqlite3_column_text(s->stmt, n);
}

const void *sql_col_blob(struct sql_stmt *s, int n, size_t *ret_len_bytes)
{
	const void *data = sqlite3_column_blob(s->stmt, n);

	*ret_len_bytes = (size_t)sqlite3_column_bytes(s->stmt, n);
	return data;
}

bool sql_col_null(struct sql_stmt *s, int n)
{
	return sqlite3_column_type(s->stmt, n) == SQLITE_NULL;
}
