/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taking the lock of a store; who holds it is asked through store.h. */
#ifndef SEEDSHIP_STORE_STORE_LOCK_H
#define SEEDSHIP_STORE_STORE_LOCK_H

#include <stdbool.h>

#include "common/store/store.h"

/*
 * Locks the store in dir_fd: shared to read it while nobody writes, else to be its one writer. *ret_fd holds
 * the lock until it is closed. -EBUSY when others have it, with who and what to do in e; a writer that is
 * just flushing its last commit is waited for.
 */
int store_lock_take(int dir_fd, bool shared, int *ret_fd, struct err *e);

#endif
