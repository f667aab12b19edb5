/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of commands, in the order of the help. */
#include "exporter/cmd/commands.h"

static const struct command *const job_commands[] = {
	&command_job_new, &command_job_list, &command_job_show, &command_job_forget, NULL,
};

const struct command command_job = {
	.name = "job",
	.summary = "what an import job needs, asked once and remembered",
	.children = job_commands,
};

static const struct command *const seedship_commands[] = {
	&command_job,	 &command_drives, &command_plan,   &command_export,
	&command_verify, &command_submit, &command_report, NULL,
};

const struct command command_seedship = {
	.name = "seedship",
	.summary = "Ships what was staged with seedfs to the cloud on encrypted drives.",
	.children = seedship_commands,
};
