/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What libntfs-3g says. The first complaint is kept, because it is nearest to the cause: the library
 * adds one more on each level that the failure passes on its way out.
 */
#include "exporter/ntfs/said.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "exporter/ntfs/lib.h"

#define COMPLAINTS (NTFS_LOG_LEVEL_ERROR | NTFS_LOG_LEVEL_PERROR | NTFS_LOG_LEVEL_CRITICAL)

static _Thread_local char complaint[200];

static int _printf_(6, 0)
	keep(const char *function _unused_, const char *file _unused_, int line _unused_, u32 level,
	     void *data _unused_, const char *fmt, va_list args)
{
	if (!(level & COMPLAINTS) || complaint[0])
		return 0;
	(void)vsnprintf(complaint, sizeof(complaint), fmt, args);
	complaint[strcspn(complaint, "\r\n")] = '\0';
	return 1;
}

static void install(void)
{
	ntfs_log_set_handler(keep);
}

void ntfs_said_install(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, install);
}

void ntfs_said_forget(void)
{
	complaint[0] = '\0';
}

const char *ntfs_said(void)
{
	return complaint;
}
