/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What to change is worked out by SQL on a connection of its own, in temporary tables: names to drop and
 * inodes to adopt. Then the changes are submitted while that connection keeps its snapshot.
 */
#include "common/store/lost_found.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/ext/sql.h"
#include "common/store/store.h"
#include "common/store/writer.h"

#define SET_CHANGES 1000 /* submitted together */

#define REACH_FROM(start)                                                        \
	"INSERT OR IGNORE INTO temp.reached WITH RECURSIVE way (ino) AS (" start \
	" UNION SELECT n.ino FROM way JOIN dentry n ON n.parent = way.ino"       \
	" WHERE n.id NOT IN (SELECT id FROM temp.dropped)) SELECT ino FROM way;"
#define IS_DIR(i) #i ".mode & 61440 = 16384"

/* A directory has one name, the newest; the root has none. What then has no name is adopted, then what is
 * in a circle: all its directories. */
static const char work_out[] =
	"CREATE TEMP TABLE reached (ino INTEGER PRIMARY KEY);"
	"CREATE TEMP TABLE dropped (id INTEGER PRIMARY KEY);"
	"CREATE TEMP TABLE adopted (ino INTEGER PRIMARY KEY);"
	"INSERT INTO temp.dropped SELECT n.id FROM dentry n JOIN inode i ON i.ino = n.ino"
	" WHERE " IS_DIR(
		i) " AND (n.ino = 1 OR"
		   " n.id < (SELECT max(o.id) FROM dentry o WHERE o.ino = n.ino));" REACH_FROM(
			   "SELECT 1") "INSERT INTO temp.adopted SELECT i.ino FROM inode i"
				       " WHERE i.nlink > 0 AND i.ino NOT IN (SELECT ino FROM "
				       "temp.reached) AND NOT EXISTS"
				       " (SELECT 1 FROM dentry n WHERE n.ino = i.ino AND n.id NOT "
				       "IN (SELECT id FROM temp.dropped));" REACH_FROM(
					       "SELECT ino FROM temp.adopted") "INSERT INTO "
									       "temp.adopted "
									       "SELECT i.ino FROM "
									       "inode i"
									       " WHERE i.nlink > 0 "
									       "AND " IS_DIR(
										       i) " AND "
											  "i.ino "
											  "NOT IN "
											  "(SELECT "
											  "ino "
											  "FROM "
											  "temp."
											  "reached)"
											  ";"
											  "INSERT "
											  "OR "
											  "IGNORE "
											  "INTO "
											  "temp."
											  "dropped "
											  "SELECT "
											  "n.id "
											  "FROM "
											  "dentry n"
											  " JOIN "
											  "temp."
											  "adopted "
											  "a ON "
											  "a.ino = "
											  "n.ino "
											  "JOIN "
											  "inode i "
											  "ON "
											  "i.ino = "
											  "n.ino "
											  "WHERE"
											  " " IS_DIR(
												  i) ";";

/* Rows with the link count that they should have. ?1: the new folder. */
static const char wrong_counts[] =
	"WITH name (parent, ino) AS MATERIALIZED ("
	" SELECT parent, ino FROM dentry WHERE id NOT IN (SELECT id FROM temp.dropped)"
	" UNION ALL SELECT ?1, ino FROM temp.adopted"
	" UNION ALL SELECT 1, ?1 WHERE ?1 > 0),"
	" want (ino, nlink) AS ("
	" SELECT ino, count(*) FROM name GROUP BY ino),"
	" subdirs (ino, n) AS ("
	" SELECT name.parent, count(*) FROM name LEFT JOIN inode c ON c.ino = name.ino"
	" WHERE " IS_DIR(
		c) " OR name.ino = ?1 GROUP BY name.parent)"
		   " SELECT i.ino, i.mode, CASE WHEN " IS_DIR(
			   i) " THEN 2 + coalesce(s.n, 0)"
			      " ELSE coalesce(w.nlink, i.nlink) END AS should, i.uid, i.gid, "
			      "i.rdev, i.size_bytes,"
			      " i.atime_ns, i.mtime_ns, i.ctime_ns, i.btime_ns, i.content_version"
			      " FROM inode i LEFT JOIN want w ON w.ino = i.ino LEFT JOIN subdirs s "
			      "ON s.ino = i.ino"
			      " WHERE i.nlink > 0 AND i.nlink <> should";

struct collect {
	struct store *store;
	struct sql *db; /* read-only */
	struct writer *writer;
	struct change_set *set;
	uint64_t folder; /* the new folder's inode, 0 = none is needed */
	uint64_t n_adopted;
	int result; /* of submitting */
};

static void collect_done(struct collect *c)
{
	change_set_free(c->set);
	if (c->writer)
		(void)writer_close(c->writer, NULL);
	sql_close(c->db);
	store_free(c->store);
}

static void submit(struct collect *c)
{
	int r = c->set ? writer_submit(c->writer, &c->set, NULL) : 0;

	if (c->result == 0)
		c->result = r;
}

/* The set that the next change belongs to. A set that could not be made shows when it is submitted. */
static struct change_set *room(struct collect *c)
{
	if (c->set && c->set->n_changes >= SET_CHANGES)
		submit(c);
	if (!c->set)
		c->set = change_set_new();
	if (!c->set)
		c->result = -ENOMEM;
	return c->set;
}

static int each_row(struct collect *c, const char *text, uint64_t arg,
		    void (*fn)(struct collect *c, struct sql_stmt *row), struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	int r = sql_prepare(c->db, text, &s, e);

	if (r < 0)
		return r;
	sql_bind_i64(s, 1, (int64_t)arg);
	while ((r = sql_step(s, e)) > 0 && c->result == 0)
		if (room(c))
			fn(c, s);
	if (r >= 0 && c->result < 0)
		return err_set(e, -c->result, "cannot put lost files into lost+found");
	return r < 0 ? r : 0;
}

static void drop_name(struct collect *c, struct sql_stmt *row)
{
	size_t n;
	const void *bytes = sql_col_blob(row, 2, &n);
	_cleanup_free_ char *name = strndup(bytes ? bytes : "", n);

	change_dentry_gone(c->set, NULL, (uint64_t)sql_col_i64(row, 0),
			   (uint64_t)sql_col_i64(row, 1), name ? name : "",
			   (uint64_t)sql_col_i64(row, 3));
}

static void adopt(struct collect *c, struct sql_stmt *row)
{
	uint64_t ino = (uint64_t)sql_col_i64(row, 0);
	char name[32];

	(void)snprintf(name, sizeof(name), "#%" PRIu64, ino);
	change_dentry(c->set, NULL, c->store->next_dentry++, c->folder, name, ino);
	c->n_adopted++;
}

static void put_count(struct collect *c, struct sql_stmt *row)
{
	struct inode_row i = {.mode = (uint32_t)sql_col_i64(row, 1),
			      .nlink = (uint32_t)sql_col_i64(row, 2),
			      .uid = (uint32_t)sql_col_i64(row, 3),
			      .gid = (uint32_t)sql_col_i64(row, 4),
			      .rdev = (uint64_t)sql_col_i64(row, 5),
			      .size_bytes = (uint64_t)sql_col_i64(row, 6),
			      .atime_ns = (uint64_t)sql_col_i64(row, 7),
			      .mtime_ns = (uint64_t)sql_col_i64(row, 8),
			      .ctime_ns = (uint64_t)sql_col_i64(row, 9),
			      .btime_ns = (uint64_t)sql_col_i64(row, 10),
			      .content_version = (uint64_t)sql_col_i64(row, 11)};

	change_inode(c->set, NULL, (uint64_t)sql_col_i64(row, 0), &i);
}

static void put_folder(struct collect *c, uint64_t n_subdirs)
{
	uint64_t now = clock_realtime_ns();
	struct inode_row row = {.mode = S_IFDIR | 0700,
				.nlink = (uint32_t)(2 + n_subdirs),
				.atime_ns = now,
				.mtime_ns = now,
				.ctime_ns = now,
				.btime_ns = now};

	if (room(c))
		change_inode(c->set, NULL, c->folder, &row);
}

/* "lost+found", or with a number behind it when the root has that name already. */
static int put_folder_name(struct collect *c, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *taken = NULL;
	char name[64] = "lost+found";
	int r = sql_prepare(c->db, "SELECT 1 FROM dentry WHERE parent = 1 AND name = ?", &taken, e);

	if (r < 0)
		return r;
	for (unsigned n = 1;; n++) {
		sql_bind_text(taken, 1, name);
		r = sql_step(taken, e);
		sql_reset(taken);
		if (r <= 0)
			break;
		(void)snprintf(name, sizeof(name), "lost+found.%u", n);
	}
	if (r == 0 && room(c))
		change_dentry(c->set, NULL, c->store->next_dentry++, STORE_ROOT_INO, name,
			      c->folder);
	return r;
}

static int change_all(struct collect *c, struct err *e)
{
	int64_t n_dirs = 0;
	int r = sql_get_i64(
		c->db,
		"SELECT count(*) FROM inode i JOIN temp.adopted USING (ino) WHERE " IS_DIR(i),
		&n_dirs, e);

	if (r < 0)
		return r;
	/* The folder first: a name must not be committed before what it refers to. */
	if (c->folder) {
		put_folder(c, (uint64_t)n_dirs);
		r = put_folder_name(c, e);
	}
	if (r == 0)
		r = each_row(c,
			     "SELECT id, parent, name, ino FROM dentry JOIN temp.dropped USING (id)"
			     " WHERE ?1 = ?1",
			     0, drop_name, e);
	if (r == 0)
		r = each_row(c, "SELECT ino FROM temp.adopted WHERE ?1 = ?1", 0, adopt, e);
	return r == 0 ? each_row(c, wrong_counts, c->folder, put_count, e) : r;
}

static int start(struct collect *c, const char *path, struct err *e)
{
	struct store_options options = {0};
	_cleanup_free_ char *index = NULL;
	int r = store_open(path, &options, &c->store, e);

	if (r < 0)
		return r;
	if (asprintf(&index, "%s/index.db", path) < 0) {
		index = NULL;
		return err_oom(e);
	}
	r = sql_open(index, SQL_READ_ONLY, &c->db, e);
	if (r == 0)
		r = sql_begin(c->db, false, e);
	return r == 0 ? sql_exec(c->db, work_out, e) : r;
}

static int write_changes(struct collect *c, struct err *e)
{
	const struct writer_options options = {.level = 1, .queue_depth = 16, .commit_ms = 5000};
	const struct writer_events events = {0};
	int r = writer_new(c->store, &options, &events, &c->writer, e), closed;

	if (r < 0)
		return r;
	r = change_all(c, e);
	if (r == 0)
		submit(c);
	/* Its snapshot would hold up the last checkpoint. */
	sql_close(take_ptr(c->db));
	closed = writer_close(take_ptr(c->writer), r == 0 ? e : NULL);
	return r < 0 ? r : closed;
}

/* 1 = some link count is wrong, 0 = none is. */
static int any_wrong_count(struct collect *c, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	int r = sql_prepare(c->db, wrong_counts, &s, e);

	if (r < 0)
		return r;
	sql_bind_i64(s, 1, (int64_t)c->folder);
	return sql_step(s, e);
}

int lost_found_collect(const char *store_path, uint64_t *ret_n, struct err *e)
{
	_cleanup_(collect_done) struct collect c = {0};
	int64_t adopted = 0;
	int r = start(&c, store_path, e), wrong;

	if (r == 0)
		r = sql_get_i64(c.db, "SELECT count(*) FROM temp.adopted", &adopted, e);
	if (r < 0)
		return r;
	c.folder = adopted ? c.store->next_ino : 0;
	wrong = any_wrong_count(&c, e);
	if (wrong < 0)
		return wrong;
	if (adopted || wrong)
		r = write_changes(&c, e);
	if (r == 0)
		*ret_n = c.n_adopted;
	return r;
}
