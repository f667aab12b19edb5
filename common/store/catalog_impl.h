/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the connections (catalog.c) and the queries (catalog_query.c). */
#ifndef SEEDSHIP_STORE_CATALOG_IMPL_H
#define SEEDSHIP_STORE_CATALOG_IMPL_H

#include "common/ext/sql.h"
#include "common/store/catalog.h"

enum catalog_statement {
	LOOKUP,
	INODE,
	SYMLINK,
	LIST,
	NAME_OF,
	CHUNKS,
	NEXT_CHUNK,
	XATTRS,
	PACKS,
	COUNT_CHUNKS,
	N_STATEMENTS,
};

struct catalog_connection;

/* A statement of a connection that is the caller's until catalog_give_back(). */
int catalog_borrow(struct catalog *c, enum catalog_statement which,
		   struct catalog_connection **ret_connection, struct sql_stmt **ret,
		   struct err *e);

/* Ends the query, and turns r into what a system call may return. What was not borrowed is NULL. */
int catalog_give_back(struct catalog *c, struct catalog_connection *k, struct sql_stmt *s, int r,
		      const struct err *e);

#endif
