/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct command: one command of a program, or a group of commands ("seedship job" with its "new",
 * "list", "show"). The program itself is the outermost group. Adding a command is one pointer in
 * its group's table.
 */
#ifndef SEEDSHIP_CLI_COMMAND_H
#define SEEDSHIP_CLI_COMMAND_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/cli/options.h"

struct command {
	const char *name;
	const char *summary; /* one line, for the help of the group it is in */
	const char *about;   /* for its own help; NULL = the summary */

	/* A group: its commands, NULL at the end. A group takes no arguments and has no run(). */
	const struct command *const *children;

	/*
	 * A command: its arguments as help shows them and as they are checked: "JOB TARGET...",
	 * "[DIR]".
	 */
	const char *arguments;
	const struct option_row *options; /* may be NULL */
	size_t values_bytes; /* of the struct the options' offsets refer to, zeroed first */

	/* arguments ends with NULL. Result on stdout, talk on stderr, errors in e. */
	int (*run)(const void *values, char *const *arguments, struct err *e);
};

/*
 * Runs what argv asks for and returns the exit code of the process (0 done, 1 failed, 2 usage, 3
 * data differs, 4 interrupted, 5 refused by the service). Prints errors; -h, -V and --list-options
 * are answered here.
 */
int command_main(const struct command *program, const char *version, int argc, char **argv);

#endif
