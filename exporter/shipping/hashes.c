/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table hashes and the drive's streamed position. */
#include "exporter/shipping/hashes.h"

#include <string.h>

#include "exporter/shipping/internal.h"

enum query { PUT_HASH, SET_STREAMED, READ };

static const char *const sql[] = {
	[PUT_HASH] = "INSERT INTO hashes (placement, idx, md5) VALUES (?1, ?2, ?3)"
		     " ON CONFLICT DO UPDATE SET md5 = excluded.md5",
	[SET_STREAMED] = "UPDATE drives SET streamed_bytes = ?2 WHERE id = ?1",
	[READ] = "SELECT idx, md5 FROM hashes WHERE placement = ?1 AND idx >= ?2 ORDER BY idx "
		 "LIMIT ?3",
};

static int put_hash(struct shipping *s, const struct shipping_hash *hash, struct err *e)
{
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[PUT_HASH], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, hash->placement);
	sql_bind_i64(stmt, 2, (int64_t)hash->idx);
	sql_bind_blob(stmt, 3, hash->md5, sizeof(hash->md5));
	return sql_run(stmt, e);
}

static int set_streamed(struct shipping *s, int64_t drive, uint64_t streamed_bytes, struct err *e)
{
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[SET_STREAMED], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, drive);
	sql_bind_i64(stmt, 2, (int64_t)streamed_bytes);
	r = sql_run(stmt, e);
	if (r == 0 && shipping_changes(s) == 0)
		r = err_set(e, ENOENT, "the drive is gone from shipping.db");
	return r;
}

int shipping_commit_progress(struct shipping *s, int64_t drive, uint64_t streamed_bytes,
			     const struct shipping_hash *hashes, size_t n_hashes, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	int r = shipping_begin(s, e);

	if (r < 0)
		return r;
	r = set_streamed(s, drive, streamed_bytes, e);
	for (size_t i = 0; r == 0 && i < n_hashes; i++)
		r = put_hash(s, &hashes[i], e);
	if (r == 0)
		r = shipping_commit(s, e);
	if (r < 0) {
		shipping_rollback(s);
		return err_wrap(e, r, "recording progress");
	}
	return 0;
}

/* Copies the hash in this row when it is number `want`; false at a gap. */
static bool take_hash(struct sql_stmt *stmt, uint64_t want, uint8_t *out)
{
	size_t len_bytes;
	const void *md5 = sql_col_blob(stmt, 1, &len_bytes);

	if ((uint64_t)sql_col_i64(stmt, 0) != want || len_bytes != SHIPPING_MD5_BYTES)
		return false;
	memcpy(out, md5, SHIPPING_MD5_BYTES);
	return true;
}

int shipping_hashes_read(struct shipping *s, int64_t placement, uint64_t first_idx, size_t n,
			 uint8_t *ret_md5, size_t *ret_n, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	size_t done = 0;
	int r = shipping_statement(s, sql[READ], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, placement);
	sql_bind_i64(stmt, 2, (int64_t)first_idx);
	sql_bind_i64(stmt, 3, (int64_t)n);
	while (done < n && (r = sql_step(stmt, e)) > 0) {
		if (!take_hash(stmt, first_idx + done, ret_md5 + done * SHIPPING_MD5_BYTES))
			break;
		done++;
	}
	sql_reset(stmt);
	if (r < 0)
		return r;
	*ret_n = done;
	return 0;
}
