/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table drives; its rows are drive_row.c. */
#include "exporter/shipping/drives.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "exporter/shipping/drive_row.h"
#include "exporter/shipping/internal.h"

enum query { INSERT, UPDATE, GET, LIST, SET_PHASE, SEAL_PLACEMENTS, VERIFY_PLACEMENTS, DELETE };

static const char *const sql[] = {
	[INSERT] = "INSERT INTO drives (" DRIVE_ROW_COLUMNS
		   ", streamed_bytes, created_ns, phase, phase_ns)"
		   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
		   " ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
	[UPDATE] = "UPDATE drives SET (" DRIVE_ROW_COLUMNS
		   ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
		   " ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) WHERE id = ?22",
	[GET] = DRIVE_ROW_SELECT "WHERE job = ?1 AND drive_id = ?2",
	[LIST] = DRIVE_ROW_SELECT "WHERE job = ?1 ORDER BY id",
	[SET_PHASE] = "UPDATE drives SET phase = ?2, phase_ns = ?3 WHERE id = ?1",
	[SEAL_PLACEMENTS] = "UPDATE placements SET state = 'sealed'"
			    " WHERE drive = ?1 AND state IN ('planned', 'verified')",
	[VERIFY_PLACEMENTS] = "UPDATE placements SET state = 'verified'"
			      " WHERE drive = ?1 AND state = 'sealed'",
	[DELETE] = "DELETE FROM drives WHERE id = ?1",
};

int shipping_drive_insert(struct shipping *s, struct shipping_drive *drive, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[INSERT], &stmt, e);

	if (r < 0)
		return r;
	drive_row_bind(stmt, drive);
	sql_bind_i64(stmt, DRIVE_ROW_FACTS + 1, (int64_t)drive->streamed_bytes);
	sql_bind_i64(stmt, DRIVE_ROW_FACTS + 2, (int64_t)drive->created_ns);
	sql_bind_text(stmt, DRIVE_ROW_FACTS + 3, shipping_phase_name(drive->phase));
	sql_bind_i64(stmt, DRIVE_ROW_FACTS + 4, (int64_t)drive->phase_ns);
	r = sql_run(stmt, e);
	if (r < 0)
		return err_wrap(e, r, "drive %s", drive->drive_id);
	drive->id = shipping_last_id(s);
	return 0;
}

/* Runs a statement that must change one drive. */
static int run_for_drive(struct shipping *s, struct sql_stmt *stmt, struct err *e)
{
	int r = sql_run(stmt, e);

	if (r == 0 && shipping_changes(s) == 0)
		r = err_set(e, ENOENT, "the drive is gone from shipping.db");
	return r;
}

int shipping_drive_update(struct shipping *s, const struct shipping_drive *drive, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[UPDATE], &stmt, e);

	if (r < 0)
		return r;
	drive_row_bind(stmt, drive);
	sql_bind_i64(stmt, DRIVE_ROW_FACTS + 1, drive->id);
	r = run_for_drive(s, stmt, e);
	return r < 0 ? err_wrap(e, r, "drive %s", drive->drive_id) : 0;
}

int shipping_drive_get(struct shipping *s, int64_t job_id, const char *drive_id,
		       struct shipping_drive *ret, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[GET], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, job_id);
	sql_bind_text(stmt, 2, drive_id);
	r = sql_step(stmt, e);
	if (r == 0)
		return err_set(e, ENOENT, "the job has no drive %s", drive_id);
	if (r > 0)
		r = drive_row_read(stmt, ret, e);
	sql_reset(stmt);
	return r;
}

/* Runs one of this file's statements that take a drive and nothing else. */
static int run_by_drive(struct shipping *s, enum query query, int64_t id, struct err *e)
{
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[query], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, id);
	return sql_run(stmt, e);
}

static int set_phase(struct shipping *s, int64_t id, enum shipping_phase phase, uint64_t now_ns,
		     struct err *e)
{
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[SET_PHASE], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, id);
	sql_bind_text(stmt, 2, shipping_phase_name(phase));
	sql_bind_i64(stmt, 3, (int64_t)now_ns);
	r = run_for_drive(s, stmt, e);
	if (r == 0 && phase == SHIPPING_SEALED)
		r = run_by_drive(s, SEAL_PLACEMENTS, id, e);
	if (r == 0 && phase == SHIPPING_VERIFIED)
		r = run_by_drive(s, VERIFY_PLACEMENTS, id, e);
	return r;
}

int shipping_drive_set_phase(struct shipping *s, int64_t id, enum shipping_phase phase,
			     uint64_t now_ns, struct err *e)
{
	int r = shipping_begin(s, e);

	if (r < 0)
		return r;
	r = set_phase(s, id, phase, now_ns, e);
	if (r == 0)
		r = shipping_commit(s, e);
	if (r < 0)
		shipping_rollback(s);
	return r;
}

int shipping_drive_delete(struct shipping *s, int64_t id, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	return run_by_drive(s, DELETE, id, e);
}

void shipping_drive_list_done(struct shipping_drive_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		shipping_drive_done(&list->items[i]);
	free(list->items);
	*list = (struct shipping_drive_list){0};
}

static int append(struct shipping_drive_list *list, struct sql_stmt *stmt, struct err *e)
{
	struct shipping_drive *items = reallocarray(list->items, list->n + 1, sizeof(*items));
	int r;

	if (!items)
		return err_oom(e);
	list->items = items;
	r = drive_row_read(stmt, &items[list->n], e);
	if (r == 0)
		list->n++;
	return r;
}

int shipping_drive_list(struct shipping *s, int64_t job_id, struct shipping_drive_list *ret,
			struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	_cleanup_(shipping_drive_list_done) struct shipping_drive_list list = {0};
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[LIST], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, job_id);
	while ((r = sql_step(stmt, e)) > 0) {
		r = append(&list, stmt, e);
		if (r < 0)
			break;
	}
	sql_reset(stmt);
	if (r < 0)
		return r;
	*ret = list;
	list = (struct shipping_drive_list){0};
	return 0;
}
