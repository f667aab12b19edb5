/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stage over a store of its own, for the tests of what a mount does, without one. */
#ifndef SEEDSHIP_TESTS_STAGE_FIXTURE_H
#define SEEDSHIP_TESTS_STAGE_FIXTURE_H

#include "fs/stage.h"

/* Opens the store at dir, or makes it; the test fails where that does. End it with stage_close(). */
static struct stage *make_stage(const char *dir, const struct store_options *how,
				const struct stage_options *options)
{
	struct stage *stage = NULL;
	struct store *store;
	struct err e = {0};

	if (store_open(dir, how, &store, &e) < 0 || stage_new(store, options, &stage, &e) < 0)
		fail_msg("%s", e.text);
	return stage;
}

#endif
