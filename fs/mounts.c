/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads /proc/self/mountinfo (proc(5)):
 *
 *     36 35 98:0 /root /mount\040point rw,noatime master:1 - fuse.seedfs /store rw,user_id=0
 *
 * Any number of optional fields ends with the lone dash. Blanks and some other bytes are \ooo; of libc's
 * getmntent(3) not all of them are understood.
 */
#include "fs/mounts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

enum { FIELD_MOUNT_POINT = 4, FIELD_OPTIONAL = 6 };

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' &&
	       p[2] <= '7';
}

/* In place. */
static char *unescape(char *text)
{
	char *out = text;

	for (const char *p = text; *p; p++) {
		if (*p == '\\' && is_octal(p + 1)) {
			*out++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 3;
		} else {
			*out++ = *p;
		}
	}
	*out = '\0';
	return text;
}

struct mount {
	char *mount_point, *type, *source; /* inside the line */
};

/* False when the line is not of the form above. */
static bool parse_line(char *line, struct mount *ret)
{
	char *rest = line, *field;
	int n = 0;

	*ret = (struct mount){0};
	while ((field = strsep(&rest, " \n"))) {
		if (n++ == FIELD_MOUNT_POINT)
			ret->mount_point = unescape(field);
		if (n > FIELD_OPTIONAL && strcmp(field, "-") == 0)
			break;
	}
	ret->type = strsep(&rest, " \n");
	ret->source = strsep(&rest, " \n");
	if (!ret->source)
		return false;
	(void)unescape(ret->type);
	(void)unescape(ret->source);
	return true;
}

int mounts_find_store(const char *dir, char **ret, struct err *e)
{
	_cleanup_file_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL, *store = NULL;
	size_t room = 0;
	struct mount m;

	if (!f)
		return err_sys(e, "cannot read the list of mounts");
	while (getline(&line, &room, f) > 0) {
		if (!parse_line(line, &m) || strcmp(m.mount_point, dir) != 0)
			continue;
		free(store); /* the last one is on top */
		store = strcmp(m.type, MOUNT_TYPE) == 0 ? strdup(m.source) : NULL;
	}
	if (!store)
		return err_user(e, "'%s' is not a seedfs mount", dir);
	*ret = take_ptr(store);
	return 0;
}
