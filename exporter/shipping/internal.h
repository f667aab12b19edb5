/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of this folder share: prepared statements, owned texts. */
#ifndef SEEDSHIP_SHIPPING_INTERNAL_H
#define SEEDSHIP_SHIPPING_INTERNAL_H

#include <pthread.h>

#include "common/base/cleanup.h"
#include "common/ext/sql.h"
#include "exporter/shipping/shipping.h"

/* Recursive. Held by each call for as long as it uses a statement, and by a transaction from begin to its end. */
pthread_mutex_t *shipping_mutex(struct shipping *s);

/*
 * The prepared statement of this text, ready to bind; prepared at its first use and kept. text must
 * be an element of its file's static table: the address identifies it. Lent.
 */
int shipping_statement(struct shipping *s, const char *text, struct sql_stmt **ret, struct err *e)
	_warn_unused_result_;

/* Copies a column; caller frees. *ret = NULL for SQL NULL. -ENOMEM. */
int shipping_copy_text(struct sql_stmt *stmt, int column, char **ret, struct err *e)
	_warn_unused_result_;

/* The rowid of the last insert. */
int64_t shipping_last_id(const struct shipping *s);

/* Rows the last statement changed. */
int64_t shipping_changes(const struct shipping *s);

#endif
