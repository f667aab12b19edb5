/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A target in memory. */
#include "tests/lib/target_mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

struct target_mem {
	struct target target;
	uint8_t *data; /* owned */
};

static struct target_mem *mem_of(struct target *t)
{
	return container_of(t, struct target_mem, target);
}

static int mem_pread(struct target *t, void *data, size_t len_bytes, uint64_t off_bytes,
		     struct err *e)
{
	if (!target_has_range(t, len_bytes, off_bytes))
		return err_set(e, ENODATA, "%s: read past the end", t->name);
	memcpy(data, mem_of(t)->data + off_bytes, len_bytes);
	return 0;
}

static int mem_pwrite(struct target *t, const void *data, size_t len_bytes, uint64_t off_bytes,
		      struct err *e)
{
	if (!target_has_range(t, len_bytes, off_bytes))
		return err_set(e, ENOSPC, "%s: write past the end", t->name);
	memcpy(mem_of(t)->data + off_bytes, data, len_bytes);
	return 0;
}

static int mem_flush(struct target *t _unused_, struct err *e _unused_)
{
	return 0;
}

static void mem_close(struct target *t)
{
	free(mem_of(t)->data);
	free(mem_of(t));
}

static const struct target_ops mem_ops = {
	.pread = mem_pread,
	.pwrite = mem_pwrite,
	.flush = mem_flush,
	.close = mem_close,
};

int target_mem_new(uint64_t size_bytes, uint32_t sector_bytes, struct target **ret)
{
	_cleanup_free_ struct target_mem *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->data = calloc(1, size_bytes);
	if (!m->data)
		return -ENOMEM;
	m->target.ops = &mem_ops;
	m->target.size_bytes = size_bytes;
	m->target.sector_bytes = sector_bytes;
	(void)snprintf(m->target.name, sizeof(m->target.name), "memory");
	*ret = &take_ptr(m)->target;
	return 0;
}

uint8_t *target_mem_data(struct target *t)
{
	return mem_of(t)->data;
}
