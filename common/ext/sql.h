/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The face of SQLite: connections, statements, transactions, migrations. SQLite's errors become struct
 * err here and nowhere else, with its own text and number kept. A connection belongs to one thread at
 * a time.
 */
#ifndef SEEDSHIP_EXT_SQL_H
#define SEEDSHIP_EXT_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "schema/schema.h"

struct sql;
struct sql_stmt;

enum sql_mode {
	SQL_READ_ONLY,	/* an inspector: sees the last commit, never checkpoints */
	SQL_READ_WRITE, /* must exist */
	SQL_CREATE,	/* created when missing */
	/* Takes the file alone for the whole truth, without a log or locks: only while nobody writes, and
	 * works where nothing can be written. */
	SQL_IMMUTABLE,
};

/*
 * Opens a database: WAL, synchronous=FULL, foreign keys on, mmap off, automatic checkpoints off (they
 * are the writer's business: two connections that checkpoint at once can corrupt a WAL database,
 * sqlite.org/wal.html#walresetbug), untrusted schema, 5 s busy timeout. -ENOENT when missing.
 */
int sql_open(const char *path, enum sql_mode mode, struct sql **ret, struct err *e);

/*
 * Makes a database for building something in: no durability, one user, plain rollback journal, no foreign
 * keys. Readable as any other once it is closed.
 */
int sql_open_scratch(const char *path, struct sql **ret, struct err *e);

/* Adds another database file to the connection under a name; in the mode the connection has. */
int sql_attach(struct sql *db, const char *path, const char *name, struct err *e);

void sql_close(struct sql *db); /* NULL is fine; statements must be gone */
static inline void sql_closep(struct sql **db)
{
	sql_close(*db);
}

/* Runs SQL without results, possibly several statements. */
int sql_exec(struct sql *db, const char *text, struct err *e);

/* One-value query without parameters. -ENODATA when there is no row. */
int sql_get_i64(struct sql *db, const char *text, int64_t *ret, struct err *e);

/* Rows changed by the last statement; rowid of the last insert. */
int64_t sql_changes(struct sql *db);
int64_t sql_last_id(struct sql *db);

/* Prepares one statement; text must be a literal of the module that owns the tables. */
int sql_prepare(struct sql *db, const char *text, struct sql_stmt **ret, struct err *e);
void sql_finalize(struct sql_stmt *s); /* NULL is fine */
static inline void sql_finalizep(struct sql_stmt **s)
{
	sql_finalize(*s);
}

/* Parameters are numbered from 1. Text and blobs are copied. A NULL pointer binds NULL. */
void sql_bind_i64(struct sql_stmt *s, int n, int64_t v);
void sql_bind_text(struct sql_stmt *s, int n, const char *text);
void sql_bind_blob(struct sql_stmt *s, int n, const void *data, size_t len_bytes);
void sql_bind_null(struct sql_stmt *s, int n);

/* A file name: TEXT when it is valid UTF-8, else BLOB (FORMAT.md). */
void sql_bind_name(struct sql_stmt *s, int n, const char *name, size_t len_bytes);

/* 1 = a row is there, 0 = done (and reset), else -errno. Failed binds show here. */
int sql_step(struct sql_stmt *s, struct err *e);

/* Steps once and expects no row; resets and clears the bindings. */
int sql_run(struct sql_stmt *s, struct err *e);

/* Ends a query early so that it can be bound again; releases its read lock. */
void sql_reset(struct sql_stmt *s);

/* Columns are numbered from 0. Text and blobs are lent until the next step or reset. */
int64_t sql_col_i64(struct sql_stmt *s, int n);
const char *sql_col_text(struct sql_stmt *s, int n);			    /* NULL for SQL NULL */
const void *sql_col_blob(struct sql_stmt *s, int n, size_t *ret_len_bytes); /* works for TEXT too */
bool sql_col_null(struct sql_stmt *s, int n);

/* Transactions: immediate = takes the write lock at once. Rollback on a closed one is harmless. */
int sql_begin(struct sql *db, bool immediate, struct err *e);

/*
 * *ret_maybe_done (may be NULL) = it failed where the log has it all already: rolled back here, but whoever
 * opens the database after a crash sees it done.
 */
int sql_commit(struct sql *db, bool *ret_maybe_done, struct err *e);
void sql_rollback(struct sql *db);

enum sql_checkpoint { SQL_CHECKPOINT_PASSIVE, SQL_CHECKPOINT_RESTART, SQL_CHECKPOINT_TRUNCATE };

/* Copies the WAL into the database. *ret_left_frames (may be NULL) = WAL frames a reader kept us from copying. */
int sql_checkpoint(struct sql *db, enum sql_checkpoint kind, int64_t *ret_left_frames,
		   struct err *e);

/*
 * Brings a database to the newest step of schema (schema/schema.h): a new one gets all steps, an older
 * one is copied to "<path>.v<N>" first. Refused, with nothing changed: another application's database
 * (-EMEDIUMTYPE), a newer one (-ENOTSUP, says which version is needed).
 */
int sql_migrate(struct sql *db, const char *path, const struct schema *schema, struct err *e);

/* For a reader: the checks of sql_migrate() without any step; -ESTALE when it is older than this program. */
int sql_check_schema(struct sql *db, const char *path, const struct schema *schema, struct err *e);

#endif
