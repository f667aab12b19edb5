/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs mkntfs without a shell: an argument array, an empty environment, its complaints through a pipe. */
#include "exporter/ntfs/mkfs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/cleanup.h"

/* The ordinary PATH of a user lacks sbin. */
static const char *const programs[] = {
	"/usr/sbin/mkntfs",
	"/sbin/mkntfs",
	"/usr/local/sbin/mkntfs",
	"/usr/bin/mkntfs",
};

struct mkntfs_run {
	pid_t pid;
	int stderr_fd;
};

/* stdin and stdout go nowhere, stderr into the pipe; every signal has its default action again. */
static int spawn(const char *program, const char *const argv[], int stderr_fd, pid_t *ret_pid)
{
	char locale[] = "LC_ALL=C.UTF-8";
	char *const environment[] = {locale, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int r;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	r = posix_spawn_file_actions_init(&files);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (r != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return -r;
	}
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	r = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&files, stderr_fd, 2);
	if (r == 0)
		r = posix_spawn(ret_pid, program, &files, &attr, (char *const *)argv, environment);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&files);
	return -r;
}

static int start(const char *const argv[], struct mkntfs_run *ret, struct err *e)
{
	_cleanup_fd_ int read_fd = -1;
	_cleanup_fd_ int write_fd = -1;
	int fds[2], r = -ENOENT;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	for (size_t i = 0; i < ARRAY_SIZE(programs) && r == -ENOENT; i++)
		r = spawn(programs[i], argv, write_fd, &ret->pid);
	if (r == -ENOENT)
		return err_hint(e, err_set(e, ENOENT, "mkntfs is not installed"),
				"install the package ntfs-3g");
	if (r < 0) {
		errno = -r;
		return err_sys(e, "cannot run mkntfs");
	}
	ret->stderr_fd = take_fd(&read_fd);
	return 0;
}

/* Reads to the end, so that mkntfs never blocks, and keeps the last part as one line. */
static void drain(int fd, char *text, size_t text_bytes)
{
	char piece[512];
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0 || (n < 0 && errno == EINTR)) {
		size_t keep = (size_t)MAX(n, 0);

		if (used + keep >= text_bytes) {
			size_t drop = MIN(used, used + keep - text_bytes + 1);

			memmove(text, text + drop, used - drop);
			used -= drop;
		}
		memcpy(text + used, piece, keep);
		used += keep;
	}
	text[used] = '\0';
	while (used > 0 && text[used - 1] == '\n')
		text[--used] = '\0';
	for (char *p = text; *p; p++)
		if (*p == '\n' || *p == '\r')
			*p = ' ';
}

static int finish(struct mkntfs_run *run, struct err *e)
{
	_cleanup_fd_ int fd = run->stderr_fd;
	char said[700];
	int status;

	drain(fd, said, sizeof(said));
	while (waitpid(run->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "cannot wait for mkntfs");
	if (WIFSIGNALED(status))
		return err_set(e, WTERMSIG(status) == SIGINT ? EINTR : EIO,
			       "mkntfs was stopped by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(e, EIO, "mkntfs failed with status %d: %s", WEXITSTATUS(status),
			       said);
	return 0;
}

int ntfs_mkfs(const struct ntfs_mkfs_params *params, struct err *e)
{
	char start_sector[24], sector[16], cluster[16], path[4096];
	const char *label = params->label ? params->label : "";
	struct mkntfs_run run;
	int r;

	/* A path that begins with a dash would be taken for an option. */
	if ((size_t)snprintf(path, sizeof(path), "%s%s", params->path[0] == '-' ? "./" : "",
			     params->path) >= sizeof(path))
		return err_user(e, "the path of the image is too long");
	(void)snprintf(start_sector, sizeof(start_sector), "%" PRIu64, params->hidden_sectors);
	(void)snprintf(sector, sizeof(sector), "%" PRIu32, params->sector_bytes);
	(void)snprintf(cluster, sizeof(cluster), "%" PRIu32, params->cluster_bytes);

	const char *const argv[] = {
		"mkntfs", "-q", "-F",	"-Q", "-p",    start_sector, "-H",  "255", "-S",
		"63",	  "-s", sector, "-c", cluster, "-L",	     label, path,  NULL,
	};

	r = start(argv, &run, e);
	if (r == 0)
		r = finish(&run, e);
	return r < 0 ? err_wrap(e, r, "cannot format image '%s'", params->path) : 0;
}
