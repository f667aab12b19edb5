/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Regular files of a plan: blob type, blob name, place on the drive, hard links; or why there is no blob. */
#include <inttypes.h>
#include <stdio.h>

#include "common/base/units.h"
#include "exporter/plan/blobname.h"
#include "exporter/plan/builder_impl.h"
#include "exporter/plan/drivename.h"

/* If this inode has been placed, sets link_of to it. A file with too many names begins anew. */
static int find_link(struct plan_builder *b, const struct staged_entry *entry,
		     struct placement *file)
{
	uint32_t index = plan_count(b->plan);
	uint64_t *at;
	bool added;

	if (entry->nlink < 2)
		return 0;
	at = hashmap_find(&b->links, entry->ino);
	if (!at)
		return hashmap_add(&b->links, entry->ino, UINT64_C(1) << 32 | index, &added);
	if (*at >> 32 == PLAN_LINKS_PER_FILE) {
		*at = UINT64_C(1) << 32 | index;
		return 0;
	}
	file->link_of = (uint32_t)*at;
	*at += UINT64_C(1) << 32;
	return 0;
}

/* Finds the file a place on the drive: beside its siblings, or in the flat directory when too deep. */
static int place_on_drive(struct plan_builder *b, const struct staged_entry *entry,
			  struct placement *file)
{
	struct plan *p = b->plan;
	size_t room = DRIVENAME_MAX_PATH_UNITS - p->dirs[PLAN_DIR_FLAT].drive_units - 1;
	uint64_t seed = hash_bytes(HASH_START, entry->path, strlen(entry->path));
	int r = builder_name_on_drive(b, file->dir, entry->name);

	file->drive_dir = file->dir;
	if (r == 0 && p->dirs[file->dir].drive_units + 1 + units_of(buf_text(&b->drive_name)) >
			      DRIVENAME_MAX_PATH_UNITS) {
		file->drive_dir = PLAN_DIR_FLAT;
		r = builder_take_alias(b, PLAN_DIR_FLAT, entry->name, seed,
				       MIN(room, (size_t)DRIVENAME_MAX_UNITS));
	}
	file->drive_name = buf_text(&b->drive_name);
	return r;
}

static void mark_has_files(struct plan *p, uint32_t dir)
{
	for (; !p->dirs[dir].has_files; dir = p->dirs[dir].parent)
		p->dirs[dir].has_files = true;
}

/* Marks a directory and those above it as used. */
static void mark_dirs(struct plan *p, uint32_t dir, uint32_t drive_dir)
{
	for (uint32_t d = drive_dir; !p->dirs[d].on_drive; d = p->dirs[d].parent) {
		p->dirs[d].on_drive = true;
		p->totals.dirs++;
		p->totals.drive_name_units += units_of(p->dirs[d].drive_name);
	}
	mark_has_files(p, dir);
}

void builder_skip_file(struct plan_builder *b, uint32_t dir)
{
	mark_has_files(b->plan, dir);
	b->plan->totals.placed++;
}

static int count_file(struct plan *p, const struct placement *file)
{
	struct plan_totals *t = &p->totals;

	t->files++;
	t->renamed += strcmp(file->blob_name, file->name) != 0;
	t->ranges += plan_range_count(file->size_bytes);
	t->drive_name_units += units_of(file->drive_name);
	t->largest_bytes = MAX(t->largest_bytes, file->size_bytes);
	if (__builtin_add_overflow(t->blob_bytes, file->size_bytes, &t->blob_bytes))
		return -EOVERFLOW;
	if (file->link_of == PLAN_NO_LINK)
		t->drive_bytes += file->size_bytes;
	else
		t->links++;
	return 0;
}

static int append_file(struct plan_builder *b, const struct staged_entry *entry,
		       struct placement *file)
{
	int r = plan_count(b->plan) == PLAN_NO_LINK - 1 ? -EOVERFLOW : 0;

	if (r == 0)
		r = find_link(b, entry, file);
	if (r == 0)
		r = place_on_drive(b, entry, file);
	if (r < 0)
		return r;
	buf_reset(&b->record);
	placement_encode(file, &b->record);
	r = buf_error(&b->record);
	if (r == 0)
		r = records_append(&b->plan->placements, b->record.data, b->record.len_bytes, NULL);
	if (r < 0)
		return r;
	mark_dirs(b->plan, file->dir, file->drive_dir);
	return count_file(b->plan, file);
}

/* Leaves the blob name's last component in b->blob_name; refuses a name that is too long as a whole. */
static enum blobname_outcome name_blob(struct plan_builder *b, const char *name, uint32_t dir,
				       char reason[BLOBNAME_REASON_BYTES])
{
	const struct directory *d = &b->plan->dirs[dir];

	buf_reset(&b->blob_name);
	(void)blobname_component(name, strlen(name), &b->blob_name, NULL);
	return blobname_check_size(d->blob_units + (d->blob_units != 0) +
					   units_of(buf_text(&b->blob_name)),
				   d->segments + 1, reason);
}

/* Whether no blob of the file's type can hold its content, and why. */
static bool is_refused(const struct placement *file, enum omission_kind *ret_kind,
		       char reason[BLOBNAME_REASON_BYTES])
{
	const char *type = blobtype_name(file->blob_type);
	char size[32];

	if (file->size_bytes > blobtype_max_bytes(file->blob_type)) {
		*ret_kind = OMISSION_TOO_LARGE;
		(void)snprintf(reason, BLOBNAME_REASON_BYTES,
			       "%" PRIu64 " bytes (%s), but a %s blob holds at most %" PRIu64,
			       file->size_bytes, format_size(file->size_bytes, size, sizeof(size)),
			       type, blobtype_max_bytes(file->blob_type));
		return true;
	}
	if (!blobtype_aligned(file->blob_type, file->size_bytes)) {
		*ret_kind = OMISSION_PAGE_SIZE;
		(void)snprintf(reason, BLOBNAME_REASON_BYTES,
			       "%" PRIu64 " bytes are not a multiple of %d, as a page blob must be",
			       file->size_bytes, BLOBTYPE_PAGE_BYTES);
		return true;
	}
	return false;
}

int builder_add_file(struct plan_builder *b, const struct staged_entry *entry, uint32_t dir)
{
	struct placement file = {
		.ino = entry->ino,
		.size_bytes = entry->size_bytes,
		.content_version = entry->content_version,
		.mtime_ns = entry->mtime_ns,
		.blob_type =
			blobtype_choose(b->plan->desc.blob_type, entry->name, entry->size_bytes),
		.dir = dir,
		.link_of = PLAN_NO_LINK,
		.name = entry->name,
	};
	char reason[BLOBNAME_REASON_BYTES];
	enum omission_kind kind;
	int r;

	if (name_blob(b, entry->name, dir, reason) == BLOBNAME_REFUSED)
		return omission_add(b->plan, OMISSION_NAME, dir, entry->name, reason);
	if (is_refused(&file, &kind, reason))
		return omission_add(b->plan, kind, dir, entry->name, reason);
	file.blob_name = buf_text(&b->blob_name);
	r = buf_error(&b->blob_name);
	if (r == 0)
		r = append_file(b, entry, &file);
	return r;
}
