/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct target: a block device as the exporter sees it, a vtable with a size. Implementations: image
 * file and disk (target_file), a window of another target (target_slice), memory and a failing one
 * (tests), and the decrypted view of a BitLocker volume (bitlocker/volume.h).
 *
 * Reads and writes are whole or an error, at any byte offset and length unless the implementation says
 * otherwise; nothing is cached above the system. pread and pwrite may be called by several threads at
 * once for ranges that do not overlap; flush and close by one.
 */
#ifndef SEEDSHIP_BLOCK_TARGET_H
#define SEEDSHIP_BLOCK_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct target;

struct target_ops {
	/* Whole or an error; -ENODATA past the end. Blocks. */
	int (*pread)(struct target *t, void *data, size_t len_bytes, uint64_t off_bytes,
		     struct err *e);
	int (*pwrite)(struct target *t, const void *data, size_t len_bytes, uint64_t off_bytes,
		      struct err *e);
	/* Returns once everything written before is durable. */
	int (*flush)(struct target *t, struct err *e);
	/* Drops what the system caches of it, so that the next read comes from the medium. May be NULL. */
	int (*drop_caches)(struct target *t, struct err *e);
	void (*close)(struct target *t);
};

struct target {
	const struct target_ops *ops;
	uint64_t size_bytes;
	uint32_t sector_bytes; /* logical: 512 (4096 is refused by the datacenter) */
	char name[256];	       /* for messages: the path */
};

static inline int target_pread(struct target *t, void *data, size_t len_bytes, uint64_t off_bytes,
			       struct err *e)
{
	return t->ops->pread(t, data, len_bytes, off_bytes, e);
}

static inline int target_pwrite(struct target *t, const void *data, size_t len_bytes,
				uint64_t off_bytes, struct err *e)
{
	return t->ops->pwrite(t, data, len_bytes, off_bytes, e);
}

static inline int target_flush(struct target *t, struct err *e)
{
	return t->ops->flush(t, e);
}

static inline int target_drop_caches(struct target *t, struct err *e)
{
	return t->ops->drop_caches ? t->ops->drop_caches(t, e) : 0;
}

/* Whether [off_bytes, off_bytes + len_bytes) lies inside the target; safe for any values. */
static inline bool target_has_range(const struct target *t, size_t len_bytes, uint64_t off_bytes)
{
	return off_bytes <= t->size_bytes && len_bytes <= t->size_bytes - off_bytes;
}

static inline void target_close(struct target *t)
{
	if (t)
		t->ops->close(t);
}

static inline void target_closep(struct target **t)
{
	target_close(*t);
}

#endif
