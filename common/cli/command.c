/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From argv to the command that is meant, its values and its exit code. */
#include "common/cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cli/help.h"
#include "common/cli/manual.h"

#define PATH_BYTES 128

/* What is being called: the words so far ("seedship job new") and where its own words start. */
struct call {
	const char *version;
	const struct command *program;
	const struct command *command;
	char path[PATH_BYTES];
	size_t program_bytes; /* of path: the program's own name */
	int argc;
	char **argv;
};

/* "job new", "" for the program itself. */
static const char *words(const struct call *call)
{
	const char *p = call->path + call->program_bytes;

	return *p == ' ' ? p + 1 : p;
}

static int usage_error(const struct call *call, int r, struct err *e)
{
	if (e->hint[0])
		return r;
	return err_hint(e, r, "try '%s --help'", call->path);
}

/* Answers --help, --version, --list-options. True when one of them was asked for. */
static bool answer_common(const struct call *call, const struct option_common *common)
{
	if (common->help)
		help_print(stdout, call->path, call->command);
	else if (common->version)
		(void)printf("%.*s %s\n", (int)call->program_bytes, call->path, call->version);
	else if (common->manual)
		manual_print(stdout, call->program, call->version);
	else if (common->list_options)
		help_list(stdout, call->command);
	else
		return false;
	return true;
}

/* Checks the number of arguments against the text of the help: "JOB [DIR] TARGET...". */
static int check_arguments(const struct command *command, int n, char *const *given, struct err *e)
{
	const char *p = command->arguments ? command->arguments : "";
	int index = 0;

	while (*p) {
		size_t len = strcspn(p, " ");

		if (index >= n && *p != '[')
			return err_user(e, "%.*s is missing", (int)len, p);
		if (len > 3 && memcmp(p + len - 3, "...", 3) == 0)
			return 0;
		index++;
		p += len + (p[len] == ' ');
	}
	if (n > index)
		return err_user(e, "unexpected argument '%s'", given[index]);
	return 0;
}

static int run_command(struct call *call, struct err *e)
{
	const struct command *command = call->command;
	_cleanup_free_ void *values = calloc(1, command->values_bytes + 1);
	struct option_common common = {0};
	int first, r;

	if (!values)
		return err_oom(e);
	r = options_parse(call->argc, call->argv, command->options, values, &common, &first, e);
	if (r < 0)
		return usage_error(call, r, e);
	if (answer_common(call, &common))
		return 0;
	r = check_arguments(command, call->argc - first, call->argv + first, e);
	if (r < 0)
		return usage_error(call, r, e);
	return command->run(values, call->argv + first, e);
}

/* A group's own options stand before the command's name: parse just those. */
static int run_group_options(struct call *call, struct err *e)
{
	struct option_common common = {0};
	int first, r;

	r = options_parse(call->argc, call->argv, NULL, NULL, &common, &first, e);
	if (r < 0)
		return usage_error(call, r, e);
	if (answer_common(call, &common))
		return 0;
	return usage_error(call, err_user(e, "a command is missing"), e);
}

static const struct command *find_child(const struct command *group, const char *name)
{
	for (const struct command *const *c = group->children; *c; c++) {
		if (strcmp((*c)->name, name) == 0)
			return *c;
	}
	return NULL;
}

static int dispatch(struct call *call, struct err *e)
{
	while (call->command->children) {
		const struct command *child;
		size_t used = strlen(call->path);

		if (call->argc < 2 || call->argv[1][0] == '-')
			return run_group_options(call, e);
		child = find_child(call->command, call->argv[1]);
		if (!child)
			return usage_error(call, err_user(e, "unknown command '%s'", call->argv[1]),
					   e);
		(void)snprintf(call->path + used, sizeof(call->path) - used, " %s", child->name);
		call->command = child;
		call->argc--;
		call->argv++;
	}
	return run_command(call, e);
}

int command_main(const struct command *program, const char *version, int argc, char **argv)
{
	struct call call = {.version = version,
			    .program = program,
			    .command = program,
			    .argc = argc,
			    .argv = argv};
	struct err e = {0};
	int r;

	(void)snprintf(call.path, sizeof(call.path), "%s", program->name);
	call.program_bytes = strlen(call.path);
	r = dispatch(&call, &e);
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = err_sys(&e, "cannot write the result");
	if (r >= 0)
		return 0;
	if (!e.code)
		(void)err_set(&e, -r, "failed: %s", strerror(-r));
	if (*words(&call))
		(void)err_wrap(&e, r, "%s", words(&call));
	err_print(&e, program->name);
	return err_exit_code(&e);
}
