/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Directories of a plan: found by path, appended with their names as part of blobs and on the drive. */
#include <stdlib.h>

#include "exporter/plan/blobname.h"
#include "exporter/plan/builder_impl.h"

#define FLAT_NAME "~long"

/* A key for a directory by parent and name; several salts, in case two directories have the same. */
static uint64_t dir_key(uint32_t parent, const char *name, size_t len_bytes, uint64_t salt)
{
	return hash_u64(hash_bytes(hash_u64(HASH_START, parent), name, len_bytes), salt);
}

/* The directory of this name in parent; UINT32_MAX when there is none. */
static uint32_t find_child(struct plan_builder *b, uint32_t parent, const char *name,
			   size_t len_bytes)
{
	for (uint64_t salt = 0;; salt++) {
		const uint64_t *at = hashmap_find(&b->dirs, dir_key(parent, name, len_bytes, salt));
		const struct directory *dir = at ? &b->plan->dirs[*at] : NULL;

		if (!dir)
			return UINT32_MAX;
		if (dir->parent == parent && strncmp(dir->name, name, len_bytes) == 0 &&
		    dir->name[len_bytes] == '\0')
			return (uint32_t)*at;
	}
}

static int remember_child(struct plan_builder *b, uint32_t parent, const char *name, uint32_t index)
{
	bool added = false;
	int r = 0;

	for (uint64_t salt = 0; r == 0 && !added; salt++)
		r = hashmap_add(&b->dirs, dir_key(parent, name, strlen(name), salt), index, &added);
	return r;
}

static int keep_name(struct plan *p, const char *name, const char **ret)
{
	return records_append(&p->names, name, strlen(name) + 1, (const uint8_t **)ret);
}

/* Like keep_name(), but the same pointer as `same` when the texts are equal. */
static int keep_other_name(struct plan *p, const char *name, const char *same, const char **ret)
{
	if (strcmp(name, same) != 0)
		return keep_name(p, name, ret);
	*ret = same;
	return 0;
}

/* Appends a directory with the names in b->blob_name and b->drive_name. */
static int append_dir(struct plan_builder *b, uint32_t parent, const char *name)
{
	struct plan *p = b->plan;
	const struct directory *up;
	struct directory dir = {.parent = parent};
	struct directory *dirs =
		array_grow(p->dirs, &p->dirs_capacity, p->n_dirs + 1, sizeof(*dirs));
	int r;

	if (!dirs)
		return -ENOMEM;
	p->dirs = dirs;
	if (p->n_dirs == UINT32_MAX)
		return -EOVERFLOW;
	up = &dirs[parent];
	r = keep_name(p, name, &dir.name);
	if (r == 0)
		r = keep_other_name(p, buf_text(&b->blob_name), dir.name, &dir.blob_name);
	if (r == 0)
		r = keep_other_name(p, buf_text(&b->drive_name), dir.name, &dir.drive_name);
	if (r < 0)
		return r;
	dir.drive_units = up->drive_units + 1 + units_of(dir.drive_name);
	dir.blob_units = up->blob_units + (up->blob_units != 0) + units_of(dir.blob_name);
	dir.segments = up->segments + 1;
	dirs[p->n_dirs] = dir;
	p->n_dirs++;
	return 0;
}

int builder_add_dir(struct plan_builder *b, const char *name, uint32_t parent)
{
	uint32_t index = (uint32_t)b->plan->n_dirs;
	int r;

	buf_reset(&b->blob_name);
	if (blobname_component(name, strlen(name), &b->blob_name, NULL) == BLOBNAME_ENCODED)
		b->plan->totals.renamed++;
	r = buf_error(&b->blob_name);
	if (r == 0)
		r = builder_name_on_drive(b, parent, name);
	if (r == 0)
		r = append_dir(b, parent, name);
	return r < 0 ? r : remember_child(b, parent, name, index);
}

int builder_find_parent(struct plan_builder *b, const struct staged_entry *entry, uint32_t *ret,
			struct err *e)
{
	const char *p = entry->path;
	size_t left = (size_t)(entry->name - entry->path);
	uint32_t dir = PLAN_DIR_ROOT;

	if (left == b->last_path.len_bytes && memcmp(p, buf_text(&b->last_path), left) == 0) {
		*ret = b->last_dir;
		return 0;
	}
	while (left) {
		size_t n = (size_t)((const char *)memchr(p, '/', left) - p);

		dir = find_child(b, dir, p, n);
		if (dir == UINT32_MAX)
			return err_set(e, EBADMSG, "staged path '%s' comes before its directory",
				       entry->path);
		p += n + 1;
		left -= n + 1;
	}
	buf_reset(&b->last_path);
	buf_put(&b->last_path, entry->path, (size_t)(entry->name - entry->path));
	if (buf_error(&b->last_path) < 0)
		return err_oom(e);
	*ret = b->last_dir = dir;
	return 0;
}

/* The session's directory: not a staged one, but the parent of all that is. */
static int add_root(struct plan *p)
{
	struct directory *root = calloc(1, sizeof(*root));
	int r;

	if (!root)
		return -ENOMEM;
	p->dirs = root;
	p->dirs_capacity = p->n_dirs = 1;
	r = keep_name(p, p->desc.session_id, &root->drive_name);
	if (r < 0)
		return r;
	root->name = root->blob_name = "";
	root->drive_units = 1 + units_of(root->drive_name);
	root->blob_units = units_of(p->desc.prefix);
	for (const char *c = p->desc.prefix; *c; c++)
		root->segments += c == p->desc.prefix || *c == '/';
	root->on_drive = root->has_files = true;
	p->totals.dirs = 1;
	p->totals.drive_name_units = units_of(root->drive_name);
	return 0;
}

int builder_add_own_dirs(struct plan_builder *b)
{
	int r = add_root(b->plan);

	buf_puts(&b->blob_name, FLAT_NAME);
	if (r == 0)
		r = buf_error(&b->blob_name);
	if (r == 0)
		r = builder_name_on_drive(b, PLAN_DIR_ROOT, FLAT_NAME);
	return r < 0 ? r : append_dir(b, PLAN_DIR_ROOT, FLAT_NAME);
}
