/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of seedship. A new one is declared here and put into the table in commands.c. */
#ifndef SEEDSHIP_CMD_COMMANDS_H
#define SEEDSHIP_CMD_COMMANDS_H

#include "common/cli/command.h"

extern const struct command command_seedship; /* the program: the table of all others */

extern const struct command command_job;
extern const struct command command_job_new;
extern const struct command command_job_list;
extern const struct command command_job_show;
extern const struct command command_job_forget;
extern const struct command command_drives;
extern const struct command command_plan;
extern const struct command command_export;
extern const struct command command_verify;
extern const struct command command_submit;
extern const struct command command_report;

#endif
