/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A result is two documents of the same shape: `json` with what programs get, `people` where every
 * value is the text people get. output_text.c prints the second.
 */
#include "common/cli/output.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "common/cli/output_text.h"
#include "common/ext/json.h"
#include "common/ext/utf16.h"

#define DEPTH_MAX 6

struct output {
	json_t *json[DEPTH_MAX]; /* what is open, lent from [0], the root, which is owned */
	json_t *people[DEPTH_MAX];
	unsigned depth;
	bool failed;
};

int output_new(const char *schema, struct output **ret, struct err *e)
{
	_cleanup_(output_freep) struct output *o = calloc(1, sizeof(*o));

	if (!o)
		return err_oom(e);
	o->json[0] = json_object();
	o->people[0] = json_object();
	if (!o->json[0] || !o->people[0] ||
	    json_object_set_new(o->json[0], "schema", json_string(schema)) < 0)
		return err_oom(e);
	*ret = take_ptr(o);
	return 0;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	json_decref(o->json[0]);
	json_decref(o->people[0]);
	free(o);
}

/* Takes both values. */
static void put(struct output *o, const char *key, json_t *value, json_t *text)
{
	if (json_object_set_new(o->json[o->depth], key, value) < 0)
		o->failed = true;
	if (json_object_set_new(o->people[o->depth], key, text) < 0)
		o->failed = true;
}

static bool is_control(uint32_t code_point)
{
	return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

/* The text as a JSON string; bytes that are not UTF-8, and control characters if asked, as \xHH. */
static json_t *escaped(const char *text, bool escape_controls)
{
	size_t left = strlen(text);
	struct buf b = BUF_INIT;
	json_t *value = NULL;

	while (left) {
		uint32_t code_point = 0;
		size_t n = utf8_decode(text, left, &code_point);

		if (n == 0 || (escape_controls && is_control(code_point))) {
			n = n ? n : 1;
			for (size_t i = 0; i < n; i++)
				buf_printf(&b, "\\x%02X", (unsigned char)text[i]);
		} else {
			buf_put(&b, text, n);
		}
		text += n;
		left -= n;
	}
	if (buf_error(&b) == 0)
		value = json_string(buf_text(&b));
	buf_done(&b);
	return value;
}

void output_text(struct output *o, const char *key, const char *text)
{
	if (text)
		put(o, key, escaped(text, false), escaped(text, true));
	else
		put(o, key, json_null(), json_string("-"));
}

void output_bool(struct output *o, const char *key, bool value)
{
	put(o, key, json_boolean(value), json_string(value ? "yes" : "no"));
}

static json_t *json_u64(uint64_t value)
{
	return json_integer((json_int_t)MIN(value, (uint64_t)INT64_MAX));
}

void output_number(struct output *o, const char *key, uint64_t value)
{
	put(o, key, json_u64(value), json_sprintf("%" PRIu64, value));
}

void output_size(struct output *o, const char *key, uint64_t bytes)
{
	char text[32];

	put(o, key, json_u64(bytes), json_string(format_size(bytes, text, sizeof(text))));
}

void output_time(struct output *o, const char *key, uint64_t ns_since_1970)
{
	char text[32];

	if (ns_since_1970)
		output_text(o, key, format_time_utc(ns_since_1970, text, sizeof(text)));
	else
		output_text(o, key, NULL);
}

void output_percent(struct output *o, const char *key, uint64_t part, uint64_t whole)
{
	uint64_t percent = whole ? (uint64_t)((double)part * 100 / (double)whole) : 0;

	put(o, key, json_u64(percent), json_sprintf("%" PRIu64 " %%", percent));
}

/* Opens a new container inside the open one: under key, or at the end when that is an array. */
static void open_inside(struct output *o, const char *key, json_t *(*create)(void))
{
	json_t *json = create(), *people = create();

	assert(o->depth + 1 < DEPTH_MAX);
	if (json_is_array(o->json[o->depth])) {
		if (json_array_append_new(o->json[o->depth], json) < 0 ||
		    json_array_append_new(o->people[o->depth], people) < 0)
			o->failed = true;
	} else {
		put(o, key, json, people);
	}
	o->depth++;
	o->json[o->depth] = json;
	o->people[o->depth] = people;
}

void output_open_group(struct output *o, const char *key)
{
	open_inside(o, key, json_object);
}

void output_open_table(struct output *o, const char *key)
{
	open_inside(o, key, json_array);
}

void output_open_row(struct output *o)
{
	open_inside(o, NULL, json_object);
}

void output_close(struct output *o)
{
	assert(o->depth > 0);
	o->depth--;
}

int output_print(const struct output *o, bool json, FILE *out, struct err *e)
{
	if (o->failed)
		return err_oom(e);
	if (!json) {
		output_text_print(o->people[0], o->json[0], out);
		return 0;
	}
	(void)json_dumpf(o->json[0], out, JSON_INDENT(2));
	(void)fputc('\n', out);
	return 0;
}
