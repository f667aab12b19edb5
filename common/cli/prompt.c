/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions and secrets. While a secret is typed the terminal neither echoes nor turns keys into
 * signals, and signals wait: it is always given back as it was.
 */
#include "common/cli/prompt.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/ext/secret.h"

#define CTRL_C 3

bool prompt_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

int prompt_line(const char *question, char **ret, struct err *e)
{
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	char *answer;

	(void)fprintf(stderr, "%s: ", question);
	(void)fflush(stderr);
	if (getline(&line, &room, stdin) < 0)
		return err_set(e, EINTR, "no answer to '%s'", question);
	answer = strdup(trim(line));
	if (!answer)
		return err_oom(e);
	*ret = answer;
	return 0;
}

/* Cuts the line end off what was read and checks that one line is left. */
static int check_secret(char *text, size_t len_bytes, struct err *e)
{
	if (len_bytes > PROMPT_SECRET_MAX_BYTES)
		return err_user(e, "secret is longer than %d bytes", PROMPT_SECRET_MAX_BYTES);
	if (len_bytes && text[len_bytes - 1] == '\n')
		len_bytes--;
	if (len_bytes && text[len_bytes - 1] == '\r')
		len_bytes--;
	text[len_bytes] = '\0';
	if (len_bytes == 0)
		return err_user(e, "secret is empty");
	if (strlen(text) != len_bytes || strpbrk(text, "\r\n"))
		return err_user(e, "secret has more than one line");
	return 0;
}

int prompt_secret_fd(int fd, char **ret, struct err *e)
{
	_cleanup_secret_ void *text = NULL;
	size_t done = 0;
	ssize_t n;
	int r;

	r = secret_alloc(PROMPT_SECRET_MAX_BYTES + 2, &text, e);
	if (r < 0)
		return r;
	while (done <= PROMPT_SECRET_MAX_BYTES) {
		n = read(fd, (char *)text + done, PROMPT_SECRET_MAX_BYTES + 1 - done);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "cannot read the secret");
		if (n == 0)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	r = check_secret(text, done, e);
	if (r < 0)
		return r;
	*ret = take_ptr(text);
	return 0;
}

int prompt_secret_file(const char *path, char **ret, struct err *e)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	r = prompt_secret_fd(fd, ret, e);
	return r < 0 ? err_wrap(e, r, "'%s'", path) : 0;
}

/* Reads up to a line end into text of PROMPT_SECRET_MAX_BYTES + 2. */
static int read_typed(int fd, char *text, struct err *e)
{
	size_t len = 0;
	char c = 0;

	while (len <= PROMPT_SECRET_MAX_BYTES) {
		ssize_t n = read(fd, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read from the terminal");
		if (n == 0 || c == CTRL_C)
			return err_set(e, EINTR, "interrupted");
		text[len++] = c;
		if (c == '\n')
			break;
	}
	secret_wipe(&c, sizeof(c));
	return check_secret(text, len, e);
}

static int ask_secret(int fd, const char *question, char *text, struct err *e)
{
	struct termios before, quiet;
	int r;

	if (tcgetattr(fd, &before) < 0)
		return err_sys(e, "cannot read the terminal's settings");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL | ISIG);
	quiet.c_cc[VEOL] = CTRL_C; /* no signal any more, so it has to end the line to be seen */
	if (tcsetattr(fd, TCSAFLUSH, &quiet) < 0)
		return err_sys(e, "cannot turn the terminal's echo off");
	(void)dprintf(fd, "%s: ", question);
	r = read_typed(fd, text, e);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	(void)dprintf(fd, "\n");
	return r;
}

int prompt_secret_terminal(const char *question, char **ret, struct err *e)
{
	_cleanup_secret_ void *text = NULL;
	_cleanup_fd_ int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	sigset_t all, before;
	int r;

	if (fd < 0)
		return err_set(e, ENXIO, "no terminal to ask on");
	r = secret_alloc(PROMPT_SECRET_MAX_BYTES + 2, &text, e);
	if (r < 0)
		return r;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = ask_secret(fd, question, text, e);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		return r;
	*ret = take_ptr(text);
	return 0;
}
