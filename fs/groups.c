/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The line "Groups:" of /proc/TID/status. libfuse 3.14's fuse_req_getgroups() searches a buffer that it did
 * not terminate (found by AddressSanitizer).
 */
#include "fs/groups.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

static bool line_has(const char *numbers, gid_t gid)
{
	for (;;) {
		char *end;
		unsigned long number = strtoul(numbers, &end, 10);

		if (end == numbers)
			return false;
		if (number == gid)
			return true;
		numbers = end;
	}
}

bool groups_have(pid_t tid, gid_t gid)
{
	static const char label[] = "Groups:";
	_cleanup_free_ char *line = NULL;
	_cleanup_file_ FILE *f = NULL;
	size_t capacity = 0;
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/%jd/status", (intmax_t)tid);
	f = fopen(path, "re");
	while (f && getline(&line, &capacity, f) > 0)
		if (strncmp(line, label, strlen(label)) == 0)
			return line_has(line + strlen(label), gid);
	return false;
}
