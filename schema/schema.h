/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The SQL of the two databases, one file per migration step, compiled in by schema/CMakeLists.txt. */
#ifndef SEEDSHIP_SCHEMA_SCHEMA_H
#define SEEDSHIP_SCHEMA_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

struct schema_step {
	const char *name; /* the file's name, e.g. "0001_init.sql" */
	const char *sql;
};

struct schema {
	const char *name;	 /* "index" or "shipping" */
	uint32_t application_id; /* PRAGMA application_id */
	size_t n_steps;		 /* PRAGMA user_version of a database that has them all */
	const struct schema_step *steps;
};

extern const struct schema schema_index;    /* index.db, "SDfs" */
extern const struct schema schema_shipping; /* shipping.db, "SDsh" */

#endif
