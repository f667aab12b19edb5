/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * difftest run SEED WRITERS OPERATIONS TESTED LOCAL: random operations in both directories, by several
 * processes at once, each in a subdirectory of its own; what an earlier run left there stays in play.
 * difftest compare TESTED LOCAL: only looks. Exit code 1: a difference, told on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/difftest/difftest.h"

#define COMPARE_EVERY 5000 /* operations; DIFFTEST_COMPARE_EVERY=1 shows which one it was */

static int open_dir(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		perror(path);
		exit(2);
	}
	return fd;
}

/* ---- one writer ---- */

static void become(struct writer *w, bool user)
{
	w->as_user = user;
	/* In this order: the capabilities over files go with the uid. */
	(void)setfsgid(user ? USER_GID : 0);
	(void)setfsuid(user ? USER_UID : 0);
}

static operation *pick_operation(struct writer *w, const struct weighted *table)
{
	unsigned total = 0;
	uint64_t at;

	for (const struct weighted *t = table; t->run; t++)
		total += t->weight;
	at = pick(w, total);
	while (at >= table->weight)
		at -= (table++)->weight;
	return table->run;
}

static void one_operation(struct writer *w)
{
	static const struct weighted *const tables[] = {name_operations, attr_operations,
							open_operations, data_operations,
							data_operations};
	static const mode_t masks[] = {0, 022, 077, 027};

	become(w, chance(w, 25));
	(void)umask(masks[pick(w, ARRAY_SIZE(masks))]);
	pick_operation(w, tables[pick(w, ARRAY_SIZE(tables))])(w);
	become(w, false);
	w->n_ops++;
}

static void prepare(struct writer *w, const int root[N_SIDES])
{
	char name[16];

	w->rng = w->seed * UINT64_C(1000003) + w->id;
	(void)snprintf(name, sizeof(name), "w%u", w->id);
	for (int side = 0; side < N_SIDES; side++) {
		(void)mkdirat(root[side], name, 0777);
		w->root[side] = open_dir(root[side], name);
		(void)fchmod(w->root[side], 0777);
		if (posix_memalign((void **)&w->data[side], 4096, IO_MAX) != 0)
			abort();
	}
	for (size_t i = 0; i < N_OPEN; i++)
		w->open[i].fd[TESTED] = w->open[i].fd[LOCAL] = -1;
	make_names(w);
	(void)setgroups(0, NULL);
}

static void run_writer(struct writer *w, unsigned n_ops)
{
	const char *given = getenv("DIFFTEST_COMPARE_EVERY");
	unsigned every = given ? (unsigned)strtoul(given, NULL, 10) : COMPARE_EVERY;
	size_t n_entries = 0;

	while (w->n_ops < n_ops) {
		one_operation(w);
		if (w->n_ops % every == 0) {
			note(w, "comparing the trees");
			n_entries = compare_trees(w);
		}
	}
	for (size_t i = 0; i < N_OPEN; i++)
		if (w->open[i].fd[TESTED] >= 0)
			close_pair(w, &w->open[i]);
	(void)compare_trees(w);
	(void)printf("writer %u: %u operations, %u of them refused, %zu entries\n", w->id, w->n_ops,
		     w->n_failed_ops, n_entries);
}

/* ---- all writers ---- */

static int run_parallel(uint64_t seed, unsigned n_writers, unsigned n_ops, const int root[N_SIDES])
{
	int failed = 0, status;

	for (unsigned id = 0; id < n_writers; id++) {
		struct writer w = {.id = id, .seed = seed};
		struct writer shared = {.id = id, .seed = seed};

		if (fork() != 0)
			continue;
		(void)alarm(600); /* a hang is a failure too */
		for (int side = 0; side < N_SIDES; side++) {
			(void)mkdirat(root[side], "shared", 0777);
			shared.root[side] = open_dir(root[side], "shared");
		}
		run_shared(&shared, n_writers);
		prepare(&w, root);
		run_writer(&w, n_ops / n_writers);
		exit(0);
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}

static int run(uint64_t seed, unsigned n_writers, unsigned n_ops, const int root[N_SIDES])
{
	int shared[N_SIDES];

	(void)printf("difftest: seed %ju, %u writers, %u operations\n", (uintmax_t)seed, n_writers,
		     n_ops);
	(void)fflush(stdout);
	(void)umask(0);
	if (run_parallel(seed, n_writers, n_ops, root))
		return 1;
	for (int side = 0; side < N_SIDES; side++)
		shared[side] = open_dir(root[side], "shared");
	check_shared(shared, n_writers);
	return 0;
}

static int usage(void)
{
	(void)fprintf(stderr, "Usage: difftest run SEED WRITERS OPERATIONS TESTED LOCAL\n"
			      "       difftest compare TESTED LOCAL\n");
	return 2;
}

int main(int argc, char **argv)
{
	bool is_run = argc == 7 && strcmp(argv[1], "run") == 0;
	int root[N_SIDES];
	struct writer all = {0};

	if (!is_run && !(argc == 4 && strcmp(argv[1], "compare") == 0))
		return usage();
	for (int side = 0; side < N_SIDES; side++)
		root[side] = open_dir(AT_FDCWD, argv[argc - N_SIDES + side]);
	if (is_run)
		return run(strtoull(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10),
			   (unsigned)strtoul(argv[4], NULL, 10), root);
	memcpy(all.root, root, sizeof(root));
	(void)printf("difftest: %zu entries agree\n", compare_trees(&all));
	return 0;
}
