/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan of a store: its walk, fed to a builder. */
#include "common/base/cleanup.h"
#include "exporter/plan/builder.h"
#include "exporter/plan/plan.h"

static int add_entry(const struct staged_entry *entry, void *arg, struct err *e)
{
	return plan_builder_add(arg, entry, e);
}

int plan_from_store(struct reader *reader, const struct plan_desc *desc, struct plan **ret,
		    struct err *e)
{
	_cleanup_(plan_builder_freep) struct plan_builder *builder = NULL;
	int r = plan_builder_new(desc, &builder, e);

	if (r < 0)
		return r;
	r = reader_walk(reader, add_entry, builder, e);
	if (r != 0)
		return r;
	*ret = plan_builder_finish(builder);
	return 0;
}
