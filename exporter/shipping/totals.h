/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lies on a drive, in sums. */
#ifndef SEEDSHIP_SHIPPING_TOTALS_H
#define SEEDSHIP_SHIPPING_TOTALS_H

#include <stdint.h>

#include "exporter/shipping/shipping.h"

/* Files that changed are not counted: they are not in the manifest. */
struct shipping_totals {
	uint64_t files;
	uint64_t size_bytes;	/* of the blobs they become */
	uint64_t content_bytes; /* of these on the drive: a hard link has none of its own */
};

/* Reads every placement of the drive: a second for some millions. */
int shipping_drive_totals(struct shipping *s, int64_t drive, struct shipping_totals *ret,
			  struct err *e) _warn_unused_result_;

#endif
