/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For tests of exporter/ntfs: makes images with files of known bytes, writes those bytes where the image
 * says they belong, and asks ntfs-3g's and sleuthkit's tools what they think. Include behind cmocka.h.
 */
#ifndef SEEDSHIP_TESTS_NTFS_KIT_H
#define SEEDSHIP_TESTS_NTFS_KIT_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "exporter/block/target_file.h"
#include "exporter/ntfs/image.h"
#include "exporter/ntfs/read.h"
#include "tests/lib/expect.h"

#define KIT_MTIME_NS INT64_C(1700000000123456700)

/* A file that was added: what it shall contain, and where. */
struct kit_file {
	char path[1200];
	uint64_t ref, size_bytes;
	struct ntfs_extent *extents;
	size_t n_extents;
};

struct kit {
	char dir[32];
	char image[64];
	struct ntfs_image *img;
	struct ntfs_fve_places fve;
	struct kit_file *files;
	size_t n_files;
	uint32_t cluster_bytes;
	struct err e;
};

/* Without the tools nothing can be shown: ctest counts status 77 as skipped. */
static inline void kit_require_tools(void)
{
	if (system("command -v ntfsfix ntfscat ntfsls ntfscp ntfsinfo fls istat >/dev/null && "
		   "PATH=$PATH:/usr/sbin:/sbin command -v mkntfs ntfsresize >/dev/null") == 0)
		return;
	print_message("skipped: needs the programs of the packages ntfs-3g and sleuthkit\n");
	exit(77);
}

static inline void kit_open(struct kit *k)
{
	*k = (struct kit){0};
	kit_require_tools();
	(void)strcpy(k->dir, "/tmp/seedship-ntfs-XXXXXX");
	assert_non_null(mkdtemp(k->dir));
	(void)snprintf(k->image, sizeof(k->image), "%s/image", k->dir);
}

static inline void kit_close(struct kit *k)
{
	char command[64];

	ntfs_image_free(k->img);
	for (size_t i = 0; i < k->n_files; i++)
		free(k->files[i].extents);
	free(k->files);
	(void)snprintf(command, sizeof(command), "rm -rf %s", k->dir);
	assert_int_equal(system(command), 0);
}

/* Runs a shell command in UTF-8; its exit status. Output goes to the file "out" in the kit's folder. */
static inline _printf_(2, 3) int kit_run(const struct kit *k, const char *fmt, ...)
{
	char command[2048], inner[1600];
	va_list ap;
	int status;

	va_start(ap, fmt);
	(void)vsnprintf(inner, sizeof(inner), fmt, ap);
	va_end(ap);
	(void)snprintf(command, sizeof(command),
		       "export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin; { %s; } >%s/out 2>&1",
		       inner, k->dir);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}

/* What the last command printed; caller frees. */
static inline char *kit_output(const struct kit *k, size_t *ret_bytes)
{
	char path[64], *text;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/out", k->dir);
	assert_int_equal(read_file(path, 64 << 20, &text, &n, NULL), 0);
	if (ret_bytes)
		*ret_bytes = n;
	return text;
}

static inline void kit_expect_run(const struct kit *k, const char *command)
{
	_cleanup_free_ char *text = NULL;

	if (kit_run(k, "%s", command) == 0)
		return;
	text = kit_output(k, NULL);
	fail_msg("%s: %s", command, text);
}

/* Four independent opinions on a volume: repair, cluster accounting, forensic listing, mount and list. */
static inline void kit_expect_sound(const struct kit *k, const char *image)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "ntfsfix -n %s | grep -q 'processed successfully'",
		       image);
	kit_expect_run(k, command);
	(void)snprintf(command, sizeof(command), "ntfsresize -i -f %s", image);
	kit_expect_run(k, command);
	(void)snprintf(command, sizeof(command), "fls -r -p %s | sed -n '$p'", image);
	kit_expect_run(k, command);
	(void)snprintf(command, sizeof(command), "ntfsls -R %s | sed -n '$p'", image);
	kit_expect_run(k, command);
}

static inline void kit_create(struct kit *k, uint64_t volume_bytes, uint32_t cluster_bytes,
			      const struct ntfs_tree_size *tree)
{
	struct ntfs_image_params params = {
		.path = k->image,
		.volume_bytes = volume_bytes,
		.sector_bytes = 512,
		.cluster_bytes = cluster_bytes,
		.hidden_sectors = 2048,
		.label = "Seedship \u00fc",
		.now_ns = (uint64_t)KIT_MTIME_NS,
	};

	if (tree)
		params.tree = *tree;
	k->cluster_bytes = cluster_bytes;
	expect_ok(ntfs_image_create(&params, &k->img, &k->e), &k->e);
	expect_ok(ntfs_image_place_fve(k->img, &k->fve, &k->e), &k->e);
}

static inline void kit_finish(struct kit *k)
{
	expect_ok(ntfs_image_finish(k->img, &k->e), &k->e);
	ntfs_image_free(k->img);
	k->img = NULL;
}

/* Remembers one more file under its path, given by its directory's path. */
static inline struct kit_file *kit_note(struct kit *k, const char *dir_path, const char *name)
{
	struct kit_file *f;

	if ((k->n_files & (k->n_files - 1)) == 0) {
		k->files = reallocarray(k->files, MAX(k->n_files * 2, 16u), sizeof(*k->files));
		assert_non_null(k->files);
	}
	f = &k->files[k->n_files++];
	*f = (struct kit_file){0};
	(void)snprintf(f->path, sizeof(f->path), "%s\\%s", dir_path, name);
	return f;
}

static inline struct kit_file *kit_add(struct kit *k, uint64_t dir_ref, const char *dir_path,
				       const char *name, uint64_t size_bytes)
{
	struct kit_file *f = kit_note(k, dir_path, name);
	const struct ntfs_extent *extents;
	uint64_t covered = 0;

	f->size_bytes = size_bytes;
	expect_ok(ntfs_image_add_file(k->img, dir_ref, name, size_bytes, KIT_MTIME_NS, &f->ref,
				      &extents, &f->n_extents, &k->e),
		  &k->e);
	f->extents = calloc(f->n_extents + 1, sizeof(*extents));
	assert_non_null(f->extents);
	for (size_t i = 0; i < f->n_extents; i++) {
		f->extents[i] = extents[i];
		assert_int_equal(extents[i].file_off_bytes, covered);
		assert_int_equal(extents[i].len_bytes % k->cluster_bytes, 0);
		assert_int_equal(extents[i].volume_off_bytes % k->cluster_bytes, 0);
		covered += extents[i].len_bytes;
	}
	assert_int_equal(covered, round_up_u64(size_bytes, k->cluster_bytes));
	return f;
}

static inline uint64_t kit_add_dir(struct kit *k, uint64_t dir_ref, const char *name)
{
	uint64_t ref = 0;

	expect_ok(ntfs_image_add_dir(k->img, dir_ref, name, KIT_MTIME_NS, &ref, &k->e), &k->e);
	return ref;
}

/* The bytes of a file: never zero, different for each file and position. */
static inline void kit_fill(const struct kit_file *f, uint64_t off_bytes, uint8_t *data,
			    size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++) {
		uint64_t x = (off_bytes + i) * UINT64_C(0x9E3779B97F4A7C15) + f->ref * 0x1003f;

		data[i] = (uint8_t)(x >> 33) | 1;
	}
}

/* Writes every file's bytes at its extents, filled up with zeros, as the exporter will. */
static inline void kit_stream(const struct kit *k, const char *image)
{
	_cleanup_fd_ int fd = open(image, O_RDWR | O_CLOEXEC);
	size_t piece = (size_t)1 << 20;
	_cleanup_free_ uint8_t *data = malloc(piece);

	assert_true(fd >= 0 && data);
	for (size_t i = 0; i < k->n_files; i++) {
		const struct kit_file *f = &k->files[i];

		for (size_t j = 0; j < f->n_extents; j++) {
			const struct ntfs_extent *x = &f->extents[j];

			for (uint64_t done = 0; done < x->len_bytes; done += piece) {
				size_t n = (size_t)MIN(piece, x->len_bytes - done);
				uint64_t at = x->file_off_bytes + done;
				size_t real = (size_t)MIN(n, f->size_bytes - at);

				kit_fill(f, at, data, real);
				memset(data + real, 0, n - real);
				assert_int_equal(
					fd_pwrite_full(fd, data, n, x->volume_off_bytes + done), 0);
			}
		}
	}
}

/* Compares one file, read by path in odd-sized pieces, with the bytes it shall have. */
static inline void kit_compare(struct kit *k, struct ntfs_volume *vol, const struct kit_file *f)
{
	_cleanup_(ntfs_file_closep) struct ntfs_file *file = NULL;
	enum { PIECE = 777777 };
	_cleanup_free_ uint8_t *seen = malloc(PIECE);
	_cleanup_free_ uint8_t *want = malloc(PIECE);

	assert_true(seen && want);
	expect_ok(ntfs_volume_open_file(vol, f->path, &file, &k->e), &k->e);
	assert_int_equal(ntfs_file_size(file), f->size_bytes);
	assert_int_equal(ntfs_file_initialized(file), f->size_bytes);
	for (uint64_t off = 0; off < f->size_bytes; off += PIECE) {
		size_t n = (size_t)MIN((uint64_t)PIECE, f->size_bytes - off);

		expect_ok(ntfs_file_pread(file, seen, n, off, &k->e), &k->e);
		kit_fill(f, off, want, n);
		assert_memory_equal(seen, want, n);
	}
}

/* What the volume says of a file's place is what the image said when it was added. */
static inline void kit_compare_extents(struct kit *k, struct ntfs_volume *vol,
				       const struct kit_file *f)
{
	_cleanup_(ntfs_file_closep) struct ntfs_file *file = NULL;
	const struct ntfs_extent *extents;
	size_t n;

	expect_ok(ntfs_volume_open_file(vol, f->path, &file, &k->e), &k->e);
	expect_ok(ntfs_file_extents(file, &extents, &n, &k->e), &k->e);
	assert_int_equal(n, f->n_extents);
	if (n > 0)
		assert_memory_equal(extents, f->extents, n * sizeof(*extents));
}

static inline void kit_compare_all(struct kit *k, const char *image)
{
	_cleanup_(target_closep) struct target *t = NULL;
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = NULL;

	expect_ok(target_file_open(image, false, &t, &k->e), &k->e);
	expect_ok(ntfs_volume_open(t, &vol, &k->e), &k->e);
	for (size_t i = 0; i < k->n_files; i++) {
		kit_compare(k, vol, &k->files[i]);
		kit_compare_extents(k, vol, &k->files[i]);
	}
}

/* The same question put to ntfscat, by inode number. */
static inline void kit_compare_ntfscat(const struct kit *k, const char *image,
				       const struct kit_file *f)
{
	_cleanup_free_ uint8_t *want = malloc((size_t)f->size_bytes + 1);
	_cleanup_free_ char *seen = NULL;
	size_t n;

	assert_non_null(want);
	kit_fill(f, 0, want, (size_t)f->size_bytes);
	assert_int_equal(kit_run(k, "ntfscat -f -i %" PRIu64 " %s", f->ref & UINT32_MAX, image), 0);
	seen = kit_output(k, &n);
	assert_int_equal(n, f->size_bytes);
	if (n > 0)
		assert_memory_equal(seen, want, n);
}

/* The one kit of a test program, and the setup and teardown of each of its tests. */
static struct kit kit;

static inline int kit_setup(void **state)
{
	(void)state;
	kit_open(&kit);
	return 0;
}

static inline int kit_teardown(void **state)
{
	(void)state;
	kit_close(&kit);
	return 0;
}

#define KIT_TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

#endif
