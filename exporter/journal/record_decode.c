/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the text of a journal to records, line by line and in place: values are cut out of the text
 * by putting NULs at their ends. A line without its end is the last one of the text; only the
 * record's own last line is good without.
 */
#include "exporter/journal/record.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "exporter/journal/record_text.h"

struct lines {
	char *text;
	size_t len_bytes;
	size_t pos_bytes; /* of the next line */
	unsigned count;	  /* lines read */
};

struct line {
	char *text; /* not terminated */
	size_t len_bytes;
	bool ended; /* its line end is there */
};

static bool next_line(struct lines *l, struct line *ret)
{
	char *start = l->text + l->pos_bytes, *end;
	size_t left = l->len_bytes - l->pos_bytes;

	if (left == 0)
		return false;
	end = memchr(start, '\n', left);
	*ret = (struct line){start, end ? (size_t)(end - start) : left, end != NULL};
	l->pos_bytes += ret->len_bytes + ret->ended;
	l->count++;
	if (ret->len_bytes && start[ret->len_bytes - 1] == '\r')
		ret->len_bytes--;
	return true;
}

static bool line_is(const struct line *line, const char *text)
{
	return line->len_bytes == strlen(text) && memcmp(line->text, text, line->len_bytes) == 0;
}

/* Characters no line has: a CR inside is a line end that lost its LF. */
static bool has_stray(const struct line *line)
{
	return memchr(line->text, '\0', line->len_bytes) ||
	       memchr(line->text, '\r', line->len_bytes);
}

/* Whether line and word are the same as far as the shorter one goes. */
static bool may_begin_with(const struct line *line, const char *word)
{
	size_t n = strlen(word);

	return memcmp(line->text, word, line->len_bytes < n ? line->len_bytes : n) == 0;
}

/* Reads exactly n digits. */
static bool take_digits(const char **p, unsigned n, int *ret)
{
	int v = 0;

	for (; n; n--, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return false;
		v = v * 10 + (**p - '0');
	}
	*ret = v;
	return true;
}

/* "2016/11/02 18:24:14.749]" */
static bool parse_time(const char **p, uint64_t *ret_ns)
{
	static const char after[] = "// ::.]";
	static const unsigned digits[] = {4, 2, 2, 2, 2, 2, 3};
	struct tm tm = {0};
	int ms = 0;
	int *const values[] = {&tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
			       &tm.tm_min,  &tm.tm_sec, &ms};
	time_t seconds;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (!take_digits(p, digits[i], values[i]) || **p != after[i])
			return false;
		(*p)++;
	}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = timegm(&tm);
	if (seconds < 0)
		return false;
	*ret_ns = (uint64_t)seconds * NSEC_PER_SEC + (uint64_t)ms * 1000000;
	return true;
}

static bool skip_word(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

/* The line is complete: terminate it and take it apart. */
static int parse_header(const struct line *line, struct record *r)
{
	const char *p = line->text;
	char *end = line->text + line->len_bytes;

	*end = '\0';
	if (!skip_word(&p, RECORD_BEGIN "[") || !parse_time(&p, &r->time_ns) ||
	    !skip_word(&p, RECORD_TYPE))
		return -EBADMSG;
	if (end - p < 2 || end[-1] != ']' || !record_is_word(p, (size_t)(end - 1 - p)))
		return -EBADMSG;
	end[-1] = '\0';
	r->type = p;
	return 0;
}

/* Whether an unfinished line can be the beginning of a line of a record's body. */
static bool is_torn_line(const struct line *line)
{
	size_t n = 0;

	if (line->text[0] == '[')
		return line->len_bytes < strlen(RECORD_END) && may_begin_with(line, RECORD_END);
	while (n < line->len_bytes && isalnum((unsigned char)line->text[n]))
		n++;
	return n == line->len_bytes || (n > 0 && line->text[n] == ':');
}

/*
 * A value of several lines: moved together where CR LF becomes LF. No value has a line RECORD_END:
 * one whose own end is damaged must not swallow the records behind it.
 */
static int parse_long_value(struct lines *l, const char **ret)
{
	char *start = l->text + l->pos_bytes, *out = start;
	struct line line;

	while (next_line(l, &line)) {
		if (!line.ended)
			return -ENODATA;
		if (has_stray(&line) || line_is(&line, RECORD_END))
			return -EBADMSG;
		if (line_is(&line, RECORD_END_VALUE)) {
			out[out > start ? -1 : 0] = '\0';
			*ret = start;
			return 0;
		}
		memmove(out, line.text, line.len_bytes);
		out += line.len_bytes;
		*out++ = '\n';
	}
	return -ENODATA;
}

static int parse_field(struct lines *l, const struct line *line, struct record *r)
{
	char *colon = memchr(line->text, ':', line->len_bytes);
	struct record_field *field = &r->fields[r->n_fields];
	size_t key_bytes = colon ? (size_t)(colon - line->text) : 0;
	char *value;

	if (has_stray(line) || !record_is_word(line->text, key_bytes) ||
	    r->n_fields == RECORD_FIELDS_MAX)
		return -EBADMSG;
	*colon = '\0';
	line->text[line->len_bytes] = '\0';
	value = colon + 1;
	value += *value == ' ';
	*field = (struct record_field){line->text, value};
	r->n_fields++;
	if (strcmp(value, RECORD_BEGIN_VALUE) == 0)
		return parse_long_value(l, &field->value);
	return 0;
}

/* Everything after the header, up to and with the last line. */
static int parse_body(struct lines *l, struct record *r)
{
	struct line line;
	int result;

	while (next_line(l, &line)) {
		if (line_is(&line, RECORD_END))
			return 0;
		if (!line.ended)
			return is_torn_line(&line) ? -ENODATA : -EBADMSG;
		result = parse_field(l, &line, r);
		if (result < 0)
			return result;
	}
	return -ENODATA;
}

static int parse_record(struct lines *l, struct record *r)
{
	struct line line;
	int result;

	do {
		if (!next_line(l, &line))
			return -ENODATA;
	} while (line.len_bytes == 0);
	if (!may_begin_with(&line, RECORD_BEGIN))
		return -EBADMSG;
	if (!line.ended)
		return -ENODATA;
	result = parse_header(&line, r);
	return result < 0 ? result : parse_body(l, r);
}

int record_decode(char *text, size_t len_bytes, struct record *ret, size_t *ret_bytes,
		  unsigned *ret_lines)
{
	struct lines lines = {.text = text, .len_bytes = len_bytes};
	struct record r = {0};
	int result = parse_record(&lines, &r);

	*ret_lines = lines.count;
	if (result < 0)
		return result;
	*ret = r;
	*ret_bytes = lines.pos_bytes;
	return 0;
}
