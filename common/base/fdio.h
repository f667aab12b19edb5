/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole reads and writes at an offset, durable files and folders. All functions block. */
#ifndef SEEDSHIP_BASE_FDIO_H
#define SEEDSHIP_BASE_FDIO_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/* Reads up to len_bytes at off_bytes, retrying short reads; *ret_bytes is less only at end of file. */
int fd_pread(int fd, void *data, size_t len_bytes, uint64_t off_bytes, size_t *ret_bytes);

/* Reads exactly len_bytes; -ENODATA when the file ends before. */
int fd_pread_full(int fd, void *data, size_t len_bytes, uint64_t off_bytes);

/* Writes exactly len_bytes at off_bytes, or appends at the file position with fd_write_full(). */
int fd_pwrite_full(int fd, const void *data, size_t len_bytes, uint64_t off_bytes);
int fd_write_full(int fd, const void *data, size_t len_bytes);

/* Makes the names in a folder durable. */
int fsync_dir(int dir_fd);
int fsync_parent(const char *path);

/* Reads a whole file of at most max_bytes; *ret is NUL-terminated, caller frees. -EFBIG when larger. */
int read_file(const char *path, size_t max_bytes, char **ret, size_t *ret_bytes, struct err *e);

/* Replaces path by these bytes, atomically and durably, with this mode. */
int write_file_atomic(const char *path, const void *data, size_t len_bytes, unsigned mode,
		      struct err *e);

/* Creates a folder; one that is there already is fine. */
int mkdir_if_missing(const char *path, unsigned mode, struct err *e);

/* Opens a folder below parent_fd for reading; a symlink is not followed. NULL with errno. */
DIR *fd_opendir(int parent_fd, const char *path);

#endif
