/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a record to its text; the way back is record_decode.c. */
#include "exporter/journal/record.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/ext/secret.h"
#include "exporter/journal/record_text.h"

void record_add(struct record *r, const char *key, const char *value)
{
	if (!value)
		return;
	assert(r->n_fields < RECORD_FIELDS_MAX);
	r->fields[r->n_fields++] = (struct record_field){key, value};
}

const char *record_get(const struct record *r, const char *key)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		if (strcmp(r->fields[i].key, key) == 0)
			return r->fields[i].value;
	}
	return NULL;
}

/* Letters and digits, at least one. */
bool record_is_word(const char *text, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++) {
		if (!isalnum((unsigned char)text[i]))
			return false;
	}
	return len_bytes > 0;
}

static bool is_end(const char *line, size_t len_bytes)
{
	return (len_bytes == strlen(RECORD_END) && memcmp(line, RECORD_END, len_bytes) == 0) ||
	       (len_bytes == strlen(RECORD_END_VALUE) &&
		memcmp(line, RECORD_END_VALUE, len_bytes) == 0);
}

/* Whether the value's text form can be read back: see record_encode(). */
static bool is_writable(const char *value)
{
	const char *line = value;

	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p < 0x20 && *p != '\n' && *p != '\t')
			return false;
	}
	while (line) {
		size_t len = strcspn(line, "\n");

		if (is_end(line, len))
			return false;
		line = line[len] ? line + len + 1 : NULL;
	}
	return true;
}

static int check(const struct record *r, struct err *e)
{
	if (!record_is_word(r->type, strlen(r->type)))
		return err_set(e, EINVAL, "journal: bad record type '%s'", r->type);
	for (size_t i = 0; i < r->n_fields; i++) {
		if (!record_is_word(r->fields[i].key, strlen(r->fields[i].key)))
			return err_set(e, EINVAL, "journal: bad key '%s'", r->fields[i].key);
		if (!is_writable(r->fields[i].value))
			return err_set(e, EINVAL, "journal: value of %s has control characters",
				       r->fields[i].key);
	}
	return 0;
}

/* Room for the text form: a line end of a value is two bytes. */
static size_t bound(const struct record *r)
{
	size_t n = 256 + strlen(r->type);

	for (size_t i = 0; i < r->n_fields; i++)
		n += strlen(r->fields[i].key) + 2 * strlen(r->fields[i].value) + 64;
	return n;
}

static char *put(char *out, const char *text, size_t len_bytes)
{
	memcpy(out, text, len_bytes);
	return out + len_bytes;
}

static char *put_text(char *out, const char *text)
{
	return put(out, text, strlen(text));
}

static char *put_header(char *out, const struct record *r)
{
	time_t seconds = (time_t)(r->time_ns / NSEC_PER_SEC);
	unsigned ms = (unsigned)(r->time_ns % NSEC_PER_SEC / 1000000);
	char stamp[64] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		(void)strftime(stamp, sizeof(stamp), "%Y/%m/%d %H:%M:%S", &tm);
	out = put_text(put_text(out, RECORD_BEGIN "["), stamp);
	(void)snprintf(stamp, sizeof(stamp), ".%03u", ms);
	out = put_text(put_text(out, stamp), "]" RECORD_TYPE);
	return put_text(put_text(out, r->type), "]\r\n");
}

static char *put_field(char *out, const struct record_field *field)
{
	const char *line = field->value;

	out = put_text(put_text(out, field->key), ": ");
	if (!strchr(line, '\n') && strcmp(line, RECORD_BEGIN_VALUE) != 0)
		return put_text(put_text(out, line), "\r\n");
	out = put_text(out, RECORD_BEGIN_VALUE "\r\n");
	while (line) {
		size_t len = strcspn(line, "\n");

		out = put_text(put(out, line, len), "\r\n");
		line = line[len] ? line + len + 1 : NULL;
	}
	return put_text(out, RECORD_END_VALUE "\r\n");
}

int record_encode(const struct record *r, char **ret, size_t *ret_bytes, struct err *e)
{
	_cleanup_secret_ void *text = NULL;
	int result = check(r, e);
	char *out;

	if (result == 0)
		result = secret_alloc(bound(r), &text, e);
	if (result < 0)
		return result;
	out = put_header(text, r);
	for (size_t i = 0; i < r->n_fields; i++)
		out = put_field(out, &r->fields[i]);
	out = put_text(out, RECORD_END "\r\n");
	*out = '\0';
	*ret_bytes = (size_t)(out - (char *)text);
	*ret = take_ptr(text);
	return 0;
}
