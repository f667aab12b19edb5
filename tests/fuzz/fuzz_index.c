/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hostile index.db: a small good one, of which bytes are changed, or values of rows, columns by column. Those
 * who read it must neither crash nor hang nor leave the store.
 */
#include "common/base/log.h"
#include "common/ext/sql.h"
#include "common/store/catalog.h"
#include "common/store/check.h"
#include "common/store/reader.h"
#include "tests/fuzz/fuzz.h"

static const char rows[] =
	"INSERT INTO store (id, uuid, created_ns, chunk_bytes, pack_bytes, sequence)"
	" VALUES (1, x'01000000000000000000000000000000', 1, 65536, 1048576, 1);"
	"INSERT INTO inode (ino, mode, nlink, uid, gid, size_bytes, atime_ns, mtime_ns, ctime_ns,"
	" btime_ns) VALUES (1, 16877, 3, 0, 0, 0, 1, 1, 1, 1), (2, 16877, 2, 0, 0, 0, 1, 1, 1, 1),"
	" (3, 33188, 2, 0, 0, 70000, 1, 1, 1, 1), (4, 41471, 1, 0, 0, 3, 1, 1, 1, 1);"
	"INSERT INTO dentry (id, parent, name, ino) VALUES (16, 1, 'dir', 2), (17, 2, 'file', 3),"
	" (18, 1, x'ff', 3), (19, 1, 'link', 4);"
	"INSERT INTO symlink VALUES (4, 'dir');"
	"INSERT INTO xattr VALUES (3, 'user.a', x'00');"
	"INSERT INTO pack (id, size_bytes, live_bytes) VALUES (1, 4096, 40);"
	"INSERT INTO chunk VALUES (3, 0, 1, 76, 20, 65536, 1), (3, 1, 1, 200, 20, 4464, 2);";

static const char *const columns[][2] = {
	{"store", "chunk_bytes"},
	{"store", "sequence"},
	{"store", "pack_bytes"},
	{"inode", "mode"},
	{"inode", "nlink"},
	{"inode", "size_bytes"},
	{"inode", "stored_bytes"},
	{"inode", "rdev"},
	{"inode", "ino"},
	{"dentry", "id"},
	{"dentry", "parent"},
	{"dentry", "name"},
	{"dentry", "ino"},
	{"symlink", "ino"},
	{"symlink", "target"},
	{"xattr", "name"},
	{"xattr", "value"},
	{"xattr", "ino"},
	{"pack", "id"},
	{"pack", "size_bytes"},
	{"pack", "live_bytes"},
	{"chunk", "ino"},
	{"chunk", "idx"},
	{"chunk", "pack"},
	{"chunk", "off_bytes"},
	{"chunk", "stored_bytes"},
	{"chunk", "raw_bytes"},
	{"chunk", "checksum"},
};

static char index_path[128];
static uint8_t *base;
static size_t base_bytes;

static void make_base(void)
{
	struct sql *db;
	int fd;

	(void)snprintf(index_path, sizeof(index_path), "%s/index.db", fuzz_store());
	MUST(sql_open_scratch(index_path, &db, NULL) == 0);
	MUST(sql_migrate(db, index_path, &schema_index, NULL) == 0);
	MUST(sql_exec(db, rows, NULL) == 0);
	sql_close(db);
	fd = open(index_path, O_RDONLY | O_CLOEXEC);
	base_bytes = (size_t)lseek(fd, 0, SEEK_END);
	base = malloc(base_bytes);
	MUST(base && pread(fd, base, base_bytes, 0) == (ssize_t)base_bytes);
	(void)close(fd);
}

static void change_bytes(struct cursor *c)
{
	_cleanup_free_ uint8_t *copy = malloc(base_bytes);

	MUST(copy);
	memcpy(copy, base, base_bytes);
	while (cursor_left(c) >= 5) {
		size_t at = cursor_get_le32(c) % base_bytes;

		copy[at] = cursor_get_u8(c);
	}
	write_whole(index_path, copy, base_bytes);
}

static void change_value(struct sql *db, struct cursor *c)
{
	_cleanup_(sql_finalizep) struct sql_stmt *s = NULL;
	const char *const *column = columns[cursor_get_u8(c) % ARRAY_SIZE(columns)];
	uint8_t kind = cursor_get_u8(c), row = cursor_get_u8(c);
	const uint8_t *data;
	char text[160];
	size_t n;

	(void)snprintf(text, sizeof(text),
		       "UPDATE OR IGNORE %s SET %s = ?1 WHERE %s IN"
		       " (SELECT %s FROM %s ORDER BY 1 LIMIT 1 OFFSET %u)",
		       column[0], column[1], column[1], column[1], column[0], row % 4u);
	MUST(sql_prepare(db, text, &s, NULL) == 0);
	if (kind % 2 == 0) {
		sql_bind_i64(s, 1, (int64_t)cursor_get_le64(c));
	} else {
		data = take_piece(c, &n);
		sql_bind_name(s, 1, data ? (const char *)data : "", data ? n : 0);
	}
	(void)sql_run(s, NULL);
}

static void change_values(struct cursor *c)
{
	struct sql *db;

	write_whole(index_path, base, base_bytes);
	MUST(sql_open_scratch(index_path, &db, NULL) == 0);
	while (cursor_left(c) > 0)
		change_value(db, c);
	sql_close(db);
}

static int read_some(const struct staged_entry *entry, void *arg, struct err *e)
{
	uint64_t *inodes = arg;

	(void)e;
	MUST(entry->name[0] && !strchr(entry->name, '/') && strcmp(entry->name, "..") != 0);
	inodes[entry->ino % 8] = entry->ino;
	return ++inodes[8] > 64; /* a tree of links to directories may be large: enough is enough */
}

static void use_reader(const char *dir)
{
	_cleanup_(reader_freep) struct reader *reader = NULL;
	uint64_t inodes[9] = {0};
	static uint8_t data[1 << 18];

	if (reader_open(dir, &reader, NULL) < 0)
		return;
	(void)reader_walk(reader, read_some, inodes, NULL);
	for (size_t i = 0; i < 8; i++) {
		struct staged_entry entry;

		if (reader_stat(reader, inodes[i], &entry, NULL) == 0)
			(void)reader_pread(reader, entry.ino, entry.content_version, data,
					   sizeof(data), entry.size_bytes / 2, NULL);
	}
}

static int count_dentry(const struct catalog_dentry *d, void *arg)
{
	(void)arg;
	MUST(d->name);
	return 0;
}

static int count_xattr(const char *name, const void *value, size_t len_bytes, void *arg)
{
	(void)value;
	(void)len_bytes;
	(void)arg;
	MUST(name);
	return 0;
}

static void use_catalog(const char *dir)
{
	struct catalog *catalog;

	MUST(catalog_new(dir, false, &catalog, NULL) == 0);
	for (uint64_t ino = 1; ino < 6; ino++) {
		_cleanup_free_ char *target = NULL, *name = NULL;
		struct inode_row row;
		struct chunk_place places[4];
		uint64_t found, id;

		(void)catalog_inode(catalog, ino, &row, &found);
		(void)catalog_symlink(catalog, ino, &target);
		(void)catalog_list(catalog, ino, 0, 100, count_dentry, NULL);
		(void)catalog_xattrs(catalog, ino, count_xattr, NULL);
		(void)catalog_name_of(catalog, ino, &found, &name);
		(void)catalog_lookup(catalog, ino, "dir", &found, &id);
		(void)catalog_chunks(catalog, ino, 0, ARRAY_SIZE(places), places);
		(void)catalog_next_chunk(catalog, ino, 1, &found);
	}
	catalog_free(catalog);
}

static void use_check(const char *dir)
{
	const struct check_options options = {.read_data = true};
	struct check_summary sum;

	(void)check_store(dir, &options, &sum, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes)
{
	struct cursor c = cursor_over(data, len_bytes);
	const char *dir = fuzz_store();
	char path[160];

	if (!base) {
		log_open("fuzz", LOG_LEVEL_ERROR, false);
		(void)!freopen("/dev/null", "w", stdout);
		make_base();
		(void)snprintf(path, sizeof(path), "%s/packs/00000001.pack", dir);
		write_whole(path, base, MIN(base_bytes, (size_t)4096));
	}
	if (cursor_get_u8(&c) % 2)
		change_bytes(&c);
	else
		change_values(&c);
	use_reader(dir);
	use_catalog(dir);
	use_check(dir);
	(void)snprintf(path, sizeof(path), "%s-wal", index_path);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s-shm", index_path);
	(void)unlink(path);
	return 0;
}
