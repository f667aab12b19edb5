/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The walk over all names of a store. It holds the path it stands on and one level per directory of
 * that path, nothing else: the next name is looked up from the last one, whose bytes are the end of
 * the path.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/store/names.h"
#include "common/store/reader_impl.h"

#define ROOT_INO 1

struct level {
	uint64_t ino;
	size_t path_bytes; /* length of the directory's path */
};

struct walk {
	struct reader *reader;
	struct buf
		path; /* of the last entry; of the directory when nothing in it was visited yet */
	struct level *levels;
	size_t n_levels, capacity;
};

static void walk_done(struct walk *w)
{
	buf_done(&w->path);
	free(w->levels);
}

/* Enters the directory whose path w->path is. */
static int enter(struct walk *w, uint64_t ino, struct err *e)
{
	for (size_t i = 0; i < w->n_levels; i++)
		if (w->levels[i].ino == ino)
			return err_set(e, EBADMSG,
				       "index: directory %" PRIu64 " is nested in itself", ino);
	if (w->n_levels == w->capacity) {
		size_t capacity = w->capacity ? 2 * w->capacity : 32;
		struct level *levels = reallocarray(w->levels, capacity, sizeof(*levels));

		if (!levels)
			return err_oom(e);
		w->levels = levels;
		w->capacity = capacity;
	}
	w->levels[w->n_levels++] = (struct level){.ino = ino, .path_bytes = w->path.len_bytes};
	return 0;
}

static void cut_path(struct walk *w, size_t len_bytes)
{
	w->path.len_bytes = len_bytes;
	if (w->path.data)
		w->path.data[len_bytes] = '\0';
}

/* Where names of this directory begin in the path. */
static size_t name_start(const struct level *level)
{
	return level->path_bytes ? level->path_bytes + 1 : 0;
}

/* The name of this level that was visited last; "" at its start. */
static const char *last_name(const struct walk *w, const struct level *level)
{
	return w->path.len_bytes > level->path_bytes ? buf_text(&w->path) + name_start(level) : "";
}

/* Makes the row's name the last part of the path. */
static int put_name(struct walk *w, const struct level *level, struct sql_stmt *row, struct err *e)
{
	size_t len_bytes;
	const char *name = sql_col_blob(row, 0, &len_bytes);

	if (!name || !name_possible(name, len_bytes))
		return err_set(e, EBADMSG, "index: directory %" PRIu64 " has an impossible name",
			       level->ino);
	cut_path(w, level->path_bytes);
	if (level->path_bytes)
		buf_put_u8(&w->path, '/');
	buf_put(&w->path, name, len_bytes);
	if (buf_error(&w->path) < 0)
		return err_oom(e);
	if (sql_col_null(row, 1))
		return err_set(e, EBADMSG, "index: '%s' has no inode", buf_text(&w->path));
	return 0;
}

/* Steps to the next name of the level: 1 and the row, 0 when there is none, or -errno. */
static int next_row(struct walk *w, const struct level *level, struct err *e)
{
	struct sql_stmt *row = w->reader->query[QUERY_NEXT_NAME];
	const char *last = last_name(w, level);

	sql_bind_i64(row, 1, (int64_t)level->ino);
	sql_bind_text(row, 2, last);
	sql_bind_blob(row, 3, last, strlen(last));
	return sql_step(row, e);
}

/* Visits the row's entry. *ret_ino = the directory to enter next, or 0. */
static int visit(struct walk *w, const struct level *level,
		 int (*fn)(const struct staged_entry *entry, void *arg, struct err *e), void *arg,
		 uint64_t *ret_ino, struct err *e)
{
	struct sql_stmt *row = w->reader->query[QUERY_NEXT_NAME];
	struct staged_entry entry;
	int r = put_name(w, level, row, e);

	if (r < 0)
		return r;
	entry_from_row(row, 1, &entry);
	entry.path = buf_text(&w->path);
	entry.name = entry.path + name_start(level);
	*ret_ino = S_ISDIR(entry.mode) ? entry.ino : 0;
	return fn(&entry, arg, e);
}

static int walk_tree(struct walk *w,
		     int (*fn)(const struct staged_entry *entry, void *arg, struct err *e),
		     void *arg, struct err *e)
{
	int r = enter(w, ROOT_INO, e);

	while (r == 0 && w->n_levels > 0) {
		struct level level = w->levels[w->n_levels - 1];
		uint64_t directory = 0;

		r = next_row(w, &level, e);
		if (r < 0)
			return r;
		if (r == 0) {
			cut_path(w, level.path_bytes);
			w->n_levels--;
			continue;
		}
		r = visit(w, &level, fn, arg, &directory, e);
		sql_reset(w->reader->query[QUERY_NEXT_NAME]);
		if (r == 0 && directory)
			r = enter(w, directory, e);
	}
	return r;
}

int reader_walk(struct reader *reader,
		int (*fn)(const struct staged_entry *entry, void *arg, struct err *e), void *arg,
		struct err *e)
{
	_cleanup_(walk_done) struct walk w = {.reader = reader};
	int r = sql_begin(reader->db, false, e);

	if (r < 0)
		return r;
	r = walk_tree(&w, fn, arg, e);
	sql_rollback(reader->db);
	return r;
}
