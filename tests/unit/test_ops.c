/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operations of the mount, driven without a kernel. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/stage_priv.h"
#include "tests/unit/fuse_peer.h"

static void test_lookup(void **state)
{
	struct peer *p = *state;
	uint64_t dir = make_dir(p, FUSE_ROOT_ID, "d");

	assert_int_equal(call_name(p, FUSE_LOOKUP, FUSE_ROOT_ID, NULL, 0, "d"), 0);
	assert_int_equal(entry_of(p)->nodeid, dir);
	assert_int_equal(entry_of(p)->attr.mode, S_IFDIR | 0755);
	assert_true(entry_of(p)->entry_valid > 3600);
	assert_true(entry_of(p)->attr_valid > 3600);
	/* A name that is not there: an answer to keep, not an error. */
	assert_int_equal(call_name(p, FUSE_LOOKUP, FUSE_ROOT_ID, NULL, 0, "nothing"), 0);
	assert_int_equal(entry_of(p)->nodeid, 0);
	assert_true(entry_of(p)->entry_valid > 3600);
	assert_int_equal(call_name(p, FUSE_RMDIR, FUSE_ROOT_ID, NULL, 0, "d"), 0);
	assert_int_equal(call_name(p, FUSE_RMDIR, FUSE_ROOT_ID, NULL, 0, "d"), -ENOENT);
}

static void test_caller_owns(void **state)
{
	struct peer *p = *state;
	uint64_t ino;

	p->uid = 1234;
	ino = create_file(p, FUSE_ROOT_ID, "f", 0640);
	assert_int_equal(get_attr(p, ino)->uid, 1234);
	assert_int_equal(get_attr(p, ino)->gid, 1234);
	assert_int_equal(get_attr(p, ino)->mode, S_IFREG | 0640);
	/* Its stored size is not settled yet: not to be believed for long. */
	assert_true(((const struct fuse_attr_out *)(const void *)p->reply)->attr_valid <= 1);
}

static void test_read_write(void **state)
{
	struct peer *p = *state;
	uint64_t ino = create_file(p, FUSE_ROOT_ID, "f", 0644);
	struct fuse_read_in in = {.offset = 3, .size = 4096};
	struct fuse_flush_in flush = {0};
	struct fuse_fsync_in sync = {0};
	struct fuse_release_in release = {0};

	assert_int_equal(write_file(p, ino, "hello world", 0, 0), 0);
	assert_int_equal(((const struct fuse_write_out *)(const void *)p->reply)->size, 11);
	assert_int_equal(call(p, FUSE_READ, ino, &in, sizeof(in), NULL, 0, NULL, 0), 0);
	assert_int_equal(p->reply_bytes, 8);
	assert_memory_equal(p->reply, "lo world", 8);
	in.offset = 11;
	assert_int_equal(call(p, FUSE_READ, ino, &in, sizeof(in), NULL, 0, NULL, 0), 0);
	assert_int_equal(p->reply_bytes, 0);
	assert_int_equal(call(p, FUSE_FLUSH, ino, &flush, sizeof(flush), NULL, 0, NULL, 0), 0);
	assert_int_equal(call(p, FUSE_FSYNC, ino, &sync, sizeof(sync), NULL, 0, NULL, 0), 0);
	assert_int_equal(call(p, FUSE_FSYNCDIR, 1, &sync, sizeof(sync), NULL, 0, NULL, 0), 0);
	assert_int_equal(call(p, FUSE_RELEASE, ino, &release, sizeof(release), NULL, 0, NULL, 0),
			 0);
}

/* The kernel does not ask at close(): RELEASE sends what is dirty on its way. */
static void test_release_pushes(void **state)
{
	struct peer *p = *state;
	uint64_t ino = create_file(p, FUSE_ROOT_ID, "f", 0644);
	struct fuse_release_in release = {0};

	assert_int_equal(write_file(p, ino, "hello", 0, 0), 0);
	assert_true(atomic_load(&p->ops.stage->dirty_bytes) > 0);
	assert_int_equal(call(p, FUSE_RELEASE, ino, &release, sizeof(release), NULL, 0, NULL, 0),
			 0);
	assert_int_equal(atomic_load(&p->ops.stage->dirty_bytes), 0);
}

static void set_attr(struct peer *p, uint64_t ino, struct fuse_setattr_in in)
{
	assert_int_equal(call(p, FUSE_SETATTR, ino, &in, sizeof(in), NULL, 0, NULL, 0), 0);
}

static void test_setattr(void **state)
{
	struct peer *p = *state;
	uint64_t ino = create_file(p, FUSE_ROOT_ID, "f", 0644);
	const struct fuse_attr *attr;

	set_attr(p, ino,
		 (struct fuse_setattr_in){.valid = FATTR_MODE, .mode = 0600, .uid = 9, .size = 9});
	set_attr(p, ino,
		 (struct fuse_setattr_in){.valid = FATTR_UID | FATTR_GID, .uid = 5, .gid = 6});
	set_attr(p, ino, (struct fuse_setattr_in){.valid = FATTR_SIZE, .size = 777});
	set_attr(p, ino,
		 (struct fuse_setattr_in){.valid = FATTR_MTIME | FATTR_ATIME,
					  .mtime = 1000,
					  .mtimensec = 2,
					  .atime = 3000,
					  .atimensec = 4});
	attr = get_attr(p, ino);
	assert_int_equal(attr->mode, S_IFREG | 0600);
	assert_int_equal(attr->uid, 5);
	assert_int_equal(attr->gid, 6);
	assert_int_equal(attr->size, 777);
	assert_int_equal(attr->mtime, 1000);
	assert_int_equal(attr->mtimensec, 2);
	assert_int_equal(attr->atime, 3000);
	assert_int_equal(attr->atimensec, 4);
	assert_true(attr->ctime > 1000000000);
	set_attr(p, ino, (struct fuse_setattr_in){.valid = FATTR_MTIME | FATTR_MTIME_NOW});
	attr = get_attr(p, ino);
	assert_true(attr->mtime > 1000000000);
	assert_int_equal(attr->atime, 3000);
}

/* suid and sgid go exactly when the kernel asks for it. */
static void test_kill_priv(void **state)
{
	struct peer *p = *state;
	uint64_t ino = create_file(p, FUSE_ROOT_ID, "f", 0755);
	const struct fuse_setattr_in suid = {.valid = FATTR_MODE, .mode = 06755};
	struct fuse_open_in open = {.flags = O_WRONLY | O_TRUNC};

	set_attr(p, ino, suid);
	assert_int_equal(write_file(p, ino, "x", 0, 0), 0);
	assert_int_equal(get_attr(p, ino)->mode & 07777, 06755);
	assert_int_equal(write_file(p, ino, "x", 0, FUSE_WRITE_KILL_SUIDGID), 0);
	assert_int_equal(get_attr(p, ino)->mode & 07777, 0755);

	set_attr(p, ino, suid);
	assert_int_equal(call(p, FUSE_OPEN, ino, &open, sizeof(open), NULL, 0, NULL, 0), 0);
	assert_int_equal(get_attr(p, ino)->mode & 07777, 06755);
	open.open_flags = FUSE_OPEN_KILL_SUIDGID;
	assert_int_equal(call(p, FUSE_OPEN, ino, &open, sizeof(open), NULL, 0, NULL, 0), 0);
	assert_int_equal(get_attr(p, ino)->mode & 07777, 0755);

	set_attr(p, ino, suid);
	set_attr(p, ino, (struct fuse_setattr_in){.valid = FATTR_SIZE, .size = 5});
	assert_int_equal(get_attr(p, ino)->mode & 07777, 06755);
	set_attr(p, ino,
		 (struct fuse_setattr_in){.valid = FATTR_SIZE | FATTR_KILL_SUIDGID, .size = 6});
	assert_int_equal(get_attr(p, ino)->mode & 07777, 0755);
}

static void test_open_truncates(void **state)
{
	struct peer *p = *state;
	uint64_t ino = create_file(p, FUSE_ROOT_ID, "f", 0644);
	struct fuse_open_in open = {.flags = O_WRONLY};
	struct fuse_open_out out;

	assert_int_equal(write_file(p, ino, "hello", 0, 0), 0);
	assert_int_equal(call(p, FUSE_OPEN, ino, &open, sizeof(open), NULL, 0, NULL, 0), 0);
	memcpy(&out, p->reply, sizeof(out));
	assert_int_equal(out.open_flags, FOPEN_KEEP_CACHE | FOPEN_NOFLUSH);
	assert_int_equal(get_attr(p, ino)->size, 5);
	open.flags |= O_TRUNC;
	assert_int_equal(call(p, FUSE_OPEN, ino, &open, sizeof(open), NULL, 0, NULL, 0), 0);
	assert_int_equal(get_attr(p, ino)->size, 0);
}

/* Collects the names of one listing; sets *ret_off to go on from. */
static size_t list_names(struct peer *p, uint32_t opcode, uint64_t *off, char *names)
{
	struct fuse_read_in in = {.offset = *off, .size = 1024};
	size_t at = 0, n = 0;

	assert_int_equal(call(p, opcode, FUSE_ROOT_ID, &in, sizeof(in), NULL, 0, NULL, 0), 0);
	assert_true(p->reply_bytes <= 1024);
	while (at < p->reply_bytes) {
		size_t entry_bytes = opcode == FUSE_READDIRPLUS ? sizeof(struct fuse_entry_out) : 0;
		struct fuse_dirent d;

		memcpy(&d, p->reply + at + entry_bytes, sizeof(d));
		if (entry_bytes) {
			struct fuse_entry_out entry;
			bool dots = p->reply[at + entry_bytes + sizeof(d)] == '.';

			memcpy(&entry, p->reply + at, sizeof(entry));
			assert_int_equal(entry.nodeid, dots ? 0 : d.ino);
		}
		assert_int_equal(d.type, p->reply[at + entry_bytes + sizeof(d)] == 'f' ? 8 : 4);
		(void)strncat(names, p->reply + at + entry_bytes + sizeof(d), d.namelen);
		(void)strcat(names, " ");
		*off = d.off;
		at += (entry_bytes + sizeof(d) + d.namelen + 7) / 8 * 8;
		n++;
	}
	return n;
}

static void list_all(struct peer *p, uint32_t opcode, const char *expected)
{
	char names[4096] = "";
	uint64_t off = 0;

	while (list_names(p, opcode, &off, names) > 0)
		;
	assert_string_equal(names, expected);
}

static void test_readdir(void **state)
{
	struct peer *p = *state;
	char expected[2048] = ". .. d ";
	struct fuse_open_in open = {0};
	struct fuse_open_out out;

	(void)make_dir(p, FUSE_ROOT_ID, "d");
	for (int i = 0; i < 50; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "file-number-%02d", i);
		(void)create_file(p, FUSE_ROOT_ID, name, 0644);
		(void)strcat(strcat(expected, name), " ");
	}
	assert_int_equal(call(p, FUSE_OPENDIR, 1, &open, sizeof(open), NULL, 0, NULL, 0), 0);
	memcpy(&out, p->reply, sizeof(out));
	assert_int_equal(out.open_flags, FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR);
	list_all(p, FUSE_READDIR, expected);
	list_all(p, FUSE_READDIRPLUS, expected);
}

static void test_links(void **state)
{
	struct peer *p = *state;
	uint64_t ino = create_file(p, FUSE_ROOT_ID, "f", 0644),
		 dir = make_dir(p, FUSE_ROOT_ID, "d");
	struct fuse_link_in link = {.oldnodeid = ino};
	struct fuse_rename2_in rename = {.newdir = dir, .flags = 1 /* RENAME_NOREPLACE */};
	struct fuse_mknod_in node = {.mode = S_IFCHR | 0600, .rdev = 0x103};

	assert_int_equal(call_name(p, FUSE_LINK, dir, &link, sizeof(link), "hard"), 0);
	assert_int_equal(entry_of(p)->nodeid, ino);
	assert_int_equal(entry_of(p)->attr.nlink, 2);
	assert_int_equal(call(p, FUSE_SYMLINK, dir, "soft", 5, "to/where", 9, NULL, 0), 0);
	assert_int_equal(call(p, FUSE_READLINK, entry_of(p)->nodeid, NULL, 0, NULL, 0, NULL, 0), 0);
	assert_int_equal(p->reply_bytes, 8);
	assert_memory_equal(p->reply, "to/where", 8);
	assert_int_equal(call(p, FUSE_RENAME2, 1, &rename, sizeof(rename), "f", 2, "hard", 5),
			 -EEXIST);
	assert_int_equal(call(p, FUSE_RENAME2, 1, &rename, sizeof(rename), "f", 2, "new", 4), 0);
	assert_int_equal(call_name(p, FUSE_UNLINK, dir, NULL, 0, "hard"), 0);
	assert_int_equal(get_attr(p, ino)->nlink, 1);
	assert_int_equal(call_name(p, FUSE_MKNOD, 1, &node, sizeof(node), "null"), 0);
	assert_int_equal(entry_of(p)->attr.mode, S_IFCHR | 0600);
	assert_int_equal(entry_of(p)->attr.rdev, 0x103);
}

static int set_xattr(struct peer *p, uint64_t ino, const char *name, const char *value)
{
	struct fuse_setxattr_in in = {.size = (uint32_t)strlen(value)};

	return call(p, FUSE_SETXATTR, ino, &in, FUSE_COMPAT_SETXATTR_IN_SIZE, name,
		    strlen(name) + 1, value, strlen(value));
}

static int get_xattr(struct peer *p, uint64_t ino, const char *name, uint32_t size)
{
	struct fuse_getxattr_in in = {.size = size};

	return call_name(p, FUSE_GETXATTR, ino, &in, sizeof(in), name);
}

static void test_xattrs(void **state)
{
	struct peer *p = *state;
	uint64_t ino = create_file(p, FUSE_ROOT_ID, "f", 0644);
	struct fuse_getxattr_in in = {0};

	assert_int_equal(set_xattr(p, ino, "user.colour", "blue"), 0);
	assert_int_equal(get_xattr(p, ino, "user.colour", 0), 0);
	assert_int_equal(((const struct fuse_getxattr_out *)(const void *)p->reply)->size, 4);
	assert_int_equal(get_xattr(p, ino, "user.colour", 100), 0);
	assert_int_equal(p->reply_bytes, 4);
	assert_memory_equal(p->reply, "blue", 4);
	assert_int_equal(get_xattr(p, ino, "user.colour", 3), -ERANGE);
	assert_int_equal(get_xattr(p, ino, "user.none", 100), -ENODATA);
	assert_int_equal(call(p, FUSE_LISTXATTR, ino, &in, sizeof(in), NULL, 0, NULL, 0), 0);
	assert_int_equal(((const struct fuse_getxattr_out *)(const void *)p->reply)->size, 12);
	in.size = 100;
	assert_int_equal(call(p, FUSE_LISTXATTR, ino, &in, sizeof(in), NULL, 0, NULL, 0), 0);
	assert_memory_equal(p->reply, "user.colour", 12);
	assert_int_equal(call_name(p, FUSE_REMOVEXATTR, ino, NULL, 0, "user.colour"), 0);
	assert_int_equal(call_name(p, FUSE_REMOVEXATTR, ino, NULL, 0, "user.colour"), -ENODATA);
	/* ACLs that the kernel does not enforce are refused. */
	assert_int_equal(set_xattr(p, ino, "system.posix_acl_access", "acl"), -EOPNOTSUPP);
	assert_int_equal(get_xattr(p, ino, "system.posix_acl_access", 100), -EOPNOTSUPP);
}

static void test_others(void **state)
{
	struct peer *p = *state;
	uint64_t ino = create_file(p, FUSE_ROOT_ID, "f", 0644);
	struct fuse_fallocate_in grow = {.length = 1 << 20};
	struct fuse_lseek_in seek = {.whence = SEEK_HOLE};
	struct fuse_release_in release = {.flags = O_RDWR};
	struct fuse_forget_in forget = {.nlookup = 1};
	struct fuse_copy_file_range_in copy = {0};

	assert_int_equal(call(p, FUSE_FALLOCATE, ino, &grow, sizeof(grow), NULL, 0, NULL, 0), 0);
	assert_int_equal(get_attr(p, ino)->size, 1 << 20);
	/* Open for reading and writing, a mapping may have made all of it data. */
	assert_int_equal(call(p, FUSE_LSEEK, ino, &seek, sizeof(seek), NULL, 0, NULL, 0), 0);
	assert_int_equal(((const struct fuse_lseek_out *)(const void *)p->reply)->offset, 1 << 20);
	assert_int_equal(call(p, FUSE_RELEASE, ino, &release, sizeof(release), NULL, 0, NULL, 0),
			 0);
	assert_int_equal(call(p, FUSE_LSEEK, ino, &seek, sizeof(seek), NULL, 0, NULL, 0), 0);
	assert_int_equal(((const struct fuse_lseek_out *)(const void *)p->reply)->offset, 0);
	seek.whence = SEEK_DATA;
	assert_int_equal(call(p, FUSE_LSEEK, ino, &seek, sizeof(seek), NULL, 0, NULL, 0), -ENXIO);
	assert_int_equal(call(p, FUSE_STATFS, 1, NULL, 0, NULL, 0, NULL, 0), 0);
	assert_int_equal(((const struct fuse_statfs_out *)(const void *)p->reply)->st.namelen, 255);
	/* Left to the kernel. */
	assert_int_equal(call(p, FUSE_COPY_FILE_RANGE, ino, &copy, sizeof(copy), NULL, 0, NULL, 0),
			 -ENOSYS);
	assert_int_equal(call(p, FUSE_FORGET, ino, &forget, sizeof(forget), NULL, 0, NULL, 0), 0);
	assert_int_equal(call_name(p, FUSE_LOOKUP, FUSE_ROOT_ID, NULL, 0, "f"), 0);
	assert_int_equal(entry_of(p)->nodeid, ino);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_lookup),		PEER_TEST(test_caller_owns),
		PEER_TEST(test_read_write),	PEER_TEST(test_release_pushes),
		PEER_TEST(test_setattr),	PEER_TEST(test_kill_priv),
		PEER_TEST(test_open_truncates), PEER_TEST(test_readdir),
		PEER_TEST(test_links),		PEER_TEST(test_xattrs),
		PEER_TEST(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
