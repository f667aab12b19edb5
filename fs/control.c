/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server of the control socket: one thread, one connection at a time. */
#include "fs/control.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "fs/control_socket.h"

#define BACKLOG 16
#define TICK_MS 1000

struct control {
	struct control_desc desc;
	int listen_fd;
	int stop_fd; /* eventfd: readable once it is time to end */
	pthread_t thread;
	bool started;
};

/* ---- one connection ---- */

static bool is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void send_json(int fd, const json_t *answer)
{
	_cleanup_free_ char *text = json_dumps(answer, JSON_COMPACT | JSON_ENSURE_ASCII);
	_cleanup_free_ char *line = NULL;
	int n = text ? asprintf(&line, "%s\n", text) : -1;

	if (n < 0) {
		line = NULL;
		return;
	}
	for (int done = 0; done < n;) {
		ssize_t sent = send(fd, line + done, (size_t)(n - done), MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return; /* whoever asked is gone */
		done += sent > 0 ? (int)sent : 0;
	}
}

static void send_error(int fd, const char *text)
{
	_cleanup_json_ json_t *answer = json_pack("{s:s+}", "error", text, "");

	send_json(fd, answer);
}

/* Bytes that were never read would cut the answer off at the peer's end. */
static void drain(int fd)
{
	struct timeval patience = {.tv_usec = 200000};
	char waste[CONTROL_REQUEST_BYTES];

	(void)shutdown(fd, SHUT_WR);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (int i = 0; i < 16 && recv(fd, waste, sizeof(waste), 0) > 0; i++)
		;
}

static const struct control_handler *find_handler(const struct control *c, const char *name)
{
	for (const struct control_handler *h = c->desc.handlers; h->name; h++)
		if (strcmp(h->name, name) == 0)
			return h;
	return NULL;
}

static void answer_request(struct control *c, int fd, char *line)
{
	_cleanup_json_ json_t *answer = json_object();
	const struct control_handler *handler;
	char *arguments = line;
	struct err e = {0};

	(void)strsep(&arguments, " ");
	handler = find_handler(c, line);
	if (!handler)
		send_error(fd, "unknown request");
	else if (!answer)
		send_error(fd, "out of memory");
	else if (handler->run(c->desc.arg, arguments ? arguments : "", answer, &e) < 0)
		send_error(fd, e.text);
	else
		send_json(fd, answer);
}

static void serve_connection(struct control *c, int fd)
{
	char line[CONTROL_REQUEST_BYTES];
	ssize_t n;

	if (control_limit(fd) < 0)
		return;
	if (!is_ours(fd)) {
		send_error(fd, "only root and the user who mounted are answered");
		drain(fd);
		return;
	}
	n = control_read_line(fd, line, sizeof(line));
	if (n == -EMSGSIZE) {
		send_error(fd, "the request is too long");
		drain(fd);
	} else if (n >= 0) {
		answer_request(c, fd, line);
	}
}

/* ---- the thread ---- */

static void accept_one(struct control *c)
{
	_cleanup_fd_ int fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		serve_connection(c, fd);
}

static void *control_main(void *arg)
{
	struct control *c = arg;
	struct pollfd fds[] = {{.fd = c->stop_fd, .events = POLLIN},
			       {.fd = c->listen_fd, .events = POLLIN}};
	uint64_t ticked_ns = 0;

	for (;;) {
		uint64_t now_ns = clock_monotonic_ns();

		if (c->desc.tick && now_ns - ticked_ns >= TICK_MS * UINT64_C(1000000)) {
			c->desc.tick(c->desc.arg);
			ticked_ns = now_ns;
		}
		if (poll(fds, ARRAY_SIZE(fds), TICK_MS) <= 0)
			continue;
		if (fds[0].revents)
			return NULL;
		if (fds[1].revents)
			accept_one(c);
	}
}

static int listen_in(struct control *c, struct err *e)
{
	struct sockaddr_un address = control_address(c->desc.store_fd);
	int store_fd = c->desc.store_fd;

	c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listen_fd < 0)
		return err_sys(e, "cannot make the control socket");
	if (unlinkat(store_fd, CONTROL_NAME, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove an old control socket");
	if (bind(c->listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchmodat(store_fd, CONTROL_NAME, 0600, 0) < 0 || listen(c->listen_fd, BACKLOG) < 0)
		return err_sys(e, "cannot make the control socket");
	return 0;
}

int control_start(const struct control_desc *desc, struct control **ret, struct err *e)
{
	struct control *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_oom(e);
	*c = (struct control){.desc = *desc, .listen_fd = -1};
	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	r = c->stop_fd < 0 ? err_sys(e, "cannot make the control socket") : listen_in(c, e);
	if (r == 0) {
		r = pthread_create(&c->thread, NULL, control_main, c);
		if (r)
			r = err_set(e, r, "cannot start the control thread: %s", strerror(r));
		c->started = r == 0;
	}
	if (r < 0) {
		control_stop(c);
		return r;
	}
	(void)pthread_setname_np(c->thread, "control");
	*ret = c;
	return 0;
}

void control_stop(struct control *c)
{
	if (!c)
		return;
	if (c->started) {
		(void)eventfd_write(c->stop_fd, 1);
		(void)pthread_join(c->thread, NULL);
	}
	if (c->listen_fd >= 0) {
		(void)close(c->listen_fd);
		(void)unlinkat(c->desc.store_fd, CONTROL_NAME, 0);
	}
	if (c->stop_fd >= 0)
		(void)close(c->stop_fd);
	free(c);
}
