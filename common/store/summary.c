/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store in a few numbers, by one query. */
#include "common/store/summary.h"

#include <stdio.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/ext/sql.h"
#include "schema/schema.h"

static const char summary_text[] = "SELECT files, directories, size, stored, packs, (SELECT "
				   "count(*) FROM pack), commits, committed_ns,"
				   " chunk_bytes FROM summary, store";

int store_summary_get(const char *path, struct store_summary *ret, struct err *e)
{
	_cleanup_(sql_closep) struct sql *db = NULL;
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	_cleanup_free_ char *file = NULL;
	int r;

	if (asprintf(&file, "%s/index.db", path) < 0) {
		file = NULL;
		return err_oom(e);
	}
	if (access(file, F_OK) < 0)
		return err_hint(e, err_set(e, ENOENT, "'%s' is not a Seedship store", path),
				"a store is a folder with index.db in it, made by 'seedfs mount'");
	r = sql_open(file, SQL_READ_ONLY, &db, e);
	if (r == 0)
		r = sql_check_schema(db, file, &schema_index, e);
	if (r == 0)
		r = sql_prepare(db, summary_text, &s, e);
	if (r == 0)
		r = sql_step(s, e);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(e, EBADMSG, "'%s' has no store row", file);
	*ret = (struct store_summary){
		.files = (uint64_t)sql_col_i64(s, 0),
		.directories = (uint64_t)sql_col_i64(s, 1),
		.size_bytes = (uint64_t)sql_col_i64(s, 2),
		.stored_bytes = (uint64_t)sql_col_i64(s, 3),
		.packs_bytes = (uint64_t)sql_col_i64(s, 4),
		.packs = (uint64_t)sql_col_i64(s, 5),
		.commits = (uint64_t)sql_col_i64(s, 6),
		.committed_ns = (uint64_t)sql_col_i64(s, 7),
		.chunk_bytes = (uint32_t)sql_col_i64(s, 8),
	};
	return 0;
}
