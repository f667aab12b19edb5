/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The version of a database: checked, and brought up to date step by step. */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

#include "common/ext/sql.h"

/* Refuses another application's and a newer database; *ret_version = its step, 0 = empty. */
static int check_version(struct sql *db, const char *path, const struct schema *schema,
			 int64_t *ret_version, struct err *e)
{
	int64_t id, version, tables;
	int r;

	r = sql_get_i64(db, "PRAGMA application_id", &id, e);
	if (r == 0)
		r = sql_get_i64(db, "PRAGMA user_version", &version, e);
	if (r == 0)
		r = sql_get_i64(db, "SELECT count(*) FROM sqlite_schema", &tables, e);
	if (r < 0)
		return err_wrap(e, r, "'%s'", path);
	if ((uint32_t)id != schema->application_id && (id != 0 || tables != 0))
		return err_set(e, EMEDIUMTYPE, "'%s' is not a Seedship %s database", path,
			       schema->name);
	if (version > (int64_t)schema->n_steps) {
		r = err_set(e, ENOTSUP,
			    "'%s' has %s format %" PRId64 ", this program knows up to %zu", path,
			    schema->name, version, schema->n_steps);
		return err_hint(e, r, "use a Seedship that knows %s format %" PRId64 " or newer",
				schema->name, version);
	}
	*ret_version = version;
	return 0;
}

int sql_check_schema(struct sql *db, const char *path, const struct schema *schema, struct err *e)
{
	int64_t version;
	int r = check_version(db, path, schema, &version, e);

	if (r < 0)
		return r;
	if (version < (int64_t)schema->n_steps) {
		r = err_set(e, ESTALE, "'%s' has the older %s format %" PRId64, path, schema->name,
			    version);
		return err_hint(e, r, "open it once with the program that writes it: it migrates");
	}
	return 0;
}

/* A plain copy of the whole database as it was before a migration. */
static int keep_copy(struct sql *db, const char *path, int64_t version, struct err *e)
{
	char *statement = sqlite3_mprintf("VACUUM INTO '%q.v%lld'", path, version);
	int r;

	if (!statement)
		return err_oom(e);
	r = sql_exec(db, statement, e);
	sqlite3_free(statement);
	return r < 0 ? err_wrap(e, r, "copying '%s' before its migration", path) : 0;
}

static int run_step(struct sql *db, const struct schema *schema, size_t step, struct err *e)
{
	char pragma[96];
	int r = sql_begin(db, true, e);

	if (r < 0)
		return r;
	r = sql_exec(db, schema->steps[step].sql, e);
	(void)snprintf(pragma, sizeof(pragma),
		       "PRAGMA application_id=%" PRId32 "; PRAGMA user_version=%zu",
		       (int32_t)schema->application_id, step + 1);
	if (r == 0)
		r = sql_exec(db, pragma, e);
	if (r == 0)
		r = sql_commit(db, NULL, e);
	if (r < 0) {
		sql_rollback(db);
		return err_wrap(e, r, "step '%s'", schema->steps[step].name);
	}
	return 0;
}

int sql_migrate(struct sql *db, const char *path, const struct schema *schema, struct err *e)
{
	int64_t version;
	int r = check_version(db, path, schema, &version, e);

	if (r < 0)
		return r;
	if (version > 0 && version < (int64_t)schema->n_steps) {
		r = keep_copy(db, path, version, e);
		if (r < 0)
			return r;
	}
	for (size_t step = (size_t)version; step < schema->n_steps; step++) {
		r = run_step(db, schema, step, e);
		if (r < 0)
			return err_wrap(e, r, "migrating '%s'", path);
	}
	return 0;
}
