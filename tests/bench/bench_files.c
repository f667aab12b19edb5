/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench-files: what a program does with many small files and with small writes, without the cost of starting
 * a process for each. Driven by tools/bench, which times it.
 *
 *   bench-files create DIR FIRST COUNT BYTES SOURCE   files FIRST, FIRST + 1, ... of BYTES from SOURCE,
 *                                                     1,000 a folder
 *   bench-files unlink DIR COUNT                      the first COUNT of them, in the same order
 *   bench-files walk DIR COUNT                        readdir and stat of all, which have to be COUNT
 *   bench-files overwrite FILE COUNT                  4 KiB writes at random places, then fsync
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_PER_FOLDER  1000
#define OVERWRITE_BYTES	  4096
#define SOURCE_STEP_BYTES 1021 /* so that no two files are the same */

static size_t number(const char *text)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || value > SIZE_MAX)
		errx(2, "'%s' is no number", text);
	return (size_t)value;
}

static char *load(const char *path, size_t *ret_bytes)
{
	struct stat st;
	char *data;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", path);
	*ret_bytes = (size_t)st.st_size;
	data = malloc(*ret_bytes + 1);
	if (!data || read(fd, data, *ret_bytes) != st.st_size)
		err(1, "%s", path);
	(void)close(fd);
	return data;
}

static int open_folder(int top_fd, size_t file)
{
	char name[32];
	int fd;

	(void)snprintf(name, sizeof(name), "%06zu", file / FILES_PER_FOLDER);
	if (mkdirat(top_fd, name, 0755) < 0 && errno != EEXIST)
		err(1, "mkdir %s", name);
	fd = openat(top_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

/* The folder of a file, kept open until the next one begins. */
static int folder_of(int top_fd, size_t file, int *folder_fd)
{
	if (file % FILES_PER_FOLDER == 0 || *folder_fd < 0) {
		if (*folder_fd >= 0)
			(void)close(*folder_fd);
		*folder_fd = open_folder(top_fd, file);
	}
	return *folder_fd;
}

static const char *file_name(size_t file, char name[32])
{
	(void)snprintf(name, 32, "file-%06zu.dat", file);
	return name;
}

static int open_top(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void create_file(int folder_fd, size_t file, const char *data, size_t len_bytes)
{
	char name[32];
	int fd = openat(folder_fd, file_name(file, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			0644);

	if (fd < 0)
		err(1, "%s", name);
	if (write(fd, data, len_bytes) != (ssize_t)len_bytes || close(fd) < 0)
		err(1, "write %s", name);
}

static void create(const char *dir, size_t first, size_t count, size_t len_bytes,
		   const char *source)
{
	size_t source_bytes;
	char *data = load(source, &source_bytes);
	int top_fd = open_top(dir), folder_fd = -1;

	if (source_bytes <= len_bytes)
		errx(2, "%s is too short", source);
	for (size_t n = first; n < first + count; n++) {
		size_t at = n * SOURCE_STEP_BYTES % (source_bytes - len_bytes);

		create_file(folder_of(top_fd, n, &folder_fd), n, data + at, len_bytes);
	}
	free(data);
}

static void unlink_all(const char *dir, size_t count)
{
	int top_fd = open_top(dir), folder_fd = -1;

	for (size_t n = 0; n < count; n++) {
		char name[32];

		if (unlinkat(folder_of(top_fd, n, &folder_fd), file_name(n, name), 0) < 0)
			err(1, "unlink %s", name);
	}
}

static size_t walk_folder(int folder_fd)
{
	DIR *folder = fdopendir(folder_fd);
	struct dirent *entry;
	size_t n = 0;

	if (!folder)
		err(1, "a folder");
	while ((errno = 0, entry = readdir(folder))) {
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		if (fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			err(1, "stat %s", entry->d_name);
		n += S_ISREG(st.st_mode) ? 1 : 0;
	}
	if (errno)
		err(1, "readdir");
	(void)closedir(folder);
	return n;
}

static void walk(const char *dir, size_t count)
{
	int top_fd = open_top(dir);
	size_t n = 0;

	for (size_t first = 0; first < count; first += FILES_PER_FOLDER)
		n += walk_folder(open_folder(top_fd, first));
	if (n != count)
		errx(1, "%s: %zu files, not %zu", dir, n, count);
}

/* A linear congruential generator: the same places for everyone, whatever the libc. */
static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

static void overwrite(const char *path, size_t count)
{
	char data[OVERWRITE_BYTES];
	uint64_t state = 1, n_blocks;
	struct stat st;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", path);
	n_blocks = (uint64_t)st.st_size / OVERWRITE_BYTES;
	if (n_blocks == 0)
		errx(2, "%s is too short", path);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)("overwritten "[i % 12] + (char)(next_random(&state) % 4));
	for (size_t n = 0; n < count; n++) {
		uint64_t block = next_random(&state) % n_blocks;

		if (pwrite(fd, data, sizeof(data), (off_t)(block * OVERWRITE_BYTES)) !=
		    (ssize_t)sizeof(data))
			err(1, "write to %s", path);
	}
	if (fsync(fd) < 0 || close(fd) < 0)
		err(1, "fsync of %s", path);
}

int main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[1] : "";

	if (strcmp(what, "create") == 0 && argc == 7)
		create(argv[2], number(argv[3]), number(argv[4]), number(argv[5]), argv[6]);
	else if (strcmp(what, "unlink") == 0 && argc == 4)
		unlink_all(argv[2], number(argv[3]));
	else if (strcmp(what, "walk") == 0 && argc == 4)
		walk(argv[2], number(argv[3]));
	else if (strcmp(what, "overwrite") == 0 && argc == 4)
		overwrite(argv[2], number(argv[3]));
	else
		errx(2, "usage: bench-files create DIR FIRST COUNT BYTES SOURCE | "
			"unlink|walk DIR COUNT | overwrite FILE COUNT");
	return 0;
}
