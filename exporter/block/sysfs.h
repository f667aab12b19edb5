/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernel's view of block devices: attributes below /sys/class/block, one line each. root is put
 * in front of every path: "" for this machine, a folder with a made-up tree for tests.
 *
 * What is missing or cannot be read counts as empty: attributes come and go with kernels.
 */
#ifndef SEEDSHIP_BLOCK_SYSFS_H
#define SEEDSHIP_BLOCK_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/macros.h"

/* Bytes of root + path; *ret_n at most room. False when there are none. */
bool sysfs_bytes(const char *root, void *ret, size_t room, size_t *ret_n, const char *fmt, ...)
	_printf_(5, 6);

/* The first line without blanks around it and without control characters. False when empty. */
bool sysfs_text(const char *root, char *out, size_t out_bytes, const char *fmt, ...) _printf_(4, 5);

/* A decimal number; 0 when it is none. */
uint64_t sysfs_number(const char *root, const char *fmt, ...) _printf_(2, 3);

bool sysfs_exists(const char *root, const char *fmt, ...) _printf_(2, 3);

/* Where root + path really is, without root; caller frees. NULL when it is nowhere. */
char *sysfs_real(const char *root, const char *fmt, ...) _printf_(2, 3);

/*
 * Calls fn for each name in the folder root + path, but for "." and "..". A non-zero return of fn
 * ends it and is returned. -ENOENT when there is no such folder.
 */
int sysfs_each(const char *root, const char *path, int (*fn)(const char *name, void *arg),
	       void *arg);

/* "8:17". False when it is no device number. */
bool sysfs_parse_device(const char *text, unsigned *ret_major, unsigned *ret_minor);

/* The number of a block device by the kernel's name ("sda1"); false when there is none. */
bool sysfs_device(const char *root, const char *name, unsigned *ret_major, unsigned *ret_minor);

/* The same by the path of its node; without a node, by the last part of the path. */
bool sysfs_device_of_path(const char *root, const char *path, unsigned *ret_major,
			  unsigned *ret_minor);

#endif
