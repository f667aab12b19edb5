/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files around SQLite share; nobody else sees its types. */
#ifndef SEEDSHIP_EXT_SQL_IMPL_H
#define SEEDSHIP_EXT_SQL_IMPL_H

#include <sqlite3.h>

#include "common/ext/sql.h"

struct sql {
	sqlite3 *db;
};

struct sql_stmt {
	sqlite3_stmt *stmt;
	struct sql *owner;
	int bind_result; /* first failed bind since the last reset */
};

/* The last error of db, rc being SQLite's code, as errno and text. Returns -errno. */
int sql_fail(struct sql *db, int rc, struct err *e);

#endif
