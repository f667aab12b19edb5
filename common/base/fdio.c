/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole reads and writes at an offset, durable files and folders. */
#include "common/base/fdio.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"

int fd_pread(int fd, void *data, size_t len_bytes, uint64_t off_bytes, size_t *ret_bytes)
{
	size_t done = 0;

	while (done < len_bytes) {
		ssize_t n =
			pread(fd, (char *)data + done, len_bytes - done, (off_t)(off_bytes + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	*ret_bytes = done;
	return 0;
}

int fd_pread_full(int fd, void *data, size_t len_bytes, uint64_t off_bytes)
{
	size_t n;
	int r = fd_pread(fd, data, len_bytes, off_bytes, &n);

	if (r < 0)
		return r;
	return n == len_bytes ? 0 : -ENODATA;
}

int fd_pwrite_full(int fd, const void *data, size_t len_bytes, uint64_t off_bytes)
{
	size_t done = 0;

	while (done < len_bytes) {
		ssize_t n = pwrite(fd, (const char *)data + done, len_bytes - done,
				   (off_t)(off_bytes + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int fd_write_full(int fd, const void *data, size_t len_bytes)
{
	size_t done = 0;

	while (done < len_bytes) {
		ssize_t n = write(fd, (const char *)data + done, len_bytes - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int fsync_dir(int dir_fd)
{
	return fsync(dir_fd) < 0 ? -errno : 0;
}

int fsync_parent(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_fd_ int fd = -1;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync_dir(fd);
}

int read_file(const char *path, size_t max_bytes, char **ret, size_t *ret_bytes, struct err *e)
{
	_cleanup_free_ char *data = NULL;
	_cleanup_fd_ int fd = -1;
	struct stat st;
	size_t n;
	int r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot stat '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "'%s' is not a regular file", path);
	if ((uint64_t)st.st_size > max_bytes)
		return err_set(e, EFBIG, "'%s' is larger than %zu bytes", path, max_bytes);
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return err_oom(e);
	r = fd_pread(fd, data, (size_t)st.st_size, 0, &n);
	if (r < 0)
		return err_set(e, -r, "cannot read '%s': %s", path, strerror(-r));
	data[n] = '\0';
	*ret = take_ptr(data);
	if (ret_bytes)
		*ret_bytes = n;
	return 0;
}

int write_file_atomic(const char *path, const void *data, size_t len_bytes, unsigned mode,
		      struct err *e)
{
	_cleanup_free_ char *temp = NULL;
	_cleanup_fd_ int fd = -1;
	int r;

	if (asprintf(&temp, "%s.new", path) < 0) {
		temp = NULL;
		return err_oom(e);
	}
	if (unlink(temp) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove '%s'", temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(e, "cannot create '%s'", temp);
	r = fd_write_full(fd, data, len_bytes);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	if (r == 0)
		r = fsync_parent(path);
	if (r < 0) {
		(void)unlink(temp);
		return err_set(e, -r, "cannot write '%s': %s", path, strerror(-r));
	}
	return 0;
}

int mkdir_if_missing(const char *path, unsigned mode, struct err *e)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(e, "cannot create folder '%s'", path);
	return 0;
}

DIR *fd_opendir(int parent_fd, const char *path)
{
	int fd = openat(parent_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
	}
	return dir;
}
