/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is not shipped is kept as records (kind, directory, name, detail). What is shipped differently shows
 * in placements and directories already and is told from there.
 */
#include "exporter/plan/omission.h"

#include <errno.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "exporter/plan/blobname.h"
#include "exporter/plan/plan_impl.h"

const char *omission_kind_name(enum omission_kind kind)
{
	static const char *const names[] = {
		[OMISSION_SYMLINK] = "symlink",
		[OMISSION_SPECIAL] = "special",
		[OMISSION_EMPTY_DIRECTORY] = "empty-directory",
		[OMISSION_TOO_LARGE] = "too-large",
		[OMISSION_PAGE_SIZE] = "page-size",
		[OMISSION_NAME] = "name",
		[OMISSION_HARD_LINK] = "hard-link",
		[OMISSION_RENAMED] = "renamed",
	};

	return names[kind];
}

bool omission_is_shipped(enum omission_kind kind)
{
	return kind == OMISSION_HARD_LINK || kind == OMISSION_RENAMED;
}

bool omission_is_refused(enum omission_kind kind)
{
	return kind == OMISSION_TOO_LARGE || kind == OMISSION_PAGE_SIZE || kind == OMISSION_NAME;
}

int omission_add(struct plan *p, enum omission_kind kind, uint32_t dir, const char *name,
		 const char *detail)
{
	_cleanup_(buf_done) struct buf record = BUF_INIT;
	int r;

	buf_put_u8(&record, (uint8_t)kind);
	varint_put(&record, dir);
	buf_put(&record, name, strlen(name) + 1);
	buf_put(&record, detail, strlen(detail) + 1);
	if (buf_error(&record) < 0)
		return -ENOMEM;
	r = records_append(&p->omitted, record.data, record.len_bytes, NULL);
	if (r < 0)
		return r;
	p->totals.not_shipped++;
	p->totals.refused += omission_is_refused(kind);
	return 0;
}

/* Walks over all omissions with two buffers that are used again and again. */
struct teller {
	const struct plan *plan;
	int (*fn)(const struct omission *omission, void *arg, struct err *e);
	void *arg;
	struct err *e;
	struct buf path, reason;
	uint32_t placement, dir;
};

static int tell(struct teller *t, enum omission_kind kind)
{
	struct omission omission = {.kind = kind, .placement = t->placement, .dir = t->dir};

	if (buf_error(&t->path) < 0 || buf_error(&t->reason) < 0)
		return err_oom(t->e);
	omission.path = buf_text(&t->path);
	omission.reason = buf_text(&t->reason);
	return t->fn(&omission, t->arg, t->e);
}

static void begin(struct teller *t, uint32_t dir, const char *name)
{
	t->dir = dir;
	t->placement = PLAN_NO_LINK;
	buf_reset(&t->path);
	buf_reset(&t->reason);
	plan_staged_path(t->plan, dir, name, &t->path);
}

static int tell_record(struct teller *t, const uint8_t *record)
{
	enum omission_kind kind = (enum omission_kind) * record++;
	uint32_t dir = (uint32_t)varint_get(&record);
	const char *name = (const char *)record;
	const char *detail = name + strlen(name) + 1;

	begin(t, dir, name);
	if (kind == OMISSION_SYMLINK)
		buf_printf(&t->reason, "symbolic link to '%s': a blob cannot be a link", detail);
	else
		buf_puts(&t->reason, detail);
	return tell(t, kind);
}

/* What made the encoding of this component necessary. */
static int tell_renamed(struct teller *t, const char *name)
{
	_cleanup_(buf_done) struct buf encoded = BUF_INIT;
	char reason[BLOBNAME_REASON_BYTES];

	(void)blobname_component(name, strlen(name), &encoded, reason);
	buf_puts(&t->reason, reason);
	return tell(t, OMISSION_RENAMED);
}

static int tell_dir(struct teller *t, uint32_t i)
{
	const struct directory *dir = &t->plan->dirs[i];

	begin(t, i, NULL);
	if (!dir->has_files) {
		buf_puts(&t->reason, "no file is shipped from this directory: a container has no "
				     "directories of its own");
		return tell(t, OMISSION_EMPTY_DIRECTORY);
	}
	return dir->blob_name != dir->name ? tell_renamed(t, dir->name) : 0;
}

static int tell_placement(struct teller *t, uint32_t i)
{
	struct placement file, first;
	int r;

	plan_get(t->plan, i, &file);
	if (file.blob_name != file.name) {
		begin(t, file.dir, file.name);
		t->placement = i;
		r = tell_renamed(t, file.name);
		if (r != 0)
			return r;
	}
	if (file.link_of == PLAN_NO_LINK)
		return 0;
	plan_get(t->plan, file.link_of, &first);
	begin(t, file.dir, file.name);
	t->placement = i;
	buf_puts(&t->reason, "hard link to '");
	plan_staged_path(t->plan, first.dir, first.name, &t->reason);
	buf_puts(&t->reason, "': shipped as a blob of its own with the same content");
	return tell(t, OMISSION_HARD_LINK);
}

static int tell_all(struct teller *t)
{
	const struct plan *p = t->plan;
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < p->omitted.count; i++)
		r = tell_record(t, records_get(&p->omitted, i));
	for (uint32_t i = PLAN_DIR_FLAT + 1; r == 0 && i < p->n_dirs; i++)
		r = tell_dir(t, i);
	/* Most trees have neither: then the files need no look. */
	if (p->totals.renamed == 0 && p->totals.links == 0)
		return r;
	for (uint32_t i = 0; r == 0 && i < plan_count(p); i++)
		r = tell_placement(t, i);
	return r;
}

int plan_omissions(const struct plan *p,
		   int (*fn)(const struct omission *omission, void *arg, struct err *e), void *arg,
		   struct err *e)
{
	struct teller t = {.plan = p, .fn = fn, .arg = arg, .e = e};
	int r = tell_all(&t);

	buf_done(&t.path);
	buf_done(&t.reason);
	return r;
}
