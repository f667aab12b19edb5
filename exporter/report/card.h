/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The card of one drive on the packing slip, and how numbers are written there. */
#ifndef SEEDSHIP_REPORT_CARD_H
#define SEEDSHIP_REPORT_CARD_H

#include "exporter/report/report.h"

/* Appends the card of the drive with this number, from 1, of n_drives. */
int card_put(const struct report_drive *drive, size_t number, size_t n_drives, struct buf *out,
	     struct err *e) _warn_unused_result_;

#define CARD_NUMBER_BYTES 32

/* "13,320". Returns out. */
const char *card_number(uint64_t n, char out[CARD_NUMBER_BYTES]);

#endif
