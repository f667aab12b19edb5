/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of files and directories on the drive. A component keeps its name where Windows takes it; any other
 * gets an alias: what can be kept of it, "~", and 8 hex digits of a hash. Nobody reads the drive by these
 * names: the manifest says which file is which blob.
 *
 * Source: "Naming Files, Paths, and Namespaces" of the Windows documentation.
 */
#ifndef SEEDSHIP_PLAN_DRIVENAME_H
#define SEEDSHIP_PLAN_DRIVENAME_H

#include <stdint.h>

#include "common/base/buf.h"

#define DRIVENAME_MAX_UNITS 255 /* of a component, in UTF-16 units */

/*
 * Of a whole path from the root of the drive, leading backslash included. Windows programs without
 * long-path support open 259 units with drive letter and colon, and directories only up to 247: what lies
 * deeper is kept in one flat directory instead.
 */
#define DRIVENAME_MAX_PATH_UNITS 240

/* Why Windows does not take this component, for a message ("a reserved device name"); NULL when it does. */
const char *drivename_objection(const char *name);

/*
 * Appends an alias of at most max_units (at least 32, at most DRIVENAME_MAX_UNITS) that Windows takes. It
 * depends on name and seed alone: another seed gives another hash. -ENOMEM.
 */
int drivename_alias(const char *name, uint64_t seed, size_t max_units, struct buf *out);

/*
 * A key that two names of the same directory have in common when a file system that ignores case could
 * take them for the same. name: valid UTF-8. -ENOMEM.
 */
int drivename_key(uint32_t dir, const char *name, uint64_t *ret);

#endif
