/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What fuzzers share: a folder in memory, and the input read as a script. */
#ifndef SEEDSHIP_TESTS_FUZZ_H
#define SEEDSHIP_TESTS_FUZZ_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len_bytes);

/* A property that must hold for every input. */
#define MUST(condition)                                                                       \
	do {                                                                                  \
		if (!(condition)) {                                                           \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                              \
		}                                                                             \
	} while (0)

static char fuzz_dir[64]; /* of this process */

static _unused_ void remove_tree(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", fuzz_dir);
	(void)!system(command);
}

/* The folder, made on first use, with packs/ in it; gone at the end. */
static _unused_ const char *fuzz_store(void)
{
	char packs[80];

	if (fuzz_dir[0])
		return fuzz_dir;
	(void)strcpy(fuzz_dir,
		     access("/dev/shm", W_OK) == 0 ? "/dev/shm/fuzz.XXXXXX" : "/tmp/fuzz.XXXXXX");
	MUST(mkdtemp(fuzz_dir));
	(void)atexit(remove_tree);
	(void)snprintf(packs, sizeof(packs), "%s/packs", fuzz_dir);
	MUST(mkdir(packs, 0700) == 0);
	return fuzz_dir;
}

static _unused_ void write_whole(const char *path, const void *data, size_t len_bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	MUST(fd >= 0 && write(fd, data, len_bytes) == (ssize_t)len_bytes);
	(void)close(fd);
}

/* Up to 65535 bytes, with their length in front of them; what is there when fewer are left. */
static _unused_ const uint8_t *take_piece(struct cursor *c, size_t *ret_bytes)
{
	size_t n = cursor_get_le16(c);

	*ret_bytes = MIN(n, cursor_left(c));
	return cursor_get(c, *ret_bytes);
}

#endif
