/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From an inode up to the root, in an index that may be damaged. */
#include <string.h>

#include "common/base/cleanup.h"
#include "common/store/check_impl.h"

#define DEPTH_MAX 4096 /* a circle ends there */

/* Puts "name" or "name/" in front of what is in the path. */
static void prepend(struct buf *path, const void *name, size_t len_bytes)
{
	_cleanup_(buf_done) struct buf rest = BUF_INIT;

	buf_put(&rest, path->data, path->len_bytes);
	buf_reset(path);
	buf_put(path, name, len_bytes);
	if (rest.len_bytes)
		buf_put_u8(path, '/');
	buf_put(path, rest.data, rest.len_bytes);
}

void check_path_of(struct sql *db, uint64_t ino, struct buf *path)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;

	buf_reset(path);
	if (!db || sql_prepare(db, "SELECT parent, name FROM main.dentry WHERE ino = ? LIMIT 1", &s,
			       NULL) < 0)
		return;
	for (int depth = 0; ino != STORE_ROOT_INO && depth < DEPTH_MAX; depth++) {
		const void *name;
		size_t n;

		sql_bind_i64(s, 1, (int64_t)ino);
		if (sql_step(s, NULL) != 1)
			break;
		name = sql_col_blob(s, 1, &n);
		if (name)
			prepend(path, name, n);
		ino = (uint64_t)sql_col_i64(s, 0);
		sql_reset(s);
	}
	if (buf_error(path) < 0)
		buf_reset(path);
}
