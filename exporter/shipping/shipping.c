/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens shipping.db and keeps its statements. The writer holds flock(2) on STORE/shipping.lock for
 * as long as it is open: SQLite as Debian ships it can corrupt a WAL database when two connections
 * commit and checkpoint at once (sqlite.org/wal.html#walresetbug), so there is only ever one that
 * does.
 */
#include "exporter/shipping/shipping.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "common/base/cleanup.h"
#include "common/ext/sql.h"
#include "exporter/shipping/internal.h"
#include "schema/schema.h"

#define STATEMENTS_MAX	       48
#define COMMITS_PER_CHECKPOINT 32

struct statement {
	const char *text; /* its address is the key */
	struct sql_stmt *stmt;
};

struct shipping {
	pthread_mutex_t lock; /* recursive; everything below */
	struct sql *db;
	int lock_fd;	  /* -1 = opened to read */
	unsigned commits; /* since the last checkpoint */
	size_t n_statements;
	struct statement statements[STATEMENTS_MAX];
};

static int take_lock(struct shipping *s, const char *store_path, struct err *e)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/shipping.lock", store_path) < 0) {
		path = NULL;
		return err_oom(e);
	}
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_hint(
			e,
			err_set(e, EBUSY, "'%s' is being written by another seedship", store_path),
			"wait until it is done, or look with 'job show'");
	return err_sys(e, "cannot lock '%s'", path);
}

static int open_database(struct shipping *s, const char *path, enum shipping_mode mode,
			 struct err *e)
{
	int r;

	if (mode == SHIPPING_READ && access(path, F_OK) < 0)
		return err_sys(e, "cannot open '%s'", path);
	r = sql_open(path, mode == SHIPPING_READ ? SQL_READ_ONLY : SQL_CREATE, &s->db, e);
	if (r < 0)
		return r;
	if (mode == SHIPPING_READ)
		return sql_check_schema(s->db, path, &schema_shipping, e);
	return sql_migrate(s->db, path, &schema_shipping, e);
}

static int init_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t recursive;

	if (pthread_mutexattr_init(&recursive) ||
	    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE) ||
	    pthread_mutex_init(lock, &recursive))
		return -ENOMEM;
	(void)pthread_mutexattr_destroy(&recursive);
	return 0;
}

pthread_mutex_t *shipping_mutex(struct shipping *s)
{
	return &s->lock;
}

int shipping_open(const char *store_path, enum shipping_mode mode, struct shipping **ret,
		  struct err *e)
{
	_cleanup_(shipping_freep) struct shipping *s = calloc(1, sizeof(*s));
	_cleanup_free_ char *path = NULL;
	int r = 0;

	if (!s || init_lock(&s->lock) < 0)
		return err_oom(e);
	s->lock_fd = -1;
	if (asprintf(&path, "%s/shipping.db", store_path) < 0) {
		path = NULL;
		return err_oom(e);
	}
	if (mode == SHIPPING_WRITE)
		r = take_lock(s, store_path, e);
	if (r == 0)
		r = open_database(s, path, mode, e);
	if (r < 0)
		return r;
	*ret = take_ptr(s);
	return 0;
}

void shipping_free(struct shipping *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_statements; i++)
		sql_finalize(s->statements[i].stmt);
	if (s->db && s->lock_fd >= 0) {
		sql_rollback(s->db);
		(void)sql_checkpoint(s->db, SQL_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	sql_close(s->db);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

int shipping_begin(struct shipping *s, struct err *e)
{
	int r;

	(void)pthread_mutex_lock(&s->lock);
	r = sql_begin(s->db, true, e);
	if (r < 0)
		(void)pthread_mutex_unlock(&s->lock);
	return r;
}

int shipping_commit(struct shipping *s, struct err *e)
{
	int r = sql_commit(s->db, NULL, e);

	if (r < 0)
		return r;
	if (++s->commits >= COMMITS_PER_CHECKPOINT) {
		s->commits = 0;
		/* What a reader keeps us from copying is copied the next time. */
		(void)sql_checkpoint(s->db, SQL_CHECKPOINT_PASSIVE, NULL, NULL);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return 0;
}

void shipping_rollback(struct shipping *s)
{
	sql_rollback(s->db);
	(void)pthread_mutex_unlock(&s->lock);
}

int shipping_statement(struct shipping *s, const char *text, struct sql_stmt **ret, struct err *e)
{
	struct statement *statement;
	int r;

	for (size_t i = 0; i < s->n_statements; i++) {
		if (s->statements[i].text == text) {
			*ret = s->statements[i].stmt;
			sql_reset(*ret);
			return 0;
		}
	}
	if (s->n_statements == STATEMENTS_MAX)
		return err_set(e, ENOBUFS, "more than %d statements", STATEMENTS_MAX);
	statement = &s->statements[s->n_statements];
	r = sql_prepare(s->db, text, &statement->stmt, e);
	if (r < 0)
		return r;
	statement->text = text;
	s->n_statements++;
	*ret = statement->stmt;
	return 0;
}

int shipping_copy_text(struct sql_stmt *stmt, int column, char **ret, struct err *e)
{
	size_t len_bytes;
	const void *data = sql_col_blob(stmt, column, &len_bytes);
	char *copy;

	if (sql_col_null(stmt, column)) {
		*ret = NULL;
		return 0;
	}
	copy = malloc(len_bytes + 1);
	if (!copy)
		return err_oom(e);
	if (len_bytes)
		memcpy(copy, data, len_bytes);
	copy[len_bytes] = '\0';
	*ret = copy;
	return 0;
}

int64_t shipping_last_id(const struct shipping *s)
{
	return sql_last_id(s->db);
}

int64_t shipping_changes(const struct shipping *s)
{
	return sql_changes(s->db);
}
