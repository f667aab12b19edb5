/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ways in which mount(8) and umount(8) call a filesystem's program: through links in /sbin named
 * mount.seedfs, mount.fuse.seedfs and umount.fuse.seedfs, or, by the help of mount.fuse3, as "seedfs STORE DIR -o
 * OPTIONS".
 */
#ifndef SEEDSHIP_FS_MOUNT_HELPER_H
#define SEEDSHIP_FS_MOUNT_HELPER_H

#include "common/cli/command.h"

/*
 * Whether the program was called in one of these ways; then *argc and *argv become those of the command that
 * is meant, good for as long as the process lives. Bad usage becomes a command line that says so.
 */
bool mount_helper_translate(const struct command *program, int *argc, char ***argv);

#endif
