/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of a plan, line by line through stdio: they may have ten million lines. */
#include "exporter/cmd/plan_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "exporter/plan/omission.h"

struct list {
	FILE *out;
	bool is_stdout;
	const char *path;
};

static int list_open(const char *path, struct list *ret, struct err *e)
{
	*ret = (struct list){.path = path, .is_stdout = strcmp(path, "-") == 0};
	ret->out = ret->is_stdout ? stdout : fopen(path, "we");
	return ret->out ? 0 : err_sys(e, "cannot write '%s'", path);
}

/* r: what writing it came to so far. */
static int list_close(struct list *l, int r, struct err *e)
{
	bool failed = ferror(l->out) != 0;

	if (l->is_stdout ? fflush(l->out) != 0 : fclose(l->out) != 0)
		failed = true;
	if (r == 0 && failed)
		return err_sys(e, "writing '%s'", l->path);
	return r;
}

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '\t':
			(void)fputs("\\t", out);
			break;
		case '\n':
			(void)fputs("\\n", out);
			break;
		case '\\':
			(void)fputs("\\\\", out);
			break;
		default:
			(void)fputc(*text, out);
		}
	}
}

static unsigned drive_of(uint32_t i, const struct share *const *shares, unsigned n_shares)
{
	for (unsigned k = 0; k < n_shares; k++)
		if (share_has_file(shares[k], i))
			return k + 1;
	return 0;
}

int plan_list_files(const char *path, const struct plan *plan, const struct share *const *shares,
		    unsigned n_shares, struct err *e)
{
	_cleanup_(buf_done) struct buf staged = BUF_INIT, blob = BUF_INIT;
	struct list l;
	int r = list_open(path, &l, e);

	if (r < 0)
		return r;
	for (uint32_t i = 0; r == 0 && i < plan_count(plan) && !ferror(l.out); i++) {
		struct placement file;

		plan_get(plan, i, &file);
		buf_reset(&staged);
		buf_reset(&blob);
		plan_staged_path(plan, file.dir, file.name, &staged);
		plan_blob_path(plan, &file, &blob);
		if (buf_error(&staged) < 0 || buf_error(&blob) < 0) {
			r = err_oom(e);
			break;
		}
		(void)fprintf(l.out, "%u\t%" PRIu64 "\t", drive_of(i, shares, n_shares),
			      file.size_bytes);
		put_escaped(l.out, buf_text(&staged));
		(void)fputc('\t', l.out);
		put_escaped(l.out, buf_text(&blob));
		(void)fputc('\n', l.out);
	}
	return list_close(&l, r, e);
}

static int put_problem(const struct omission *o, void *arg, struct err *e _unused_)
{
	FILE *out = arg;

	(void)fprintf(out, "%s\t", omission_kind_name(o->kind));
	put_escaped(out, o->path);
	(void)fputc('\t', out);
	put_escaped(out, o->reason);
	(void)fputc('\n', out);
	return 0;
}

int plan_list_problems(const char *path, const struct plan *plan, struct err *e)
{
	struct list l;
	int r = list_open(path, &l, e);

	return r < 0 ? r : list_close(&l, plan_omissions(plan, put_problem, l.out, e), e);
}
