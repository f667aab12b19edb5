/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * page.html in parts. A line <!-- @NAME --> begins a part, which ends at the next such line;
 * {{name}} in it stands for a value. Every value is escaped and none is looked at again: what comes
 * from people and drives cannot become markup, nor a placeholder.
 */
#ifndef SEEDSHIP_REPORT_TEMPLATE_H
#define SEEDSHIP_REPORT_TEMPLATE_H

#include "common/base/buf.h"
#include "common/base/err.h"

extern const char report_page[]; /* page.html; written by the build */

struct template_value {
	const char *name;
	const char *text; /* NULL = nothing */
};

#define TEMPLATE_END ((struct template_value){0})

/*
 * Appends a part of page.html with these values, the last of which is TEMPLATE_END. -EINVAL when
 * there is no such part, or no such value: both are mistakes of the program.
 */
int template_put(struct buf *out, const char *part, const struct template_value *values,
		 struct err *e) _warn_unused_result_;

/* The same for any text in the form of page.html. */
int template_put_from(struct buf *out, const char *page, const char *part,
		      const struct template_value *values, struct err *e) _warn_unused_result_;

#endif
