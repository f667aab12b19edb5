/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the manifest's reader share: a text as a source, and what is found in it as a text. */
#ifndef SEEDSHIP_TESTS_MANIFEST_FIXTURE_H
#define SEEDSHIP_TESTS_MANIFEST_FIXTURE_H

#include <string.h>

#include "common/base/buf.h"
#include "common/base/units.h"
#include "exporter/manifest/manifest_parse.h"

#define XML  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define HASH "0123456789ABCDEF0123456789ABCDEF"

/* Gives out a text a few bytes at a time. */
struct text_source {
	const char *text;
	size_t left_bytes, step_bytes;
};

static _unused_ int read_text(void *data, size_t len_bytes, size_t *ret_bytes, void *arg,
			      struct err *e)
{
	struct text_source *s = arg;
	size_t n = MIN(MIN(len_bytes, s->step_bytes), s->left_bytes);

	(void)e;
	memcpy(data, s->text, n);
	s->text += n;
	s->left_bytes -= n;
	*ret_bytes = n;
	return 0;
}

static _unused_ int tell_drive_id(const char *drive_id, void *arg, struct err *e)
{
	(void)e;
	buf_printf(arg, "drive %s\n", drive_id);
	return 0;
}

static _unused_ int tell_sidecar(const char *path, const uint8_t md5[MD5_BYTES], void *arg,
				 struct err *e)
{
	char hash[2 * MD5_BYTES + 1];

	(void)e;
	buf_printf(arg, "sidecar %s %s\n", path, format_hex(md5, MD5_BYTES, 0, hash));
	return 0;
}

static _unused_ int tell_blob(const char *blob_path, const char *file_path, uint64_t length_bytes,
			      void *arg, struct err *e)
{
	(void)e;
	buf_printf(arg, "blob %s %s %ju\n", blob_path, file_path, (uintmax_t)length_bytes);
	return 0;
}

static _unused_ int tell_range(const struct manifest_range *range, void *arg, struct err *e)
{
	(void)e;
	buf_printf(arg, "%s %ju %u %02x\n", range->is_page ? "page" : "block",
		   (uintmax_t)range->off_bytes, range->len_bytes, range->md5[0]);
	return 0;
}

static _unused_ int tell_end(void *arg, struct err *e)
{
	(void)e;
	buf_puts(arg, "end\n");
	return 0;
}

static _unused_ int parse_bytes(const char *text, size_t len_bytes, size_t step_bytes,
				struct buf *told, struct err *e)
{
	struct text_source text_source = {text, len_bytes, step_bytes};
	const struct manifest_source source = {read_text, &text_source};
	const struct manifest_handler handler = {
		.drive_id = tell_drive_id,
		.sidecar = tell_sidecar,
		.blob_begin = tell_blob,
		.range = tell_range,
		.blob_end = tell_end,
		.arg = told,
	};

	return manifest_parse(&source, &handler, e);
}

#endif
