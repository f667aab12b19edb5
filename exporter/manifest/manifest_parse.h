/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a drive manifest as a stream: verifying a drive needs no more memory for ten million ranges than for
 * ten. The whole grammar is checked (grammar.h, ranges.h), as strictly as the format is described; document
 * types, and with them entities, are refused.
 */
#ifndef SEEDSHIP_MANIFEST_MANIFEST_PARSE_H
#define SEEDSHIP_MANIFEST_MANIFEST_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/ext/digest.h"

/* Where the bytes come from: up to len_bytes, *ret_bytes = 0 at the end. May block. */
struct manifest_source {
	int (*read)(void *data, size_t len_bytes, size_t *ret_bytes, void *arg, struct err *e);
	void *arg;
};

struct manifest_range {
	uint64_t off_bytes;
	uint32_t len_bytes; /* 1 to 4 MiB */
	bool is_page;
	uint8_t md5[MD5_BYTES];
};

/*
 * What is found, in the order of the file. Any function may be NULL. A non-zero return ends the parse and
 * is returned. Texts are lent until the function returns.
 */
struct manifest_handler {
	int (*drive_id)(const char *drive_id, void *arg, struct err *e);
	/* A metadata or properties file on the drive. */
	int (*sidecar)(const char *path, const uint8_t md5[MD5_BYTES], void *arg, struct err *e);
	/* A blob and its length; then its ranges, in order; then its end. */
	int (*blob_begin)(const char *blob_path, const char *file_path, uint64_t length_bytes,
			  void *arg, struct err *e);
	int (*range)(const struct manifest_range *range, void *arg, struct err *e);
	int (*blob_end)(void *arg, struct err *e);
	void *arg;
};

/* -EBADMSG with the line where the manifest is not one; errors of source and handler as they are. */
int manifest_parse(const struct manifest_source *source, const struct manifest_handler *handler,
		   struct err *e);

#endif
