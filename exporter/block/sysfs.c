/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading attributes below a root. */
#include "exporter/block/sysfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"

#define PATH_BYTES 1024

/* root + path; an overlong one becomes a path that is not there. */
static void make_path(char out[PATH_BYTES], const char *root, const char *fmt, va_list ap)
{
	int n = snprintf(out, PATH_BYTES, "%s", root);

	if (n >= 0 && n < PATH_BYTES)
		n += vsnprintf(out + n, (size_t)(PATH_BYTES - n), fmt, ap);
	if (n < 0 || n >= PATH_BYTES)
		out[0] = '\0';
}

#define MAKE_PATH(out, root, fmt)               \
	do {                                    \
		va_list _ap;                    \
		va_start(_ap, fmt);             \
		make_path(out, root, fmt, _ap); \
		va_end(_ap);                    \
	} while (0)

static bool read_bytes(const char *path, void *ret, size_t room, size_t *ret_n)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	*ret_n = 0;
	return fd >= 0 && fd_pread(fd, ret, room, 0, ret_n) == 0 && *ret_n > 0;
}

static bool read_text(const char *path, char *out, size_t out_bytes)
{
	char line[512], *text = line;
	size_t n;

	out[0] = '\0';
	if (!read_bytes(path, line, sizeof(line) - 1, &n))
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	for (char *c = line; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	}
	text += strspn(text, " ");
	for (n = strlen(text); n && text[n - 1] == ' '; n--)
		text[n - 1] = '\0';
	(void)snprintf(out, out_bytes, "%s", text);
	return out[0] != '\0';
}

bool sysfs_bytes(const char *root, void *ret, size_t room, size_t *ret_n, const char *fmt, ...)
{
	char path[PATH_BYTES];

	MAKE_PATH(path, root, fmt);
	return read_bytes(path, ret, room, ret_n);
}

bool sysfs_text(const char *root, char *out, size_t out_bytes, const char *fmt, ...)
{
	char path[PATH_BYTES];

	MAKE_PATH(path, root, fmt);
	return read_text(path, out, out_bytes);
}

uint64_t sysfs_number(const char *root, const char *fmt, ...)
{
	char path[PATH_BYTES], text[32], *end;
	unsigned long long value;

	MAKE_PATH(path, root, fmt);
	if (!read_text(path, text, sizeof(text)))
		return 0;
	value = strtoull(text, &end, 10);
	return *end ? 0 : value;
}

bool sysfs_exists(const char *root, const char *fmt, ...)
{
	char path[PATH_BYTES];

	MAKE_PATH(path, root, fmt);
	return access(path, F_OK) == 0;
}

char *sysfs_real(const char *root, const char *fmt, ...)
{
	char path[PATH_BYTES];
	_cleanup_free_ char *real = NULL, *real_root = NULL;
	size_t skip;

	MAKE_PATH(path, root, fmt);
	real = realpath(path, NULL);
	real_root = *root ? realpath(root, NULL) : NULL;
	skip = real_root ? strlen(real_root) : 0;
	if (!real || (real_root && strncmp(real, real_root, skip) != 0))
		return NULL;
	return strdup(real + skip);
}

int sysfs_each(const char *root, const char *path, int (*fn)(const char *name, void *arg),
	       void *arg)
{
	_cleanup_free_ char *whole = NULL;
	const struct dirent *entry;
	int r = 0;
	DIR *dir;

	if (asprintf(&whole, "%s%s", root, path) < 0) {
		whole = NULL;
		return -ENOMEM;
	}
	dir = opendir(whole);
	if (!dir)
		return -ENOENT;
	while (r == 0 && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = fn(entry->d_name, arg);
	}
	(void)closedir(dir);
	return r;
}

bool sysfs_parse_device(const char *text, unsigned *ret_major, unsigned *ret_minor)
{
	unsigned long first, second;
	char *end;

	first = strtoul(text, &end, 10);
	if (end == text || *end != ':')
		return false;
	text = end + 1;
	second = strtoul(text, &end, 10);
	if (end == text || *end)
		return false;
	*ret_major = (unsigned)first;
	*ret_minor = (unsigned)second;
	return true;
}

bool sysfs_device(const char *root, const char *name, unsigned *ret_major, unsigned *ret_minor)
{
	char text[32];

	return sysfs_text(root, text, sizeof(text), "/sys/class/block/%s/dev", name) &&
	       sysfs_parse_device(text, ret_major, ret_minor);
}

bool sysfs_device_of_path(const char *root, const char *path, unsigned *ret_major,
			  unsigned *ret_minor)
{
	_cleanup_free_ char *whole = NULL;
	const char *name = strrchr(path, '/');
	struct stat st;

	if (path[0] != '/')
		return false;
	if (asprintf(&whole, "%s%s", root, path) < 0) {
		whole = NULL;
		return false;
	}
	if (stat(whole, &st) == 0 && S_ISBLK(st.st_mode)) {
		*ret_major = major(st.st_rdev);
		*ret_minor = minor(st.st_rdev);
		return true;
	}
	if (strncmp(path, "/dev/", 5) != 0 || !name[1])
		return false;
	return sysfs_device(root, name + 1, ret_major, ret_minor);
}
