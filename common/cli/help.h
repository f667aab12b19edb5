/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --help and --list-options, from a command's tables. */
#ifndef SEEDSHIP_CLI_HELP_H
#define SEEDSHIP_CLI_HELP_H

#include <stdio.h>

#include "common/cli/command.h"

#define HELP_COLUMNS 80

/* The help of a command; path is how it is called, such as "seedship job new". */
void help_print(FILE *out, const char *path, const struct command *command);

/*
 * What may follow the command, one word a line: its subcommands and its long options with dashes.
 */
void help_list(FILE *out, const struct command *command);

#endif
