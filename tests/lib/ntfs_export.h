/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For tests of exporter/ntfs: an export without encryption. A blank file gets an image's metadata and the
 * content of its files and nothing else, and must be a sound volume with the right bytes.
 */
#ifndef SEEDSHIP_TESTS_NTFS_EXPORT_H
#define SEEDSHIP_TESTS_NTFS_EXPORT_H

#include "exporter/ntfs/runs.h"
#include "tests/lib/ntfs_kit.h"

struct range_list {
	struct ntfs_range *v;
	size_t n;
};

static inline void push(struct range_list *l, uint64_t off_bytes, uint64_t len_bytes)
{
	if ((l->n & (l->n - 1)) == 0) {
		l->v = reallocarray(l->v, MAX(l->n * 2, 16u), sizeof(*l->v));
		assert_non_null(l->v);
	}
	l->v[l->n++] = (struct ntfs_range){off_bytes, len_bytes};
}

static inline int by_offset(const void *a, const void *b)
{
	const struct ntfs_range *x = a, *y = b;

	return (x->off_bytes > y->off_bytes) - (x->off_bytes < y->off_bytes);
}

static inline struct range_list content_of(const struct kit *k)
{
	struct range_list l = {0};

	for (size_t i = 0; i < k->n_files; i++)
		for (size_t j = 0; j < k->files[i].n_extents; j++)
			push(&l, k->files[i].extents[j].volume_off_bytes,
			     k->files[i].extents[j].len_bytes);
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), by_offset);
	return l;
}

static inline int collect(void *arg, uint64_t off_bytes, uint64_t len_bytes, struct err *e)
{
	struct range_list *l = arg;

	(void)e;
	assert_true(len_bytes > 0);
	if (l->n)
		assert_true(off_bytes > l->v[l->n - 1].off_bytes);
	push(l, off_bytes, len_bytes);
	return 0;
}

static inline struct range_list metadata_of(struct kit *k)
{
	_cleanup_(target_closep) struct target *t = NULL;
	struct range_list content = content_of(k), l = {0};

	expect_ok(target_file_open(k->image, false, &t, &k->e), &k->e);
	expect_ok(ntfs_image_metadata_runs(t, content.v, content.n, &k->fve, collect, &l, &k->e),
		  &k->e);
	free(content.v);
	return l;
}

/* Every allocated cluster and the tail belong to exactly one of: metadata, content, BitLocker. */
static inline void expect_partition(struct kit *k, uint64_t volume_bytes,
				    const struct range_list *metadata)
{
	struct range_list all = content_of(k);
	_cleanup_free_ char *bits = NULL;
	uint64_t clusters = (volume_bytes - 512) / k->cluster_bytes, pos = 0;
	size_t n, i = 0;

	for (size_t j = 0; j < metadata->n; j++)
		push(&all, metadata->v[j].off_bytes, metadata->v[j].len_bytes);
	for (size_t j = 0; j < 3; j++)
		push(&all, k->fve.meta_off_bytes[j], 65536);
	push(&all, k->fve.vbb_off_bytes, 8192);
	push(&all, k->fve.ice_off_bytes, 65536);
	qsort(all.v, all.n, sizeof(*all.v), by_offset);
	assert_int_equal(kit_run(k, "ntfscat -f -i 6 %s", k->image), 0);
	bits = kit_output(k, &n);
	assert_true(n * 8 >= clusters);
	for (uint64_t c = 0; c <= clusters; c++) {
		bool used = c == clusters || (bits[c / 8] >> c % 8 & 1);
		uint64_t end = c == clusters ? volume_bytes : (c + 1) * k->cluster_bytes;

		pos = c * k->cluster_bytes;
		while (i < all.n && all.v[i].off_bytes < end) {
			assert_true(used);
			assert_int_equal(all.v[i].off_bytes, pos);
			pos += MIN(all.v[i].len_bytes, end - pos);
			if (pos == all.v[i].off_bytes + all.v[i].len_bytes) {
				i++;
				continue;
			}
			all.v[i].len_bytes -= pos - all.v[i].off_bytes;
			all.v[i].off_bytes = pos;
		}
		assert_int_equal(pos, used ? end : c * k->cluster_bytes);
	}
	assert_int_equal(i, all.n);
	free(all.v);
}

/* Builds the drive: a blank image that gets the content and the metadata and nothing else. */
static inline void copy_to(struct kit *k, const struct range_list *metadata, const char *copy)
{
	_cleanup_fd_ int from = open(k->image, O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int to = open(copy, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum { PIECE = 1 << 20 };
	_cleanup_free_ uint8_t *data = malloc(PIECE);
	struct stat st;

	assert_true(from >= 0 && to >= 0 && data);
	assert_int_equal(fstat(from, &st), 0);
	assert_int_equal(ftruncate(to, st.st_size), 0);
	for (size_t i = 0; i < metadata->n; i++) {
		uint64_t end = metadata->v[i].off_bytes + metadata->v[i].len_bytes;

		for (uint64_t off = metadata->v[i].off_bytes; off < end; off += PIECE) {
			size_t n = (size_t)MIN((uint64_t)PIECE, end - off);

			assert_int_equal(fd_pread_full(from, data, n, off), 0);
			assert_int_equal(fd_pwrite_full(to, data, n, off), 0);
		}
	}
	kit_stream(k, copy);
}

/* The whole of an export without encryption, and every reader on the result. */
static inline void expect_exportable(struct kit *k, uint64_t volume_bytes)
{
	struct range_list metadata;
	char copy[80];

	kit_finish(k);
	kit_expect_sound(k, k->image);
	metadata = metadata_of(k);
	assert_int_equal(metadata.v[0].off_bytes, 0);
	assert_true(metadata.v[0].len_bytes >= 8192);
	assert_int_equal(metadata.v[metadata.n - 1].off_bytes +
				 metadata.v[metadata.n - 1].len_bytes,
			 volume_bytes);
	expect_partition(k, volume_bytes, &metadata);
	(void)snprintf(copy, sizeof(copy), "%s/copy", k->dir);
	copy_to(k, &metadata, copy);
	free(metadata.v);
	kit_expect_sound(k, copy);
	kit_compare_all(k, copy);
	for (size_t i = 0; i < k->n_files; i += 1 + k->n_files / 20)
		kit_compare_ntfscat(k, copy, &k->files[i]);
}

#endif
