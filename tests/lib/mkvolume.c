/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mkvolume NTFS-IMAGE CIPHER PASSWORD-FILE PARTITION-IMAGE DISK-IMAGE: encrypts a filesystem that
 * mkntfs made in a sparse file, for the BitLocker readers of others to open: once as a bare
 * partition, once as a disk with a partition table. The recovery password is written to
 * PASSWORD-FILE. Both images are read back through this project's own reader before it ends.
 *
 * The five areas of BitLocker are laid in holes of the sparse file, not into files of the NTFS:
 * good to be read from, not to be written to.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/fdio.h"
#include "common/base/le.h"
#include "common/ext/secret.h"
#include "exporter/bitlocker/view.h"
#include "exporter/block/gpt.h"
#include "exporter/block/target_file.h"
#include "exporter/block/target_slice.h"

#define COPY_BYTES     MiB
#define META_MIN_BYTES (33 * MiB)
#define PLACE_BYTES    (64 * KiB) /* the largest cluster; each area starts on one */

struct source {
	int fd;
	uint64_t size_bytes;
	struct bitlocker_params params;
};

/* A run of the sparse file that holds data, at or after off_bytes; false at the end. */
static bool next_data(const struct source *s, uint64_t off_bytes, uint64_t *ret_first,
		      uint64_t *ret_end)
{
	off_t first = lseek(s->fd, (off_t)off_bytes, SEEK_DATA);
	off_t end = first < 0 ? -1 : lseek(s->fd, first, SEEK_HOLE);

	if (first < 0 || end < 0)
		return false;
	*ret_first = (uint64_t)first;
	*ret_end = (uint64_t)end;
	return true;
}

/* The first hole of n_places at or after off_bytes. */
static int find_hole(const struct source *s, uint64_t off_bytes, uint64_t n_places, uint64_t *ret,
		     struct err *e)
{
	uint64_t at = round_up_u64(off_bytes, PLACE_BYTES), first, end;

	while (next_data(s, at, &first, &end) && first < at + n_places * PLACE_BYTES)
		at = round_up_u64(end, PLACE_BYTES);
	if (at + n_places * PLACE_BYTES >= s->size_bytes)
		return err_set(e, ENOSPC, "no hole in the image");
	*ret = at;
	return 0;
}

static int place_areas(struct source *s, struct err *e)
{
	struct bitlocker_geometry *g = &s->params.geometry;
	uint64_t third = (s->size_bytes - META_MIN_BYTES) / 3;
	int r = 0;

	r = find_hole(s, META_MIN_BYTES, 3, &g->meta_off_bytes[0], e);
	if (r == 0)
		r = find_hole(s, META_MIN_BYTES + third, 1, &g->meta_off_bytes[1], e);
	if (r == 0)
		r = find_hole(s, META_MIN_BYTES + 2 * third, 1, &g->meta_off_bytes[2], e);
	g->vbb_off_bytes = g->meta_off_bytes[0] + PLACE_BYTES;
	g->ice_off_bytes = g->meta_off_bytes[0] + 2 * PLACE_BYTES;
	return r;
}

static int open_source(const char *path, const char *cipher, struct source *s, struct err *e)
{
	uint8_t boot[512];
	int r;

	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	r = bitlocker_cipher_parse(cipher, &s->params.cipher, e);
	if (r < 0)
		return r;
	r = fd_pread_full(s->fd, boot, sizeof(boot), 0);
	if (r < 0 || memcmp(boot + 3, "NTFS    ", 8) != 0)
		return err_set(e, EINVAL, "'%s' is no NTFS image", path);
	s->size_bytes = (uint64_t)lseek(s->fd, 0, SEEK_END);
	s->params.geometry.volume_bytes = s->size_bytes;
	s->params.geometry.sector_bytes = le16_load(boot + 0x0b);
	s->params.sectors_per_cluster = boot[0x0d];
	s->params.hidden_sectors = le32_load(boot + 0x1c);
	s->params.now_filetime = filetime_of_unix_ns(clock_realtime_ns());
	s->params.description = "MKVOLUME Test 2026-11-22";
	return place_areas(s, e);
}

/* Calls step for each piece of data in the source. */
static int each_piece(const struct source *s, struct target *view,
		      int (*step)(struct target *view, const uint8_t *data, size_t len_bytes,
				  uint64_t off_bytes, struct err *e),
		      struct err *e)
{
	_cleanup_free_ uint8_t *data = malloc(COPY_BYTES);
	uint64_t first, end = 0;
	int r = 0;

	if (!data)
		return err_oom(e);
	while (r == 0 && next_data(s, end, &first, &end)) {
		for (size_t n; r == 0 && first < end; first += n) {
			n = MIN(end - first, COPY_BYTES);
			r = fd_pread_full(s->fd, data, n, first);
			if (r < 0)
				return err_set(e, -r, "cannot read the NTFS image");
			r = step(view, data, n, first, e);
		}
	}
	return r;
}

static int write_piece(struct target *view, const uint8_t *data, size_t len_bytes,
		       uint64_t off_bytes, struct err *e)
{
	return target_pwrite(view, data, len_bytes, off_bytes, e);
}

static int compare_piece(struct target *view, const uint8_t *data, size_t len_bytes,
			 uint64_t off_bytes, struct err *e)
{
	_cleanup_free_ uint8_t *seen = malloc(len_bytes);
	int r;

	if (!seen)
		return err_oom(e);
	r = target_pread(view, seen, len_bytes, off_bytes, e);
	if (r == 0 && memcmp(seen, data, len_bytes) != 0)
		r = err_set(e, EBADMSG, "read back at %llu: differs",
			    (unsigned long long)off_bytes);
	return r;
}

static int write_volume(const struct source *s, const struct bitlocker_volume *v,
			struct target *partition, struct err *e)
{
	_cleanup_(target_closep) struct target *view = NULL;
	int r = bitlocker_unseal(partition, e);

	if (r == 0)
		r = bitlocker_view_new(v->keys, partition, &view, e);
	if (r == 0)
		r = each_piece(s, view, write_piece, e);
	return r == 0 ? bitlocker_seal(partition, &s->params, v->metadata, e) : r;
}

static int check_volume(const struct source *s, const char *password, struct target *partition,
			struct err *e)
{
	_cleanup_(bitlocker_keys_freep) struct bitlocker_keys *keys = NULL;
	_cleanup_(target_closep) struct target *view = NULL;
	int r = target_drop_caches(partition, e);

	if (r == 0)
		r = bitlocker_unlock(partition, password, &keys, e);
	if (r == 0)
		r = bitlocker_view_new(keys, partition, &view, e);
	return r == 0 ? each_piece(s, view, compare_piece, e) : r;
}

static int make_partition(const struct source *s, const struct bitlocker_volume *v,
			  const char *path, struct err *e)
{
	_cleanup_(target_closep) struct target *partition = NULL;
	int r = target_file_create(path, s->size_bytes, &partition, e);

	if (r == 0)
		r = write_volume(s, v, partition, e);
	return r == 0 ? check_volume(s, v->recovery_password, partition, e) : r;
}

/* A disk whose one partition is as large as the filesystem. */
static int make_table(struct target *disk, struct err *e)
{
	struct gpt_partition p;
	int r = gpt_plan(disk->size_bytes, disk->sector_bytes, &p, e);

	if (r < 0)
		return r;
	guid_random(p.guid);
	guid_random(p.disk_guid);
	return gpt_write(disk, &p, e);
}

static int make_disk(const struct source *s, const struct bitlocker_volume *v, const char *path,
		     struct err *e)
{
	_cleanup_(target_closep) struct target *disk = NULL;
	_cleanup_(target_closep) struct target *partition = NULL;
	struct gpt_partition p;
	int r = target_file_create(path, s->size_bytes + 2 * MiB, &disk, e);

	if (r == 0)
		r = make_table(disk, e);
	if (r == 0)
		r = gpt_read(disk, &p, e);
	if (r == 0)
		r = target_slice_new(disk, p.off_bytes, p.size_bytes, &partition, e);
	if (r == 0)
		r = write_volume(s, v, partition, e);
	return r == 0 ? check_volume(s, v->recovery_password, partition, e) : r;
}

static int run(char **argv, struct err *e)
{
	_cleanup_(bitlocker_volume_done) struct bitlocker_volume v = {0};
	struct source s = {.fd = -1};
	int r = open_source(argv[1], argv[2], &s, e);

	if (r == 0)
		r = bitlocker_create(&s.params, &v, e);
	if (r == 0)
		r = write_file_atomic(argv[3], v.recovery_password, RECOVERY_PASSWORD_BYTES - 1,
				      0600, e);
	if (r == 0)
		r = make_partition(&s, &v, argv[4], e);
	if (r == 0)
		r = make_disk(&s, &v, argv[5], e);
	if (s.fd >= 0)
		(void)close(s.fd);
	return r;
}

int main(int argc, char **argv)
{
	struct err e = {0};

	if (argc != 6) {
		(void)fprintf(stderr,
			      "usage: mkvolume NTFS-IMAGE CIPHER PASSWORD-FILE PARTITION-IMAGE "
			      "DISK-IMAGE\n");
		return 2;
	}
	if (run(argv, &e) == 0)
		return 0;
	err_print(&e, "mkvolume");
	return err_exit_code(&e);
}
