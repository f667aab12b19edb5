/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two trees: names, types, modes, owners, links, sizes, times, extended attributes, content. Passed over,
 * because it is the filesystem's own affair: st_blocks, st_blksize, sizes of directories, inode numbers
 * (but not which names share one), positions in directories, ctime and atime of the clock.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <uthash.h>

#include "tests/lib/difftest/difftest.h"

#define PIECE_BYTES 65536

/* Inode numbers of one file on both sides. */
struct twin {
	ino_t tested, local;
	UT_hash_handle hh;
};

struct walk {
	struct writer *w;
	struct twin *twins;
	char path[4 * PATH_MAX];
	size_t n_entries;
};

static void walk_differs(struct walk *k, const char *what, intmax_t tested, intmax_t local)
{
	for (char *c = k->path; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	differs(k->w, "comparing trees: '%.600s': %s: tested %jd, local %jd", k->path, what, tested,
		local);
}

#define SAME(k, what, a, b)                                                  \
	do {                                                                 \
		if ((a) != (b))                                              \
			walk_differs(k, what, (intmax_t)(a), (intmax_t)(b)); \
	} while (0)

/* ---- names ---- */

struct names {
	struct dirent **entries;
	int n;
};

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void compare_names(struct walk *k, struct names n[N_SIDES], const int dir[N_SIDES])
{
	for (int side = 0; side < N_SIDES; side++) {
		n[side].n = scandirat(dir[side], ".", &n[side].entries, NULL, by_bytes);
		if (n[side].n < 0)
			walk_differs(k, strerror(errno), side, 0);
	}
	for (int i = 0; i < n[0].n && i < n[1].n; i++) {
		if (strcmp(n[0].entries[i]->d_name, n[1].entries[i]->d_name) != 0)
			walk_differs(k, "name", i, n[0].n);
		SAME(k, "d_type", n[0].entries[i]->d_type, n[1].entries[i]->d_type);
	}
	SAME(k, "number of names", n[0].n, n[1].n);
}

static void free_names(struct names *n)
{
	for (int i = 0; i < n->n; i++)
		free(n->entries[i]);
	free(n->entries);
}

/* ---- attributes ---- */

static void compare_time(struct walk *k, const char *what, const struct timespec *tested,
			 const struct timespec *local)
{
	if (tested->tv_sec > EARLIEST_NOW_SEC && local->tv_sec > EARLIEST_NOW_SEC)
		return;
	SAME(k, what, tested->tv_sec, local->tv_sec);
	SAME(k, what, tested->tv_nsec, local->tv_nsec);
}

static void compare_stat(struct walk *k, const struct stat st[N_SIDES])
{
	struct twin *twin;

	SAME(k, "mode", st[0].st_mode, st[1].st_mode);
	SAME(k, "links", st[0].st_nlink, st[1].st_nlink);
	SAME(k, "uid", st[0].st_uid, st[1].st_uid);
	SAME(k, "gid", st[0].st_gid, st[1].st_gid);
	SAME(k, "device", st[0].st_rdev, st[1].st_rdev);
	if (!S_ISDIR(st[0].st_mode))
		SAME(k, "size", st[0].st_size, st[1].st_size);
	compare_time(k, "mtime", &st[0].st_mtim, &st[1].st_mtim);
	/* Following a link changes its atime, on the local side. */
	if (!S_ISLNK(st[0].st_mode) && !S_ISDIR(st[0].st_mode))
		compare_time(k, "atime", &st[0].st_atim, &st[1].st_atim);
	if (S_ISDIR(st[0].st_mode) || st[0].st_nlink == 1)
		return;
	HASH_FIND(hh, k->twins, &st[0].st_ino, sizeof(twin->tested), twin);
	if (twin) {
		SAME(k, "the file that it is a link to", twin->local, st[1].st_ino);
		return;
	}
	twin = calloc(1, sizeof(*twin));
	if (!twin)
		abort();
	twin->tested = st[0].st_ino;
	twin->local = st[1].st_ino;
	HASH_ADD(hh, k->twins, tested, sizeof(twin->tested), twin);
}

/* ---- extended attributes ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

#define MAX_XATTRS 64

static size_t list_xattrs(struct walk *k, const char *path, char *buf, size_t size,
			  const char *names[MAX_XATTRS])
{
	ssize_t n = llistxattr(path, buf, size);
	size_t found = 0;

	if (n < 0)
		walk_differs(k, "listxattr", errno, 0);
	for (ssize_t at = 0; at < n && found < MAX_XATTRS; at += (ssize_t)strlen(buf + at) + 1)
		names[found++] = buf + at;
	qsort(names, found, sizeof(*names), by_name);
	return found;
}

static void compare_xattrs(struct walk *k, const int dir[N_SIDES], const char *name)
{
	static char path[N_SIDES][PATH_MAX], list[N_SIDES][PIECE_BYTES],
		value[N_SIDES][PIECE_BYTES];
	const char *names[N_SIDES][MAX_XATTRS];
	size_t n[N_SIDES];

	for (int side = 0; side < N_SIDES; side++) {
		(void)snprintf(path[side], PATH_MAX, "/proc/self/fd/%d/%s", dir[side], name);
		n[side] = list_xattrs(k, path[side], list[side], PIECE_BYTES, names[side]);
	}
	SAME(k, "number of xattrs", n[0], n[1]);
	for (size_t i = 0; i < n[0]; i++) {
		ssize_t len[N_SIDES];

		SAME(k, names[0][i], strcmp(names[0][i], names[1][i]), 0);
		for (int side = 0; side < N_SIDES; side++)
			len[side] = lgetxattr(path[side], names[side][i], value[side], PIECE_BYTES);
		SAME(k, names[0][i], len[0], len[1]);
		SAME(k, names[0][i], len[0] > 0 && memcmp(value[0], value[1], (size_t)len[0]) != 0,
		     0);
	}
}

/* ---- content ---- */

void compare_content(struct writer *w, const int fd[N_SIDES], const char *label)
{
	static char piece[N_SIDES][PIECE_BYTES];
	off_t at = 0;
	ssize_t n[N_SIDES];

	do {
		for (int side = 0; side < N_SIDES; side++)
			n[side] = pread(fd[side], piece[side], PIECE_BYTES, at);
		if (n[0] != n[1])
			differs(w, "%s: reading at %jd gives %zd and %zd bytes", label,
				(intmax_t)at, n[0], n[1]);
		for (ssize_t i = 0; i < n[0]; i++)
			if (piece[0][i] != piece[1][i])
				differs(w, "%s: content at %jd", label, (intmax_t)at + i);
		at += n[0];
	} while (n[0] > 0);
}

static void compare_file(struct walk *k, const int dir[N_SIDES], const char *name)
{
	int fd[N_SIDES];

	for (int side = 0; side < N_SIDES; side++) {
		fd[side] = openat(dir[side], name, O_RDONLY | O_NOATIME | O_CLOEXEC);
		if (fd[side] < 0)
			walk_differs(k, "open", side, errno);
	}
	compare_content(k->w, fd, k->path);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void compare_targets(struct walk *k, const int dir[N_SIDES], const char *name)
{
	char target[N_SIDES][PATH_MAX];
	ssize_t n[N_SIDES];

	for (int side = 0; side < N_SIDES; side++)
		n[side] = readlinkat(dir[side], name, target[side], PATH_MAX);
	SAME(k, "length of the target", n[0], n[1]);
	SAME(k, "target", n[0] > 0 && memcmp(target[0], target[1], (size_t)n[0]) != 0, 0);
}

/* ---- the walk ---- */

static void compare_dirs(struct walk *k, const int dir[N_SIDES]);

static void compare_subdirs(struct walk *k, const int dir[N_SIDES], const char *name)
{
	int sub[N_SIDES];

	for (int side = 0; side < N_SIDES; side++) {
		sub[side] = openat(dir[side], name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub[side] < 0)
			walk_differs(k, "open", side, errno);
	}
	compare_dirs(k, sub);
	(void)close(sub[0]);
	(void)close(sub[1]);
}

static void compare_entry(struct walk *k, const int dir[N_SIDES], const char *name)
{
	struct stat st[N_SIDES];

	for (int side = 0; side < N_SIDES; side++)
		if (fstatat(dir[side], name, &st[side], AT_SYMLINK_NOFOLLOW) < 0)
			walk_differs(k, "stat", side, errno);
	k->n_entries++;
	compare_stat(k, st);
	compare_xattrs(k, dir, name);
	if (S_ISDIR(st[0].st_mode))
		compare_subdirs(k, dir, name);
	else if (S_ISREG(st[0].st_mode))
		compare_file(k, dir, name);
	else if (S_ISLNK(st[0].st_mode))
		compare_targets(k, dir, name);
}

static void compare_dirs(struct walk *k, const int dir[N_SIDES])
{
	struct names names[N_SIDES] = {0};
	size_t end = strlen(k->path);

	compare_names(k, names, dir);
	for (int i = 0; i < names[0].n; i++) {
		const char *name = names[0].entries[i]->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		(void)snprintf(k->path + end, sizeof(k->path) - end, "/%s", name);
		compare_entry(k, dir, name);
		k->path[end] = '\0';
	}
	free_names(&names[0]);
	free_names(&names[1]);
}

size_t compare_trees(struct writer *w)
{
	struct walk k = {.w = w};
	struct twin *twin, *next;

	compare_dirs(&k, w->root);
	HASH_ITER (hh, k.twins, twin, next) {
		HASH_DEL(k.twins, twin);
		free(twin);
	}
	return k.n_entries;
}
