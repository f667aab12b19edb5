/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The packing slip: for each parcel a sheet with everything about the job and the first drives,
 * then sheets with the others.
 */
#include "exporter/report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "exporter/report/card.h"
#include "exporter/report/template.h"

#define TEXT_BYTES 128

/* What fits on a line of the first sheet, in bytes of text, and how many lines more than usual do. */
#define JOB_LINE     36
#define GOAL_LINE    15
#define ADDRESS_LINE 26
#define SPARE_LINES  3

static size_t count_sheets(size_t n_drives)
{
	return n_drives == 0 ? 1 : (n_drives - 1) / REPORT_DRIVES_PER_SHEET + 1;
}

static size_t count_state(const struct report_parcel *parcel, enum report_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < parcel->n_drives; i++)
		n += parcel->drives[i].state == state;
	return n;
}

/* ---- the blocks of the first sheet ---- */

/* What is not finished, before anything else. */
static int put_alert(const struct report_parcel *parcel, struct buf *out, struct err *e)
{
	size_t n = count_state(parcel, REPORT_UNFIT);
	char unfit[TEXT_BYTES];

	if (n == 0)
		return 0;
	(void)snprintf(unfit, sizeof(unfit), "%zu of %zu drives %s not finished.", n,
		       parcel->n_drives, n == 1 ? "is" : "are");
	return template_put(out, "alert",
			    (const struct template_value[]){{"unfit", unfit}, TEMPLATE_END}, e);
}

static int put_goal(const struct report *report, struct buf *out, struct err *e)
{
	_cleanup_free_ char *container = NULL;

	if (asprintf(&container, "%s%s%s", report->container, report->blob_prefix ? "/" : "",
		     report->blob_prefix ? report->blob_prefix : "") < 0) {
		container = NULL;
		return err_oom(e);
	}
	return template_put(out, "goal",
			    (const struct template_value[]){{"location", report->location},
							    {"account", report->storage_account},
							    {"container", container},
							    TEMPLATE_END},
			    e);
}

/* Lines that are not given are left out. */
static int put_address(const struct report_address *a, struct buf *out, struct err *e)
{
	_cleanup_free_ char *city = NULL;
	int r;

	if (asprintf(&city, "%s %s%s%s", a->postal_code, a->city, a->state ? ", " : "",
		     a->state ? a->state : "") < 0) {
		city = NULL;
		return err_oom(e);
	}
	r = template_put(out, "address-begin",
			 (const struct template_value[]){{"recipient", a->recipient}, TEMPLATE_END},
			 e);
	const char *const lines[] = {a->street, a->street2, city, a->country, a->phone, a->email};

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lines); i++) {
		if (lines[i])
			r = template_put(
				out, "address-line",
				(const struct template_value[]){{"line", lines[i]}, TEMPLATE_END},
				e);
	}
	return r < 0 ? r : template_put(out, "address-end", &TEMPLATE_END, e);
}

/* What is not known is a line to write on. */
static int put_fact(const char *label, const char *value, struct buf *out, struct err *e)
{
	return template_put(
		out, value ? "fact" : "blank",
		(const struct template_value[]){{"label", label}, {"value", value}, TEMPLATE_END},
		e);
}

/* Dots and the last four characters; dots alone when there are not more than four. */
static int mask_account(const char *account, char **ret, struct err *e)
{
	const char *shown = account + strlen(account);
	int left = 4;

	while (left > 0 && shown > account) {
		shown--;
		left -= ((unsigned char)*shown & 0xc0) != 0x80; /* not inside a character */
	}
	if (asprintf(ret, "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2%s",
		     shown > account ? shown : "") < 0) {
		*ret = NULL;
		return err_oom(e);
	}
	return 0;
}

static int put_carriage(const struct report *report, struct buf *out, struct err *e)
{
	_cleanup_free_ char *account = NULL;
	int r = template_put(out, "carriage-begin", &TEMPLATE_END, e);

	if (r == 0)
		r = put_fact("Carrier", report->carrier, out, e);
	if (r == 0)
		r = put_fact("Tracking number", report->tracking, out, e);
	if (r == 0)
		r = put_fact("Return carrier", report->return_carrier, out, e);
	if (r == 0 && report->return_account)
		r = mask_account(report->return_account, &account, e);
	if (r == 0 && (account || report->return_carrier))
		r = put_fact("Return account", account, out, e);
	return r < 0 ? r : template_put(out, "carriage-end", &TEMPLATE_END, e);
}

static int put_totals(const struct report_parcel *parcel, struct buf *out, struct err *e)
{
	char drives[CARD_NUMBER_BYTES], files[CARD_NUMBER_BYTES], size[CARD_NUMBER_BYTES];
	char verified[TEXT_BYTES];
	uint64_t n_files = 0, size_bytes = 0;

	for (size_t i = 0; i < parcel->n_drives; i++) {
		n_files += parcel->drives[i].files;
		size_bytes += parcel->drives[i].size_bytes;
	}
	(void)snprintf(verified, sizeof(verified), "%zu of %zu",
		       count_state(parcel, REPORT_VERIFIED), parcel->n_drives);
	return template_put(out, "totals",
			    (const struct template_value[]){
				    {"drives", card_number(parcel->n_drives, drives)},
				    {"verified", verified},
				    {"files", card_number(n_files, files)},
				    {"size", format_size(size_bytes, size, sizeof(size))},
				    TEMPLATE_END},
			    e);
}

/* ---- sheets ---- */

static size_t length_of(const char *text)
{
	return text ? strlen(text) : 0;
}

/* Long texts are set smaller, so that the sheet holds its four drives all the same. */
static const char *density_of(const struct report *report, const struct report_parcel *parcel)
{
	const struct report_address *a = &report->return_address;
	const char *const texts[] = {a->recipient,
				     a->street,
				     a->street2,
				     a->city,
				     a->state,
				     a->country,
				     a->phone,
				     a->email,
				     report->carrier,
				     report->tracking,
				     report->return_carrier};
	size_t goal = length_of(report->container) + length_of(report->blob_prefix);
	size_t lines = goal / GOAL_LINE;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		lines += length_of(texts[i]) / ADDRESS_LINE;
	return lines > SPARE_LINES || strlen(parcel->job) > JOB_LINE ? "dense" : "roomy";
}

static int put_head(const struct report *report, size_t parcel, size_t sheet, struct buf *out,
		    struct err *e)
{
	const struct report_parcel *p = &report->parcels[parcel];
	char of[TEXT_BYTES], this[CARD_NUMBER_BYTES], all[CARD_NUMBER_BYTES];
	char utc[32], made[TEXT_BYTES];

	(void)snprintf(of, sizeof(of), "Parcel %zu of %zu", parcel + 1, report->n_parcels);
	(void)format_time_utc(report->made_ns, utc, sizeof(utc));
	(void)snprintf(made, sizeof(made), "%.10s %.5s UTC", utc, utc + 11);
	return template_put(out, sheet == 0 ? "first-sheet" : "next-sheet",
			    (const struct template_value[]){
				    {"density", density_of(report, p)},
				    {"job", p->job},
				    {"parcel", of},
				    {"sheet", card_number(sheet + 1, this)},
				    {"sheets", card_number(count_sheets(p->n_drives), all)},
				    {"made", made},
				    TEMPLATE_END},
			    e);
}

static int put_job_blocks(const struct report *report, const struct report_parcel *parcel,
			  struct buf *out, struct err *e)
{
	int r = put_alert(parcel, out, e);

	if (r == 0)
		r = put_goal(report, out, e);
	if (r == 0)
		r = put_address(&report->return_address, out, e);
	if (r == 0)
		r = put_carriage(report, out, e);
	if (r == 0)
		r = put_totals(parcel, out, e);
	return r < 0 ? r : template_put(out, "parcel", &TEMPLATE_END, e);
}

static int put_drives(const struct report_parcel *parcel, size_t sheet, struct buf *out,
		      struct err *e)
{
	size_t first = sheet * REPORT_DRIVES_PER_SHEET;
	size_t end = MIN(first + REPORT_DRIVES_PER_SHEET, parcel->n_drives);
	int r;

	if (parcel->n_drives == 0)
		return template_put(out, "no-drives", &TEMPLATE_END, e);
	r = template_put(out, "drives-begin", &TEMPLATE_END, e);
	for (size_t i = first; r == 0 && i < end; i++)
		r = card_put(&parcel->drives[i], i + 1, parcel->n_drives, out, e);
	return r < 0 ? r : template_put(out, "drives-end", &TEMPLATE_END, e);
}

static int put_sheet(const struct report *report, size_t parcel, size_t sheet, struct buf *out,
		     struct err *e)
{
	const struct report_parcel *p = &report->parcels[parcel];
	int r = put_head(report, parcel, sheet, out, e);

	if (r == 0 && sheet == 0)
		r = put_job_blocks(report, p, out, e);
	if (r == 0)
		r = put_drives(p, sheet, out, e);
	return r < 0 ? r : template_put(out, "sheet-end", &TEMPLATE_END, e);
}

int report_write(const struct report *report, struct buf *out, struct err *e)
{
	const char *title = report->n_parcels ? report->parcels[0].job : "no job";
	int r = template_put(out, "page-begin",
			     (const struct template_value[]){
				     {"title", title}, {"version", report->version}, TEMPLATE_END},
			     e);

	for (size_t i = 0; r == 0 && i < report->n_parcels; i++)
		for (size_t j = 0; r == 0 && j < count_sheets(report->parcels[i].n_drives); j++)
			r = put_sheet(report, i, j, out, e);
	if (r == 0)
		r = template_put(out, "page-end", &TEMPLATE_END, e);
	if (r < 0)
		return err_wrap(e, r, "packing slip");
	return buf_error(out) < 0 ? err_oom(e) : 0;
}
