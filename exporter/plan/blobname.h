/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blob names from staged paths. A name keeps its bytes whenever the Blob service takes them; what it does
 * not take is percent-encoded byte by byte, one path component at a time:
 *
 *   bytes that are not UTF-8, characters outside RFC 3987 (control characters, private use, U+FFFE ...),
 *   '\', and a '.' that ends a component.
 *
 * A component that is encoded has its '%' encoded too, and so has one that looks like the outcome of an
 * encoding: two different paths never get the same name, and blobname_to_path() finds the way back.
 *
 * Source: "Naming and Referencing Containers, Blobs, and Metadata" of the Blob service's REST reference.
 */
#ifndef SEEDSHIP_PLAN_BLOBNAME_H
#define SEEDSHIP_PLAN_BLOBNAME_H

#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define BLOBNAME_MAX_UNITS \
	1024 /* of the whole name, counted as UTF-16 units (the service is .NET) */
#define BLOBNAME_MAX_SEGMENTS 254
#define BLOBNAME_REASON_BYTES 128

enum blobname_outcome {
	BLOBNAME_SAME,	  /* the name is the path */
	BLOBNAME_ENCODED, /* shipped under an encoded name; the reason says why */
	BLOBNAME_REFUSED, /* no blob can have this name; the reason says why */
};

/*
 * Appends the blob name of one path component (no '/') to out. reason (may be NULL) gets one line, empty
 * when the name stays the same. Never BLOBNAME_REFUSED. -ENOMEM shows in buf_error(out).
 */
enum blobname_outcome blobname_component(const char *component, size_t len_bytes, struct buf *out,
					 char reason[BLOBNAME_REASON_BYTES]);

/*
 * Whether a whole name of this many UTF-16 units and segments may be a blob's: BLOBNAME_SAME or
 * BLOBNAME_REFUSED with the reason.
 */
enum blobname_outcome blobname_check_size(size_t units, size_t segments,
					  char reason[BLOBNAME_REASON_BYTES]);

/*
 * The blob name of a staged path ("a/b/c", bytes) below prefix ("" or "x/y", checked by
 * blobname_check_prefix()). *ret_outcome and reason say what happened to the path; out is valid UTF-8 and
 * of no use when it was refused. -ENOMEM.
 */
int blobname_from_path(const char *path, const char *prefix, struct buf *out,
		       enum blobname_outcome *ret_outcome, char reason[BLOBNAME_REASON_BYTES]);

/* The staged path of a blob name without its prefix: the inverse of blobname_from_path(). -ENOMEM. */
int blobname_to_path(const char *name, struct buf *out);

#endif
