/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seedfs mount: serves a store at a mount point. In the background by default: the parent waits until the
 * mount answers, or passes on why it does not.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/units.h"
#include "fs/commands.h"
#include "fs/loop.h"
#include "fs/session.h"

#define COMMIT_SECONDS_DEFAULT 5
#define QUEUE_DEPTH	       8192
#define MEMORY_BYTES_DEFAULT   (256 * MiB)

struct mount_values {
	bool foreground;
	bool allow_other;
	const char *level;
	uint64_t commit_seconds;
	uint64_t chunk_bytes;
};

static const struct option_row rows[] = {
	{"foreground", 'f', OPTION_FLAG, NULL, "stay in the foreground",
	 offsetof(struct mount_values, foreground)},
	{"allow-other", 0, OPTION_FLAG, NULL, "let other users in (always so when root mounts)",
	 offsetof(struct mount_values, allow_other)},
	{"level", 0, OPTION_TEXT, "N", "zstd level, 1 to 19, or auto (default: auto)",
	 offsetof(struct mount_values, level)},
	{"commit", 0, OPTION_NUMBER, "SECONDS",
	 "at most so much is lost without fsync (default: 5)",
	 offsetof(struct mount_values, commit_seconds)},
	{"chunk", 0, OPTION_SIZE, "SIZE",
	 "unit of compression of a new store, 64K to 1M (default: 128K)",
	 offsetof(struct mount_values, chunk_bytes)},
	OPTION_END,
};

/* How the parent hears: a byte once the mount answers; end of file without one means it failed. */
struct readiness {
	int fd; /* -1 in the foreground */
	const char *store_path;
	const char *mount_point;
};

/* From here on there is no terminal: messages go to the system log and to seedfs.log in the store. */
static void leave_terminal(const char *store_path)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), log_fd = -1;

	if (asprintf(&path, "%s/seedfs.log", store_path) < 0)
		path = NULL;
	if (path)
		log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (null_fd >= 0) {
		(void)dup2(null_fd, STDIN_FILENO);
		(void)dup2(null_fd, STDOUT_FILENO);
		(void)dup2(log_fd >= 0 ? log_fd : null_fd, STDERR_FILENO);
	}
	log_open("seedfs", LOG_LEVEL_INFO, true);
}

static void on_ready(void *arg)
{
	struct readiness *ready = arg;

	if (ready->fd < 0) {
		log_info("'%s' is mounted at '%s'", ready->store_path, ready->mount_point);
		return;
	}
	leave_terminal(ready->store_path);
	(void)!write(ready->fd, "", 1);
	(void)close(ready->fd);
	ready->fd = -1;
	log_info("'%s' is mounted at '%s'", ready->store_path, ready->mount_point);
}

static int fill_options(const struct mount_values *values, struct stage_options *ret, struct err *e)
{
	uint64_t level = 0,
		 commit = values->commit_seconds ? values->commit_seconds : COMMIT_SECONDS_DEFAULT;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (values->level && strcmp(values->level, "auto") != 0) {
		int r = parse_u64(values->level, 1, 19, &level, e);

		if (r < 0)
			return err_wrap(e, r, "--level");
	}
	if (commit > 3600)
		return err_user(e, "--commit: at most 3600 seconds");
	*ret = (struct stage_options){
		.writer = {.level = (int)level,
			   .n_workers = (unsigned)MAX(cpus, 1L),
			   .queue_depth = QUEUE_DEPTH,
			   .commit_ms = commit * 1000 / 2},
		/* Half for the age of data in memory, half for the age of a batch. */
		.dirty_age_ms = commit * 1000 / 2 - 250,
		.memory_bytes = MEMORY_BYTES_DEFAULT,
	};
	return 0;
}

static int check_chunk(uint64_t chunk_bytes, struct err *e)
{
	if (chunk_bytes &&
	    (chunk_bytes < 64 * KiB || chunk_bytes > MiB || chunk_bytes & (chunk_bytes - 1)))
		return err_user(e, "--chunk: must be 64K, 128K, 256K, 512K or 1M");
	return 0;
}

static int serve(struct stage *stage, struct store *store, const struct mount_values *values,
		 struct readiness *ready, struct err *e)
{
	_cleanup_(session_closep) struct session *session = NULL;
	struct session_options options = {.mount_point = ready->mount_point,
					  .source = ready->store_path,
					  .allow_other = values->allow_other,
					  .posix_acl = true,
					  .ready = on_ready,
					  .ready_arg = ready};
	char mount_point[4096];
	int r = session_open(stage, &options, &session, e);

	if (r < 0)
		return r;
	(void)snprintf(mount_point, sizeof(mount_point), "%s", session_mount_point(session));
	r = store_note_holder(store, mount_point, "mounted", e);
	if (r == 0)
		r = session_run(session, e);
	(void)store_note_holder(store, mount_point, "flushing", NULL);
	return r;
}

static int run_mount(const struct mount_values *values, const char *store_path,
		     const char *mount_point, int ready_fd, struct err *e)
{
	struct store_options store_options = {.create = true,
					      .chunk_bytes = (uint32_t)values->chunk_bytes,
					      .uid = geteuid(),
					      .gid = getegid()};
	struct readiness ready = {
		.fd = ready_fd, .store_path = store_path, .mount_point = mount_point};
	struct stage_options options;
	struct store *store;
	struct stage *stage;
	struct err close_err = {0};
	int r, closed;

	(void)umask(077); /* for the store's own files; what users create has its mode from them */
	r = loop_block_signals(e);
	if (r == 0)
		r = fill_options(values, &options, e);
	if (r == 0)
		r = check_chunk(values->chunk_bytes, e);
	if (r == 0)
		r = store_open(store_path, &store_options, &store, e);
	if (r < 0)
		return r;
	if (store->created)
		(void)fprintf(stderr, "A new store is at '%s'.\n", store_path);
	r = stage_new(store, &options, &stage, e);
	if (r < 0)
		return r;
	r = serve(stage, store, values, &ready, e);
	closed = stage_close(stage, &close_err);
	if (closed < 0) {
		log_error("'%s': %s", store_path, close_err.text);
		if (r == 0 && e)
			*e = close_err;
	} else if (r == 0) {
		log_info("'%s' is unmounted, everything is committed", store_path);
	}
	return r < 0 ? r : closed;
}

/* Waits for the child's word. */
static int wait_ready(int fd, pid_t child)
{
	char byte;
	ssize_t n;
	int status;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int run_in_background(const struct mount_values *values, const char *store_path,
			     const char *mount_point, struct err *e)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	(void)fflush(NULL);
	child = fork();
	if (child < 0)
		return err_sys(e, "cannot start the background process");
	if (child > 0) {
		(void)close(fds[1]);
		/* The child has printed why, if it failed. */
		exit(wait_ready(fds[0], child));
	}
	(void)close(fds[0]);
	if (setsid() < 0 || chdir("/") < 0)
		return err_sys(e, "leaving the terminal");
	return run_mount(values, store_path, mount_point, fds[1], e);
}

/* Absolute, because the background process leaves the current folder. */
static int absolute(const char *path, char **ret, struct err *e)
{
	_cleanup_free_ char *cwd = NULL;

	if (path[0] == '/') {
		*ret = strdup(path);
	} else {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return err_sys(e, "the current folder");
		if (asprintf(ret, "%s/%s", cwd, path) < 0)
			*ret = NULL;
	}
	return *ret ? 0 : err_oom(e);
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	const struct mount_values *values = given;
	_cleanup_free_ char *store_path = NULL, *mount_point = NULL;
	int r = absolute(arguments[0], &store_path, e);

	if (r == 0)
		r = absolute(arguments[1], &mount_point, e);
	if (r < 0)
		return r;
	return values->foreground ? run_mount(values, store_path, mount_point, -1, e)
				  : run_in_background(values, store_path, mount_point, e);
}

const struct command command_mount = {
	.name = "mount",
	.summary = "mount a store as a staging location",
	.about = "Mounts the store at STORE on DIR, and creates it on first use. Returns once the "
		 "mount is usable.",
	.arguments = "STORE DIR",
	.options = rows,
	.values_bytes = sizeof(struct mount_values),
	.run = run,
};
