/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seedship: ships what was staged with seedfs. Its commands are exporter/cmd/commands.c. */
#include "common/base/log.h"
#include "common/ext/secret.h"
#include "exporter/cmd/commands.h"

int main(int argc, char **argv)
{
	struct err e = {0};

	if (secret_harden_process(&e) < 0) {
		err_print(&e, command_seedship.name);
		return err_exit_code(&e);
	}
	log_open(command_seedship.name, LOG_LEVEL_INFO, false);
	return command_main(&command_seedship, SEEDSHIP_VERSION, argc, argv);
}
