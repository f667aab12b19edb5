/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes the drive manifest, in the order of elements that the format prescribes. */
#include "exporter/manifest/drive_manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/le.h"
#include "common/base/units.h"

#define HASH_TEXT_BYTES (2 * MD5_BYTES + 1)

struct manifest {
	struct xmlout *xml; /* owned */
};

static void put_number(struct xmlout *xml, const char *name, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, v);
	xmlout_attribute(xml, name, text);
}

static void put_hash(struct xmlout *xml, const uint8_t md5[MD5_BYTES])
{
	char text[HASH_TEXT_BYTES];

	xmlout_attribute(xml, "Hash", format_hex(md5, MD5_BYTES, 1, text));
}

static void put_sidecar(struct xmlout *xml, const char *name,
			const struct manifest_sidecar *sidecar)
{
	if (!sidecar->path)
		return;
	xmlout_start(xml, name);
	put_hash(xml, sidecar->md5);
	xmlout_text(xml, sidecar->path);
	xmlout_end(xml);
}

/* The id of a block: its number as 32 bits, little-endian, in Base64; so all of a blob have one length. */
static void put_block_id(struct xmlout *xml, uint32_t i)
{
	_cleanup_free_ char *text = NULL;
	struct err why = {0};
	uint8_t raw[4];
	int r;

	le32_store(raw, i);
	r = base64_encode(raw, sizeof(raw), &text);
	if (r < 0)
		(void)xmlout_fail(xml, err_oom(&why), &why);
	else
		xmlout_attribute(xml, "Id", text);
}

static void put_range(struct xmlout *xml, const struct manifest_blob *blob, uint64_t i)
{
	uint64_t off_bytes = i * MANIFEST_BLOCK_BYTES;
	uint8_t md5[MD5_BYTES] = {0};
	struct err why = {0};
	int r = blob->hash ? blob->hash(i, md5, blob->hash_arg, &why) : 0;

	if (r < 0) {
		(void)xmlout_fail(xml, r, &why);
		return;
	}
	xmlout_start(xml, blob->ranges == MANIFEST_PAGES ? "PageRange" : "Block");
	put_number(xml, "Offset", off_bytes);
	put_number(xml, "Length", MIN(blob->length_bytes - off_bytes, MANIFEST_BLOCK_BYTES));
	if (blob->ranges == MANIFEST_BLOCKS)
		put_block_id(xml, (uint32_t)i);
	put_hash(xml, md5);
	xmlout_end(xml);
}

static void put_ranges(struct xmlout *xml, const struct manifest_blob *blob)
{
	uint64_t n = (blob->length_bytes + MANIFEST_BLOCK_BYTES - 1) / MANIFEST_BLOCK_BYTES;

	xmlout_start(xml, blob->ranges == MANIFEST_PAGES ? "PageRangeList" : "BlockList");
	for (uint64_t i = 0; i < n && xmlout_error(xml, NULL) == 0; i++)
		put_range(xml, blob, i);
	xmlout_end(xml);
}

static void put_disposition(struct xmlout *xml, enum manifest_disposition disposition)
{
	static const char *const texts[] = {
		[MANIFEST_RENAME] = "rename",
		[MANIFEST_NO_OVERWRITE] = "no-overwrite",
		[MANIFEST_OVERWRITE] = "overwrite",
	};

	if (disposition != MANIFEST_DISPOSITION_DEFAULT)
		xmlout_element(xml, "ImportDisposition", texts[disposition]);
}

int manifest_begin(const struct manifest_desc *desc, const struct manifest_sink *sink,
		   struct manifest **ret, struct err *e)
{
	_cleanup_(manifest_freep) struct manifest *m = calloc(1, sizeof(*m));
	char list_id[64];
	int r;

	if (!m)
		return err_oom(e);
	r = xmlout_new(sink, &m->xml, e);
	if (r < 0)
		return r;
	(void)snprintf(list_id, sizeof(list_id), "%s-0", desc->session_id);
	xmlout_start(m->xml, "DriveManifest");
	xmlout_attribute(m->xml, "Version", MANIFEST_VERSION);
	xmlout_start(m->xml, "Drive");
	xmlout_element(m->xml, "DriveId", desc->drive_id);
	xmlout_element(m->xml, "ClientCreator", "Seedship " SEEDSHIP_VERSION);
	xmlout_start(m->xml, "BlobList");
	xmlout_attribute(m->xml, "Id", list_id);
	put_sidecar(m->xml, "MetadataPath", &desc->metadata);
	put_sidecar(m->xml, "PropertiesPath", &desc->properties);
	r = xmlout_error(m->xml, e);
	if (r < 0)
		return err_wrap(e, r, "manifest of drive '%s'", desc->drive_id);
	*ret = take_ptr(m);
	return 0;
}

static int check_blob(const struct manifest_blob *blob, struct err *e)
{
	uint64_t most = blob->ranges == MANIFEST_BLOCKS ? MANIFEST_BLOCKS_MAX * MANIFEST_BLOCK_BYTES
							: INT64_MAX;

	if (!strchr(blob->blob_path, '/'))
		return err_set(e, EINVAL, "no container in the blob's path");
	if (blob->file_path[0] != '\\')
		return err_set(e, EINVAL, "path on the drive does not begin with '\\'");
	if (blob->ranges == MANIFEST_PAGES && blob->length_bytes % MANIFEST_PAGE_BYTES)
		return err_set(e, EINVAL, "page blob of %" PRIu64 " bytes, not a multiple of %d",
			       blob->length_bytes, MANIFEST_PAGE_BYTES);
	if (blob->length_bytes > most)
		return err_set(e, EINVAL, "%" PRIu64 " bytes are too much for a blob",
			       blob->length_bytes);
	return 0;
}

int manifest_blob(struct manifest *m, const struct manifest_blob *blob, struct err *e)
{
	struct xmlout *xml = m->xml;
	char length[24];
	int r = check_blob(blob, e);

	if (r == 0) {
		(void)snprintf(length, sizeof(length), "%" PRIu64, blob->length_bytes);
		xmlout_start(xml, "Blob");
		xmlout_element(xml, "BlobPath", blob->blob_path);
		xmlout_element(xml, "FilePath", blob->file_path);
		xmlout_element(xml, "Length", length);
		put_disposition(xml, blob->disposition);
		put_ranges(xml, blob);
		put_sidecar(xml, "MetadataPath", &blob->metadata);
		put_sidecar(xml, "PropertiesPath", &blob->properties);
		xmlout_end(xml);
		r = xmlout_error(xml, e);
	}
	return r < 0 ? err_wrap(e, r, "manifest: blob '%s'", blob->blob_path) : 0;
}

int manifest_end(struct manifest *m, uint64_t total_bytes, uint64_t *ret_bytes, struct err *e)
{
	int r = xmlout_finish(m->xml, total_bytes, ret_bytes, e);

	return r < 0 ? err_wrap(e, r, "manifest") : 0;
}

void manifest_free(struct manifest *m)
{
	if (!m)
		return;
	xmlout_free(m->xml);
	free(m);
}

int manifest_length(const struct manifest_desc *desc,
		    int (*next)(struct manifest_blob *ret, void *arg, struct err *e), void *arg,
		    uint64_t *ret_bytes, struct err *e)
{
	_cleanup_(manifest_freep) struct manifest *m = NULL;
	int r = manifest_begin(desc, NULL, &m, e);

	while (r == 0) {
		struct manifest_blob blob = {0};

		r = next(&blob, arg, e);
		if (r == 0)
			return manifest_end(m, 0, ret_bytes, e);
		if (r < 0)
			break;
		blob.hash = NULL;
		r = manifest_blob(m, &blob, e);
	}
	return r;
}
