/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules of block lists and page range lists. */
#include "exporter/manifest/ranges.h"

#include <inttypes.h>
#include <string.h>

#include "exporter/manifest/drive_manifest.h"

#define ID_MAX_CHARS 88 /* Base64 of 64 bytes */

int ranges_begin(struct ranges *ranges, bool pages, uint64_t blob_bytes, struct err *e)
{
	if (pages && blob_bytes % MANIFEST_PAGE_BYTES)
		return err_set(e, EBADMSG, "page blob of %" PRIu64 " bytes", blob_bytes);
	*ranges = (struct ranges){.pages = pages, .blob_bytes = blob_bytes};
	return 0;
}

static int check_id(struct ranges *ranges, const char *id, struct err *e)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t chars = id ? strlen(id) : 0;
	size_t used = id ? strspn(id, alphabet) : 0;

	if (ranges->count == 0)
		ranges->id_chars = chars;
	if (chars != ranges->id_chars)
		return err_set(e, EBADMSG, "ids of blocks differ in length");
	if (id && (chars == 0 || chars % 4 || chars > ID_MAX_CHARS || chars - used > 2 ||
		   strspn(id + used, "=") != chars - used))
		return err_set(e, EBADMSG, "id of block is not Base64");
	return 0;
}

static int check_place(const struct ranges *ranges, uint64_t off_bytes, uint64_t len_bytes,
		       struct err *e)
{
	if (ranges->pages && (off_bytes % MANIFEST_PAGE_BYTES || len_bytes % MANIFEST_PAGE_BYTES))
		return err_set(e, EBADMSG, "range is not a multiple of %d", MANIFEST_PAGE_BYTES);
	if (off_bytes < ranges->end_bytes)
		return err_set(e, EBADMSG, "range begins before the end of the last one");
	if (!ranges->pages && off_bytes != ranges->end_bytes)
		return err_set(e, EBADMSG, "gap before the block");
	if (off_bytes > ranges->blob_bytes || len_bytes > ranges->blob_bytes - off_bytes)
		return err_set(e, EBADMSG, "range ends after the blob");
	return 0;
}

int ranges_add(struct ranges *ranges, uint64_t off_bytes, uint64_t len_bytes, const char *id,
	       struct err *e)
{
	int r;

	if (len_bytes == 0 || len_bytes > MANIFEST_BLOCK_BYTES)
		return err_set(e, EBADMSG, "range of %" PRIu64 " bytes", len_bytes);
	if (!ranges->pages && ranges->count == MANIFEST_BLOCKS_MAX)
		return err_set(e, EBADMSG, "more than %d blocks", MANIFEST_BLOCKS_MAX);
	r = check_place(ranges, off_bytes, len_bytes, e);
	if (r == 0)
		r = check_id(ranges, id, e);
	if (r < 0)
		return r;
	ranges->end_bytes = off_bytes + len_bytes;
	ranges->count++;
	return 0;
}

int ranges_end(const struct ranges *ranges, struct err *e)
{
	if (!ranges->pages && ranges->end_bytes != ranges->blob_bytes)
		return err_set(e, EBADMSG, "blocks end at %" PRIu64 " of %" PRIu64 " bytes",
			       ranges->end_bytes, ranges->blob_bytes);
	return 0;
}
