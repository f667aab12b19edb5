/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * difftest: the same random system calls in two directories, one on the mount under test and one on a
 * local filesystem (ext4); whatever a program can observe must agree. There is no model: the local
 * filesystem is the model. What the two may differ in is said where it is passed over.
 */
#ifndef SEEDSHIP_TESTS_DIFFTEST_H
#define SEEDSHIP_TESTS_DIFFTEST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/base/macros.h"

enum { TESTED, LOCAL, N_SIDES };

#define N_NAMES	 14
#define N_OPEN	 8
#define IO_MAX	 (300 << 10)
#define FILE_MAX (700 << 10) /* a few chunks */
#define USER_UID 12345	     /* the ordinary user among those who ask */
#define USER_GID 12345
#define EARLIEST_NOW_SEC \
	1500000000 /* times given by utimensat() lie before this, the clock's behind */

/* Times are compared exactly when one side has a given one; two that came from the clock are alike. */

struct open_pair {
	int fd[N_SIDES]; /* -1 = free */
	int flags;
	char label[64];
};

struct writer {
	unsigned id;
	uint64_t seed, rng;
	int root[N_SIDES];
	bool as_user;
	unsigned n_ops, n_failed_ops;
	char about[8]; /* the name that the latest operation is about */
	struct open_pair open[N_OPEN];
	char names[N_NAMES][256];
	uint8_t *data[N_SIDES]; /* IO_MAX each, page-aligned */
};

/* A path below the root of a writer, and how the history calls it. */
struct path {
	char text[PATH_MAX];
	char label[64];
};

/* What one side answered. */
struct outcome {
	long result;
	int error;
};

/* random.c */
uint64_t pick(struct writer *w, uint64_t below); /* 0 .. below - 1 */
bool chance(struct writer *w, unsigned percent);
void fill_random(struct writer *w, void *data, size_t n_bytes); /* half of it compressible */
uint64_t pick_offset(struct writer *w);				/* chunk borders are likely */
size_t pick_length(struct writer *w, size_t max);
void make_names(struct writer *w);
void pick_path(struct writer *w, struct path *p);
void pick_dir_path(struct writer *w, struct path *p);
struct open_pair *pick_open(struct writer *w); /* NULL: none is open */

/* history.c: what was done; printed when something differs. */
void note(struct writer *w, const char *format, ...) _printf_(2, 3);
void differs(struct writer *w, const char *format, ...) _printf_(2, 3) __attribute__((noreturn));

/* Fails the run unless both sides gave the same result and error. */
void expect_same_outcome(struct writer *w, const struct outcome o[N_SIDES]);

/* Evaluates an expression with `side` set for both sides and compares result and errno. Result in o. */
#define BOTH(w, o, expression)                                              \
	do {                                                                \
		for (int side = 0; side < N_SIDES; side++) {                \
			errno = 0;                                          \
			(o)[side].result = (long)(expression);              \
			(o)[side].error = (o)[side].result < 0 ? errno : 0; \
		}                                                           \
		expect_same_outcome(w, o);                                  \
	} while (0)

/* Operations: each does one thing on both sides and compares. */
typedef void operation(struct writer *w);
struct weighted {
	operation *run;
	unsigned weight;
};
extern const struct weighted name_operations[], attr_operations[], open_operations[],
	data_operations[];

/* Closes a pair that is open. */
void close_pair(struct writer *w, struct open_pair *p);

/* compare.c: two trees, everything that must agree. Returns the number of entries. */
size_t compare_trees(struct writer *w);
void compare_content(struct writer *w, const int fd[N_SIDES], const char *label);

/* shared.c: several writers on the same files, with an outcome that does not depend on their order. */
void run_shared(struct writer *w, unsigned n_writers);
void check_shared(const int root[N_SIDES], unsigned n_writers);

#endif
