/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Key memory on pages of its own: mlock, MADV_DONTDUMP, MADV_WIPEONFORK, wiped on free. */
#include "common/ext/secret.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* The mapping's size stands in front of the caller's bytes, which keep the alignment of any type. */
#define HEADER_BYTES 64

int secret_alloc(size_t len_bytes, void **ret, struct err *e)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t total = (len_bytes + HEADER_BYTES + page - 1) / page * page;
	void *map;
	int r;

	if (total < len_bytes)
		return err_oom(e);
	map = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return err_sys(e, "cannot allocate key memory");
	if (mlock(map, total) < 0) {
		r = err_hint(e, err_sys(e, "cannot lock key memory"), "raise 'ulimit -l'");
		(void)munmap(map, total);
		return r;
	}
	(void)madvise(map, total, MADV_DONTDUMP);
	(void)madvise(map, total, MADV_WIPEONFORK);
	memcpy(map, &total, sizeof(total));
	*ret = (char *)map + HEADER_BYTES;
	return 0;
}

void secret_free(void *data)
{
	size_t total;
	void *map;

	if (!data)
		return;
	map = (char *)data - HEADER_BYTES;
	memcpy(&total, map, sizeof(total));
	explicit_bzero(map, total);
	(void)munlock(map, total);
	(void)munmap(map, total);
}

void secret_wipe(void *data, size_t len_bytes)
{
	explicit_bzero(data, len_bytes);
}

void secret_wiping_free(void *block)
{
	if (block)
		explicit_bzero(block, malloc_usable_size(block));
	free(block);
}

int secret_harden_process(struct err *e)
{
	struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return err_sys(e, "cannot turn core dumps off");
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(e, "cannot protect the process memory");
	return 0;
}
