/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedfs: the staging filesystem. */
#include <malloc.h>

#include "common/base/log.h"
#include "fs/commands.h"
#include "fs/mount_helper.h"

static const struct command *const commands[] = {
	&command_mount, &command_umount,  &command_sync,    &command_status,
	&command_check, &command_rebuild, &command_compact, NULL,
};

static const struct command seedfs = {
	.name = "seedfs",
	.summary =
		"A filesystem that stages backups for shipping: compressed, indexed, crash-safe.",
	.children = commands,
};

int main(int argc, char **argv)
{
	(void)mount_helper_translate(&seedfs, &argc, &argv);
	log_open("seedfs", LOG_LEVEL_INFO, false);
	/* Chunk buffers come and go all the time: keep their memory instead of mapping it anew. */
	(void)mallopt(M_MMAP_THRESHOLD, 4 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 16 << 20);
	/* One thread allocates and another frees: every further arena keeps what is free in it. */
	(void)mallopt(M_ARENA_MAX, 4);
	return command_main(&seedfs, SEEDSHIP_VERSION, argc, argv);
}
