/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs a program's table of commands as main() would and keeps what it says; include behind
 * cmocka.h.
 */
#ifndef SEEDSHIP_TESTS_RUN_COMMAND_H
#define SEEDSHIP_TESTS_RUN_COMMAND_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cli/command.h"

#define RUN_COMMAND_WORDS 64

struct run_command {
	char words[4096]; /* of the command line: values lent from argv stay good until the next */
	int code;	  /* exit code */
	char out[16384];  /* stdout */
	char said[16384]; /* stderr */
};

/* Sends fd to a fresh memory file; returns what it was before. */
static inline int run_command_redirect(int fd, int *ret_file)
{
	int saved = dup(fd);

	*ret_file = memfd_create("output", MFD_CLOEXEC);
	assert_true(saved >= 0 && *ret_file >= 0);
	assert_true(dup2(*ret_file, fd) == fd);
	return saved;
}

static inline void run_command_restore(int fd, int saved, int file, char *text, size_t room)
{
	ssize_t n;

	(void)dup2(saved, fd);
	(void)close(saved);
	n = pread(file, text, room - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	(void)close(file);
}

/* line: program and arguments, apart by single blanks. */
static inline void run_command(struct run_command *r, const struct command *program,
			       const char *line)
{
	char *rest = r->words, *argv[RUN_COMMAND_WORDS] = {NULL};
	int argc = 0, out_file, err_file, out_saved, err_saved;

	assert_true(strlen(line) < sizeof(r->words));
	strcpy(r->words, line);
	for (char *word; (word = strsep(&rest, " "));) {
		assert_true(argc + 1 < RUN_COMMAND_WORDS);
		argv[argc++] = word;
	}
	(void)fflush(stdout);
	out_saved = run_command_redirect(STDOUT_FILENO, &out_file);
	err_saved = run_command_redirect(STDERR_FILENO, &err_file);
	r->code = command_main(program, "1.2.3", argc, argv);
	(void)fflush(stdout);
	run_command_restore(STDOUT_FILENO, out_saved, out_file, r->out, sizeof(r->out));
	run_command_restore(STDERR_FILENO, err_saved, err_file, r->said, sizeof(r->said));
}

#endif
