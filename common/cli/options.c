/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a table of options to getopt_long(3) and back to values. */
#include "common/cli/options.h"

#include <assert.h>
#include <getopt.h>
#include <string.h>

#include "common/base/units.h"

#define OPTIONS_MAX 64
#define FIRST_CODE  256 /* getopt codes of the slots: beyond any letter */

const struct option_row option_common_rows[] = {
	{"help", 'h', OPTION_FLAG, NULL, "display this help", offsetof(struct option_common, help)},
	{"version", 'V', OPTION_FLAG, NULL, "display the version",
	 offsetof(struct option_common, version)},
	{"list-options", 0, OPTION_FLAG, NULL, "list what may follow, for shell completion",
	 offsetof(struct option_common, list_options)},
	{"manual", 0, OPTION_FLAG, NULL, "print the manual page's part about commands",
	 offsetof(struct option_common, manual)},
	OPTION_END,
};

/* One option as getopt knows it: code FIRST_CODE + its index here. */
struct slot {
	const struct option_row *row;
	void *value;
};

struct parser {
	size_t n;
	struct slot slots[OPTIONS_MAX];
	struct option names[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 2];
};

bool option_is_end(const struct option_row *row)
{
	return !row->name && !row->help;
}

bool option_is_heading(const struct option_row *row)
{
	return !row->name && row->help;
}

static void add_slot(struct parser *p, const struct option_row *row, void *values)
{
	bool has_argument = row->kind != OPTION_FLAG;
	char letter[] = {row->letter, has_argument ? ':' : '\0', '\0'};

	assert(p->n < OPTIONS_MAX);
	p->slots[p->n] = (struct slot){row, (char *)values + row->offset};
	p->names[p->n] = (struct option){row->name, has_argument ? required_argument : no_argument,
					 NULL, FIRST_CODE + (int)p->n};
	p->n++;
	if (row->letter)
		strcat(p->letters, letter);
}

static void add_rows(struct parser *p, const struct option_row *rows, void *values)
{
	for (const struct option_row *row = rows; row && !option_is_end(row); row++) {
		if (!option_is_heading(row))
			add_slot(p, row, values);
	}
}

static const struct slot *find_slot(const struct parser *p, int code)
{
	if (code >= FIRST_CODE)
		return &p->slots[code - FIRST_CODE];
	for (size_t i = 0; i < p->n; i++) {
		if (code && p->slots[i].row->letter == code)
			return &p->slots[i];
	}
	return NULL;
}

/* Whether word is one of "a|b|c". */
static bool is_choice(const char *choices, const char *word)
{
	size_t len = strcspn(word, "|");

	if (word[len])
		return false;
	for (const char *p = choices; p; p = strchr(p, '|')) {
		if (*p == '|')
			p++;
		if (len && strncmp(p, word, len) == 0 && (p[len] == '|' || p[len] == '\0'))
			return true;
	}
	return false;
}

static int add_to_list(struct option_list *list, const char *text, struct err *e)
{
	if (list->n == OPTION_LIST_MAX)
		return err_user(e, "given more than %d times", OPTION_LIST_MAX);
	list->items[list->n++] = text;
	return 0;
}

static int store_value(const struct slot *slot, const char *text, struct err *e)
{
	switch (slot->row->kind) {
	case OPTION_FLAG:
		*(bool *)slot->value = true;
		return 0;
	case OPTION_CHOICE:
		if (!is_choice(slot->row->argument, text))
			return err_user(e, "'%s' is none of %s", text, slot->row->argument);
		*(const char **)slot->value = text;
		return 0;
	case OPTION_TEXT:
		*(const char **)slot->value = text;
		return 0;
	case OPTION_NUMBER:
		return parse_u64(text, 0, UINT64_MAX, slot->value, e);
	case OPTION_SIZE:
		return parse_size(text, slot->value, e);
	case OPTION_LIST:
		return add_to_list(slot->value, text, e);
	}
	return err_set(e, EINVAL, "option of unknown kind");
}

static bool same_name(const char *name, const char *given)
{
	while (*name && (*name == *given || (*name == '-' && *given == '_'))) {
		name++;
		given++;
	}
	return *name == *given;
}

int options_set(const struct option_row *rows, void *values, const char *name, const char *text,
		struct err *e)
{
	const struct option_row *row = rows;
	struct slot slot;
	int r;

	while (!option_is_end(row) && (option_is_heading(row) || !same_name(row->name, name)))
		row++;
	if (option_is_end(row))
		return err_user_code(e, ENOENT, "unknown option '%s'", name);
	if (!text && row->kind != OPTION_FLAG)
		return err_user(e, "option '%s' needs an argument: %s", name, row->argument);
	if (text && row->kind == OPTION_FLAG)
		return err_user(e, "option '%s' takes no argument", name);
	slot = (struct slot){row, (char *)values + row->offset};
	r = store_value(&slot, text, e);
	return r < 0 ? err_wrap(e, r, "option '%s'", name) : 0;
}

/* Says what getopt did not like: code is what it returned, optopt which option it was at. */
static int refuse(const struct parser *p, int code, char *const *argv, struct err *e)
{
	const struct slot *slot = find_slot(p, optopt);
	const char *given = argv[optind - 1];

	if (code == ':' && slot)
		return err_user(e, "option '--%s' needs an argument: %s", slot->row->name,
				slot->row->argument);
	if (slot)
		return err_user(e, "option '--%s' takes no argument", slot->row->name);
	if (optopt)
		return err_user(e, "unknown option '-%c'", optopt);
	return err_user(e, "unknown option '%.*s'", (int)strcspn(given, "="), given);
}

int options_parse(int argc, char **argv, const struct option_row *rows, void *values,
		  struct option_common *common, int *ret_first, struct err *e)
{
	struct parser p = {.letters = ":"};
	const struct slot *slot;
	int code, r;

	add_rows(&p, rows, values);
	add_rows(&p, option_common_rows, common);
	optind = 0; /* GNU: start over */
	opterr = 0;
	while ((code = getopt_long(argc, argv, p.letters, p.names, NULL)) != -1) {
		if (code == '?' || code == ':')
			return refuse(&p, code, argv, e);
		slot = find_slot(&p, code);
		r = store_value(slot, optarg, e);
		if (r < 0)
			return err_wrap(e, r, "--%s", slot->row->name);
	}
	*ret_first = optind;
	return 0;
}
