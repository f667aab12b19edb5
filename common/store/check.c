/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order of a check: the index by itself, then packs replayed up to their committed ends and compared with
 * it, then content. What one step finds does not end the next.
 */
#include "common/store/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/store/check_impl.h"
#include "common/store/names.h"
#include "common/store/pack_list.h"
#include "common/store/rebuild.h"
#include "common/store/replay.h"
#include "common/store/scratch.h"

void check_found(struct check *c, const struct check_finding *finding)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	struct check_finding f = *finding;

	c->sum.findings++;
	if (!c->options->found)
		return;
	if (!f.path && f.ino) {
		check_path_of(c->db, f.ino, &path);
		f.path = path.len_bytes ? buf_text(&path) : NULL;
	}
	c->options->found(c->options->arg, &f);
}

static void index_damaged(struct check *c, const char *text)
{
	c->index_differs = true;
	check_found(c, &(struct check_finding){.kind = CHECK_INDEX, .text = text});
}

/* Opens the index. One that cannot be read is a finding; one of another program's version is an error. */
static int open_index(struct check *c, const char *path, struct err *e)
{
	_cleanup_free_ char *file = NULL;
	struct err why = {0};
	int64_t rows = 0;
	int r;

	if (asprintf(&file, "%s/index.db", path) < 0) {
		file = NULL;
		return err_oom(e);
	}
	r = sql_open(file, SQL_READ_ONLY, &c->db, &why);
	if (r == 0)
		r = sql_check_schema(c->db, file, &schema_index, &why);
	if (r == 0)
		r = sql_get_i64(c->db, "SELECT count(*) FROM store", &rows, &why);
	if (r == 0 && rows == 1)
		return 0;
	if (r == -ENOTSUP || r == -ENOMEM || r == -EROFS) {
		if (e)
			*e = why;
		return r;
	}
	index_damaged(c, r < 0 ? why.text : "the store's own row is missing");
	sql_close(take_ptr(c->db));
	return 0;
}

/* Packs and their committed ends as the index knows them. */
static int packs_of_index(struct check *c, struct pack_file **ret, size_t *ret_n, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	_cleanup_free_ struct pack_file *packs = NULL;
	size_t n = 0, capacity = 0;
	int r = sql_prepare(c->db,
			    "SELECT id, size_bytes FROM pack WHERE id BETWEEN 1 AND 4294967295"
			    " ORDER BY id",
			    &s, e);

	if (r < 0)
		return r;
	while ((r = sql_step(s, e)) > 0) {
		if (n == capacity) {
			struct pack_file *grown;

			capacity = capacity ? 2 * capacity : 64;
			grown = reallocarray(packs, capacity, sizeof(*packs));
			if (!grown)
				return err_oom(e);
			packs = grown;
		}
		packs[n++] = (struct pack_file){.pack = (uint32_t)sql_col_i64(s, 0),
						.size_bytes = (uint64_t)sql_col_i64(s, 1)};
	}
	if (r < 0)
		return r;
	*ret = take_ptr(packs);
	*ret_n = n;
	return 0;
}

static void pack_damaged(void *arg, uint32_t pack, uint64_t off_bytes, const char *text)
{
	struct check *c = arg;

	c->pack_damages++;
	check_found(
		c, &(struct check_finding){
			   .kind = CHECK_PACK, .text = text, .pack = pack, .off_bytes = off_bytes});
}

static void gone_over(void *arg, uint64_t bytes)
{
	struct check *c = arg;

	if (c->options->progress)
		c->options->progress(c->options->arg, bytes);
}

/* *ret = the id that the index gives the store; false when it has none. */
static bool uuid_of_index(struct check *c, uint8_t ret[STORE_UUID_BYTES])
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	const void *uuid;
	size_t n;

	if (sql_prepare(c->db, "SELECT uuid FROM store", &s, NULL) < 0 || sql_step(s, NULL) != 1)
		return false;
	uuid = sql_col_blob(s, 0, &n);
	if (!uuid || n != STORE_UUID_BYTES)
		return false;
	memcpy(ret, uuid, n);
	return true;
}

/* Nothing was committed into a new store: it has no packs, and its index nothing to compare. */
static bool nothing_committed(struct check *c)
{
	int64_t sequence;

	return c->db && sql_get_i64(c->db, "SELECT sequence FROM store", &sequence, NULL) == 0 &&
	       sequence == 0;
}

static int replay(struct check *c, const struct pack_file *packs, size_t n_packs, bool open_end,
		  struct scratch *scratch, struct err *e)
{
	uint8_t uuid[STORE_UUID_BYTES];
	struct replay_options options = {.packs_fd = c->store->packs_fd,
					 .uuid = c->db && uuid_of_index(c, uuid) ? uuid : NULL,
					 .index_path = scratch->index_path,
					 .staging_path = scratch->staging_path,
					 .packs = packs,
					 .n_packs = n_packs,
					 .open_end = open_end,
					 .damaged = pack_damaged,
					 .progress = gone_over,
					 .arg = c};
	_cleanup_(sql_closep) struct sql *db = NULL;
	struct replay_summary sum;
	int r;

	for (size_t i = 0; i < n_packs; i++)
		c->sum.pack_bytes += packs[i].size_bytes;
	c->sum.packs = n_packs;
	if (c->options->phase)
		c->options->phase(c->options->arg, "packs", c->sum.pack_bytes);
	r = replay_packs(&options, &db, &sum, e);
	if (r == -ENODATA && options.uuid) {
		options.uuid = NULL;
		r = replay_packs(&options, &db, &sum, e);
	}
	return r;
}

static int replay_all(struct check *c, struct scratch *scratch, struct err *e)
{
	_cleanup_free_ struct pack_file *packs = NULL;
	struct err why = {0};
	bool by_index = c->db;
	size_t n = 0;
	int r = 0;

	if (by_index && packs_of_index(c, &packs, &n, &why) < 0) {
		index_damaged(c, why.text);
		by_index = false;
	}
	if (!by_index)
		r = pack_list(c->store->packs_fd, &packs, &n, e);
	if (r < 0)
		return r;
	r = replay(c, packs, n, !by_index, scratch, e);
	if (r == -ENODATA) {
		c->pack_damages++;
		check_found(c,
			    &(struct check_finding){.kind = CHECK_PACK,
						    .text = "no complete commit is in the packs"});
		return 0;
	}
	c->has_packs = r == 0;
	return r;
}

/* Both databases on one connection: the index as "main", or none of it, and what the packs say as "packs". */
static int attach_packs(struct check *c, const struct scratch *scratch, struct err *e)
{
	int r = 0;

	if (!c->db)
		r = sql_open(scratch->index_path, SQL_READ_ONLY, &c->db, e);
	return r == 0 ? sql_attach(c->db, scratch->index_path, "packs", e) : r;
}

static void count(struct check *c)
{
	static const char type_count[] =
		"SELECT count(*) FROM inode WHERE nlink > 0 AND mode & 61440 =";
	char text[128];
	int64_t n;

	(void)snprintf(text, sizeof(text), "%s 32768", type_count);
	if (sql_get_i64(c->db, text, &n, NULL) == 0)
		c->sum.files = (uint64_t)n;
	(void)snprintf(text, sizeof(text), "%s 16384", type_count);
	if (sql_get_i64(c->db, text, &n, NULL) == 0)
		c->sum.directories = (uint64_t)n;
}

/* Everything that needs both, or what the packs say if there is no index. */
static int look(struct check *c, struct scratch *scratch, struct err *e)
{
	bool index = c->db;
	int r = 0;

	if (index) {
		r = check_integrity(c, e);
		if (r == 0)
			r = check_rules(c, e);
		if (r == 0)
			count(c);
	}
	/* From here on as if there were none: what is wrong with it is reported. */
	if (r > 0) {
		sql_close(take_ptr(c->db));
		index = false;
		r = 0;
	}
	if (r < 0 || nothing_committed(c))
		return r;
	r = replay_all(c, scratch, e);
	if (r == 0 && c->has_packs)
		r = attach_packs(c, scratch, e);
	if (r == 0 && c->has_packs && index)
		r = check_against_packs(c, e);
	if (r == 0 && c->options->read_data && c->db)
		r = check_content(c, e);
	return r;
}

static int repair(struct check *c, const char *path, struct err *e)
{
	const struct rebuild_options options = {0};
	struct rebuild_summary sum;
	_cleanup_free_ char *index = NULL;

	if (!c->index_differs && !c->sums_differ)
		return 0;
	if (c->index_differs && c->pack_damages) {
		c->sum.repair = CHECK_REPAIR_REFUSED;
		return 0;
	}
	if (c->index_differs) {
		c->sum.repair = CHECK_REPAIR_REBUILT;
		return rebuild_store(path, &options, &sum, e);
	}
	if (asprintf(&index, "%s/index.db", path) < 0) {
		index = NULL;
		return err_oom(e);
	}
	c->sum.repair = CHECK_REPAIR_SUMS;
	return check_set_sums_right(index, e);
}

static void check_done(struct check *c)
{
	sql_close(take_ptr(c->db));
	store_free(take_ptr(c->store));
}

int check_store(const char *path, const struct check_options *options, struct check_summary *ret,
		struct err *e)
{
	_cleanup_(scratch_freep) struct scratch *scratch = NULL;
	_cleanup_(check_done) struct check c = {.options = options};
	int r = store_lock(path, &c.store, e);

	if (r == 0)
		r = open_index(&c, path, e);
	if (r == 0)
		r = scratch_new(path, &scratch, e);
	if (r == 0)
		r = look(&c, scratch, e);
	r = scratch_hint(e, r);
	check_done(&c);
	if (r == 0 && options->repair)
		r = repair(&c, path, e);
	if (r == 0)
		*ret = c.sum;
	return r;
}
