/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SQLite's connections and transactions. */
#include "common/ext/sql_impl.h"

#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"

#define BUSY_TIMEOUT_MS 5000

/* SQLite's result codes as errno. */
static int to_errno(int rc)
{
	if (rc == SQLITE_IOERR_SHMSIZE) /* the shared memory's file could not grow */
		return ENOSPC;
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return EBADMSG;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return EROFS;
	case SQLITE_CONSTRAINT:
		return EEXIST;
	case SQLITE_CANTOPEN:
		return ENOENT;
	default:
		return EIO;
	}
}

int sql_fail(struct sql *db, int rc, struct err *e)
{
	int sys = sqlite3_system_errno(db->db);
	/* A quota is a full disk, too, but SQLite does not call it one. */
	bool no_room = (sys == ENOSPC || sys == EDQUOT) &&
		       ((rc & 0xff) == SQLITE_CANTOPEN || rc == SQLITE_IOERR_WRITE);

	int code = no_room ? ENOSPC : to_errno(rc);

	/* "disk I/O error" is what SQLite says of several of these. */
	return err_set(e, code, "database: %s (%d)",
		       code == ENOSPC ? "no space left on the device" : sqlite3_errmsg(db->db),
		       sqlite3_extended_errcode(db->db));
}

static int apply_settings(struct sql *db, enum sql_mode mode, struct err *e)
{
	static const char common[] = "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
				     "PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;"
				     "PRAGMA cache_size=-1024;"; /* there may be many */
	static const char writer[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
				     "PRAGMA wal_autocheckpoint=0;"
				     "PRAGMA cache_size=-16384;"
				     "PRAGMA journal_size_limit=67108864;";
	int r;

	(void)sqlite3_extended_result_codes(db->db, 1);
	(void)sqlite3_busy_timeout(db->db, BUSY_TIMEOUT_MS);
	(void)sqlite3_db_config(db->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	r = sql_exec(db, common, e);
	if (r < 0 || mode == SQL_READ_ONLY || mode == SQL_IMMUTABLE)
		return r;
	return sql_exec(db, writer, e);
}

/* Nobody asks SQLite for its statistics of memory, and counting takes a lock for each allocation. */
static void configure(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* The path as SQLite's URI, which is the only way to say "immutable". NULL: out of memory. */
static char *immutable_uri(const char *path)
{
	struct buf uri = BUF_INIT;
	char *text = NULL;

	buf_puts(&uri, "file:");
	for (; *path; path++) {
		if (strchr("%?#", *path))
			buf_printf(&uri, "%%%02X", (unsigned char)*path);
		else
			buf_put(&uri, path, 1);
	}
	buf_puts(&uri, "?immutable=1");
	if (buf_error(&uri) == 0)
		text = strdup(buf_text(&uri));
	buf_done(&uri);
	return text;
}

int sql_open(const char *path, enum sql_mode mode, struct sql **ret, struct err *e)
{
	static const int flags[] = {
		[SQL_READ_ONLY] = SQLITE_OPEN_READONLY,
		[SQL_READ_WRITE] = SQLITE_OPEN_READWRITE,
		[SQL_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
		[SQL_IMMUTABLE] = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
	};
	static pthread_once_t configured = PTHREAD_ONCE_INIT;
	_cleanup_free_ char *uri = mode == SQL_IMMUTABLE ? immutable_uri(path) : NULL;
	_cleanup_(sql_closep) struct sql *db = calloc(1, sizeof(*db));
	int rc, r;

	if (!db || (mode == SQL_IMMUTABLE && !uri))
		return err_oom(e);
	(void)pthread_once(&configured, configure);
	rc = sqlite3_open_v2(uri ? uri : path, &db->db, flags[mode] | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return err_wrap(e, err_set(e, to_errno(rc), "database: %s", sqlite3_errstr(rc)),
				"cannot open '%s'", path);
	r = apply_settings(db, mode, e);
	if (r < 0)
		return err_wrap(e, r, "cannot open '%s'", path);
	*ret = take_ptr(db);
	return 0;
}

int sql_open_scratch(const char *path, struct sql **ret, struct err *e)
{
	static const char settings[] =
		"PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;"
		"PRAGMA journal_mode=DELETE; PRAGMA locking_mode=EXCLUSIVE;"
		"PRAGMA synchronous=OFF; PRAGMA cache_size=-32768;";
	_cleanup_(sql_closep) struct sql *db = calloc(1, sizeof(*db));
	int rc, r;

	if (!db)
		return err_oom(e);
	rc = sqlite3_open_v2(path, &db->db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			     NULL);
	if (rc != SQLITE_OK)
		return err_wrap(e, err_set(e, to_errno(rc), "database: %s", sqlite3_errstr(rc)),
				"cannot make '%s'", path);
	(void)sqlite3_extended_result_codes(db->db, 1);
	(void)sqlite3_db_config(db->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	r = sql_exec(db, settings, e);
	if (r < 0)
		return err_wrap(e, r, "cannot make '%s'", path);
	*ret = take_ptr(db);
	return 0;
}

int sql_attach(struct sql *db, const char *path, const char *name, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	int r = sql_prepare(db, "ATTACH ? AS ?", &s, e);

	if (r < 0)
		return r;
	sql_bind_text(s, 1, path);
	sql_bind_text(s, 2, name);
	return sql_run(s, e);
}

void sql_close(struct sql *db)
{
	if (!db)
		return;
	(void)sqlite3_close_v2(db->db);
	free(db);
}

int sql_exec(struct sql *db, const char *text, struct err *e)
{
	int rc = sqlite3_exec(db->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : sql_fail(db, rc, e);
}

int sql_get_i64(struct sql *db, const char *text, int64_t *ret, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	int r = sql_prepare(db, text, &s, e);

	if (r < 0)
		return r;
	r = sql_step(s, e);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(e, ENODATA, "database: no row");
	*ret = sql_col_i64(s, 0);
	return 0;
}

int64_t sql_changes(struct sql *db)
{
	return sqlite3_changes64(db->db);
}

int64_t sql_last_id(struct sql *db)
{
	return sqlite3_last_insert_rowid(db->db);
}

int sql_begin(struct sql *db, bool immediate, struct err *e)
{
	return sql_exec(db, immediate ? "BEGIN IMMEDIATE" : "BEGIN", e);
}

int sql_commit(struct sql *db, bool *ret_maybe_done, struct err *e)
{
	int rc = sqlite3_exec(db->db, "COMMIT", NULL, NULL, NULL);

	/* The frames are written and synced before the index of the log, in shared memory, grows. */
	if (ret_maybe_done)
		*ret_maybe_done = rc == SQLITE_IOERR_SHMSIZE;
	return rc == SQLITE_OK ? 0 : sql_fail(db, rc, e);
}

void sql_rollback(struct sql *db)
{
	if (!sqlite3_get_autocommit(db->db))
		(void)sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
}

int sql_checkpoint(struct sql *db, enum sql_checkpoint kind, int64_t *ret_left_frames,
		   struct err *e)
{
	static const int mode[] = {SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_RESTART,
				   SQLITE_CHECKPOINT_TRUNCATE};
	int in_wal = 0, copied = 0;
	int rc = sqlite3_wal_checkpoint_v2(db->db, NULL, mode[kind], &in_wal, &copied);

	if (ret_left_frames)
		*ret_left_frames = in_wal > copied ? in_wal - copied : 0;
	return rc == SQLITE_OK ? 0 : sql_fail(db, rc, e);
}
