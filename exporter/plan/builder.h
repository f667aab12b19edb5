/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct plan_builder: makes a plan from staged entries, one at a time. Entries come as reader_walk() gives
 * them: parents before children, in the same order on every run. One thread.
 */
#ifndef SEEDSHIP_PLAN_BUILDER_H
#define SEEDSHIP_PLAN_BUILDER_H

#include "exporter/plan/plan.h"

struct plan_builder;

int plan_builder_new(const struct plan_desc *desc, struct plan_builder **ret, struct err *e);
void plan_builder_free(struct plan_builder *b); /* NULL is fine */
static inline void plan_builder_freep(struct plan_builder **b)
{
	plan_builder_free(*b);
}

/* -EBADMSG when the entry's directory has not been added; -EOVERFLOW beyond 2^32 - 2 files. */
int plan_builder_add(struct plan_builder *b, const struct staged_entry *entry, struct err *e);

/* The finished plan, which the caller owns; the builder is good only for plan_builder_free() then. */
struct plan *plan_builder_finish(struct plan_builder *b);

#endif
