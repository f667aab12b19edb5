/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of seedfs. */
#ifndef SEEDSHIP_FS_COMMANDS_H
#define SEEDSHIP_FS_COMMANDS_H

#include "common/cli/command.h"

extern const struct command command_mount;
extern const struct command command_umount;
extern const struct command command_status;
extern const struct command command_sync;
extern const struct command command_check;
extern const struct command command_rebuild;
extern const struct command command_compact;

#endif
