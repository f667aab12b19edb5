/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The supplementary groups of a thread, as /proc tells them: FUSE requests carry only one group. */
#ifndef SEEDSHIP_FS_GROUPS_H
#define SEEDSHIP_FS_GROUPS_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether gid is among them; false also when that cannot be found out. */
bool groups_have(pid_t tid, gid_t gid);

#endif
