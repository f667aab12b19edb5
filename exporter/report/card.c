/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The card of one drive. */
#include "exporter/report/card.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "exporter/report/code128.h"
#include "exporter/report/template.h"

/* Modules are this wide, or less where a card, 93 mm, has no room for that. */
#define MODULE_UM	400
#define BARCODE_MAX_UM	88000
#define BARCODE_HEIGHT	20
#define LONG_CHARACTERS 20 /* a serial number with more is set in a smaller size */
#define SIZE_BYTES	32

const char *card_number(uint64_t n, char out[CARD_NUMBER_BYTES])
{
	char plain[CARD_NUMBER_BYTES];
	size_t len = (size_t)snprintf(plain, sizeof(plain), "%" PRIu64, n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = plain[i];
	}
	out[at] = '\0';
	return out;
}

static const char *state_text(enum report_state state)
{
	switch (state) {
	case REPORT_VERIFIED:
		return "\xe2\x9c\x93 Verified"; /* check mark */
	case REPORT_SEALED:
		return "Sealed, not read back";
	case REPORT_UNFIT:
	default:
		return "DO NOT SHIP";
	}
}

static int put_barcode(const char *drive_id, struct buf *out, struct err *e)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	char width[16], modules[16];
	struct code128 code;
	unsigned n;

	if (code128_encode(drive_id, &code) < 0)
		return template_put(out, "no-barcode", &TEMPLATE_END, e);
	n = code128_modules(&code);
	code128_path(&code, BARCODE_HEIGHT, &path);
	if (buf_error(&path) < 0)
		return err_oom(e);
	(void)snprintf(modules, sizeof(modules), "%u", n);
	(void)snprintf(width, sizeof(width), "%.3f",
		       (double)MIN(n * MODULE_UM, (unsigned)BARCODE_MAX_UM) / 1000);
	return template_put(out, "barcode",
			    (const struct template_value[]){{"drive_id", drive_id},
							    {"width", width},
							    {"modules", modules},
							    {"path", buf_text(&path)},
							    TEMPLATE_END},
			    e);
}

/* Of 1000; what there is shows, and what is not full does not look full. */
static unsigned filled(const struct report_drive *drive)
{
	double part;

	if (drive->content_bytes == 0 || drive->capacity_bytes == 0)
		return 0;
	if (drive->content_bytes >= drive->capacity_bytes)
		return 1000;
	part = (double)drive->content_bytes / (double)drive->capacity_bytes;
	return (unsigned)(1 + 998 * part);
}

static const char *size_text(uint64_t bytes, char out[2 * SIZE_BYTES + CARD_NUMBER_BYTES])
{
	char size[SIZE_BYTES], number[CARD_NUMBER_BYTES];

	(void)snprintf(out, 2 * SIZE_BYTES + CARD_NUMBER_BYTES, "%s (%s bytes)",
		       format_size(bytes, size, sizeof(size)), card_number(bytes, number));
	return out;
}

static int put_content(const struct report_drive *drive, struct buf *out, struct err *e)
{
	char bar[16], percent[16], files[CARD_NUMBER_BYTES], content[SIZE_BYTES];
	char capacity[SIZE_BYTES], size[2 * SIZE_BYTES + CARD_NUMBER_BYTES];
	unsigned thousandths = filled(drive);

	(void)snprintf(bar, sizeof(bar), "%u", thousandths);
	(void)snprintf(percent, sizeof(percent),
		       thousandths > 0 && thousandths < 10 ? "<1 %%" : "%u %%", thousandths / 10);
	return template_put(
		out, "content",
		(const struct template_value[]){
			{"planned", drive->state == REPORT_UNFIT ? "planned: " : NULL},
			{"filled", bar},
			{"percent", percent},
			{"content", format_size(drive->content_bytes, content, sizeof(content))},
			{"capacity",
			 format_size(drive->capacity_bytes, capacity, sizeof(capacity))},
			{"files", card_number(drive->files, files)},
			{"size", size_text(drive->size_bytes, size)},
			{"manifest", drive->manifest_md5 ? drive->manifest_md5
							 : "not known before it is sealed"},
			{"journal", drive->journal},
			TEMPLATE_END},
		e);
}

static int put_head(const struct report_drive *drive, size_t number, size_t n_drives,
		    struct buf *out, struct err *e)
{
	char this[CARD_NUMBER_BYTES], all[CARD_NUMBER_BYTES];
	bool is_long = strlen(drive->drive_id) > LONG_CHARACTERS;

	return template_put(out, "drive-begin",
			    (const struct template_value[]){
				    {"fitness", drive->state == REPORT_UNFIT ? "unfit" : "fit"},
				    {"number", card_number(number, this)},
				    {"drives", card_number(n_drives, all)},
				    {"state", state_text(drive->state)},
				    {"length", is_long ? "long" : "short"},
				    {"drive_id", drive->drive_id},
				    TEMPLATE_END},
			    e);
}

int card_put(const struct report_drive *drive, size_t number, size_t n_drives, struct buf *out,
	     struct err *e)
{
	const struct template_value why[] = {{"why", drive->why}, TEMPLATE_END};
	int r = put_head(drive, number, n_drives, out, e);

	if (r == 0)
		r = put_barcode(drive->drive_id, out, e);
	if (r == 0)
		r = put_content(drive, out, e);
	if (r == 0)
		r = template_put(out, drive->state == REPORT_UNFIT ? "unfit" : "packed", why, e);
	if (r == 0)
		r = template_put(out, "drive-end", &TEMPLATE_END, e);
	return r;
}
