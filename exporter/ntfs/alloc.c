/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clusters for file content. The list of free runs is short (mkntfs leaves half a dozen) and hardly
 * grows, so first fit costs nothing. The library may have taken clusters out of a run meanwhile: each one
 * is looked up in $Bitmap again before it is used.
 */
#include "exporter/ntfs/alloc.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"

static int insert_run(struct ntfs_alloc *a, size_t at, struct ntfs_free_run run, struct err *e)
{
	if (a->n_runs == a->capacity) {
		size_t capacity = a->capacity ? a->capacity * 2 : 16;
		struct ntfs_free_run *runs = reallocarray(a->runs, capacity, sizeof(*runs));

		if (!runs)
			return err_oom(e);
		a->runs = runs;
		a->capacity = capacity;
	}
	memmove(a->runs + at + 1, a->runs + at, (a->n_runs - at) * sizeof(*a->runs));
	a->runs[at] = run;
	a->n_runs++;
	a->n_free += run.count;
	return 0;
}

static void drop_run(struct ntfs_alloc *a, size_t at)
{
	a->n_free -= a->runs[at].count;
	a->n_runs--;
	memmove(a->runs + at, a->runs + at + 1, (a->n_runs - at) * sizeof(*a->runs));
}

void ntfs_alloc_init(struct ntfs_alloc *a, struct ntfs_bitmap *bitmap)
{
	*a = (struct ntfs_alloc){.bitmap = bitmap};
}

int ntfs_alloc_add(struct ntfs_alloc *a, uint64_t first, uint64_t end, struct err *e)
{
	uint64_t used = first;
	int r = 0;

	end = MIN(end, a->bitmap->n_clusters);
	while (r == 0 && used < end) {
		r = ntfs_bitmap_next(a->bitmap, false, used, end, &first, e);
		if (r == 0)
			r = ntfs_bitmap_next(a->bitmap, true, first, end, &used, e);
		if (r == 0 && first < used)
			r = insert_run(a, a->n_runs, (struct ntfs_free_run){first, used - first},
				       e);
	}
	return r;
}

int ntfs_alloc_reserve(struct ntfs_alloc *a, uint64_t clusters, struct err *e)
{
	if (a->n_free < clusters)
		return err_set(e, ENOSPC,
			       "the volume is too small for the names that shall be in it");
	a->n_left = a->n_free - clusters;
	return 0;
}

void ntfs_alloc_done(struct ntfs_alloc *a)
{
	free(a->runs);
	*a = (struct ntfs_alloc){0};
}

/*
 * Makes sure that the first count clusters of run i are free. If one is not, the run is split around
 * what was taken and *ret_changed is set: the choice of a run must then be made anew.
 */
static int check_run(struct ntfs_alloc *a, size_t i, uint64_t count, bool *ret_changed,
		     struct err *e)
{
	struct ntfs_free_run run = a->runs[i];
	uint64_t taken, again, end = run.first + run.count;
	int r;

	ntfs_bitmap_forget(a->bitmap);
	r = ntfs_bitmap_next(a->bitmap, true, run.first, run.first + count, &taken, e);
	*ret_changed = r == 0 && taken < run.first + count;
	if (r < 0 || !*ret_changed)
		return r;
	r = ntfs_bitmap_next(a->bitmap, false, taken, end, &again, e);
	if (r < 0)
		return r;
	drop_run(a, i);
	if (again < end)
		r = insert_run(a, i, (struct ntfs_free_run){again, end - again}, e);
	if (r == 0 && taken > run.first)
		r = insert_run(a, i, (struct ntfs_free_run){run.first, taken - run.first}, e);
	return r;
}

/* Allocates from the start of run i; the caller has checked it. */
static int use_run(struct ntfs_alloc *a, size_t i, uint64_t count, struct err *e)
{
	int r = ntfs_bitmap_claim(a->bitmap, a->runs[i].first, count, e);

	if (r < 0)
		return r;
	a->runs[i].first += count;
	a->runs[i].count -= count;
	a->n_free -= count;
	a->n_left -= count;
	if (a->runs[i].count == 0)
		drop_run(a, i);
	return 0;
}

/*
 * Checks the runs that an allocation will use: one long enough, else all from the first on. *ret_n of
 * them, starting at *ret_first.
 */
static int choose_runs(struct ntfs_alloc *a, uint64_t count, size_t *ret_first, size_t *ret_n,
		       struct err *e)
{
	bool changed = true;
	int r = 0;

	while (r == 0 && changed) {
		uint64_t left = count;
		size_t i = 0, n = 0;

		if (a->n_left < count || a->n_free < count)
			return -ENOSPC;
		while (i < a->n_runs && a->runs[i].count < count)
			i++;
		if (i == a->n_runs)
			i = 0;
		changed = false;
		for (; r == 0 && !changed && left > 0; n++) {
			uint64_t here = MIN(left, a->runs[i + n].count);

			r = check_run(a, i + n, here, &changed, e);
			left -= here;
		}
		*ret_first = i;
		*ret_n = n;
	}
	return r;
}

/* The library grows run lists by whole pages and expects that much room from the start. */
runlist *ntfs_run_list_new(size_t n_runs)
{
	runlist *list = calloc(round_up_u64((n_runs + 1) * sizeof(*list), 4096), 1);

	if (list)
		list->lcn = LCN_ENOENT;
	return list;
}

void ntfs_run_list_add(runlist *list, uint64_t first, uint64_t count)
{
	while (list->length)
		list++;
	list->lcn = (LCN)first;
	list->length = (s64)count;
	list[1] = (runlist){.vcn = list->vcn + (VCN)count, .lcn = LCN_ENOENT, .length = 0};
}

int ntfs_alloc_take(struct ntfs_alloc *a, uint64_t count, runlist **ret, struct err *e)
{
	_cleanup_free_ runlist *list = NULL;
	size_t first, n;
	int r;

	r = choose_runs(a, count, &first, &n, e);
	if (r == -ENOSPC) {
		char need[32], have[32];
		uint32_t cluster_bytes = a->bitmap->session->vol->cluster_size;

		return err_set(
			e, ENOSPC, "the volume is full: %s needed, %s free",
			format_size(count * cluster_bytes, need, sizeof(need)),
			format_size(MIN(a->n_left, a->n_free) * cluster_bytes, have, sizeof(have)));
	}
	if (r < 0)
		return r;
	list = ntfs_run_list_new(n);
	if (!list)
		return err_oom(e);
	for (size_t i = 0; i < n; i++) {
		struct ntfs_free_run run = a->runs[first];
		uint64_t here = MIN(count, run.count);

		r = use_run(a, first, here, e);
		if (r < 0)
			return r;
		ntfs_run_list_add(list, run.first, here);
		count -= here;
	}
	*ret = take_ptr(list);
	return 0;
}
