/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Code 128 barcodes, ISO/IEC 15417: code set B, and code set C for runs of digits. Pure: text in,
 * symbol characters and bars out.
 */
#ifndef SEEDSHIP_REPORT_CODE128_H
#define SEEDSHIP_REPORT_CODE128_H

#include <stdint.h>

#include "common/base/buf.h"

#define CODE128_TEXT_MAX      64 /* characters; a drive id has 32 at most */
#define CODE128_QUIET_MODULES 10 /* of white that must stay free at either side */

/* The values of the symbol characters: start, text with its switches, check, stop. */
struct code128 {
	unsigned n;
	uint8_t values[2 * CODE128_TEXT_MAX + 3];
};

/* -EINVAL when text is empty, too long, or not printable ASCII. Then *ret is untouched. */
int code128_encode(const char *text, struct code128 *ret) _warn_unused_result_;

/* Width in modules, quiet zones included. */
unsigned code128_modules(const struct code128 *code);

/*
 * The bars as data of an SVG path that is to be filled, one module wide a unit, from y = 0 down to
 * y = height. The first bar stands behind the quiet zone.
 */
void code128_path(const struct code128 *code, unsigned height, struct buf *out);

#endif
