/* SPDX-License-Identifier: GPL-3.0-or-later */
/* struct live: what a running mount tells about itself, through its control socket. */
#ifndef SEEDSHIP_FS_LIVE_H
#define SEEDSHIP_FS_LIVE_H

#include "fs/stage.h"

struct live;

/* Answers for stage until live_stop(); both store and stage are lent until then. */
int live_start(struct stage *stage, const struct store *store, struct live **ret, struct err *e);
void live_stop(struct live *l); /* NULL is fine */
static inline void live_stopp(struct live **l)
{
	live_stop(*l);
}

#endif
