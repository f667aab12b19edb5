/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A window of another target. */
#include "exporter/block/target_slice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

struct target_slice {
	struct target target;
	struct target *base; /* lent */
	uint64_t first_bytes;
};

static struct target_slice *slice_of(struct target *t)
{
	return container_of(t, struct target_slice, target);
}

static int slice_pread(struct target *t, void *data, size_t len_bytes, uint64_t off_bytes,
		       struct err *e)
{
	struct target_slice *s = slice_of(t);

	if (!target_has_range(t, len_bytes, off_bytes))
		return err_set(e, ENODATA,
			       "%s: read of %zu bytes at %" PRIu64 " is past the partition's end",
			       t->name, len_bytes, off_bytes);
	return target_pread(s->base, data, len_bytes, s->first_bytes + off_bytes, e);
}

static int slice_pwrite(struct target *t, const void *data, size_t len_bytes, uint64_t off_bytes,
			struct err *e)
{
	struct target_slice *s = slice_of(t);

	if (!target_has_range(t, len_bytes, off_bytes))
		return err_set(e, ENOSPC,
			       "%s: write of %zu bytes at %" PRIu64 " is past the partition's end",
			       t->name, len_bytes, off_bytes);
	return target_pwrite(s->base, data, len_bytes, s->first_bytes + off_bytes, e);
}

static int slice_flush(struct target *t, struct err *e)
{
	return target_flush(slice_of(t)->base, e);
}

static int slice_drop_caches(struct target *t, struct err *e)
{
	return target_drop_caches(slice_of(t)->base, e);
}

static void slice_close(struct target *t)
{
	free(slice_of(t));
}

static const struct target_ops slice_ops = {
	.pread = slice_pread,
	.pwrite = slice_pwrite,
	.flush = slice_flush,
	.drop_caches = slice_drop_caches,
	.close = slice_close,
};

int target_slice_new(struct target *base, uint64_t off_bytes, uint64_t size_bytes,
		     struct target **ret, struct err *e)
{
	_cleanup_free_ struct target_slice *s = NULL;

	if (off_bytes > base->size_bytes || size_bytes > base->size_bytes - off_bytes ||
	    size_bytes == 0 || off_bytes % base->sector_bytes || size_bytes % base->sector_bytes)
		return err_set(e, EINVAL,
			       "%s: no window of %" PRIu64 " bytes at %" PRIu64 " in its %" PRIu64
			       " bytes",
			       base->name, size_bytes, off_bytes, base->size_bytes);
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_oom(e);
	s->target.ops = &slice_ops;
	s->target.size_bytes = size_bytes;
	s->target.sector_bytes = base->sector_bytes;
	memcpy(s->target.name, base->name, sizeof(s->target.name));
	s->base = base;
	s->first_bytes = off_bytes;
	*ret = &take_ptr(s)->target;
	return 0;
}
