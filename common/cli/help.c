/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Help in the shape util-linux programs share: usage, what it does, options; at most 80 columns. */
#include "common/cli/help.h"

#include <string.h>

#define LEFT_MAX_COLUMNS 34 /* wider option names put their help on a line of its own */

/* Prints text word by word from `column` on, continuing at `indent`. Ends the line. */
static void print_wrapped(FILE *out, const char *text, size_t column, size_t indent)
{
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (!first && column + 1 + len > HELP_COLUMNS) {
			(void)fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
		column += len + !first;
		(void)fprintf(out, "%s%.*s", first ? "" : " ", (int)len, text);
		first = false;
		text += len;
		if (*text == '\n') {
			(void)fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
		text += *text != '\0';
	}
	(void)fputc('\n', out);
}

/* " -s, --store DIR": the left column. Returns its width. */
static size_t format_left(const struct option_row *row, char *out, size_t out_bytes)
{
	char letter[] = {'-', row->letter, ',', '\0'};

	(void)snprintf(out, out_bytes, " %-3s --%s%s%s", row->letter ? letter : "", row->name,
		       row->argument ? " " : "", row->argument ? row->argument : "");
	return strlen(out);
}

static size_t widest(const struct option_row *rows, size_t width)
{
	char left[128];

	for (const struct option_row *row = rows; row && !option_is_end(row); row++) {
		size_t n = option_is_heading(row) ? 0 : format_left(row, left, sizeof(left));

		if (n > width && n <= LEFT_MAX_COLUMNS)
			width = n;
	}
	return width;
}

static void print_row(FILE *out, const struct option_row *row, size_t width)
{
	size_t indent = width + 2;
	char left[128];
	size_t n = format_left(row, left, sizeof(left));

	if (n > width)
		(void)fprintf(out, "%s\n%*s", left, (int)indent, "");
	else
		(void)fprintf(out, "%-*s", (int)indent, left);
	print_wrapped(out, row->help, indent, indent);
}

static void print_options(FILE *out, const struct option_row *rows)
{
	size_t width = widest(option_common_rows, widest(rows, 0));

	(void)fputs("\nOptions:\n", out);
	for (const struct option_row *row = rows; row && !option_is_end(row); row++) {
		if (option_is_heading(row))
			(void)fprintf(out, "\n%s:\n", row->help);
		else
			print_row(out, row, width);
	}
	if (rows && !option_is_end(rows))
		(void)fputc('\n', out);
	print_row(out, &option_common_rows[0], width);
	print_row(out, &option_common_rows[1], width);
}

static void print_commands(FILE *out, const struct command *const *commands)
{
	size_t width = 0;

	for (const struct command *const *c = commands; *c; c++)
		width = strlen((*c)->name) > width ? strlen((*c)->name) : width;
	(void)fputs("\nCommands:\n", out);
	for (const struct command *const *c = commands; *c; c++) {
		(void)fprintf(out, " %-*s  ", (int)width, (*c)->name);
		print_wrapped(out, (*c)->summary, width + 3, width + 3);
	}
}

void help_print(FILE *out, const char *path, const struct command *command)
{
	(void)fprintf(out, "\nUsage:\n %s ", path);
	if (command->children)
		(void)fputs("COMMAND [options]\n\n", out);
	else
		(void)fprintf(out, "[options]%s%s\n\n", command->arguments ? " " : "",
			      command->arguments ? command->arguments : "");
	print_wrapped(out, command->about ? command->about : command->summary, 0, 0);
	if (command->children)
		print_commands(out, command->children);
	print_options(out, command->options);
	if (command->children)
		(void)fprintf(out, "\nFor the help of a command: %s COMMAND --help\n", path);
}

static void list_rows(FILE *out, const struct option_row *rows)
{
	for (const struct option_row *row = rows; row && !option_is_end(row); row++) {
		if (!option_is_heading(row))
			(void)fprintf(out, "--%s\n", row->name);
	}
}

void help_list(FILE *out, const struct command *command)
{
	for (const struct command *const *c = command->children; c && *c; c++)
		(void)fprintf(out, "%s\n", (*c)->name);
	list_rows(out, command->options);
	list_rows(out, option_common_rows);
}
