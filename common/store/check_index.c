/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What must be true in an index. Every check is one query, whose rows are what is wrong: (inode or 0, text).
 * A query that cannot be run to its end has found damage, too.
 */
#include <string.h>

#include "common/base/cleanup.h"
#include "common/store/check_impl.h"

struct check_query {
	bool sums; /* only about sums that other rows make: can be set right */
	const char *text;
};

#define IS_DIR(i) #i ".mode & 61440 = 16384"

static const struct check_query rules[] = {
	{true,
	 "SELECT i.ino, printf('%d bytes are stored, the index says %d', should, said) FROM ("
	 " SELECT ino, stored_bytes AS said, coalesce((SELECT sum(c.stored_bytes) FROM chunk c"
	 "  WHERE c.ino = inode.ino), 0) AS should FROM inode) i WHERE said <> should"},
	{true, "SELECT 0, printf('pack %08d has %d bytes in use, the index says %d', p.id,"
	       " coalesce(s.n, 0), p.live_bytes) FROM pack p LEFT JOIN"
	       " (SELECT pack, sum(stored_bytes) AS n FROM chunk GROUP BY pack) s ON s.pack = p.id"
	       " WHERE p.live_bytes <> coalesce(s.n, 0)"},
	{false,
	 "SELECT i.ino, printf('%d names refer to it, its link count is %d', n, nlink) FROM ("
	 " SELECT ino, nlink, (SELECT count(*) FROM dentry d WHERE d.ino = inode.ino) AS n"
	 " FROM inode WHERE mode & 61440 <> 16384) i WHERE n <> nlink"},
	{false,
	 "SELECT i.ino, printf('directory with %d directories in it, its link count is %d',"
	 " n, nlink) FROM (SELECT ino, nlink, (SELECT count(*) FROM dentry d JOIN inode s"
	 "  ON s.ino = d.ino WHERE d.parent = inode.ino AND " IS_DIR(
		 s) ") AS n"
		    " FROM inode WHERE " IS_DIR(inode) " AND nlink > 0) i WHERE n + 2 <> nlink"},
	{false,
	 "SELECT d.ino, 'directory with more than one name' FROM dentry d"
	 " JOIN inode i ON i.ino = d.ino WHERE " IS_DIR(i) " GROUP BY d.ino HAVING count(*) > 1"},
	{false, "SELECT 0, 'the root directory is missing' WHERE NOT EXISTS"
		" (SELECT 1 FROM inode i WHERE i.ino = 1 AND " IS_DIR(i) ")"},
	{false, "WITH RECURSIVE way (ino) AS (SELECT 1 UNION SELECT d.ino FROM way"
		" JOIN dentry d ON d.parent = way.ino)"
		" SELECT ino, 'no way leads to it from the root' FROM inode"
		" WHERE nlink > 0 AND ino NOT IN (SELECT ino FROM way)"},
	{false, "SELECT d.ino, printf('its directory (inode %d) is none', d.parent) FROM dentry d"
		" LEFT JOIN inode p ON p.ino = d.parent WHERE (" IS_DIR(p) ") IS NOT 1"},
	{false, "SELECT ino, 'a name refers to this inode, which is missing' FROM dentry"
		" WHERE ino NOT IN (SELECT ino FROM inode)"},
	{false, "SELECT ino, 'symbolic link without its target' FROM inode"
		" WHERE mode & 61440 = 40960 AND ino NOT IN (SELECT ino FROM symlink)"},
	{false, "SELECT ino, 'unlinked, but not noted as open' FROM inode"
		" WHERE nlink <= 0 AND ino NOT IN (SELECT ino FROM orphan)"},
	{false, "SELECT ino, 'noted as unlinked, but has links' FROM orphan"
		" WHERE ino NOT IN (SELECT ino FROM inode WHERE nlink = 0)"},
	{false,
	 "SELECT c.ino, printf('chunk %d cannot be at %d in pack %08d', c.idx, c.off_bytes, c.pack)"
	 " FROM chunk c LEFT JOIN pack p ON p.id = c.pack WHERE p.id IS NULL OR c.idx < 0"
	 " OR c.off_bytes < 0 OR c.stored_bytes <= 0 OR c.raw_bytes <= 0"
	 " OR c.raw_bytes > (SELECT chunk_bytes FROM store)"
	 " OR c.off_bytes + c.stored_bytes > p.size_bytes"},
	{false,
	 "SELECT ino, printf('chunk %d overlaps another at %d in pack %08d', idx, off_bytes, pack)"
	 " FROM (SELECT ino, idx, pack, off_bytes, lag(off_bytes + stored_bytes) OVER"
	 "  (PARTITION BY pack ORDER BY off_bytes) AS before FROM chunk) WHERE before > off_bytes"},
	{false,
	 "SELECT 0, printf('numbers for %s go on behind %d, but %d is in use', name, seq, greatest)"
	 " FROM (SELECT name, seq, CASE name WHEN 'inode' THEN (SELECT max(ino) FROM inode)"
	 "  ELSE (SELECT max(id) FROM dentry) END AS greatest FROM sqlite_sequence)"
	 " WHERE seq < greatest"},
};

/* The names of the columns that differ, for a row that both databases have. */
#define DIFF(col) " || iif(a." #col " IS NOT b." #col ", ' " #col "', '')"
#define SAME(col) "a." #col " IS b." #col
#define DIFFERS	  "'the index and the packs differ in'"

/* Inodes that are unlinked but open are on their way out; packs do not tell of them. */
#define OPEN_ONLY "(SELECT ino FROM main.orphan)"

static const struct check_query differences[] = {
	{false, "SELECT 0, text FROM (SELECT 'the store''s row: ' || " DIFFERS DIFF(uuid) DIFF(
			created_ns) DIFF(chunk_bytes) DIFF(pack_bytes) DIFF(sequence) DIFF(commits)
			DIFF(committed_ns) " AS text,"
					   " length('the store''s row: ' || " DIFFERS ") AS n"
					   " FROM main.store a JOIN packs.store b ON b.id = "
					   "a.id) WHERE length(text) > n"},
	{false,
	 "SELECT a.ino, " DIFFERS DIFF(mode) DIFF(nlink) DIFF(uid) DIFF(gid) DIFF(rdev) DIFF(
		 size_bytes) DIFF(atime_ns) DIFF(mtime_ns) DIFF(ctime_ns) DIFF(btime_ns)
		 DIFF(content_version) " FROM main.inode a JOIN packs.inode b ON b.ino = a.ino"
				       " WHERE NOT (" SAME(mode) " AND " SAME(nlink) " AND " SAME(uid) " AND " SAME(gid) " AND " SAME(rdev) " AND " SAME(size_bytes) " AND " SAME(
					       atime_ns) " AND " SAME(mtime_ns) " AND " SAME(ctime_ns) " AND " SAME(btime_ns) " AND " SAME(content_version) ")"},
	{false, "SELECT a.ino, 'the packs do not have this inode' FROM main.inode a"
		" LEFT JOIN packs.inode b ON b.ino = a.ino"
		" WHERE b.ino IS NULL AND a.ino NOT IN " OPEN_ONLY},
	{false, "SELECT b.ino, printf('the index lacks inode %d', b.ino) FROM packs.inode b"
		" LEFT JOIN main.inode a ON a.ino = b.ino WHERE a.ino IS NULL"},
	{false, "SELECT a.ino, 'the packs do not have this name' FROM main.dentry a"
		" LEFT JOIN packs.dentry b ON b.id = a.id AND " SAME(parent) " AND " SAME(
			name) " AND " SAME(ino) " WHERE b.id IS NULL"},
	{false, "SELECT b.ino, printf('the index lacks the name ''%s'' in directory %d',"
		" CAST(b.name AS TEXT), b.parent) FROM packs.dentry b"
		" LEFT JOIN main.dentry a ON a.id = b.id AND " SAME(parent) " AND " SAME(
			name) " AND " SAME(ino) " WHERE a.id IS NULL"},
	{false, "SELECT a.ino, 'the packs do not have this target' FROM main.symlink a"
		" LEFT JOIN packs.symlink b ON b.ino = a.ino AND " SAME(
			target) " WHERE b.ino IS NULL AND a.ino NOT IN " OPEN_ONLY},
	{false,
	 "SELECT b.ino, 'the index lacks the target' FROM packs.symlink b"
	 " LEFT JOIN main.symlink a ON a.ino = b.ino AND " SAME(target) " WHERE a.ino IS NULL"},
	{false, "SELECT a.ino, printf('the packs do not have this value of attribute %s',"
		" CAST(a.name AS TEXT)) FROM main.xattr a LEFT JOIN packs.xattr b"
		" ON b.ino = a.ino AND b.name = a.name AND " SAME(
			value) " WHERE b.ino IS NULL AND a.ino NOT IN " OPEN_ONLY},
	{false,
	 "SELECT b.ino, printf('the index lacks a value of attribute %s', CAST(b.name AS TEXT))"
	 " FROM packs.xattr b LEFT JOIN main.xattr a"
	 " ON a.ino = b.ino AND a.name = b.name AND " SAME(value) " WHERE a.ino IS NULL"},
	{false,
	 "SELECT a.ino, printf('the packs do not have chunk %d at %d in pack %08d', a.idx,"
	 " a.off_bytes, a.pack) FROM main.chunk a LEFT JOIN packs.chunk b"
	 " ON b.ino = a.ino AND b.idx = a.idx AND " SAME(pack) " AND " SAME(off_bytes) " AND " SAME(
		 stored_bytes) " AND " SAME(raw_bytes) " AND " SAME(checksum) " WHERE b.ino IS "
									      "NULL AND a.ino NOT "
									      "IN " OPEN_ONLY},
	{false,
	 "SELECT b.ino, printf('the index lacks chunk %d at %d in pack %08d', b.idx,"
	 " b.off_bytes, b.pack) FROM packs.chunk b LEFT JOIN main.chunk a"
	 " ON a.ino = b.ino AND a.idx = b.idx AND " SAME(pack) " AND " SAME(off_bytes) " AND " SAME(
		 stored_bytes) " AND " SAME(raw_bytes) " AND " SAME(checksum) " WHERE a.ino IS "
									      "NULL"},
	/* The open pack may be sealed already or not; no other may be open. */
	{false,
	 "SELECT 0, printf('pack %08d: ', a.id) || " DIFFERS DIFF(size_bytes) DIFF(log_bytes)
		 DIFF(sealed) " FROM main.pack a JOIN packs.pack b ON b.id = a.id"
			      " WHERE NOT (" SAME(size_bytes) " AND " SAME(log_bytes) " AND (" SAME(
				      sealed) " OR (a.sealed = 1 AND a.id = (SELECT max(id) FROM "
					      "main.pack))))"},
	{false, "SELECT 0, printf('pack %08d holds no commit', id) FROM main.pack"
		" WHERE id NOT IN (SELECT id FROM packs.pack)"},
	/* No name was ever given: the packs tell of the first number, the index has no row yet. */
	{false,
	 "SELECT 0, printf('numbers for %s go on behind %d, the packs say %d', b.name, a.seq,"
	 " b.seq) FROM packs.sqlite_sequence b LEFT JOIN main.sqlite_sequence a"
	 " ON a.name = b.name WHERE a.seq IS NOT b.seq AND (a.seq IS NOT NULL OR b.seq > 15)"},
	{false, "SELECT 0, printf('the definition of %s is not that of this format', name) FROM"
		" (SELECT type, name, tbl_name, sql FROM main.sqlite_schema"
		"  EXCEPT SELECT type, name, tbl_name, sql FROM packs.sqlite_schema)"},
	{false, "SELECT 0, printf('the definition of %s is missing', name) FROM"
		" (SELECT type, name, tbl_name, sql FROM packs.sqlite_schema"
		"  EXCEPT SELECT type, name, tbl_name, sql FROM main.sqlite_schema)"},
};

static void report(struct check *c, bool sums, uint64_t ino, const char *text)
{
	if (sums)
		c->sums_differ = true;
	else
		c->index_differs = true;
	check_found(c, &(struct check_finding){.kind = CHECK_INDEX, .ino = ino, .text = text});
}

/* Errors that say that the index is damaged; the others are no findings. */
static bool is_damage(int r)
{
	return r != -ENOMEM && r != -ENOSPC && r != -EBUSY;
}

static int run_query(struct check *c, const struct check_query *q, struct err *e)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	struct err why = {0};
	int r = sql_prepare(c->db, q->text, &s, &why);

	while (r >= 0 && (r = sql_step(s, &why)) > 0)
		report(c, q->sums, (uint64_t)sql_col_i64(s, 0), sql_col_text(s, 1));
	if (r == 0)
		return 0;
	if (!is_damage(r)) {
		if (e)
			*e = why;
		return r;
	}
	report(c, false, 0, why.text);
	return 0;
}

static int run_queries(struct check *c, const struct check_query *queries, size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = run_query(c, &queries[i], e);
	return r;
}

/* SQLite's own checks: pages, order, indices; then references. */
int check_integrity(struct check *c, struct err *e)
{
	static const struct check_query references = {
		false, "SELECT 0, printf('a row of %s refers to a row of %s that is missing',"
		       " \"table\", parent) FROM pragma_foreign_key_check"};
	static const struct check_query pages = {
		false, "SELECT 0, 'index.db: ' || integrity_check FROM pragma_integrity_check"
		       " WHERE integrity_check <> 'ok'"};
	int r = run_query(c, &pages, e);

	if (r < 0 || c->index_differs)
		return r < 0 ? r : 1;
	return run_query(c, &references, e);
}

int check_rules(struct check *c, struct err *e)
{
	return run_queries(c, rules, ARRAY_SIZE(rules), e);
}

int check_against_packs(struct check *c, struct err *e)
{
	return run_queries(c, differences, ARRAY_SIZE(differences), e);
}

int check_set_sums_right(const char *index_path, struct err *e)
{
	static const char text[] =
		"BEGIN IMMEDIATE;"
		"UPDATE inode SET stored_bytes = s.n FROM (SELECT i.ino, coalesce("
		" (SELECT sum(c.stored_bytes) FROM chunk c WHERE c.ino = i.ino), 0) AS n FROM "
		"inode i) s"
		" WHERE s.ino = inode.ino AND stored_bytes <> s.n;"
		"UPDATE pack SET live_bytes = s.n FROM (SELECT p.id, coalesce("
		" (SELECT sum(c.stored_bytes) FROM chunk c WHERE c.pack = p.id), 0) AS n FROM pack "
		"p) s"
		" WHERE s.id = pack.id AND live_bytes <> s.n;"
		"COMMIT;";
	_cleanup_(sql_closep) struct sql *db = NULL;
	int r = sql_open(index_path, SQL_READ_WRITE, &db, e);

	if (r == 0)
		r = sql_exec(db, text, e);
	return r == 0 ? sql_checkpoint(db, SQL_CHECKPOINT_TRUNCATE, NULL, e) : r;
}
