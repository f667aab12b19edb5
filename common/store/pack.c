/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Append-only pack files. A pack's committed end stands in the index; bytes beyond it mean nothing. */
#include "common/store/pack.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/store/pack_files.h"

const char *pack_name(uint32_t pack, char out[PACK_NAME_BYTES])
{
	(void)snprintf(out, PACK_NAME_BYTES, PACK_NAME_FORMAT, pack);
	return out;
}

static int open_pack(struct pack_writer *w, uint32_t pack, int flags, struct err *e)
{
	char name[PACK_NAME_BYTES];
	int fd = openat(w->packs_fd, pack_name(pack, name), O_RDWR | O_CLOEXEC | flags, 0600);

	if (fd < 0 && errno == EDQUOT)
		errno = ENOSPC;
	if (fd < 0)
		return err_sys(e, "pack '%s'", name);
	w->fd = fd;
	w->pack = pack;
	return 0;
}

int pack_writer_open(struct pack_writer *w, int packs_fd, uint64_t limit_bytes, uint32_t pack,
		     uint64_t end_bytes, struct err *e)
{
	off_t size;
	int r;

	*w = (struct pack_writer){.packs_fd = packs_fd, .limit_bytes = limit_bytes, .fd = -1};
	if (pack == 0)
		return 0;
	r = open_pack(w, pack, 0, e);
	if (r < 0)
		return r;
	size = lseek(w->fd, 0, SEEK_END);
	if (size < 0)
		return err_sys(e, "pack %08" PRIu32, pack);
	if ((uint64_t)size < end_bytes)
		return err_set(e, EBADMSG,
			       "pack %08" PRIu32 " has %jd bytes, the index knows %" PRIu64, pack,
			       (intmax_t)size, end_bytes);
	if ((uint64_t)size > end_bytes && ftruncate(w->fd, (off_t)end_bytes) < 0)
		return err_sys(e, "cannot cut the tail of pack %08" PRIu32, pack);
	w->end_bytes = end_bytes;
	return 0;
}

void pack_writer_done(struct pack_writer *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = -1;
}

bool pack_writer_full(const struct pack_writer *w, size_t len_bytes)
{
	return w->fd < 0 || (w->end_bytes > 0 && w->end_bytes + len_bytes > w->limit_bytes);
}

int pack_writer_next(struct pack_writer *w, uint32_t pack, struct err *e)
{
	int r = pack_writer_sync(w, e);

	if (r < 0)
		return r;
	pack_writer_done(w);
	/* A file of that number can only be left from before a crash: no committed row knows it. */
	r = open_pack(w, pack, O_CREAT | O_TRUNC, e);
	if (r < 0)
		return r;
	w->end_bytes = w->log_bytes = 0;
	w->names_dirty = true;
	return 0;
}

int pack_writer_append(struct pack_writer *w, const void *data, size_t len_bytes,
		       uint64_t *ret_off_bytes, struct err *e)
{
	int r = fd_pwrite_full(w->fd, data, len_bytes, w->end_bytes);

	if (r == -EDQUOT) /* a quota is a full disk */
		r = -ENOSPC;
	if (r < 0)
		return err_set(e, -r, "writing pack %08" PRIu32 " at %" PRIu64 ": %s", w->pack,
			       w->end_bytes, strerror(-r));
	*ret_off_bytes = w->end_bytes;
	w->end_bytes += len_bytes;
	w->dirty = true;
	return 0;
}

void pack_writer_rewind(struct pack_writer *w, uint64_t end_bytes)
{
	/* What a failure leaves there is overwritten by the next append, or cut when the store is opened. */
	(void)!ftruncate(w->fd, (off_t)end_bytes);
	w->end_bytes = end_bytes;
}

int pack_writer_sync(struct pack_writer *w, struct err *e)
{
	if (w->dirty && fdatasync(w->fd) < 0)
		return err_set(e, EIO, "making pack %08" PRIu32 " durable: %s", w->pack,
			       strerror(errno));
	if (w->names_dirty && fsync(w->packs_fd) < 0)
		return err_set(e, EIO, "making the pack folder durable: %s", strerror(errno));
	w->dirty = false;
	w->names_dirty = false;
	return 0;
}
