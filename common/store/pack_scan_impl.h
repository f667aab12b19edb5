/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of struct pack_scan share: its window, what a record begins with, the look at a gap. */
#ifndef SEEDSHIP_STORE_PACK_SCAN_IMPL_H
#define SEEDSHIP_STORE_PACK_SCAN_IMPL_H

#include <stdbool.h>

#include "common/store/pack_scan.h"

/* The first bytes of each record, as a string; RECORD_MAGIC stands 8 bytes later. */
#define SKIPPABLE_MAGIC	   "\x53\x2A\x4D\x18"
#define RECORD_MAGIC_AT	   8
#define RECORD_MAGIC_BYTES 4 /* of each of the two */

/* No header of a type that is known is longer. */
#define HEADER_BYTES_MAX (72 + FRAME_PATH_MAX_BYTES + 4)

struct pack_scan {
	int fd;
	const uint8_t *uuid;
	uint64_t end_bytes;
	uint64_t next_bytes; /* where the next span begins */
	uint8_t *window;     /* FRAME_HEADER_MAX_BYTES of room */
	uint64_t window_off_bytes;
	size_t window_bytes;
};

/*
 * Bytes of the pack from off_bytes on: at least want_bytes of them unless the pack ends before. Reads
 * more when the window ends there, that is when the caller goes on byte by byte.
 */
int pack_scan_look(struct pack_scan *s, uint64_t off_bytes, size_t want_bytes, const uint8_t **ret,
		   size_t *ret_bytes, struct err *e);

/* The next byte that is no hole of the file, from off_bytes on; the end if there is none. */
uint64_t pack_scan_skip_hole(const struct pack_scan *s, uint64_t off_bytes);

/*
 * Whether the gap [off, end), in which no whole header is, is what giving space back leaves, be it cut short by a
 * power cut: the beginning of a header at most, then zeros, and between them parts of dead records.
 */
int pack_scan_is_punched(struct pack_scan *s, uint64_t off_bytes, uint64_t end_bytes, bool *ret,
			 struct err *e);

#endif
