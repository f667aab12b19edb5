/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long a blob's part of a manifest gets, without writing it: the lines of drive_manifest.c, counted. */
#include <string.h>

#include "common/base/units.h"
#include "exporter/manifest/drive_manifest.h"

#define LENGTH_OF(text) (sizeof(text) - 1)
#define ENTITY_BYTES	6 /* the longest that stands for one byte: "&quot;" */

static uint64_t digits(uint64_t v)
{
	uint64_t n = 1;

	for (; v >= 10; v /= 10)
		n++;
	return n;
}

static uint64_t text_bytes(const char *text)
{
	uint64_t n = 0;

	for (; *text; text++)
		n += strchr("&<>\"\r\n\t", *text) ? ENTITY_BYTES : 1;
	return n;
}

static uint64_t sidecar_bytes(const struct manifest_sidecar *sidecar)
{
	static const char frame[] =
		"<PropertiesPath Hash=\"0123456789ABCDEF0123456789ABCDEF\"></PropertiesPath>\n";

	return sidecar->path ? LENGTH_OF(frame) + text_bytes(sidecar->path) : 0;
}

uint64_t manifest_blob_bound(const struct manifest_blob *blob)
{
	static const char frame[] =
		"<Blob>\n<BlobPath></BlobPath>\n<FilePath></FilePath>\n"
		"<Length></Length>\n<ImportDisposition>no-overwrite"
		"</ImportDisposition>\n<PageRangeList>\n</PageRangeList>\n</Blob>\n";
	static const char range[] = "<PageRange Offset=\"\" Length=\"4194304\" Id=\"AAAAAA==\" "
				    "Hash=\"0123456789ABCDEF0123456789ABCDEF\"/>\n";
	uint64_t n = blob->length_bytes / MANIFEST_BLOCK_BYTES + 1;

	return LENGTH_OF(frame) + text_bytes(blob->blob_path) + text_bytes(blob->file_path) +
	       digits(blob->length_bytes) + n * (LENGTH_OF(range) + digits(blob->length_bytes)) +
	       sidecar_bytes(&blob->metadata) + sidecar_bytes(&blob->properties);
}
