/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Secrets from files, descriptors and a terminal (a pseudo-terminal with the question asked in a
 * child).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/cli/prompt.h"
#include "common/ext/secret.h"

static int read_from_pipe(const char *data, size_t len_bytes, char **ret, struct err *e)
{
	int fds[2], r;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fd_write_full(fds[1], data, len_bytes), 0);
	(void)close(fds[1]);
	r = prompt_secret_fd(fds[0], ret, e);
	(void)close(fds[0]);
	return r;
}

static void expect_secret(const char *data, const char *want)
{
	_cleanup_secret_ char *secret = NULL;
	struct err e = {0};

	assert_int_equal(read_from_pipe(data, strlen(data), &secret, &e), 0);
	assert_string_equal(secret, want);
}

static void expect_refused(const char *data, size_t len_bytes, const char *text)
{
	char *secret = NULL;
	struct err e = {0};

	assert_int_equal(read_from_pipe(data, len_bytes, &secret, &e), -EINVAL);
	assert_null(secret);
	assert_int_equal(e.class, ERR_USER);
	assert_string_equal(e.text, text);
}

static void test_fd(void **state)
{
	char longest[PROMPT_SECRET_MAX_BYTES + 2];

	(void)state;
	expect_secret("pass word", "pass word");
	expect_secret("pass word\n", "pass word");
	expect_secret("pass word\r\n", "pass word");
	expect_secret(" x ", " x ");
	expect_refused("", 0, "secret is empty");
	expect_refused("\n", 1, "secret is empty");
	expect_refused("a\nb\n", 4, "secret has more than one line");
	expect_refused("a\n\n", 3, "secret has more than one line");
	expect_refused("a\0b", 3, "secret has more than one line");
	memset(longest, 'x', sizeof(longest));
	longest[PROMPT_SECRET_MAX_BYTES] = '\0';
	expect_secret(longest, longest);
	longest[PROMPT_SECRET_MAX_BYTES] = 'x';
	expect_refused(longest, PROMPT_SECRET_MAX_BYTES + 1, "secret is longer than 4096 bytes");
}

static void test_file(void **state)
{
	char path[] = "/tmp/test_prompt.XXXXXX";
	_cleanup_secret_ char *secret = NULL;
	struct err e = {0};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(prompt_secret_file(path, &secret, &e), -EINVAL);
	assert_non_null(strstr(e.text, path));
	assert_int_equal(fd_write_full(fd, "s3cret\n", 7), 0);
	assert_int_equal(prompt_secret_file(path, &secret, &e), 0);
	assert_string_equal(secret, "s3cret");
	(void)close(fd);
	(void)unlink(path);
	secret_free(take_ptr(secret));
	assert_int_equal(prompt_secret_file(path, &secret, &e), -ENOENT);
}

/* In the child: 0 = the secret is "s3cret" and the terminal as before, 4 = interrupted. */
static void ask_in_child(void)
{
	struct termios before, after;
	char *secret = NULL;
	struct err e = {0};
	int r;

	(void)tcgetattr(STDIN_FILENO, &before);
	r = prompt_secret_terminal("Key", &secret, &e);
	(void)tcgetattr(STDIN_FILENO, &after);
	if (before.c_lflag != after.c_lflag || !(after.c_lflag & ECHO))
		_exit(90);
	if (r < 0)
		_exit(err_exit_code(&e));
	_exit(strcmp(secret, "s3cret") == 0 ? 0 : 91);
}

/* Reads what the terminal shows until `until` or its end. */
static void read_screen(int master, const char *until, char *screen, size_t room)
{
	size_t n = strlen(screen);

	while (n + 1 < room && (!until || !strstr(screen, until))) {
		ssize_t got = read(master, screen + n, room - 1 - n);

		if (got <= 0)
			break;
		n += (size_t)got;
		screen[n] = '\0';
	}
}

static int ask_on_terminal(const char *keys, char *screen, size_t room)
{
	int master, status;
	pid_t child = forkpty(&master, NULL, NULL, NULL);

	assert_true(child >= 0);
	if (child == 0)
		ask_in_child();
	screen[0] = '\0';
	read_screen(master, "Key: ", screen, room);
	assert_int_equal(fd_write_full(master, keys, strlen(keys)), 0);
	read_screen(master, NULL, screen, room);
	assert_int_equal(waitpid(child, &status, 0), child);
	(void)close(master);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_terminal(void **state)
{
	char screen[256];

	(void)state;
	assert_int_equal(ask_on_terminal("s3cret\n", screen, sizeof(screen)), 0);
	assert_string_equal(screen, "Key: \r\n");
	assert_int_equal(ask_on_terminal("s3\003", screen, sizeof(screen)), 4);
	assert_string_equal(screen, "Key: \r\n");
	assert_int_equal(ask_on_terminal("\n", screen, sizeof(screen)), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fd),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
