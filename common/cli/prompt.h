/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is asked from a person, and secrets read from wherever the person keeps them. All functions
 * block.
 */
#ifndef SEEDSHIP_CLI_PROMPT_H
#define SEEDSHIP_CLI_PROMPT_H

#include <stdbool.h>

#include "common/base/err.h"

#define PROMPT_SECRET_MAX_BYTES 4096

/* Whether somebody is there to answer: stdin and stderr are a terminal. */
bool prompt_possible(void);

/*
 * Asks a question on stderr and reads one line from stdin. *ret: the answer without its line end
 * and surrounding blanks, caller frees. -EINTR at the end of input.
 */
int prompt_line(const char *question, char **ret, struct err *e);

/*
 * Secrets: one line, without its line end, in key memory (*ret goes to secret_free()). -EINVAL
 * (user) when empty, longer than PROMPT_SECRET_MAX_BYTES, or of more than one line.
 */
int prompt_secret_file(const char *path, char **ret, struct err *e);
int prompt_secret_fd(int fd, char **ret, struct err *e); /* reads to the end; does not close */

/* Asks on the controlling terminal, without echo. -EINTR on ^C, -ENXIO without a terminal. */
int prompt_secret_terminal(const char *question, char **ret, struct err *e);

#endif
