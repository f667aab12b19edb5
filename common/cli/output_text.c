/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists and tables in columns. Widths count code points: names from many languages stay aligned. */
#include "common/cli/output_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/macros.h"

#define INDENT 2

static size_t columns_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80; /* not a continuation byte */
	return n;
}

static void pad(FILE *out, size_t columns)
{
	(void)fprintf(out, "%*s", (int)columns, "");
}

/* "size_bytes" as people read it: "Size", in a table "SIZE". Returns out. */
static const char *label_of(const char *key, bool upper, char *out, size_t out_bytes)
{
	static const char unit[] = "_bytes";
	size_t len = strlen(key), tail = sizeof(unit) - 1;

	if (len > tail && strcmp(key + len - tail, unit) == 0)
		len -= tail;
	len = MIN(len, out_bytes - 1);
	for (size_t i = 0; i < len; i++) {
		if (key[i] == '_')
			out[i] = ' ';
		else
			out[i] = (char)(upper || i == 0 ? toupper((unsigned char)key[i]) : key[i]);
	}
	out[len] = '\0';
	return out;
}

static void print_list(json_t *object, size_t indent, FILE *out)
{
	size_t width = 0;
	char label[64];
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		if (json_is_string(value))
			width = MAX(width, strlen(label_of(key, false, label, sizeof(label))));
	}
	json_object_foreach (object, key, value) {
		if (!json_is_string(value))
			continue;
		pad(out, indent);
		(void)fprintf(out, "%s:", label_of(key, false, label, sizeof(label)));
		pad(out, width - strlen(label) + 2);
		(void)fprintf(out, "%s\n", json_string_value(value));
	}
}

static size_t column_width(json_t *rows, const char *key)
{
	char label[64];
	size_t width = columns_of(label_of(key, true, label, sizeof(label)));
	size_t i;
	json_t *row;

	json_array_foreach (rows, i, row) {
		const char *text = json_string_value(json_object_get(row, key));

		width = MAX(width, text ? columns_of(text) : 0);
	}
	return width;
}

/* One table as it is printed: the columns are the keys of the first row. */
struct table {
	json_t *first_row;   /* of texts */
	json_t *first_types; /* of typed values */
	json_t *widths;	     /* key to integer */
	size_t indent;
	FILE *out;
};

static void print_cell(const struct table *t, const char *key, const char *text, bool last)
{
	size_t width = (size_t)json_integer_value(json_object_get(t->widths, key));
	size_t left = width - MIN(width, columns_of(text));
	bool to_right = json_is_number(json_object_get(t->first_types, key));

	if (to_right)
		pad(t->out, left);
	(void)fputs(text, t->out);
	if (!to_right && !last)
		pad(t->out, left);
	(void)fputs(last ? "\n" : "  ", t->out);
}

static void print_row(const struct table *t, json_t *row)
{
	size_t n = json_object_size(t->first_row), i = 0;
	char label[64];
	const char *key, *text;
	json_t *unused _unused_;

	pad(t->out, t->indent);
	json_object_foreach (t->first_row, key, unused) {
		if (row)
			text = json_string_value(json_object_get(row, key));
		else
			text = label_of(key, true, label, sizeof(label));
		print_cell(t, key, text ? text : "", ++i == n);
	}
}

static void print_table(json_t *rows, const json_t *types, size_t indent, FILE *out)
{
	struct table t = {.indent = indent, .out = out};
	const char *key;
	json_t *row, *unused _unused_;
	size_t i;

	t.first_row = json_array_get(rows, 0);
	t.first_types = json_array_get(types, 0);
	if (!t.first_row) {
		pad(out, indent);
		(void)fputs("(none)\n", out);
		return;
	}
	t.widths = json_object();
	json_object_foreach (t.first_row, key, unused)
		(void)json_object_set_new(t.widths, key,
					  json_integer((json_int_t)column_width(rows, key)));
	print_row(&t, NULL);
	json_array_foreach (rows, i, row)
		print_row(&t, row);
	json_decref(t.widths);
}

static void print_object(json_t *people, const json_t *types, size_t indent, FILE *out);

/* A group or a table below its heading. A table that is all there is stands without one. */
static void print_nested(const char *key, json_t *value, const json_t *types, bool alone,
			 size_t indent, FILE *out)
{
	char label[64];

	if (!alone) {
		(void)fputc('\n', out);
		pad(out, indent);
		(void)fprintf(out, "%s:\n", label_of(key, false, label, sizeof(label)));
		indent += INDENT;
	}
	if (json_is_array(value))
		print_table(value, types, indent, out);
	else
		print_object(value, types, indent, out);
}

static void print_object(json_t *people, const json_t *types, size_t indent, FILE *out)
{
	bool alone = json_object_size(people) == 1;
	const char *key;
	json_t *value;

	print_list(people, indent, out);
	json_object_foreach (people, key, value) {
		if (!json_is_string(value))
			print_nested(key, value, json_object_get(types, key), alone, indent, out);
	}
}

void output_text_print(json_t *people, const json_t *types, FILE *out)
{
	print_object(people, types, 0, out);
}
