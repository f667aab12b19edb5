/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table omissions and the view not_shipped. */
#include "exporter/shipping/omissions.h"

#include <string.h>

#include "exporter/shipping/internal.h"

enum query { INSERT, DELETE, EACH };

static const char *const sql[] = {
	[INSERT] = ("INSERT INTO omissions (job, drive, path, kind, reason, shipped)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
	[DELETE] = "DELETE FROM omissions WHERE job = ?1 AND drive IS NULL",
	[EACH] = "SELECT path, kind, reason FROM not_shipped WHERE job = ?1",
};

int shipping_omission_insert(struct shipping *s, const struct shipping_omission *omission,
			     struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[INSERT], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, omission->job_id);
	if (omission->drive)
		sql_bind_i64(stmt, 2, omission->drive);
	sql_bind_name(stmt, 3, omission->path, strlen(omission->path));
	sql_bind_text(stmt, 4, omission->kind);
	sql_bind_text(stmt, 5, omission->reason);
	sql_bind_i64(stmt, 6, omission->shipped);
	r = sql_run(stmt, e);
	return r < 0 ? err_wrap(e, r, "omission of '%s'", omission->path) : 0;
}

int shipping_omissions_delete(struct shipping *s, int64_t job_id, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[DELETE], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, job_id);
	return sql_run(stmt, e);
}

int shipping_not_shipped_each(struct shipping *s, const char *job_name,
			      int (*fn)(const char *path, const char *kind, const char *reason,
					void *arg, struct err *e),
			      void *arg, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[EACH], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_text(stmt, 1, job_name);
	while ((r = sql_step(stmt, e)) > 0) {
		r = fn(sql_col_text(stmt, 0), sql_col_text(stmt, 1), sql_col_text(stmt, 2), arg, e);
		if (r != 0)
			break;
	}
	sql_reset(stmt);
	return r;
}
