/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sums over the placements of a drive. */
#include "exporter/shipping/totals.h"

#include "exporter/shipping/internal.h"

static const char *const sql[] = {
	"SELECT count(*), coalesce(sum(size_bytes), 0),"
	" coalesce(sum(size_bytes) FILTER (WHERE link_of IS NULL), 0)"
	" FROM placements WHERE drive = ?1 AND state <> 'changed'",
};

int shipping_drive_totals(struct shipping *s, int64_t drive, struct shipping_totals *ret,
			  struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[0], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, drive);
	r = sql_step(stmt, e);
	if (r > 0)
		*ret = (struct shipping_totals){.files = (uint64_t)sql_col_i64(stmt, 0),
						.size_bytes = (uint64_t)sql_col_i64(stmt, 1),
						.content_bytes = (uint64_t)sql_col_i64(stmt, 2)};
	sql_reset(stmt);
	return r < 0 ? r : 0;
}
