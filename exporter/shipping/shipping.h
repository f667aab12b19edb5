/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct shipping: STORE/shipping.db, the memory of seedship: jobs, drives and what lies on them.
 * The tables are explained in schema/shipping/0001_init.sql. Any thread may call
 * with one handle: calls take turns, and while one thread has a transaction open, others wait. No key is ever kept here.
 */
#ifndef SEEDSHIP_SHIPPING_SHIPPING_H
#define SEEDSHIP_SHIPPING_SHIPPING_H

#include "common/base/err.h"

struct shipping;

enum shipping_mode {
	SHIPPING_READ,	/* a look; works while another seedship writes */
	SHIPPING_WRITE, /* created or migrated when needed; one writer at a time */
};

/*
 * Opens the database of a store. SHIPPING_READ: -ENOENT when there is none yet, -ESTALE when it
 * must be migrated first. SHIPPING_WRITE: -EBUSY when another seedship writes (the lock ends with
 * the process); -ENOTSUP when it is newer than this program.
 */
int shipping_open(const char *store_path, enum shipping_mode mode, struct shipping **ret,
		  struct err *e);
void shipping_free(struct shipping *s); /* NULL is fine; an open transaction is rolled back */
static inline void shipping_freep(struct shipping **s)
{
	shipping_free(*s);
}

/*
 * Transactions. Calls that change something are durable when they return, unless a transaction is
 * open: then all of them are when shipping_commit() returns, or none. They do not nest; functions
 * that open their own say so.
 */
int shipping_begin(struct shipping *s, struct err *e) _warn_unused_result_;
int shipping_commit(struct shipping *s, struct err *e) _warn_unused_result_;
void shipping_rollback(struct shipping *s); /* harmless when none is open */

#endif
