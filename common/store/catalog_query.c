/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked of the index. */
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/store/catalog_impl.h"

int catalog_lookup(struct catalog *c, uint64_t parent, const char *name, uint64_t *ret_ino,
		   uint64_t *ret_id)
{
	struct catalog_connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = catalog_borrow(c, LOOKUP, &k, &s, &e);

	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)parent);
		sql_bind_name(s, 2, name, strlen(name));
		r = sql_step(s, &e);
		if (r > 0) {
			*ret_ino = (uint64_t)sql_col_i64(s, 0);
			*ret_id = (uint64_t)sql_col_i64(s, 1);
		}
		r = r > 0 ? 0 : r < 0 ? r : -ENOENT;
	}
	return catalog_give_back(c, k, s, r, &e);
}

int catalog_inode(struct catalog *c, uint64_t ino, struct inode_row *ret,
		  uint64_t *ret_stored_bytes)
{
	struct catalog_connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = catalog_borrow(c, INODE, &k, &s, &e);

	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)ino);
		r = sql_step(s, &e);
	}
	if (r > 0) {
		*ret = (struct inode_row){
			.mode = (uint32_t)sql_col_i64(s, 0),
			.nlink = (uint32_t)sql_col_i64(s, 1),
			.uid = (uint32_t)sql_col_i64(s, 2),
			.gid = (uint32_t)sql_col_i64(s, 3),
			.rdev = (uint64_t)sql_col_i64(s, 4),
			.size_bytes = (uint64_t)sql_col_i64(s, 5),
			.atime_ns = (uint64_t)sql_col_i64(s, 6),
			.mtime_ns = (uint64_t)sql_col_i64(s, 7),
			.ctime_ns = (uint64_t)sql_col_i64(s, 8),
			.btime_ns = (uint64_t)sql_col_i64(s, 9),
			.content_version = (uint64_t)sql_col_i64(s, 10),
		};
		*ret_stored_bytes = (uint64_t)sql_col_i64(s, 11);
		r = 1;
	}
	return catalog_give_back(c, k, s, r > 0 ? 0 : r < 0 ? r : -ENOENT, &e);
}

/* A text or blob column as an allocated string. */
static int copy_text(struct sql_stmt *s, int col, char **ret)
{
	size_t n;
	const void *data = sql_col_blob(s, col, &n);
	char *text = malloc(n + 1);

	if (!text)
		return -ENOMEM;
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	*ret = text;
	return 0;
}

int catalog_symlink(struct catalog *c, uint64_t ino, char **ret_target)
{
	struct catalog_connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = catalog_borrow(c, SYMLINK, &k, &s, &e);

	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)ino);
		r = sql_step(s, &e);
		r = r > 0 ? copy_text(s, 0, ret_target) : r < 0 ? r : -ENOENT;
	}
	return catalog_give_back(c, k, s, r, &e);
}

int catalog_list(struct catalog *c, uint64_t parent, uint64_t after, size_t limit,
		 int (*fn)(const struct catalog_dentry *d, void *arg), void *arg)
{
	struct catalog_connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = catalog_borrow(c, LIST, &k, &s, &e), stop = 0;

	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)parent);
		sql_bind_i64(s, 2, (int64_t)after);
		sql_bind_i64(s, 3, (int64_t)limit);
	}
	while (r >= 0 && !stop && (r = sql_step(s, &e)) > 0) {
		_cleanup_free_ char *name = NULL;

		r = copy_text(s, 3, &name);
		if (r < 0)
			break;
		stop = fn(&(struct catalog_dentry){.id = (uint64_t)sql_col_i64(s, 0),
						   .ino = (uint64_t)sql_col_i64(s, 1),
						   .mode = (uint32_t)sql_col_i64(s, 2),
						   .name = name},
			  arg);
	}
	r = catalog_give_back(c, k, s, r, &e);
	return r < 0 ? r : stop;
}

int catalog_name_of(struct catalog *c, uint64_t ino, uint64_t *ret_parent, char **ret_name)
{
	struct catalog_connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = catalog_borrow(c, NAME_OF, &k, &s, &e);

	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)ino);
		r = sql_step(s, &e);
		if (r > 0) {
			*ret_parent = (uint64_t)sql_col_i64(s, 0);
			r = copy_text(s, 1, ret_name);
		} else if (r == 0) {
			r = -ENOENT;
		}
	}
	return catalog_give_back(c, k, s, r, &e);
}

int catalog_chunks(struct catalog *c, uint64_t ino, uint64_t first_idx, size_t n,
		   struct chunk_place *ret)
{
	struct catalog_connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = catalog_borrow(c, CHUNKS, &k, &s, &e);

	memset(ret, 0, n * sizeof(*ret));
	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)ino);
		sql_bind_i64(s, 2, (int64_t)first_idx);
		sql_bind_i64(s, 3, (int64_t)(first_idx + n));
	}
	while (r >= 0 && (r = sql_step(s, &e)) > 0) {
		uint64_t idx = (uint64_t)sql_col_i64(s, 0);

		ret[idx - first_idx] = (struct chunk_place){
			.pack = (uint32_t)sql_col_i64(s, 1),
			.off_bytes = (uint64_t)sql_col_i64(s, 2),
			.stored_bytes = (uint32_t)sql_col_i64(s, 3),
			.raw_bytes = (uint32_t)sql_col_i64(s, 4),
			.checksum = (uint64_t)sql_col_i64(s, 5),
		};
	}
	return catalog_give_back(c, k, s, r, &e);
}

int catalog_next_chunk(struct catalog *c, uint64_t ino, uint64_t idx, uint64_t *ret_idx)
{
	struct catalog_connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = catalog_borrow(c, NEXT_CHUNK, &k, &s, &e);

	if (r == 0) {
		sql_bind_i64(s, 1, (int64_t)ino);
		sql_bind_i64(s, 2, (int64_t)idx);
		r = sql_step(s, &e);
		if (r > 0) {
			*ret_idx = (uint64_t)sql_col_i64(s, 0);
			r = sql_col_null(s, 0) ? -ENOENT : 0;
		}
	}
	return catalog_give_back(c, k, s, r, &e);
}

int catalog_count_chunks(struct catalog *c, uint32_t pack, uint64_t *ret)
{
	struct catalog_connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = catalog_borrow(c, COUNT_CHUNKS, &k, &s, &e);

	if (r == 0) {
		sql_bind_i64(s, 1, pack);
		r = sql_step(s, &e);
		if (r > 0)
			*ret = (uint64_t)sql_col_i64(s, 0);
	}
	return catalog_give_back(c, k, s, r > 0 ? 0 : r < 0 ? r : -ENOENT, &e);
}

int catalog_packs(struct catalog *c, int (*fn)(const struct catalog_pack *pack, void *arg),
		  void *arg)
{
	struct catalog_connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = catalog_borrow(c, PACKS, &k, &s, &e), stop = 0;

	while (r >= 0 && !stop && (r = sql_step(s, &e)) > 0)
		stop = fn(&(struct catalog_pack){.pack = (uint32_t)sql_col_i64(s, 0),
						 .size_bytes = (uint64_t)sql_col_i64(s, 1),
						 .live_bytes = (uint64_t)sql_col_i64(s, 2),
						 .log_bytes = (uint64_t)sql_col_i64(s, 3),
						 .sealed = sql_col_i64(s, 4)},
			  arg);
	r = catalog_give_back(c, k, s, r, &e);
	return r < 0 ? r : stop;
}

int catalog_xattrs(struct catalog *c, uint64_t ino,
		   int (*fn)(const char *name, const void *value, size_t len_bytes, void *arg),
		   void *arg)
{
	struct catalog_connection *k = NULL;
	struct sql_stmt *s = NULL;
	struct err e = {0};
	int r = catalog_borrow(c, XATTRS, &k, &s, &e), stop = 0;

	if (r == 0)
		sql_bind_i64(s, 1, (int64_t)ino);
	while (r >= 0 && !stop && (r = sql_step(s, &e)) > 0) {
		_cleanup_free_ char *name = NULL;
		const void *value;
		size_t n;

		r = copy_text(s, 0, &name);
		if (r < 0)
			break;
		value = sql_col_blob(s, 1, &n);
		stop = fn(name, value, n, arg);
	}
	r = catalog_give_back(c, k, s, r, &e);
	return r < 0 ? r : stop;
}
