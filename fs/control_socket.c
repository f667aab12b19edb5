/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Address, time limits and lines of the control socket, and its asking end. */
#include "fs/control_socket.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "fs/control.h"

struct sockaddr_un control_address(int store_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" CONTROL_NAME,
		       store_fd);
	return address;
}

int control_limit(int fd)
{
	struct timeval limit = {.tv_sec = CONTROL_TIMEOUT_MS / 1000};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	return 0;
}

ssize_t control_read_line(int fd, char *line, size_t room)
{
	size_t len = 0;

	for (;;) {
		ssize_t n = recv(fd, line + len, room - 1 - len, 0);
		char *end;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		line[len + (size_t)n] = '\0';
		end = memchr(line + len, '\n', (size_t)n);
		len += (size_t)n;
		if (end) {
			*end = '\0';
			return end - line;
		}
		if (n == 0)
			return (ssize_t)len;
		if (len == room - 1)
			return -EMSGSIZE;
	}
}

static int exchange(int fd, const char *request, char *answer, struct err *e)
{
	_cleanup_free_ char *line = NULL;
	int n = asprintf(&line, "%s\n", request);
	ssize_t got;

	if (n < 0) {
		line = NULL;
		return err_oom(e);
	}
	if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != n)
		return err_sys(e, "cannot ask");
	got = control_read_line(fd, answer, CONTROL_ANSWER_BYTES);
	return got < 0 ? err_set(e, (int)-got, "no answer: %s", strerror((int)-got)) : 0;
}

static int read_answer(const char *answer, json_t **ret, struct err *e)
{
	_cleanup_json_ json_t *object = json_loads(answer, JSON_REJECT_DUPLICATES, NULL);
	const char *error = json_string_value(json_object_get(object, "error"));

	if (!json_is_object(object))
		return err_set(e, EPROTO, "it gave no answer that can be understood");
	if (error)
		return err_set(e, EREMOTEIO, "%s", error);
	*ret = take_ptr(object);
	return 0;
}

static int ask(const char *store_path, const char *request, json_t **ret, struct err *e)
{
	_cleanup_fd_ int dir_fd = open(store_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_free_ char *answer = malloc(CONTROL_ANSWER_BYTES);
	struct sockaddr_un address;
	int r;

	if (!answer)
		return err_oom(e);
	if (dir_fd < 0 || fd < 0 || control_limit(fd) < 0)
		return err_sys(e, "cannot connect");
	address = control_address(dir_fd);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(e, "cannot connect");
	r = exchange(fd, request, answer, e);
	return r < 0 ? r : read_answer(answer, ret, e);
}

int control_ask(const char *store_path, const char *request, json_t **ret, struct err *e)
{
	int r = ask(store_path, request, ret, e);

	return r < 0 ? err_wrap(e, r, "the seedfs of store '%s'", store_path) : 0;
}
