/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libblkid's low-level probing: one signature after another, no cache, no daemon. */
#include "common/ext/blkid.h"

#include <blkid/blkid.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"

#define BLKID_SECTOR_BYTES 512 /* the unit of its partitions, whatever the disk's is */

static void probe_freep(blkid_probe *p)
{
	if (*p)
		blkid_free_probe(*p);
}

/* A probe over a window. -EIO: libblkid reads the ends of the window at once. */
static int open_probe(int fd, uint64_t off_bytes, uint64_t len_bytes, blkid_probe *ret,
		      struct err *e)
{
	_cleanup_(probe_freep) blkid_probe probe = blkid_new_probe();

	if (!probe)
		return err_oom(e);
	if (blkid_probe_set_device(probe, fd, (blkid_loff_t)off_bytes, (blkid_loff_t)len_bytes) < 0)
		return err_set(e, EIO, "libblkid cannot read it");
	*ret = take_ptr(probe);
	return 0;
}

static bool copy_value(blkid_probe probe, const char *name, char *out, size_t out_bytes)
{
	const char *value = NULL;

	out[0] = '\0';
	if (blkid_probe_lookup_value(probe, name, &value, NULL) < 0 || !value)
		return false;
	(void)snprintf(out, out_bytes, "%s", value);
	return true;
}

/* What the last round found; false when it told of nothing that has a name. */
static bool take_signature(blkid_probe probe, struct signature *ret)
{
	*ret = (struct signature){0};
	if (copy_value(probe, "PTTYPE", ret->type, sizeof(ret->type))) {
		ret->table = true;
		return true;
	}
	(void)copy_value(probe, "LABEL", ret->label, sizeof(ret->label));
	return copy_value(probe, "TYPE", ret->type, sizeof(ret->type));
}

int signature_list(int fd, uint64_t off_bytes, uint64_t len_bytes, struct signature *ret,
		   size_t room, size_t *ret_n, struct err *e)
{
	_cleanup_(probe_freep) blkid_probe probe = NULL;
	size_t n = 0;
	int r = open_probe(fd, off_bytes, len_bytes, &probe, e);

	if (r < 0)
		return r;
	/* Damaged ones count: what they stand for may be wanted back. */
	if (blkid_probe_enable_superblocks(probe, 1) < 0 ||
	    blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL |
							     BLKID_SUBLKS_BADCSUM) < 0 ||
	    blkid_probe_enable_partitions(probe, 1) < 0 ||
	    blkid_probe_set_partitions_flags(probe, BLKID_PARTS_FORCE_GPT | BLKID_PARTS_MAGIC) < 0)
		return err_set(e, EIO, "libblkid refuses its settings");
	while (n < room && (r = blkid_do_probe(probe)) == 0)
		n += take_signature(probe, &ret[n]);
	if (r < 0)
		return err_set(e, EIO, "libblkid cannot read it");
	*ret_n = n;
	return 0;
}

int signature_partitions(int fd, uint64_t size_bytes, struct signature_partition *ret, size_t room,
			 size_t *ret_n, struct err *e)
{
	_cleanup_(probe_freep) blkid_probe probe = NULL;
	blkid_partlist list;
	size_t n = 0;
	int r = open_probe(fd, 0, size_bytes, &probe, e);

	if (r < 0)
		return r;
	(void)blkid_probe_enable_partitions(probe, 1);
	(void)blkid_probe_set_partitions_flags(probe, BLKID_PARTS_FORCE_GPT);
	list = blkid_probe_get_partitions(probe); /* NULL: no table; lent */
	for (int i = 0; list && n < room && i < blkid_partlist_numof_partitions(list); i++) {
		blkid_partition p = blkid_partlist_get_partition(list, i);
		uint64_t off, size;

		if (!p || blkid_partition_is_extended(p))
			continue;
		off = (uint64_t)blkid_partition_get_start(p) * BLKID_SECTOR_BYTES;
		size = (uint64_t)blkid_partition_get_size(p) * BLKID_SECTOR_BYTES;
		if (size && off < size_bytes && size <= size_bytes - off)
			ret[n++] = (struct signature_partition){off, size};
	}
	*ret_n = n;
	return 0;
}
