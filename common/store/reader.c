/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A read-only look into a store: opening it, its statements, the facts of one inode. Walking is in
 * reader_walk.c, reading content in reader_pread.c.
 */
#include "common/store/reader.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/store/names.h"
#include "common/store/reader_impl.h"

/* The columns that entry_from_row() reads. */
#define ENTRY_COLUMNS                                                                             \
	"i.ino, i.mode, i.nlink, i.uid, i.gid, i.rdev, i.size_bytes, i.stored_bytes, i.mtime_ns," \
	" i.content_version, s.target"

/*
 * QUERY_NEXT_NAME: SQLite sorts every TEXT before every BLOB, so byte order across both is a merge: the
 * next TEXT and the next BLOB after the given bytes (bound as both kinds), and of those two the lesser.
 * Each is one step in the index dentry (parent, name).
 */
static const char *const query_text[N_QUERIES] = {
	[QUERY_STORE] = "SELECT uuid, chunk_bytes FROM store",
	[QUERY_INODE] = "SELECT " ENTRY_COLUMNS " FROM inode i LEFT JOIN symlink s USING (ino)"
			" WHERE i.ino = ? AND i.nlink > 0",
	[QUERY_CHUNKS] = "SELECT idx, pack, off_bytes, stored_bytes, raw_bytes, checksum FROM chunk"
			 " WHERE ino = ? AND idx BETWEEN ? AND ? ORDER BY idx",
	[QUERY_NEXT_NAME] =
		"SELECT d.bytes, " ENTRY_COLUMNS " FROM ("
		" SELECT * FROM (SELECT CAST(name AS BLOB) AS bytes, ino FROM dentry"
		"  WHERE parent = ?1 AND name > ?2 AND name < x'' ORDER BY name LIMIT 1)"
		" UNION ALL"
		" SELECT * FROM (SELECT CAST(name AS BLOB) AS bytes, ino FROM dentry"
		"  WHERE parent = ?1 AND name > ?3 ORDER BY name LIMIT 1)"
		" ORDER BY bytes LIMIT 1) d"
		" LEFT JOIN inode i USING (ino) LEFT JOIN symlink s USING (ino)",
};

/* Says plainly that a path is no store, rather than which file of it is missing. */
static int check_is_store(const char *store_path, const char *index_path, struct err *e)
{
	struct stat st;
	int reader;

	if (stat(index_path, &st) == 0)
		return 0;
	if (errno != ENOENT && errno != ENOTDIR)
		return err_sys(e, "cannot look into store '%s'", store_path);
	reader = err_set(e, ENOENT, "'%s' is not a Seedship store", store_path);
	return err_hint(e, reader,
			"a store is the folder with index.db and packs/, not the place where "
			"it is mounted");
}

static int open_index(struct reader *reader, const char *store_path, struct err *e)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s/index.db", store_path) < 0) {
		path = NULL;
		return err_oom(e);
	}
	r = check_is_store(store_path, path, e);
	if (r == 0)
		r = sql_open(path, SQL_READ_ONLY, &reader->db, e);
	if (r == 0)
		r = sql_check_schema(reader->db, path, &schema_index, e);
	for (size_t i = 0; r == 0 && i < N_QUERIES; i++)
		r = sql_prepare(reader->db, query_text[i], &reader->query[i], e);
	return r;
}

static int open_packs(struct reader *reader, const char *store_path, struct err *e)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/packs", store_path) < 0) {
		path = NULL;
		return err_oom(e);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	return fetcher_new(fd, &reader->fetcher, e);
}

/* Reads the store's row: who it is and how it cuts files. */
static int load_store(struct reader *reader, struct err *e)
{
	struct sql_stmt *row = reader->query[QUERY_STORE];
	size_t uuid_bytes;
	const void *uuid;
	int r = sql_step(row, e);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(e, EBADMSG, "index: the store's own row is missing");
	uuid = sql_col_blob(row, 0, &uuid_bytes);
	if (uuid && uuid_bytes == STORE_UUID_BYTES &&
	    chunk_bytes_possible((uint64_t)sql_col_i64(row, 1))) {
		memcpy(reader->uuid, uuid, STORE_UUID_BYTES);
		reader->chunk_bytes = (uint32_t)sql_col_i64(row, 1);
	}
	sql_reset(row);
	return reader->chunk_bytes ? 0
				   : err_set(e, EBADMSG, "index: the store's own row is damaged");
}

int reader_open(const char *store_path, struct reader **ret, struct err *e)
{
	_cleanup_(reader_freep) struct reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader)
		return err_oom(e);
	r = open_index(reader, store_path, e);
	if (r < 0)
		return r;
	r = open_packs(reader, store_path, e);
	if (r == 0)
		r = load_store(reader, e);
	if (r < 0)
		return err_wrap(e, r, "store '%s'", store_path);
	*ret = take_ptr(reader);
	return 0;
}

void reader_free(struct reader *reader)
{
	if (!reader)
		return;
	for (size_t i = 0; i < N_QUERIES; i++)
		sql_finalize(reader->query[i]);
	sql_close(reader->db);
	fetcher_free(reader->fetcher);
	free(reader);
}

uint32_t reader_chunk_bytes(const struct reader *reader)
{
	return reader->chunk_bytes;
}

const uint8_t *reader_uuid(const struct reader *reader)
{
	return reader->uuid;
}

void entry_from_row(struct sql_stmt *row, int first, struct staged_entry *ret)
{
	*ret = (struct staged_entry){
		.ino = (uint64_t)sql_col_i64(row, first),
		.path = "",
		.name = "",
		.mode = (uint32_t)sql_col_i64(row, first + 1),
		.nlink = (uint32_t)sql_col_i64(row, first + 2),
		.uid = (uint32_t)sql_col_i64(row, first + 3),
		.gid = (uint32_t)sql_col_i64(row, first + 4),
		.rdev = (uint64_t)sql_col_i64(row, first + 5),
		.size_bytes = (uint64_t)sql_col_i64(row, first + 6),
		.stored_bytes = (uint64_t)sql_col_i64(row, first + 7),
		.mtime_ns = (uint64_t)sql_col_i64(row, first + 8),
		.content_version = (uint64_t)sql_col_i64(row, first + 9),
		.symlink_target = sql_col_text(row, first + 10),
	};
}

int reader_stat(struct reader *reader, uint64_t ino, struct staged_entry *ret, struct err *e)
{
	struct sql_stmt *row = reader->query[QUERY_INODE];
	struct staged_entry entry;
	int r;

	sql_bind_i64(row, 1, (int64_t)ino);
	r = sql_step(row, e);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(e, ENOENT, "inode %" PRIu64 " is gone", ino);
	entry_from_row(row, 0, &entry);
	sql_reset(row);
	entry.symlink_target = NULL; /* was lent by the row */
	*ret = entry;
	return 0;
}
