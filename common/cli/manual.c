/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A manual page from tables of commands and options. */
#include "common/cli/manual.h"

#include <ctype.h>
#include <string.h>

#include "common/base/macros.h"

#define PATH_BYTES 128

/* Text as roff takes it: a dash is a dash to be typed, no line begins with a request. */
static void print_text(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		(void)fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '-')
			(void)fputs("\\-", out);
		else if (*text == '\\')
			(void)fputs("\\e", out);
		else if (*text == '\'')
			(void)fputs("\\(aq", out);
		else
			(void)fputc(*text, out);
	}
}

static void print_option(FILE *out, const struct option_row *row)
{
	if (option_is_heading(row)) {
		(void)fputs(".PP\n", out);
		print_text(out, row->help);
		(void)fputs(":\n", out);
		return;
	}
	(void)fputs(".TP\n", out);
	if (row->letter)
		(void)fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
	(void)fputs("\\fB", out);
	print_text(out, "--");
	print_text(out, row->name);
	(void)fputs("\\fR", out);
	if (row->argument) {
		(void)fputs(" \\fI", out);
		print_text(out, row->argument);
		(void)fputs("\\fR", out);
	}
	(void)fputc('\n', out);
	print_text(out, row->help);
	(void)fputc('\n', out);
}

static void print_call(FILE *out, const char *path, const struct command *command)
{
	(void)fprintf(out, "\\fB%s\\fR", path);
	if (command->options && !option_is_end(command->options))
		(void)fputs(" [\\fIoptions\\fR]", out);
	if (command->arguments && *command->arguments) {
		(void)fputs(" \\fI", out);
		print_text(out, command->arguments);
		(void)fputs("\\fR", out);
	}
	(void)fputc('\n', out);
}

static void print_synopsis(FILE *out, const char *path, const struct command *command)
{
	(void)fputs(".br\n", out);
	print_call(out, path, command);
}

static void print_command(FILE *out, const char *path, const struct command *command)
{
	(void)fputs(".SS ", out);
	print_call(out, path, command);
	print_text(out, command->about ? command->about : command->summary);
	(void)fputs(command->about ? "\n" : ".\n", out);
	for (const struct option_row *row = command->options; row && !option_is_end(row); row++)
		print_option(out, row);
}

/* Calls print for every command below group that can be run. */
static void walk(FILE *out, const char *path, const struct command *group,
		 void (*print)(FILE *out, const char *path, const struct command *command))
{
	for (const struct command *const *c = group->children; c && *c; c++) {
		char below[PATH_BYTES];

		(void)snprintf(below, sizeof(below), "%s %s", path, (*c)->name);
		if ((*c)->children)
			walk(out, below, *c, print);
		else
			print(out, below, *c);
	}
}

void manual_print(FILE *out, const struct command *program, const char *version)
{
	char name[PATH_BYTES];

	(void)snprintf(name, sizeof(name), "%s", program->name);
	for (char *p = name; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	(void)fprintf(out,
		      ".TH %s 1 \"\" \"Seedship %s\" \"User Commands\"\n.nh\n.SH NAME\n%s \\- ",
		      name, version, program->name);
	print_text(out, program->summary);
	(void)fputs("\n.SH SYNOPSIS\n", out);
	walk(out, program->name, program, print_synopsis);
	(void)fputs(".SH COMMANDS\nEach has \\fB\\-\\-help\\fR.\n", out);
	walk(out, program->name, program, print_command);
}
