/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables placements and extents. Reading goes by pages: a page is copied out and its statement
 * closed before anybody looks at it, so that no read transaction stays open for as long as a drive
 * takes.
 */
#include "exporter/shipping/placements.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "exporter/shipping/internal.h"

#define PAGE_ITEMS 256

#define SELECT                                                                                   \
	"SELECT id, drive, seq, ino, content_version, size_bytes, path, blob_path, drive_path, " \
	"blob_type, link_of, state, note, volume_off FROM placements "

enum query { INSERT, INSERT_EXTENT, BY_SEQ, BY_PLACE, EXTENTS, SET_STATE, EXISTS };

static const char *const sql[] = {
	[INSERT] =
		"INSERT INTO placements (drive, seq, ino, content_version, size_bytes, path,"
		" blob_path, drive_path, blob_type, link_of, state, note, volume_off, volume_end)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
	[INSERT_EXTENT] = "INSERT INTO extents (placement, file_off, volume_off, len_bytes)"
			  " VALUES (?1, ?2, ?3, ?4)",
	[BY_SEQ] = SELECT "WHERE drive = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3",
	[BY_PLACE] = SELECT "WHERE drive = ?1 AND volume_off >= ?2 ORDER BY volume_off LIMIT ?3",
	[EXTENTS] = "SELECT file_off, volume_off, len_bytes FROM extents WHERE placement = ?1"
		    " ORDER BY file_off",
	[SET_STATE] = "UPDATE placements SET state = ?2, note = ?3 WHERE id = ?1",
	[EXISTS] =
		"SELECT 1 FROM placements p JOIN drives d ON d.id = p.drive WHERE p.ino = ?2 AND"
		" p.content_version = ?3 AND p.path = ?4 AND d.job = ?1 AND p.state <> 'changed'",
};

static const char *const states[] = {
	[SHIPPING_FILE_PLANNED] = "planned",
	[SHIPPING_FILE_SEALED] = "sealed",
	[SHIPPING_FILE_VERIFIED] = "verified",
	[SHIPPING_FILE_CHANGED] = "changed",
};

static void bind_place(struct sql_stmt *stmt, const struct shipping_placement *p)
{
	uint64_t end = 0;

	if (p->n_extents == 0)
		return;
	for (size_t i = 0; i < p->n_extents; i++)
		end = MAX(end, p->extents[i].volume_off_bytes + p->extents[i].len_bytes);
	sql_bind_i64(stmt, 13, (int64_t)p->extents[0].volume_off_bytes);
	sql_bind_i64(stmt, 14, (int64_t)end);
}

static int insert_row(struct shipping *s, struct shipping_placement *p, struct err *e)
{
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[INSERT], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, p->drive);
	sql_bind_i64(stmt, 2, (int64_t)p->seq);
	sql_bind_i64(stmt, 3, (int64_t)p->ino);
	sql_bind_i64(stmt, 4, (int64_t)p->content_version);
	sql_bind_i64(stmt, 5, (int64_t)p->size_bytes);
	sql_bind_name(stmt, 6, p->path, strlen(p->path));
	sql_bind_text(stmt, 7, p->blob_path);
	sql_bind_text(stmt, 8, p->drive_path);
	sql_bind_text(stmt, 9, p->page_blob ? "page" : "block");
	if (p->link_of != SHIPPING_NO_LINK)
		sql_bind_i64(stmt, 10, (int64_t)p->link_of);
	sql_bind_text(stmt, 11, states[p->state]);
	sql_bind_text(stmt, 12, p->note);
	bind_place(stmt, p);
	r = sql_run(stmt, e);
	if (r == 0)
		p->id = shipping_last_id(s);
	return r;
}

static int insert_extent(struct shipping *s, int64_t placement,
			 const struct shipping_extent *extent, struct err *e)
{
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[INSERT_EXTENT], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, placement);
	sql_bind_i64(stmt, 2, (int64_t)extent->file_off_bytes);
	sql_bind_i64(stmt, 3, (int64_t)extent->volume_off_bytes);
	sql_bind_i64(stmt, 4, (int64_t)extent->len_bytes);
	return sql_run(stmt, e);
}

int shipping_placement_insert(struct shipping *s, struct shipping_placement *p, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	int r = insert_row(s, p, e);

	for (size_t i = 0; r == 0 && i < p->n_extents; i++)
		r = insert_extent(s, p->id, &p->extents[i], e);
	return r < 0 ? err_wrap(e, r, "placement of '%s'", p->path) : 0;
}

/* A placement as it was read; owns what its `row` lends. */
struct item {
	struct shipping_placement row;
	uint64_t volume_off_bytes;
	char *path, *blob_path, *drive_path, *note;
	struct shipping_extent *extents;
};

struct page {
	size_t n;
	struct item items[PAGE_ITEMS];
};

static void page_reset(struct page *page)
{
	for (size_t i = 0; i < page->n; i++) {
		struct item *item = &page->items[i];

		free(item->path);
		free(item->blob_path);
		free(item->drive_path);
		free(item->note);
		free(item->extents);
	}
	page->n = 0;
}

static void page_freep(struct page **page)
{
	if (*page)
		page_reset(*page);
	free(*page);
}

static int parse_state(const char *name, enum shipping_state *ret, struct err *e)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(states); i++) {
		if (strcmp(name, states[i]) == 0) {
			*ret = (enum shipping_state)i;
			return 0;
		}
	}
	return err_set(e, EBADMSG, "shipping.db: unknown state '%s'", name ? name : "");
}

/* What was copied so far belongs to item, also on failure. */
static int read_texts(struct sql_stmt *stmt, struct item *item, struct err *e)
{
	int r = shipping_copy_text(stmt, 6, &item->path, e);

	if (r == 0)
		r = shipping_copy_text(stmt, 7, &item->blob_path, e);
	if (r == 0)
		r = shipping_copy_text(stmt, 8, &item->drive_path, e);
	if (r == 0)
		r = shipping_copy_text(stmt, 12, &item->note, e);
	return r;
}

static int read_item(struct sql_stmt *stmt, struct item *item, struct err *e)
{
	struct shipping_placement *p = &item->row;
	const char *type = sql_col_text(stmt, 9);
	int r;

	p->id = sql_col_i64(stmt, 0);
	p->drive = sql_col_i64(stmt, 1);
	p->seq = (uint64_t)sql_col_i64(stmt, 2);
	p->ino = (uint64_t)sql_col_i64(stmt, 3);
	p->content_version = (uint64_t)sql_col_i64(stmt, 4);
	p->size_bytes = (uint64_t)sql_col_i64(stmt, 5);
	p->page_blob = type && strcmp(type, "page") == 0;
	p->link_of = sql_col_null(stmt, 10) ? SHIPPING_NO_LINK : (uint64_t)sql_col_i64(stmt, 10);
	item->volume_off_bytes = (uint64_t)sql_col_i64(stmt, 13);
	r = parse_state(sql_col_text(stmt, 11), &p->state, e);
	if (r == 0)
		r = read_texts(stmt, item, e);
	p->path = item->path;
	p->blob_path = item->blob_path;
	p->drive_path = item->drive_path;
	p->note = item->note;
	return r;
}

static int append_extent(struct sql_stmt *stmt, struct item *item, struct err *e)
{
	size_t n = item->row.n_extents;
	struct shipping_extent *extents = reallocarray(item->extents, n + 1, sizeof(*extents));

	if (!extents)
		return err_oom(e);
	extents[n] = (struct shipping_extent){(uint64_t)sql_col_i64(stmt, 0),
					      (uint64_t)sql_col_i64(stmt, 1),
					      (uint64_t)sql_col_i64(stmt, 2)};
	item->extents = extents;
	item->row.extents = extents;
	item->row.n_extents = n + 1;
	return 0;
}

static int read_extents(struct shipping *s, struct item *item, struct err *e)
{
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[EXTENTS], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, item->row.id);
	while ((r = sql_step(stmt, e)) > 0) {
		r = append_extent(stmt, item, e);
		if (r < 0)
			break;
	}
	sql_reset(stmt);
	return r;
}

static int read_page(struct shipping *s, int64_t drive, enum shipping_order order, uint64_t from,
		     struct page *page, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[order == SHIPPING_BY_SEQ ? BY_SEQ : BY_PLACE], &stmt, e);

	if (r < 0)
		return r;
	page_reset(page);
	sql_bind_i64(stmt, 1, drive);
	sql_bind_i64(stmt, 2, (int64_t)from);
	sql_bind_i64(stmt, 3, PAGE_ITEMS);
	while (page->n < PAGE_ITEMS && (r = sql_step(stmt, e)) > 0) {
		struct item *item = &page->items[page->n++];

		*item = (struct item){0};
		r = read_item(stmt, item, e);
		if (r < 0)
			break;
	}
	sql_reset(stmt);
	for (size_t i = 0; r >= 0 && i < page->n; i++)
		r = read_extents(s, &page->items[i], e);
	return r < 0 ? r : 0;
}

int shipping_placement_each(struct shipping *s, int64_t drive, enum shipping_order order,
			    uint64_t from,
			    int (*fn)(const struct shipping_placement *p, void *arg, struct err *e),
			    void *arg, struct err *e)
{
	_cleanup_(page_freep) struct page *page = calloc(1, sizeof(*page));
	const struct item *last;
	int r;

	if (!page)
		return err_oom(e);
	do {
		r = read_page(s, drive, order, from, page, e);
		for (size_t i = 0; r == 0 && i < page->n; i++)
			r = fn(&page->items[i].row, arg, e);
		if (r != 0 || page->n == 0)
			return r;
		last = &page->items[page->n - 1];
		from = (order == SHIPPING_BY_SEQ ? last->row.seq : last->volume_off_bytes) + 1;
	} while (page->n == PAGE_ITEMS);
	return 0;
}

int shipping_placement_set_state(struct shipping *s, int64_t id, enum shipping_state state,
				 const char *note, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[SET_STATE], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, id);
	sql_bind_text(stmt, 2, states[state]);
	sql_bind_text(stmt, 3, note);
	r = sql_run(stmt, e);
	if (r == 0 && shipping_changes(s) == 0)
		r = err_set(e, ENOENT, "the placement is gone from shipping.db");
	return r;
}

int shipping_placement_exists(struct shipping *s, int64_t job_id, uint64_t ino,
			      uint64_t content_version, const char *path, bool *ret, struct err *e)
{
	LOCK_SCOPE(shipping_mutex(s));
	struct sql_stmt *stmt;
	int r = shipping_statement(s, sql[EXISTS], &stmt, e);

	if (r < 0)
		return r;
	sql_bind_i64(stmt, 1, job_id);
	sql_bind_i64(stmt, 2, (int64_t)ino);
	sql_bind_i64(stmt, 3, (int64_t)content_version);
	sql_bind_name(stmt, 4, path, strlen(path));
	r = sql_step(stmt, e);
	sql_reset(stmt);
	if (r < 0)
		return r;
	*ret = r > 0;
	return 0;
}
