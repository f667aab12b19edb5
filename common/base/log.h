/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log of a long-running program: one line an event, to stderr or to the system log. Libraries log
 * at debug level only; errors travel as struct err. Secrets cannot be logged: struct secret has no
 * formatter (common/ext/secret.h).
 */
#ifndef SEEDSHIP_BASE_LOG_H
#define SEEDSHIP_BASE_LOG_H

#include <stdbool.h>

#include "common/base/macros.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* program: name in front of each line, lent for good. to_syslog: also send to syslog (a daemon has no stderr). */
void log_open(const char *program, enum log_level level, bool to_syslog);
void log_write(enum log_level level, const char *fmt, ...) _printf_(2, 3);

#define log_error(...)	 log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
