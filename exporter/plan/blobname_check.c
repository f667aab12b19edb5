/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules for the names a person gives: one table row each, and what a table cannot say. */
#include "exporter/plan/blobname_check.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/ext/utf16.h"
#include "exporter/plan/blobname.h"
#include "exporter/plan/drivename.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

struct rule {
	const char *what;  /* "container name" */
	const char *rule;  /* the whole rule for the person who broke it */
	size_t min, max;   /* characters */
	const char *any;   /* characters allowed anywhere ... */
	const char *first; /* ... at the start; NULL = any */
	const char *last;  /* ... and at the end; NULL = any */
	bool unicode;	   /* letters of other scripts too */
};

/* A character as a message may show it: itself when printable, else its code. */
static const char *show_char(const char *s, size_t len_bytes, char out[16])
{
	uint32_t c = 0;
	size_t n = utf8_decode(s, len_bytes, &c);

	if (n == 0)
		(void)snprintf(out, 16, "byte 0x%02X", (unsigned char)*s);
	else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		(void)snprintf(out, 16, "U+%04X", (unsigned)c);
	else
		(void)snprintf(out, 16, "'%.*s'", (int)n, s);
	return out;
}

static bool is_allowed(const struct rule *rule, const char *set, const char *s, size_t len_bytes)
{
	uint32_t c = 0;
	size_t n = utf8_decode(s, len_bytes, &c);

	if (n > 1)
		return rule->unicode && c >= 0xa0;
	return n == 1 && strchr(set ? set : rule->any, (int)c);
}

static int refuse_char(const struct rule *rule, const char *s, size_t left_bytes, const char *where,
		       struct err *e)
{
	char shown[16];

	return err_user(e, "%s: %s is not allowed%s; %s", rule->what,
			show_char(s, left_bytes, shown), where, rule->rule);
}

static int check(const struct rule *rule, const char *s, struct err *e)
{
	size_t left = strlen(s), chars = 0;
	uint32_t c;

	if (left == 0)
		return err_user(e, "%s: it is empty; %s", rule->what, rule->rule);
	for (const char *p = s; left; chars++) {
		size_t n = utf8_decode(p, left, &c);

		if (!is_allowed(rule, NULL, p, left))
			return refuse_char(rule, p, left, "", e);
		if (p == s && !is_allowed(rule, rule->first, p, left))
			return refuse_char(rule, p, left, " at the start", e);
		if (n == left && !is_allowed(rule, rule->last, p, left))
			return refuse_char(rule, p, left, " at the end", e);
		p += n;
		left -= n;
	}
	if (chars < rule->min || chars > rule->max)
		return err_user(e, "%s: '%.100s' has %zu characters; %s", rule->what, s, chars,
				rule->rule);
	return 0;
}

int blobname_check_job(const char *s, struct err *e)
{
	static const struct rule rule = {
		.what = "job name",
		.rule = "3 to 63 lower-case letters, digits, '-' and '_', starting with a letter",
		.min = 3,
		.max = 63,
		.any = LOWER DIGITS "-_",
		.first = LOWER,
	};

	return check(&rule, s, e);
}

int blobname_check_databox_job(const char *s, struct err *e)
{
	static const struct rule rule = {
		.what = "job name",
		.rule = "3 to 24 letters, digits and '-', starting and ending with a letter or "
			"digit",
		.min = 3,
		.max = 24,
		.any = LOWER UPPER DIGITS "-",
		.first = LOWER UPPER DIGITS,
		.last = LOWER UPPER DIGITS,
	};

	return check(&rule, s, e);
}

int blobname_check_container(const char *s, struct err *e)
{
	static const struct rule rule = {
		.what = "container name",
		.rule = "3 to 63 lower-case letters, digits and single '-', starting and ending "
			"with a "
			"letter or digit",
		.min = 3,
		.max = 63,
		.any = LOWER DIGITS "-",
		.first = LOWER DIGITS,
		.last = LOWER DIGITS,
	};
	int r;

	if (strcmp(s, "$root") == 0)
		return err_user(
			e, "container name: $root is not allowed; its blobs cannot have a '/'");
	r = check(&rule, s, e);
	if (r == 0 && strstr(s, "--"))
		return err_user(e, "container name: '--' is not allowed; %s", rule.rule);
	return r;
}

int blobname_check_account(const char *s, struct err *e)
{
	static const struct rule rule = {
		.what = "storage account name",
		.rule = "3 to 24 lower-case letters and digits",
		.min = 3,
		.max = 24,
		.any = LOWER DIGITS,
	};

	return check(&rule, s, e);
}

int blobname_check_resource_group(const char *s, struct err *e)
{
	static const struct rule rule = {
		.what = "resource group",
		.rule = "1 to 90 letters, digits and _-.(), not ending in '.'",
		.min = 1,
		.max = 90,
		.any = LOWER UPPER DIGITS "_-.()",
		.last = LOWER UPPER DIGITS "_-()",
		.unicode = true,
	};

	return check(&rule, s, e);
}

int blobname_check_location(const char *s, struct err *e)
{
	static const struct rule rule = {
		.what = "location",
		.rule = "a name such as 'West US' or 'westus'",
		.min = 3,
		.max = 64,
		.any = LOWER UPPER DIGITS " ",
		.first = LOWER UPPER,
		.last = LOWER UPPER DIGITS,
	};

	return check(&rule, s, e);
}

int blobname_check_session(const char *s, struct err *e)
{
	static const struct rule rule = {
		.what = "session id",
		.rule = "3 to 30 letters, digits, '_', '-' and '#'",
		.min = 3,
		.max = 30,
		.any = LOWER UPPER DIGITS "_-#",
	};
	int r = check(&rule, s, e);

	if (r == 0 && drivename_objection(s))
		return err_user(e, "session id: '%s' is %s", s, drivename_objection(s));
	return r;
}

int blobname_check_subscription(const char *s, struct err *e)
{
	static const struct rule rule = {
		.what = "subscription id",
		.rule = "a GUID such as 4967d63b-2e29-4ad8-8399-f6a339e3d001",
		.min = 36,
		.max = 36,
		.any = DIGITS "abcdefABCDEF-",
	};
	int r = check(&rule, s, e);

	for (size_t i = 0; r == 0 && s[i]; i++) {
		bool dash_here = i == 8 || i == 13 || i == 18 || i == 23;

		if ((s[i] == '-') != dash_here)
			return err_user(e, "%s: '%c' is not allowed at character %zu; %s",
					rule.what, s[i], i + 1, rule.rule);
	}
	return r;
}

/* A reason of blobname.h without its "blob name: ". */
static const char *bare(const char *reason)
{
	return strchr(reason, ':') + 2;
}

static int check_prefix_part(const char *part, size_t len_bytes, struct err *e)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT;
	char reason[BLOBNAME_REASON_BYTES];

	if (len_bytes == 0)
		return err_user(
			e, "blob prefix: '/' is not allowed at the start, at the end or twice");
	if (blobname_component(part, len_bytes, &name, reason) == BLOBNAME_SAME)
		return buf_error(&name) < 0 ? err_oom(e) : 0;
	reason[strcspn(reason, ",")] = '\0';
	return err_user(e, "blob prefix: %s", bare(reason));
}

int blobname_check_prefix(const char *s, struct err *e)
{
	char reason[BLOBNAME_REASON_BYTES];
	size_t segments = 0;
	const char *p = s;
	int r = 0;

	while (r == 0 && *s) {
		size_t n = strcspn(p, "/");

		r = check_prefix_part(p, n, e);
		segments++;
		if (!p[n])
			break;
		p += n + 1;
	}
	if (r < 0)
		return r;
	/* The shortest staged name needs a '/' and one character more, and one segment. */
	if (blobname_check_size(utf16_units(s, strlen(s)) + 2, segments + 1, reason) ==
	    BLOBNAME_REFUSED)
		return err_user(e, "blob prefix: %s", bare(reason));
	return 0;
}
