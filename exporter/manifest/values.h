/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct values: what has been read of a drive manifest and still matters: the attributes of the element
 * that began last, and the blob that is open. Knows nothing of XML.
 */
#ifndef SEEDSHIP_MANIFEST_VALUES_H
#define SEEDSHIP_MANIFEST_VALUES_H

#include "common/base/buf.h"
#include "exporter/manifest/grammar.h"
#include "exporter/manifest/manifest_parse.h"
#include "exporter/manifest/ranges.h"

#define VALUE_MAX_BYTES 256 /* of an attribute, with its NUL */

struct values {
	const struct manifest_handler *handler;
	bool handler_ended; /* what values_begin() or values_end() returned came from the handler */

	char attributes[ATTRIBUTES][VALUE_MAX_BYTES];
	uint32_t present; /* bit of every attribute that is there */

	struct buf blob_path, file_path;
	uint64_t length_bytes;
	struct ranges ranges;
	uint8_t sidecar_md5[MD5_BYTES];
};

void values_done(struct values *v);

/* An element begins, with its attributes in v; it ends, with its text. -EBADMSG, or what the handler says. */
int values_begin(struct values *v, enum element element, struct err *e);
int values_end(struct values *v, enum element element, const char *text, struct err *e);

#endif
