/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names on the drive, unique in their directory even where case does not count.
 *
 * The first of two names that Windows takes for the same keeps it, later ones get an alias; the order of
 * the walk makes that the same on every run.
 */
#include "exporter/plan/builder_impl.h"
#include "exporter/plan/drivename.h"

static int retake_name(struct plan_builder *b, uint32_t drive_dir, const char *name)
{
	uint64_t key;
	int r = drivename_key(drive_dir, name, &key);

	if (r == 0)
		(void)nameset_add(&b->taken, key);
	return r;
}

/* Makes room for more names, and takes all again that are in the plan. */
static int enlarge(struct plan_builder *b)
{
	const struct plan *p = b->plan;
	int r = nameset_enlarge(&b->taken);

	for (size_t i = PLAN_DIR_FLAT; r == 0 && i < p->n_dirs; i++)
		r = retake_name(b, p->dirs[i].parent, p->dirs[i].drive_name);
	for (uint32_t i = 0; r == 0 && i < plan_count(p); i++) {
		struct placement file;

		plan_get(p, i, &file);
		r = retake_name(b, file.drive_dir, file.drive_name);
	}
	return r;
}

/* Takes a name on the drive unless another of its directory is the same to Windows. */
static int take_name(struct plan_builder *b, uint32_t drive_dir, const char *name, bool *ret_taken)
{
	uint64_t key;
	int r = nameset_is_full(&b->taken) ? enlarge(b) : 0;

	if (r == 0)
		r = drivename_key(drive_dir, name, &key);
	if (r == 0)
		*ret_taken = nameset_add(&b->taken, key);
	return r;
}

int builder_take_alias(struct plan_builder *b, uint32_t drive_dir, const char *name, uint64_t seed,
		       size_t max_units)
{
	bool taken = false;
	int r = 0;

	for (; r == 0 && !taken; seed++) {
		buf_reset(&b->drive_name);
		r = drivename_alias(name, seed, max_units, &b->drive_name);
		if (r == 0)
			r = take_name(b, drive_dir, buf_text(&b->drive_name), &taken);
	}
	return r;
}

int builder_name_on_drive(struct plan_builder *b, uint32_t drive_dir, const char *name)
{
	bool taken = false;
	int r = 0;

	if (!drivename_objection(name))
		r = take_name(b, drive_dir, name, &taken);
	if (r < 0 || !taken)
		return r < 0 ? r : builder_take_alias(b, drive_dir, name, 0, DRIVENAME_MAX_UNITS);
	buf_reset(&b->drive_name);
	buf_puts(&b->drive_name, name);
	return buf_error(&b->drive_name);
}
