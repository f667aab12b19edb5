/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The places of a BitLocker volume: checked, and mapped from plaintext to partition. */
#include "exporter/bitlocker/geometry.h"

#include <inttypes.h>
#include <stdbool.h>

#include "common/base/macros.h"

/* An area that does not belong to the plaintext's own place. */
struct area {
	const char *what;
	uint64_t off_bytes, len_bytes;
};

#define AREAS  (FVE_COPIES + 2)
#define HIDDEN (FVE_COPIES + 1) /* of these: what the plaintext shows as zeros; the ICE is last */

static void list_areas(const struct bitlocker_geometry *g, struct area areas[AREAS])
{
	for (size_t i = 0; i < FVE_COPIES; i++)
		areas[i] = (struct area){"metadata", g->meta_off_bytes[i], FVE_METADATA_BYTES};
	areas[FVE_COPIES] = (struct area){"boot sectors", g->vbb_off_bytes, FVE_VBB_BYTES};
	areas[HIDDEN] = (struct area){"ICE area", g->ice_off_bytes, FVE_ICE_BYTES};
}

static bool overlap(const struct area *a, const struct area *b)
{
	return a->off_bytes < b->off_bytes + b->len_bytes &&
	       b->off_bytes < a->off_bytes + a->len_bytes;
}

static int check_area(const struct bitlocker_geometry *g, const struct area *a, struct err *e)
{
	/* The last sector is the filesystem's backup boot sector. */
	uint64_t end_bytes = g->volume_bytes - g->sector_bytes;

	if (a->off_bytes < FVE_VBB_BYTES || a->off_bytes % g->sector_bytes ||
	    a->off_bytes > end_bytes || a->len_bytes > end_bytes - a->off_bytes)
		return err_set(e, EBADMSG,
			       "the %s cannot be at %" PRIu64 " of a volume of %" PRIu64 " bytes",
			       a->what, a->off_bytes, g->volume_bytes);
	return 0;
}

int geometry_check(const struct bitlocker_geometry *g, struct err *e)
{
	size_t n = g->ice_off_bytes ? AREAS : HIDDEN;
	struct area areas[AREAS];

	if (g->sector_bytes != 512 && g->sector_bytes != 4096)
		return err_set(e, EBADMSG, "sectors of %" PRIu32 " bytes", g->sector_bytes);
	if (g->volume_bytes < FVE_VBB_BYTES || g->volume_bytes > INT64_MAX ||
	    g->volume_bytes % g->sector_bytes)
		return err_set(e, EBADMSG, "a volume of %" PRIu64 " bytes", g->volume_bytes);
	list_areas(g, areas);
	for (size_t i = 0; i < n; i++) {
		int r = check_area(g, &areas[i], e);

		if (r < 0)
			return r;
		for (size_t k = 0; k < i; k++) {
			if (overlap(&areas[i], &areas[k]))
				return err_set(e, EBADMSG,
					       "the %s at %" PRIu64 " and the %s at %" PRIu64
					       " overlap",
					       areas[k].what, areas[k].off_bytes, areas[i].what,
					       areas[i].off_bytes);
		}
	}
	return 0;
}

struct bitlocker_span bitlocker_map(const struct bitlocker_geometry *g, uint64_t off_bytes,
				    uint64_t len_bytes)
{
	struct bitlocker_span span = {BITLOCKER_SPAN_DATA, off_bytes, len_bytes};
	struct area areas[AREAS];

	if (off_bytes < FVE_VBB_BYTES) {
		span.disk_off_bytes = g->vbb_off_bytes + off_bytes;
		span.len_bytes = MIN(len_bytes, FVE_VBB_BYTES - off_bytes);
		return span;
	}
	list_areas(g, areas);
	for (size_t i = 0; i < HIDDEN; i++) {
		uint64_t first = areas[i].off_bytes, end = first + areas[i].len_bytes;

		if (off_bytes >= first && off_bytes < end) {
			span.kind = BITLOCKER_SPAN_HOLE;
			span.len_bytes = MIN(len_bytes, end - off_bytes);
			return span;
		}
		if (off_bytes < first)
			span.len_bytes = MIN(span.len_bytes, first - off_bytes);
	}
	return span;
}
