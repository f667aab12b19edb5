/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writers that share files, in ways whose outcome does not depend on who is first: each has its own bytes
 * of one file (borders cut through pages and chunks), its own names in one directory, and appends whole
 * records to one log.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/difftest/difftest.h"

#define STRIPE_BYTES   1777 /* no divisor of anything */
#define N_STRIPES      300
#define N_RECORDS      200
#define RECORD_BYTES   49
#define N_SHARED_NAMES 100
#define COUNTER_STEPS  50

/* Read, add one, write back, under a lock: no step may be lost. */
static void count_up(struct writer *w, int side, bool with_flock)
{
	int fd = openat(w->root[side], with_flock ? "counter-flock" : "counter-fcntl",
			O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 8};
	uint64_t value = 0;

	if (fd < 0 || (with_flock ? flock(fd, LOCK_EX) : fcntl(fd, F_SETLKW, &range)) < 0)
		differs(w, "counter: %s", strerror(errno));
	if (pread(fd, &value, sizeof(value), 0) < 0)
		differs(w, "counter: %s", strerror(errno));
	value++;
	if (pwrite(fd, &value, sizeof(value), 0) != sizeof(value))
		differs(w, "counter: %s", strerror(errno));
	(void)close(fd); /* and unlocks */
}

static void write_stripes(struct writer *w, int side, unsigned n_writers)
{
	int fd = openat(w->root[side], "striped", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	char stripe[STRIPE_BYTES];

	if (fd < 0)
		differs(w, "striped: %s", strerror(errno));
	for (unsigned round = 0; round < N_STRIPES; round++) {
		unsigned n = (round * 7919) % N_STRIPES; /* every one, not in order */
		off_t at = (off_t)STRIPE_BYTES * (n * n_writers + w->id);

		memset(stripe, 'a' + (int)((w->id + n) % 26), sizeof(stripe));
		if (pwrite(fd, stripe, sizeof(stripe), at) != sizeof(stripe))
			differs(w, "striped: %s", strerror(errno));
	}
	(void)close(fd);
}

static void append_records(struct writer *w, int side)
{
	int fd = openat(w->root[side], "log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	char record[RECORD_BYTES + 1];

	if (fd < 0)
		differs(w, "log: %s", strerror(errno));
	for (unsigned n = 0; n < N_RECORDS; n++) {
		(void)snprintf(record, sizeof(record), "writer %05u record %010u %017u\n", w->id, n,
			       n * 7u);
		if (write(fd, record, RECORD_BYTES) != RECORD_BYTES)
			differs(w, "log: %s", strerror(errno));
	}
	(void)close(fd);
}

/* Makes names of its own, links to the shared file, renames, and removes every third again. */
static void make_shared_names(struct writer *w, int side)
{
	char name[64], other[64];

	for (unsigned n = 0; n < N_SHARED_NAMES; n++) {
		(void)snprintf(name, sizeof(name), "names/w%u-%u", w->id, n);
		(void)snprintf(other, sizeof(other), "names/w%u-moved-%u", w->id, n);
		(void)unlinkat(w->root[side], other, 0); /* of an earlier run */
		if (linkat(w->root[side], "striped", w->root[side], name, 0) < 0 ||
		    renameat(w->root[side], name, w->root[side], other) < 0 ||
		    (n % 3 == 0 && unlinkat(w->root[side], other, 0) < 0))
			differs(w, "%s: %s", name, strerror(errno));
	}
}

void run_shared(struct writer *w, unsigned n_writers)
{
	for (int side = 0; side < N_SIDES; side++) {
		if (mkdirat(w->root[side], "names", 0777) < 0 && errno != EEXIST)
			differs(w, "names: %s", strerror(errno));
		write_stripes(w, side, n_writers);
		append_records(w, side);
		make_shared_names(w, side);
		for (unsigned n = 0; n < COUNTER_STEPS; n++)
			count_up(w, side, n % 2);
	}
}

/* ---- afterwards ---- */

static int compare_records(const void *a, const void *b)
{
	return memcmp(a, b, RECORD_BYTES);
}

/* The log in an order of its own, so that both sides can be compared. */
static void sort_log(int root)
{
	int fd = openat(root, "log", O_RDWR | O_CLOEXEC);
	struct stat st;
	char *data;

	if (fd < 0 || fstat(fd, &st) < 0 || !(data = malloc((size_t)st.st_size + 1)))
		abort();
	if (pread(fd, data, (size_t)st.st_size, 0) != st.st_size)
		abort();
	qsort(data, (size_t)st.st_size / RECORD_BYTES, RECORD_BYTES, compare_records);
	if (pwrite(fd, data, (size_t)st.st_size, 0) != st.st_size)
		abort();
	free(data);
	(void)close(fd);
}

static void expect_counter(struct writer *w, int side, const char *name, uint64_t expected)
{
	int fd = openat(w->root[side], name, O_RDONLY | O_CLOEXEC);
	uint64_t value = 0;

	if (fd < 0 || pread(fd, &value, sizeof(value), 0) != sizeof(value) || value % expected != 0)
		differs(w, "%s: %ju, expected a multiple of %ju", name, (uintmax_t)value,
			(uintmax_t)expected);
	(void)close(fd);
}

void check_shared(const int root[N_SIDES], unsigned n_writers)
{
	struct writer w = {.id = n_writers, .root = {root[0], root[1]}};

	for (int side = 0; side < N_SIDES; side++) {
		sort_log(root[side]);
		expect_counter(&w, side, "counter-flock", (uint64_t)n_writers * COUNTER_STEPS / 2);
		expect_counter(&w, side, "counter-fcntl", (uint64_t)n_writers * COUNTER_STEPS / 2);
	}
	(void)compare_trees(&w);
}
