/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The power cut: what may be left of changes that were not durable. */
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/macros.h"
#include "tests/lib/faultfs_disk.h"

#define GARBAGE_MAX (64 * MiB)

/* A coin of its own, so that a seed means the same cut everywhere (splitmix64, Steele et al. 2014). */
static uint64_t coin_state;

static uint64_t toss(uint64_t n)
{
	uint64_t z = coin_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

/* How much of a cut's changes survives, in quarters: a full cache lost, a nearly empty one, any between. */
static uint64_t survival;

static bool survives(void)
{
	return toss(4) < survival;
}

/* By the sector, as the disk sees them: a sector is the old one or the new one. */
static void apply_torn(struct image *image, const struct pending *p)
{
	uint64_t at = p->off_bytes, end = p->off_bytes + p->len_bytes;

	while (at < end) {
		uint64_t next = MIN((at / DISK_SECTOR_BYTES + 1) * DISK_SECTOR_BYTES, end);
		struct pending sector = {.off_bytes = at,
					 .len_bytes = next - at,
					 .data = p->data ? p->data + (at - p->off_bytes) : NULL};

		if (toss(2))
			pending_apply(image, &sector);
		at = next;
	}
}

/* The list of changes in random order. */
static struct pending **shuffled(const struct node *n, size_t *ret_n)
{
	size_t count = 0;
	struct pending **list;

	for (struct pending *p = n->pending; p; p = p->next)
		count++;
	list = calloc(count + 1, sizeof(struct pending *)); /* NOLINT(bugprone-sizeof-expression) */
	if (!list)
		abort();
	*ret_n = count;
	count = 0;
	for (struct pending *p = n->pending; p; p = p->next) {
		size_t at = toss(count + 1);

		list[count] = list[at];
		list[at] = p;
		count++;
	}
	return list;
}

/* A size may become durable before the bytes that it speaks of: zeros, or what the disk held before. */
static void size_first(struct node *n)
{
	uint64_t old = n->durable.size_bytes, new = n->seen.size_bytes;

	if (new <= old || toss(3))
		return;
	n->durable.size_bytes = new;
	if (new - old > GARBAGE_MAX || toss(2))
		return;
	for (uint64_t at = old; at < new; at++)
		n->durable.bytes[at] = (uint8_t)toss(256);
}

/* Programs see what is durable. */
static void show_durable(struct disk *d, struct node *n)
{
	static const uint8_t zeros[DISK_BLOCK_BYTES];
	uint64_t size = n->durable.size_bytes;

	image_zero(&n->seen, 0, n->seen.size_bytes);
	node_deallocate(d, n, 0, UINT64_MAX);
	for (uint64_t b = 0; b * DISK_BLOCK_BYTES < size; b++) {
		uint64_t at = b * DISK_BLOCK_BYTES;

		if (memcmp(n->durable.bytes + at, zeros, DISK_BLOCK_BYTES) == 0)
			continue;
		memcpy(n->seen.bytes + at, n->durable.bytes + at, DISK_BLOCK_BYTES);
		(void)node_allocate(d, n, b);
	}
	n->seen.size_bytes = size;
}

static void cut_file(struct disk *d, struct node *n)
{
	_cleanup_free_ struct pending **list = NULL;
	size_t count;

	if (!n->pending)
		return;
	list = shuffled(n, &count);
	if (survival)
		size_first(n);
	for (size_t i = 0; i < count; i++) {
		if (survives() && !list[i]->lost) {
			if (list[i]->resize || toss(3))
				pending_apply(&n->durable, list[i]);
			else
				apply_torn(&n->durable, list[i]);
		}
		pending_free(list[i]);
	}
	n->pending = NULL;
	n->pending_tail = &n->pending;
	show_durable(d, n);
}

static void cut_directory(struct node *n)
{
	struct name_change *c;

	while ((c = n->changes)) {
		if (survives())
			name_change_apply(&n->durable_names, c);
		n->changes = c->next;
		free(c);
	}
	n->changes_tail = &n->changes;
	n->names.n = 0;
	for (size_t i = 0; i < n->durable_names.n; i++)
		if (names_set(&n->names, n->durable_names.items[i].name,
			      n->durable_names.items[i].node) < 0)
			abort();
}

static void count_links(struct disk *d)
{
	for (struct node *n = d->all; n; n = n->next)
		n->links = 0;
	d->root->links = 1;
	for (struct node *n = d->all; n; n = n->next)
		for (size_t i = 0; i < n->names.n; i++)
			n->names.items[i].node->links++;
}

void disk_cut(struct disk *d, uint64_t seed)
{
	coin_state = seed;
	survival = toss(5);
	d->cuts++;
	for (struct node *n = d->all; n; n = n->next) {
		if (S_ISDIR(n->st.st_mode))
			cut_directory(n);
		else
			cut_file(d, n);
	}
	count_links(d);
	disk_sweep(d);
	d->used_blocks = 0;
	for (struct node *n = d->all; n; n = n->next)
		d->used_blocks += n->allocated_blocks + 1;
}
