/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Properties and metadata files of the drive manifest: what blobs get besides their content. Such a file lies
 * on the drive, and the manifest names it with its MD5 (struct manifest_sidecar).
 *
 * Source: "Azure Import/Export service metadata and properties file format".
 */
#ifndef SEEDSHIP_MANIFEST_PROPERTIES_H
#define SEEDSHIP_MANIFEST_PROPERTIES_H

#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/err.h"

struct property {
	const char *name, *value;
};

/*
 * Appends a properties file to out. Names: Content-Type, Content-MD5 (Base64), Content-Encoding,
 * Content-Language, Cache-Control; -EINVAL (user) for any other or for one given twice.
 */
int properties_format(const struct property *properties, size_t n, struct buf *out, struct err *e);

/*
 * Appends a metadata file to out. Names are C# identifiers in ASCII, since they become HTTP headers, and
 * different from each other without regard to case; -EINVAL (user) otherwise.
 */
int metadata_format(const struct property *metadata, size_t n, struct buf *out, struct err *e);

#endif
