/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Content of files: two images and what stands between them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/macros.h"
#include "tests/lib/faultfs_disk.h"

/* ---- images ---- */

void image_zero(struct image *image, uint64_t from_bytes, uint64_t end_bytes)
{
	uint64_t first = (from_bytes + DISK_BLOCK_BYTES - 1) / DISK_BLOCK_BYTES * DISK_BLOCK_BYTES;
	uint64_t end = end_bytes / DISK_BLOCK_BYTES * DISK_BLOCK_BYTES;

	if (first >= end) {
		memset(image->bytes + from_bytes, 0, end_bytes - from_bytes);
		return;
	}
	memset(image->bytes + from_bytes, 0, first - from_bytes);
	memset(image->bytes + end, 0, end_bytes - end);
	if (madvise(image->bytes + first, end - first, MADV_DONTNEED) < 0)
		memset(image->bytes + first, 0, end - first);
}

void image_resize(struct image *image, uint64_t size_bytes)
{
	if (size_bytes < image->size_bytes)
		image_zero(image, size_bytes, image->size_bytes);
	image->size_bytes = size_bytes;
}

void image_write(struct image *image, const uint8_t *data, size_t len_bytes, uint64_t off_bytes)
{
	memcpy(image->bytes + off_bytes, data, len_bytes);
	image->size_bytes = MAX(image->size_bytes, off_bytes + len_bytes);
}

/* ---- changes ---- */

void pending_apply(struct image *image, const struct pending *p)
{
	if (p->resize)
		image_resize(image, p->off_bytes);
	else if (p->data)
		image_write(image, p->data, p->len_bytes, p->off_bytes);
	else if (p->off_bytes < image->size_bytes)
		image_zero(image, p->off_bytes,
			   MIN(p->off_bytes + p->len_bytes, image->size_bytes));
}

void pending_free(struct pending *p)
{
	if (p)
		free(p->data);
	free(p);
}

/* Notes a change and shows it. data NULL = zeros. */
static int change(struct node *n, bool resize, const void *data, size_t len_bytes,
		  uint64_t off_bytes)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct pending){.resize = resize, .off_bytes = off_bytes, .len_bytes = len_bytes};
	if (data) {
		p->data = malloc(len_bytes);
		if (!p->data) {
			free(p);
			return -ENOMEM;
		}
		memcpy(p->data, data, len_bytes);
	}
	*n->pending_tail = p;
	n->pending_tail = &p->next;
	pending_apply(&n->seen, p);
	return 0;
}

static int fsync_file(struct disk *d, struct node *n)
{
	bool failed = disk_fault_strikes(d, DISK_FSYNC, n);
	struct pending **at = &n->pending, *p;

	while ((p = *at)) {
		p->lost |= failed;
		if (p->lost) {
			at = &p->next;
			continue;
		}
		pending_apply(&n->durable, p);
		*at = p->next;
		pending_free(p);
	}
	n->pending_tail = at;
	return failed ? -EIO : 0;
}

/* ---- blocks ---- */

uint64_t disk_free_blocks(const struct disk *d)
{
	return d->capacity_blocks > d->used_blocks ? d->capacity_blocks - d->used_blocks : 0;
}

int node_allocate(struct disk *d, struct node *n, uint64_t block)
{
	if (block >= n->allocated_len) {
		size_t len = MAX(n->allocated_len * 2, (size_t)block + 256);
		uint8_t *grown = realloc(n->allocated, len);

		if (!grown)
			return -ENOMEM;
		memset(grown + n->allocated_len, 0, len - n->allocated_len);
		n->allocated = grown;
		n->allocated_len = len;
	}
	if (n->allocated[block])
		return 0;
	if (d->capacity_blocks && disk_free_blocks(d) == 0)
		return -ENOSPC;
	n->allocated[block] = 1;
	n->allocated_blocks++;
	d->used_blocks++;
	return 0;
}

void node_deallocate(struct disk *d, struct node *n, uint64_t first_block, uint64_t end_block)
{
	for (uint64_t b = first_block; b < MIN(end_block, (uint64_t)n->allocated_len); b++) {
		if (!n->allocated[b])
			continue;
		n->allocated[b] = 0;
		n->allocated_blocks--;
		d->used_blocks--;
	}
}

/* ---- calls ---- */

ssize_t disk_read(struct disk *d, struct node *n, void *data, size_t len_bytes, uint64_t off_bytes)
{
	if (disk_fault_strikes(d, DISK_READ, n))
		return -EIO;
	if (off_bytes >= n->seen.size_bytes)
		return 0;
	len_bytes = MIN((uint64_t)len_bytes, n->seen.size_bytes - off_bytes);
	memcpy(data, n->seen.bytes + off_bytes, len_bytes);
	return (ssize_t)len_bytes;
}

ssize_t disk_write(struct disk *d, struct node *n, const void *data, size_t len_bytes,
		   uint64_t off_bytes)
{
	uint64_t end_bytes = off_bytes + len_bytes, b;
	int r = 0;

	if (disk_fault_strikes(d, DISK_WRITE, n))
		return -EIO;
	if (off_bytes > DISK_FILE_MAX || end_bytes > DISK_FILE_MAX)
		return -EFBIG;
	for (b = off_bytes / DISK_BLOCK_BYTES; r == 0 && b * DISK_BLOCK_BYTES < end_bytes; b++)
		r = node_allocate(d, n, b);
	/* As on any disk that gets full: what there is room for is written, and the count says so. */
	if (r == -ENOSPC && (b - 1) * DISK_BLOCK_BYTES > off_bytes) {
		len_bytes = (b - 1) * DISK_BLOCK_BYTES - off_bytes;
		r = 0;
	}
	if (r == 0)
		r = change(n, false, data, len_bytes, off_bytes);
	return r < 0 ? r : (ssize_t)len_bytes;
}

int disk_resize(struct disk *d, struct node *n, uint64_t size_bytes)
{
	if (size_bytes > DISK_FILE_MAX)
		return -EFBIG;
	node_deallocate(d, n, (size_bytes + DISK_BLOCK_BYTES - 1) / DISK_BLOCK_BYTES, UINT64_MAX);
	return change(n, true, NULL, 0, size_bytes);
}

int disk_allocate(struct disk *d, struct node *n, uint64_t off_bytes, uint64_t len_bytes,
		  bool keep_size)
{
	uint64_t first = off_bytes / DISK_BLOCK_BYTES, end_bytes = off_bytes + len_bytes;
	uint64_t end = (end_bytes + DISK_BLOCK_BYTES - 1) / DISK_BLOCK_BYTES;
	int r = 0;

	if (end_bytes > DISK_FILE_MAX)
		return -EFBIG;
	if (d->capacity_blocks && disk_free_blocks(d) < end - first)
		return -ENOSPC;
	for (uint64_t b = first; r == 0 && b < end; b++)
		r = node_allocate(d, n, b);
	if (r < 0 || keep_size || end_bytes <= n->seen.size_bytes)
		return r;
	return change(n, true, NULL, 0, end_bytes);
}

int disk_punch(struct disk *d, struct node *n, uint64_t off_bytes, uint64_t len_bytes)
{
	uint64_t end_bytes = off_bytes + len_bytes;

	if (end_bytes > DISK_FILE_MAX)
		return -EFBIG;
	node_deallocate(d, n, (off_bytes + DISK_BLOCK_BYTES - 1) / DISK_BLOCK_BYTES,
			end_bytes / DISK_BLOCK_BYTES);
	return change(n, false, NULL, len_bytes, off_bytes);
}

static int fsync_directory(struct disk *d, struct node *n)
{
	struct name_change *c;

	if (disk_fault_strikes(d, DISK_FSYNC, n))
		return -EIO;
	while ((c = n->changes)) {
		name_change_apply(&n->durable_names, c);
		n->changes = c->next;
		free(c);
	}
	n->changes_tail = &n->changes;
	disk_sweep(d);
	return 0;
}

int disk_fsync(struct disk *d, struct node *n)
{
	return S_ISDIR(n->st.st_mode) ? fsync_directory(d, n) : fsync_file(d, n);
}
