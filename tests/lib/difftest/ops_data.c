/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations on the content of open files. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tests/lib/difftest/difftest.h"

#define DIRECT_ALIGN 4096 /* of O_DIRECT; seedfs takes any, ext4 does not */

static void align_direct(const struct open_pair *f, uint64_t *off, size_t *n)
{
	if (!(f->flags & O_DIRECT))
		return;
	*off = *off / DIRECT_ALIGN * DIRECT_ALIGN;
	*n = (*n + DIRECT_ALIGN - 1) / DIRECT_ALIGN * DIRECT_ALIGN;
	*n = MIN(*n, (size_t)IO_MAX / DIRECT_ALIGN * DIRECT_ALIGN);
}

static off_t size_of(const struct open_pair *f)
{
	struct stat st;

	return fstat(f->fd[LOCAL], &st) < 0 ? 0 : st.st_size;
}

static bool is_regular(const struct open_pair *f)
{
	struct stat st;

	return fstat(f->fd[LOCAL], &st) == 0 && S_ISREG(st.st_mode);
}

static void op_write(struct writer *w)
{
	struct open_pair *f = pick_open(w);
	uint64_t off = pick_offset(w);
	size_t n = pick_length(w, IO_MAX);
	struct outcome o[N_SIDES];

	/* O_APPEND: the offset does not count; the file must not grow for ever. */
	if (!f || (f->flags & O_APPEND && size_of(f) > FILE_MAX))
		return;
	align_direct(f, &off, &n);
	fill_random(w, w->data[0], n);
	note(w, "write %s %zu at %ju", f->label, n, (uintmax_t)off);
	BOTH(w, o, pwrite(f->fd[side], w->data[0], n, (off_t)off));
}

static void op_writev(struct writer *w)
{
	struct open_pair *f = pick_open(w);
	uint64_t off = pick_offset(w);
	struct outcome o[N_SIDES];
	struct iovec iov[3];

	if (!f || f->flags & (O_APPEND | O_DIRECT))
		return;
	fill_random(w, w->data[0], 20000);
	for (size_t i = 0; i < ARRAY_SIZE(iov); i++)
		iov[i] = (struct iovec){w->data[0] + i * 5000, pick(w, 5000)};
	note(w, "writev %s at %ju", f->label, (uintmax_t)off);
	BOTH(w, o, pwritev(f->fd[side], iov, ARRAY_SIZE(iov), (off_t)off));
}

static void op_read(struct writer *w)
{
	struct open_pair *f = pick_open(w);
	uint64_t off = pick_offset(w);
	size_t n = pick_length(w, IO_MAX);
	struct outcome o[N_SIDES];

	if (!f)
		return;
	align_direct(f, &off, &n);
	note(w, "read %s %zu at %ju", f->label, n, (uintmax_t)off);
	BOTH(w, o, pread(f->fd[side], w->data[side], n, (off_t)off));
	if (o[0].result > 0 && memcmp(w->data[0], w->data[1], (size_t)o[0].result) != 0)
		differs(w, "what is read differs");
}

static void op_readv(struct writer *w)
{
	struct open_pair *f = pick_open(w);
	uint64_t off = pick_offset(w);
	size_t cut = 1 + pick(w, 9999);
	struct outcome o[N_SIDES];

	if (!f || f->flags & O_DIRECT)
		return;
	note(w, "readv %s at %ju", f->label, (uintmax_t)off);
	BOTH(w, o,
	     preadv(f->fd[side],
		    (struct iovec[]){{w->data[side], cut}, {w->data[side] + cut, 10000 - cut}}, 2,
		    (off_t)off));
	if (o[0].result > 0 && memcmp(w->data[0], w->data[1], (size_t)o[0].result) != 0)
		differs(w, "what is read differs");
}

static void op_ftruncate(struct writer *w)
{
	struct open_pair *f = pick_open(w);
	uint64_t size = pick_offset(w);
	struct outcome o[N_SIDES];

	if (!f)
		return;
	note(w, "ftruncate %s %ju", f->label, (uintmax_t)size);
	BOTH(w, o, ftruncate(f->fd[side], (off_t)size));
}

static void op_fallocate(struct writer *w)
{
	static const int modes[] = {0,
				    FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_ZERO_RANGE,
				    FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE};
	int mode = modes[pick(w, ARRAY_SIZE(modes))];
	struct open_pair *f = pick_open(w);
	uint64_t off = pick_offset(w);
	size_t n = pick_length(w, IO_MAX);
	struct outcome o[N_SIDES];

	if (!f)
		return;
	note(w, "fallocate %s mode %d %zu at %ju", f->label, mode, n, (uintmax_t)off);
	BOTH(w, o, fallocate(f->fd[side], mode, (off_t)off, (off_t)n));
}

static bool is_ext4(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 && st.f_type == EXT4_SUPER_MAGIC;
}

/* ext4 can shift content; seedfs says that it cannot, and does nothing. */
static void op_fallocate_shift(struct writer *w)
{
	int mode = chance(w, 50) ? FALLOC_FL_COLLAPSE_RANGE : FALLOC_FL_INSERT_RANGE;
	struct open_pair *f = pick_open(w);

	if (!f || (f->flags & O_ACCMODE) == O_RDONLY || size_of(f) == 0 ||
	    is_ext4(f->fd[TESTED])) /* difftest was pointed at two local directories, to try itself */
		return;
	note(w, "fallocate %s shifting mode %d", f->label, mode);
	errno = 0;
	if (fallocate(f->fd[TESTED], mode, 0, 4096) == 0 ||
	    (errno != EOPNOTSUPP && errno != ENODEV && errno != ESPIPE))
		differs(w, "fallocate with mode %d: %s", mode, strerror(errno));
}

static void op_copy_range(struct writer *w)
{
	struct open_pair *from = pick_open(w), *to = pick_open(w);
	uint64_t from_off = pick_offset(w), to_off = pick_offset(w);
	size_t n = pick_length(w, IO_MAX);
	struct outcome o[N_SIDES];

	if (!from || to->flags & (O_APPEND | O_DIRECT) || from->flags & O_DIRECT)
		return;
	note(w, "copy_file_range %s %s %zu from %ju to %ju", from->label, to->label, n,
	     (uintmax_t)from_off, (uintmax_t)to_off);
	BOTH(w, o,
	     copy_file_range(from->fd[side], (loff_t[]){(loff_t)from_off}, to->fd[side],
			     (loff_t[]){(loff_t)to_off}, n, 0));
}

/* Writes through a shared mapping, within the file. */
static void op_mmap(struct writer *w)
{
	struct open_pair *f = pick_open(w);
	size_t size = f ? (size_t)MIN(size_of(f), (off_t)FILE_MAX) : 0, at, n;
	void *map[N_SIDES];
	struct outcome o[N_SIDES];

	if (size == 0 || (f->flags & O_ACCMODE) != O_RDWR)
		return;
	at = pick(w, size);
	n = pick_length(w, MIN(size - at, (size_t)IO_MAX));
	fill_random(w, w->data[0], n);
	note(w, "mmap %s, write %zu at %zu", f->label, n, at);
	BOTH(w, o,
	     (map[side] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd[side], 0)) ==
			     MAP_FAILED
		     ? -1
		     : 0);
	if (o[LOCAL].result < 0)
		return;
	for (int side = 0; side < N_SIDES; side++)
		memcpy((char *)map[side] + at, w->data[0], n);
	for (size_t i = 0; i < size; i++)
		if (((char *)map[0])[i] != ((char *)map[1])[i])
			differs(w, "the mappings of %zu bytes differ at %zu", size, i);
	BOTH(w, o, msync(map[side], size, MS_SYNC));
	BOTH(w, o, munmap(map[side], size));
}

static void op_fsync(struct writer *w)
{
	struct open_pair *f = pick_open(w);
	bool data_only = chance(w, 50);
	struct outcome o[N_SIDES];

	if (!f)
		return;
	note(w, "fsync %s", f->label);
	BOTH(w, o, data_only ? fdatasync(f->fd[side]) : fsync(f->fd[side]));
}

/* Whether [off, end) of a file reads as zeros. */
static bool is_zero(struct writer *w, int fd, off_t off, off_t end)
{
	while (off < end) {
		ssize_t n = pread(fd, w->data[0], (size_t)MIN(end - off, (off_t)IO_MAX), off);

		if (n <= 0)
			return false;
		for (ssize_t i = 0; i < n; i++)
			if (w->data[0][i])
				return false;
		off += n;
	}
	return true;
}

/* Where holes lie is the filesystem's affair; but they read as zeros, and data and holes take turns. */
static void op_seek(struct writer *w)
{
	struct open_pair *f = pick_open(w);
	off_t size = f ? size_of(f) : 0, at = 0, data, hole;
	int fd = f ? f->fd[TESTED] : -1;

	if (size == 0 || (f->flags & O_ACCMODE) == O_WRONLY || f->flags & O_DIRECT ||
	    !is_regular(f))
		return;
	note(w, "seek data and holes %s", f->label);
	while (at < size) {
		data = lseek(fd, at, SEEK_DATA);
		if (data < 0 && errno != ENXIO)
			differs(w, "SEEK_DATA: %s", strerror(errno));
		if (!is_zero(w, fd, at, data < 0 ? size : data))
			differs(w, "a hole at %jd is not zeros", (intmax_t)at);
		if (data < 0)
			break;
		hole = lseek(fd, data, SEEK_HOLE);
		/* Equal: zeros that were written have become a hole between the two calls. */
		if (hole < data || hole > size)
			differs(w, "data at %jd, hole at %jd, size %jd", (intmax_t)data,
				(intmax_t)hole, (intmax_t)size);
		at = hole;
	}
	if (lseek(fd, size, SEEK_DATA) >= 0 || errno != ENXIO)
		differs(w, "SEEK_DATA at the end");
}

const struct weighted data_operations[] = {
	{op_write, 30},	   {op_writev, 4},    {op_read, 14},	       {op_readv, 3},
	{op_ftruncate, 6}, {op_fallocate, 6}, {op_copy_range, 4},      {op_mmap, 5},
	{op_fsync, 1},	   {op_seek, 3},      {op_fallocate_shift, 1}, {NULL, 0},
};
