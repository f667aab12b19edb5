/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The face of SQLite. */
#include "common/ext/sql.h"

#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/ext/utf16.h"

#define BUSY_TIMEOUT_MS 5000

struct sql {
	sqlite3 *db;
};

struct sql_stmt {
	sqlite3_stmt *stmt;
	struct sql *owner;
	int bind_result; /* first failed bind since the last reset */
};

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

static int fail(struct sql *db, int rc, struct err *e)
{
	int sys = sqlite3_system_errno(db->db);
	/* A quota is a full disk, too, but SQLite does not call it one. */
	bool no_room = (sys == ENOSPC || sys == EDQUOT) &&
		       ((rc & 0xff) == SQLITE_CANTOPEN || rc == SQLITE_IOERR_WRITE);

	return err_set(e, no_room ? ENOSPC : to_errno(rc), "database: %s (%d)",
		       sqlite3_errmsg(db->db), sqlite3_extended_errcode(db->db));
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

	return rc == SQLITE_OK ? 0 : fail(db, rc, e);
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

int sql_prepare(struct sql *db, const char *text, struct sql_stmt **ret, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return err_oom(e);
	s->owner = db;
	rc = sqlite3_prepare_v3(db->db, text, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL);
	if (rc != SQLITE_OK)
		return fail(db, rc, e);
	*ret = take_ptr(s);
	return 0;
}

void sql_finalize(struct sql_stmt *s)
{
	if (!s)
		return;
	(void)sqlite3_finalize(s->stmt);
	free(s);
}

static void note_bind(struct sql_stmt *s, int rc)
{
	if (rc != SQLITE_OK && s->bind_result == SQLITE_OK)
		s->bind_result = rc;
}

void sql_bind_i64(struct sql_stmt *s, int n, int64_t v)
{
	note_bind(s, sqlite3_bind_int64(s->stmt, n, v));
}

void sql_bind_text(struct sql_stmt *s, int n, const char *text)
{
	if (!text)
		sql_bind_null(s, n);
	else
		note_bind(s, sqlite3_bind_text64(s->stmt, n, text, strlen(text), SQLITE_TRANSIENT,
						 SQLITE_UTF8));
}

void sql_bind_blob(struct sql_stmt *s, int n, const void *data, size_t len_bytes)
{
	if (!data && len_bytes == 0)
		sql_bind_null(s, n);
	else
		note_bind(s, sqlite3_bind_blob64(s->stmt, n, data, len_bytes, SQLITE_TRANSIENT));
}

void sql_bind_null(struct sql_stmt *s, int n)
{
	note_bind(s, sqlite3_bind_null(s->stmt, n));
}

void sql_bind_name(struct sql_stmt *s, int n, const char *name, size_t len_bytes)
{
	if (utf8_valid(name, len_bytes))
		note_bind(s, sqlite3_bind_text64(s->stmt, n, name, len_bytes, SQLITE_TRANSIENT,
						 SQLITE_UTF8));
	else
		note_bind(s, sqlite3_bind_blob64(s->stmt, n, name, len_bytes, SQLITE_TRANSIENT));
}

int sql_step(struct sql_stmt *s, struct err *e)
{
	int rc = s->bind_result != SQLITE_OK ? s->bind_result : sqlite3_step(s->stmt);
	int r;

	if (rc == SQLITE_ROW)
		return 1;
	r = rc == SQLITE_DONE ? 0 : fail(s->owner, rc, e);
	sql_reset(s);
	return r;
}

int sql_run(struct sql_stmt *s, struct err *e)
{
	int r = sql_step(s, e);

	sql_reset(s);
	(void)sqlite3_clear_bindings(s->stmt);
	return r < 0 ? r : 0;
}

void sql_reset(struct sql_stmt *s)
{
	(void)sqlite3_reset(s->stmt);
	s->bind_result = SQLITE_OK;
}

int64_t sql_col_i64(struct sql_stmt *s, int n)
{
	return sqlite3_column_int64(s->stmt, n);
}

const char *sql_col_text(struct sql_stmt *s, int n)
{
	return (const char *)sqlite3_column_text(s->stmt, n);
}

const void *sql_col_blob(struct sql_stmt *s, int n, size_t *ret_len_bytes)
{
	const void *data = sqlite3_column_blob(s->stmt, n);

	*ret_len_bytes = (size_t)sqlite3_column_bytes(s->stmt, n);
	return data;
}

bool sql_col_null(struct sql_stmt *s, int n)
{
	return sqlite3_column_type(s->stmt, n) == SQLITE_NULL;
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
	return rc == SQLITE_OK ? 0 : fail(db, rc, e);
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
	return rc == SQLITE_OK ? 0 : fail(db, rc, e);
}

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
