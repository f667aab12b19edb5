/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --manual: the manual page of a program, from the same tables as its help. */
#ifndef SEEDSHIP_CLI_MANUAL_H
#define SEEDSHIP_CLI_MANUAL_H

#include <stdio.h>

#include "common/cli/command.h"

/*
 * Prints the parts that the tables know in man(7)'s language: NAME, SYNOPSIS, COMMANDS. What else is to be said
 * (files, examples) is appended by whoever builds the page.
 */
void manual_print(FILE *out, const struct command *program, const char *version);

#endif
