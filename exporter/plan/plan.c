/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a finished plan. */
#include "exporter/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/ext/digest.h"
#include "exporter/plan/plan_impl.h"

_Static_assert(PLAN_DIGEST_BYTES == SHA256_BYTES, "the plan's digest is SHA-256");

void plan_free(struct plan *p)
{
	if (!p)
		return;
	records_done(&p->names);
	records_done(&p->placements);
	records_done(&p->omitted);
	free(p->dirs);
	free((char *)p->desc.session_id);
	free((char *)p->desc.container);
	free((char *)p->desc.prefix);
	free(p);
}

const struct plan_totals *plan_totals(const struct plan *p)
{
	return &p->totals;
}

const struct plan_desc *plan_desc(const struct plan *p)
{
	return &p->desc;
}

uint32_t plan_count(const struct plan *p)
{
	return (uint32_t)p->placements.count;
}

void plan_get(const struct plan *p, uint32_t i, struct placement *ret)
{
	placement_decode(records_get(&p->placements, i), ret);
}

uint32_t plan_dir_count(const struct plan *p)
{
	return (uint32_t)p->n_dirs;
}

void plan_get_dir(const struct plan *p, uint32_t i, struct plan_dir *ret)
{
	const struct directory *dir = &p->dirs[i];

	*ret = (struct plan_dir){
		.parent = dir->parent,
		.on_drive = dir->on_drive,
		.has_files = dir->has_files,
		.name = dir->name,
		.blob_name = dir->blob_name,
		.drive_name = dir->drive_name,
	};
}

static void put_text(struct buf *out, const char *text)
{
	buf_put(out, text, strlen(text) + 1);
}

static void put_placement(const struct plan *p, uint32_t i, struct buf *out)
{
	struct placement file;

	plan_get(p, i, &file);
	buf_put_le64(out, file.ino);
	buf_put_le64(out, file.size_bytes);
	buf_put_le64(out, file.content_version);
	buf_put_le32(out, file.link_of);
	buf_put_u8(out, (uint8_t)file.blob_type);
	plan_blob_path(p, &file, out);
	buf_put_u8(out, 0);
	plan_drive_path(p, &file, out);
	buf_put_u8(out, 0);
}

static int digest_plan(const struct plan *p, struct digest *digest, struct buf *part)
{
	int r = digest_start(digest);

	put_text(part, p->desc.session_id);
	put_text(part, p->desc.container);
	put_text(part, p->desc.prefix);
	for (uint32_t i = 0; r == 0 && i < plan_count(p); i++) {
		put_placement(p, i, part);
		if (part->len_bytes < 64 * KiB)
			continue;
		r = buf_error(part) < 0 ? -ENOMEM
					: digest_update(digest, part->data, part->len_bytes);
		buf_reset(part);
	}
	if (r == 0 && buf_error(part) < 0)
		r = -ENOMEM;
	return r == 0 ? digest_update(digest, buf_text(part), part->len_bytes) : r;
}

int plan_digest(const struct plan *p, uint8_t ret[PLAN_DIGEST_BYTES], struct err *e)
{
	_cleanup_(digest_freep) struct digest *digest = NULL;
	_cleanup_(buf_done) struct buf part = BUF_INIT;
	int r = digest_new(DIGEST_SHA256, &digest, e);

	if (r < 0)
		return r;
	r = digest_plan(p, digest, &part);
	if (r == 0)
		r = digest_finish(digest, ret);
	if (r == -ENOMEM)
		return err_oom(e);
	return r < 0 ? err_set(e, -r, "SHA-256 of the plan failed") : 0;
}
