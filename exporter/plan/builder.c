/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes a plan, entry by entry: each becomes a directory, a placement or an omission. */
#include "exporter/plan/builder.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "exporter/plan/builder_impl.h"

/* What the public functions return for a -errno of the containers. */
static int failed(int r, struct err *e)
{
	return r == -ENOMEM ? err_oom(e) : err_set(e, -r, "the plan is full");
}

static const char *special_reason(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFBLK:
	case S_IFCHR:
		return "device: a blob cannot be one";
	case S_IFIFO:
		return "FIFO: a blob cannot be one";
	case S_IFSOCK:
		return "socket: a blob cannot be one";
	default:
		return "neither file nor directory: a blob cannot be it";
	}
}

int plan_builder_add(struct plan_builder *b, const struct staged_entry *entry, struct err *e)
{
	struct plan *p = b->plan;
	const char *target = entry->symlink_target ? entry->symlink_target : "";
	bool placed = false;
	uint32_t dir;
	int r = builder_find_parent(b, entry, &dir, e);

	if (r == 0 && S_ISREG(entry->mode) && p->desc.is_placed)
		r = p->desc.is_placed(entry, p->desc.is_placed_arg, &placed, e);
	if (r < 0)
		return r;
	if (placed)
		builder_skip_file(b, dir);
	else if (S_ISREG(entry->mode))
		r = builder_add_file(b, entry, dir);
	else if (S_ISDIR(entry->mode))
		r = builder_add_dir(b, entry->name, dir);
	else if (S_ISLNK(entry->mode))
		r = omission_add(p, OMISSION_SYMLINK, dir, entry->name, target);
	else
		r = omission_add(p, OMISSION_SPECIAL, dir, entry->name,
				 special_reason(entry->mode));
	return r < 0 ? failed(r, e) : 0;
}

static int copy_desc(struct plan *p, const struct plan_desc *desc)
{
	p->desc.blob_type = desc->blob_type;
	p->desc.is_placed = desc->is_placed;
	p->desc.is_placed_arg = desc->is_placed_arg;
	p->desc.session_id = strdup(desc->session_id);
	p->desc.container = strdup(desc->container);
	p->desc.prefix = strdup(desc->prefix);
	return p->desc.session_id && p->desc.container && p->desc.prefix ? 0 : -ENOMEM;
}

int plan_builder_new(const struct plan_desc *desc, struct plan_builder **ret, struct err *e)
{
	_cleanup_(plan_builder_freep) struct plan_builder *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return err_oom(e);
	b->plan = calloc(1, sizeof(*b->plan));
	if (!b->plan)
		return err_oom(e);
	r = copy_desc(b->plan, desc);
	if (r == 0)
		r = builder_add_own_dirs(b);
	if (r < 0)
		return failed(r, e);
	*ret = take_ptr(b);
	return 0;
}

void plan_builder_free(struct plan_builder *b)
{
	if (!b)
		return;
	plan_free(b->plan);
	hashmap_done(&b->dirs);
	nameset_done(&b->taken);
	hashmap_done(&b->links);
	buf_done(&b->last_path);
	buf_done(&b->blob_name);
	buf_done(&b->drive_name);
	buf_done(&b->record);
	free(b);
}

struct plan *plan_builder_finish(struct plan_builder *b)
{
	struct plan *p = b->plan;

	for (size_t i = PLAN_DIR_FLAT + 1; i < p->n_dirs; i++)
		p->totals.not_shipped += !p->dirs[i].has_files;
	return take_ptr(b->plan);
}
