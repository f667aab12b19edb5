/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the elements of a drive manifest mean: values are checked and given to the handler. */
#include "exporter/manifest/values.h"

#include <string.h>

#include "common/base/units.h"
#include "exporter/manifest/drive_manifest.h"

static int parse_hash(const char *text, uint8_t ret[MD5_BYTES], struct err *e)
{
	if (strspn(text, "0123456789ABCDEF") != 2 * MD5_BYTES || text[2 * MD5_BYTES] ||
	    parse_hex(text, ret, MD5_BYTES) < 0)
		return err_set(e, EBADMSG, "hash '%.40s' is not 32 hex digits in upper case", text);
	return 0;
}

static int parse_number(const char *name, const char *text, uint64_t *ret, struct err *e)
{
	if (parse_u64(text, 0, INT64_MAX, ret, NULL) < 0)
		return err_set(e, EBADMSG, "%s '%.40s' is not a number of bytes", name, text);
	return 0;
}

static const char *value_of(const struct values *v, enum attribute attribute)
{
	return v->present & UINT32_C(1) << attribute ? v->attributes[attribute] : NULL;
}

/* What a function of the handler returned; remembers that it was the handler who ended the parse. */
static int answer(struct values *v, int r)
{
	v->handler_ended = r != 0;
	return r;
}

void values_done(struct values *v)
{
	buf_done(&v->blob_path);
	buf_done(&v->file_path);
}

static int begin_manifest(const struct values *v, struct err *e)
{
	const char *version = value_of(v, ATTRIBUTE_VERSION);

	if (strcmp(version, MANIFEST_VERSION) != 0)
		return err_set(e, EBADMSG, "version '%.40s' is not " MANIFEST_VERSION, version);
	return 0;
}

static int begin_list(struct values *v, bool pages, struct err *e)
{
	const struct manifest_handler *h = v->handler;
	int r = ranges_begin(&v->ranges, pages, v->length_bytes, e);

	if (r < 0)
		return r;
	if (buf_error(&v->blob_path) < 0 || buf_error(&v->file_path) < 0)
		return err_oom(e);
	if (!h->blob_begin)
		return 0;
	return answer(v, h->blob_begin(buf_text(&v->blob_path), buf_text(&v->file_path),
				       v->length_bytes, h->arg, e));
}

static int begin_range(struct values *v, bool pages, struct err *e)
{
	const struct manifest_handler *h = v->handler;
	struct manifest_range range = {.is_page = pages};
	uint64_t len_bytes = 0;
	int r;

	r = parse_number("Offset", value_of(v, ATTRIBUTE_OFFSET), &range.off_bytes, e);
	if (r == 0)
		r = parse_number("Length", value_of(v, ATTRIBUTE_LENGTH), &len_bytes, e);
	if (r == 0)
		r = parse_hash(value_of(v, ATTRIBUTE_HASH), range.md5, e);
	if (r == 0)
		r = ranges_add(&v->ranges, range.off_bytes, len_bytes, value_of(v, ATTRIBUTE_ID),
			       e);
	if (r < 0)
		return r;
	range.len_bytes = (uint32_t)len_bytes;
	return h->range ? answer(v, h->range(&range, h->arg, e)) : 0;
}

int values_begin(struct values *v, enum element element, struct err *e)
{
	switch (element) {
	case ELEMENT_MANIFEST:
		return begin_manifest(v, e);
	case ELEMENT_PAGE_LIST:
	case ELEMENT_BLOCK_LIST:
		return begin_list(v, element == ELEMENT_PAGE_LIST, e);
	case ELEMENT_PAGE:
	case ELEMENT_BLOCK:
		return begin_range(v, element == ELEMENT_PAGE, e);
	case ELEMENT_LIST_METADATA:
	case ELEMENT_LIST_PROPERTIES:
	case ELEMENT_METADATA:
	case ELEMENT_PROPERTIES:
		return parse_hash(value_of(v, ATTRIBUTE_HASH), v->sidecar_md5, e);
	default:
		return 0;
	}
}

static int end_drive_id(struct values *v, const char *text, struct err *e)
{
	const struct manifest_handler *h = v->handler;

	if (!*text || strpbrk(text, " \t\r\n"))
		return err_set(e, EBADMSG, "drive id '%.40s' is empty or has spaces", text);
	return h->drive_id ? answer(v, h->drive_id(text, h->arg, e)) : 0;
}

static int end_sidecar(struct values *v, const char *text, struct err *e)
{
	const struct manifest_handler *h = v->handler;

	if (text[0] != '\\')
		return err_set(e, EBADMSG, "'%.200s' is not a path on the drive", text);
	return h->sidecar ? answer(v, h->sidecar(text, v->sidecar_md5, h->arg, e)) : 0;
}

static int end_blob_path(struct values *v, const char *text, struct err *e)
{
	const char *slash = strchr(text, '/');

	if (!slash || slash == text || !slash[1])
		return err_set(e, EBADMSG, "'%.200s' is not a container and a blob", text);
	buf_reset(&v->blob_path);
	buf_puts(&v->blob_path, text);
	return 0;
}

static int end_file_path(struct values *v, const char *text, struct err *e)
{
	if (text[0] != '\\' || !text[1])
		return err_set(e, EBADMSG, "'%.200s' is not a path on the drive", text);
	buf_reset(&v->file_path);
	buf_puts(&v->file_path, text);
	return 0;
}

static int check_disposition(const char *text, struct err *e)
{
	if (strcmp(text, "rename") != 0 && strcmp(text, "no-overwrite") != 0 &&
	    strcmp(text, "overwrite") != 0)
		return err_set(e, EBADMSG, "disposition '%.40s' is unknown", text);
	return 0;
}

static int end_blob(struct values *v, struct err *e)
{
	const struct manifest_handler *h = v->handler;

	return h->blob_end ? answer(v, h->blob_end(h->arg, e)) : 0;
}

int values_end(struct values *v, enum element element, const char *text, struct err *e)
{
	switch (element) {
	case ELEMENT_DRIVE_ID:
		return end_drive_id(v, text, e);
	case ELEMENT_BLOB_PATH:
		return end_blob_path(v, text, e);
	case ELEMENT_FILE_PATH:
		return end_file_path(v, text, e);
	case ELEMENT_LENGTH:
		return parse_number("Length", text, &v->length_bytes, e);
	case ELEMENT_DISPOSITION:
		return check_disposition(text, e);
	case ELEMENT_LIST_METADATA:
	case ELEMENT_LIST_PROPERTIES:
	case ELEMENT_METADATA:
	case ELEMENT_PROPERTIES:
		return end_sidecar(v, text, e);
	case ELEMENT_PAGE_LIST:
	case ELEMENT_BLOCK_LIST:
		return ranges_end(&v->ranges, e);
	case ELEMENT_BLOB:
		return end_blob(v, e);
	default:
		return 0;
	}
}
