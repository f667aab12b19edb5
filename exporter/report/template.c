/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of page.html with their values. */
#include "exporter/report/template.h"

#include <stdio.h>
#include <string.h>

#include "exporter/report/html.h"

#define MARK "<!-- @"

/* Where the part of this name begins and ends in page; NULL when there is none. */
static const char *find_part(const char *page, const char *part, const char **ret_end)
{
	char mark[64];
	const char *found;
	int n = snprintf(mark, sizeof(mark), MARK "%s -->\n", part);

	found = n > 0 && (size_t)n < sizeof(mark) ? strstr(page, mark) : NULL;
	if (!found)
		return NULL;
	found += n;
	*ret_end = strstr(found, MARK);
	if (!*ret_end)
		*ret_end = found + strlen(found);
	return found;
}

/* name_bytes of name are the placeholder's. */
static int put_value(struct buf *out, const char *name, size_t name_bytes,
		     const struct template_value *values, struct err *e)
{
	for (; values->name; values++) {
		if (strlen(values->name) != name_bytes ||
		    strncmp(values->name, name, name_bytes) != 0)
			continue;
		if (values->text)
			html_put(out, values->text);
		return 0;
	}
	return err_set(e, EINVAL, "there is no value for {{%.*s}}", (int)name_bytes, name);
}

int template_put_from(struct buf *out, const char *page, const char *part,
		      const struct template_value *values, struct err *e)
{
	const char *end, *at = find_part(page, part, &end);
	int r;

	if (!at)
		return err_set(e, EINVAL, "the template has no part '%s'", part);
	for (;;) {
		const char *open = strstr(at, "{{"), *close = open ? strstr(open, "}}") : NULL;

		if (!close || close > end)
			break;
		buf_put(out, at, (size_t)(open - at));
		r = put_value(out, open + 2, (size_t)(close - open - 2), values, e);
		if (r < 0)
			return err_wrap(e, r, "part '%s'", part);
		at = close + 2;
	}
	buf_put(out, at, (size_t)(end - at));
	return 0;
}

int template_put(struct buf *out, const char *part, const struct template_value *values,
		 struct err *e)
{
	return template_put_from(out, report_page, part, values, e);
}
