/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What lies in the packs beyond the last commit that the index knows. After a crash that is one batch at most,
 * and nothing is lost with it. More of it means that the index is an old one, put back from a copy: then the
 * packs are the only place where the rest still is.
 */
#ifndef SEEDSHIP_STORE_BEYOND_H
#define SEEDSHIP_STORE_BEYOND_H

#include "common/base/err.h"
#include "common/store/index.h"
#include "common/store/store.h"

/*
 * last: the pack with the greatest number that the index knows. -ESTALE, with a hint, when commits stand
 * behind its end that the index must know if it were the last one. Reads the headers of what lies there.
 */
int beyond_check(struct store *store, const struct pack_row *last, struct err *e);

#endif
