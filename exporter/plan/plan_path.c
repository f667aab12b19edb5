/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole names, put together from the components along a chain of directories. */
#include <string.h>

#include "exporter/plan/plan_impl.h"

enum which { STAGED, BLOB, DRIVE };

static const char *component(const struct directory *dir, enum which which)
{
	switch (which) {
	case BLOB:
		return dir->blob_name;
	case DRIVE:
		return dir->drive_name;
	case STAGED:
		break;
	}
	return dir->name;
}

/*
 * Appends the components from below PLAN_DIR_ROOT down to dir, each followed by separator. Filled from the
 * back, since directories know their parents only; no recursion, since trees may be deep.
 */
static void put_dirs(const struct plan *p, uint32_t dir, enum which which, char separator,
		     struct buf *out)
{
	size_t len_bytes = 0;
	uint8_t *end;

	for (uint32_t d = dir; d != PLAN_DIR_ROOT; d = p->dirs[d].parent)
		len_bytes += strlen(component(&p->dirs[d], which)) + 1;
	buf_put_zero(out, len_bytes);
	if (buf_error(out) < 0)
		return;
	end = out->data + out->len_bytes;
	for (uint32_t d = dir; d != PLAN_DIR_ROOT; d = p->dirs[d].parent) {
		const char *name = component(&p->dirs[d], which);
		size_t n = strlen(name);

		*--end = (uint8_t)separator;
		end -= n;
		memcpy(end, name, n); /* NOLINT: a piece of a path, not a string */
	}
}

void plan_staged_path(const struct plan *p, uint32_t dir, const char *name, struct buf *out)
{
	if (!name) {
		name = p->dirs[dir].name;
		dir = p->dirs[dir].parent;
	}
	put_dirs(p, dir, STAGED, '/', out);
	buf_puts(out, name);
}

void plan_blob_path(const struct plan *p, const struct placement *file, struct buf *out)
{
	buf_printf(out, "%s/", p->desc.container);
	if (p->desc.prefix[0])
		buf_printf(out, "%s/", p->desc.prefix);
	put_dirs(p, file->dir, BLOB, '/', out);
	buf_puts(out, file->blob_name);
}

void plan_drive_path(const struct plan *p, const struct placement *file, struct buf *out)
{
	buf_printf(out, "\\%s\\", p->desc.session_id);
	put_dirs(p, file->drive_dir, DRIVE, '\\', out);
	buf_puts(out, file->drive_name);
}
