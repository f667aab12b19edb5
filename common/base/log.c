/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line per event, whole, whatever thread it comes from. */
#include "common/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

/* Set once before threads start. */
static const char *log_program = "seedship";
static enum log_level log_max = LOG_LEVEL_INFO;
static bool log_to_syslog;

void log_open(const char *program, enum log_level level, bool to_syslog)
{
	log_program = program;
	log_max = level;
	log_to_syslog = to_syslog;
	if (to_syslog)
		openlog(program, LOG_PID, LOG_DAEMON);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	static const int priority[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
	static const char *const word[] = {"error: ", "warning: ", "", "debug: "};
	int saved = errno;
	char line[1536];
	va_list ap;

	if (level > log_max)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (log_to_syslog)
		syslog(priority[level], "%s%s", word[level], line);
	(void)fprintf(stderr, "%s: %s%s\n", log_program, word[level], line);
	errno = saved;
}
