/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct err: the story of a failure, told outward. A fallible function returns 0 or -errno and takes
 * a struct err pointer last (NULL is allowed). The leaf sets it, each layer that knows something new
 * wraps it ("operation: object: cause"), and only the edge of a program prints it, once.
 */
#ifndef SEEDSHIP_BASE_ERR_H
#define SEEDSHIP_BASE_ERR_H

#include <errno.h>

#include "common/base/macros.h"

enum err_class {
	ERR_SYSTEM,	 /* exit code 1 */
	ERR_USER,	 /* wrong usage or input: exit code 2 */
	ERR_CORRUPT,	 /* data differs or is damaged: exit code 3 (set by EBADMSG) */
	ERR_INTERRUPTED, /* stopped, run again to go on: exit code 4 (set by EINTR) */
	ERR_REMOTE,	 /* refused by the service: exit code 5 */
};

struct err {
	int code; /* positive errno, 0 = no error */
	enum err_class class;
	char text[1024];
	char hint[512];
};

/* Starts the story from a positive errno value (0 counts as EIO). Returns -code. */
int err_set(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);

/* Like err_set() with the current errno, and appends its description. Returns -errno. */
int err_sys(struct err *e, const char *fmt, ...) _printf_(2, 3);

/* Like err_set() with class ERR_USER and code EINVAL. Returns -EINVAL. */
int err_user(struct err *e, const char *fmt, ...) _printf_(2, 3);

/* Like err_user(), with a code for callers to branch on. Returns -code. */
int err_user_code(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);

/* Puts "text: " in front of what is told so far. Returns r unchanged. */
int err_wrap(struct err *e, int r, const char *fmt, ...) _printf_(3, 4);

/* Adds a hint for the person who reads the message: what to do next. Returns r unchanged. */
int err_hint(struct err *e, int r, const char *fmt, ...) _printf_(3, 4);

/* Out of memory, said without allocating. Returns -ENOMEM. */
int err_oom(struct err *e);

/* The documented exit code of a program that ends with this error. */
int err_exit_code(const struct err *e);

/* Prints "program: text" and, if set, "hint: ..." to stderr. The only place that prints an error. */
void err_print(const struct err *e, const char *program);

#endif
