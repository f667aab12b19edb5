/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The story of a failure: set at the leaf, wrapped on the way out, printed at the edge. */
#include "common/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum err_class class_of(int code)
{
	switch (code) {
	case EBADMSG:
		return ERR_CORRUPT;
	case EINTR:
		return ERR_INTERRUPTED;
	default:
		return ERR_SYSTEM;
	}
}

static int vset(struct err *e, int code, const char *fmt, va_list ap)
{
	if (code == 0)
		code = EIO;
	if (e) {
		e->code = code;
		e->class = class_of(code);
		e->hint[0] = '\0';
		(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	}
	return -code;
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vset(e, code, fmt, ap);
	va_end(ap);
	return r;
}

int err_user(struct err *e, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vset(e, EINVAL, fmt, ap);
	va_end(ap);
	if (e)
		e->class = ERR_USER;
	return r;
}

int err_user_code(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vset(e, code, fmt, ap);
	va_end(ap);
	if (e)
		e->class = ERR_USER;
	return r;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	char cause[128];
	int code = errno ? errno : EIO;
	size_t used;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vset(e, code, fmt, ap);
	va_end(ap);
	if (e) {
		used = strlen(e->text);
		(void)snprintf(e->text + used, sizeof(e->text) - used, ": %s",
			       strerror_r(code, cause, sizeof(cause)));
	}
	return r;
}

int err_wrap(struct err *e, int r, const char *fmt, ...)
{
	char inner[sizeof(e->text)];
	size_t used;
	va_list ap;

	if (!e)
		return r;
	memcpy(inner, e->text, sizeof(inner));
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	used = strlen(e->text);
	(void)snprintf(e->text + used, sizeof(e->text) - used, ": %s", inner);
	return r;
}

int err_hint(struct err *e, int r, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return r;
	va_start(ap, fmt);
	(void)vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
	return r;
}

int err_oom(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

int err_exit_code(const struct err *e)
{
	switch (e->class) {
	case ERR_USER:
		return 2;
	case ERR_CORRUPT:
		return 3;
	case ERR_INTERRUPTED:
		return 4;
	case ERR_REMOTE:
		return 5;
	case ERR_SYSTEM:
		break;
	}
	return 1;
}

void err_print(const struct err *e, const char *program)
{
	(void)fprintf(stderr, "%s: %s\n", program, e->text);
	if (e->hint[0])
		(void)fprintf(stderr, "hint: %s\n", e->hint);
}
