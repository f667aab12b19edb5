/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seedfs mount: serves a store at a mount point. In the background by default: the parent waits until the
 * mount answers, or passes on why it does not.
 */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "fs/commands.h"
#include "fs/live.h"
#include "fs/loop.h"
#include "fs/mount_options.h"
#include "fs/mount_point.h"
#include "fs/session.h"

/* How the parent hears: a byte once the mount answers; end of file without one means it failed. */
struct readiness {
	bool read_only; /* the store is not to be written to, not even a log */
	int fd;		/* -1 in the foreground */
	const char *store_path;
	const char *mount_point;
};

/* From here on there is no terminal: messages go to the system log and to seedfs.log in the store. */
static void leave_terminal(const char *store_path, bool read_only)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), log_fd = -1;

	if (read_only || asprintf(&path, "%s/seedfs.log", store_path) < 0)
		path = NULL;
	if (path)
		log_fd = open(path,
			      O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
			      0600);
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
	leave_terminal(ready->store_path, ready->read_only);
	(void)!write(ready->fd, "", 1);
	(void)close(ready->fd);
	ready->fd = -1;
	log_info("'%s' is mounted at '%s'", ready->store_path, ready->mount_point);
}

/* Gives the top directory to whom the options say. */
static int settle_root(struct stage *stage, const struct mount_settings *settings, struct err *e)
{
	const struct stat *want = &settings->root;
	unsigned valid = settings->root_valid;
	struct stat st;
	int r = valid ? stage_getattr(stage, STAGE_ROOT_INO, &st) : 0;

	if (r == 0 && ((valid & STAGE_SET_UID && st.st_uid != want->st_uid) ||
		       (valid & STAGE_SET_GID && st.st_gid != want->st_gid) ||
		       (valid & STAGE_SET_MODE && (st.st_mode & 07777) != want->st_mode)))
		r = stage_setattr(stage, STAGE_ROOT_INO, want, valid, &st);
	return r < 0 ? err_set(e, -r, "the top directory: %s", strerror(-r)) : 0;
}

/* A mount works without its control socket, and a folder that takes none is no reason not to mount. */
static struct live *start_live(struct stage *stage, const struct store *store)
{
	struct live *live = NULL;
	struct err e = {0};

	if (!store->read_only && live_start(stage, store, &live, &e) < 0)
		log_warning("'%s': status will not be live: %s", store->path, e.text);
	return live;
}

static int serve(struct stage *stage, struct store *store, const struct mount_settings *settings,
		 struct readiness *ready, struct err *e)
{
	_cleanup_(session_closep) struct session *session = NULL;
	struct session_options options = {.mount_point = ready->mount_point,
					  .source = ready->store_path,
					  .allow_other = settings->allow_other,
					  .flags = settings->kernel_flags,
					  .posix_acl = true,
					  .ready = on_ready,
					  .ready_arg = ready};
	char mount_point[4096];
	_cleanup_(live_stopp) struct live *live = NULL;
	int r = session_open(stage, &options, &session, e);

	if (r < 0)
		return r;
	live = start_live(stage, store);
	(void)snprintf(mount_point, sizeof(mount_point), "%s", session_mount_point(session));
	r = store_note_holder(store, mount_point, "mounted", e);
	if (r == 0)
		r = session_run(session, e);
	(void)store_note_holder(store, mount_point, "flushing", NULL);
	return r;
}

static int run_mount(const struct mount_settings *settings, const char *store_path,
		     const char *mount_point, int ready_fd, struct err *e)
{
	struct store_options store_options = {.create = !settings->read_only,
					      .read_only = settings->read_only,
					      .chunk_bytes = settings->chunk_bytes,
					      .uid = geteuid(),
					      .gid = getegid()};
	struct readiness ready = {.read_only = settings->read_only,
				  .fd = ready_fd,
				  .store_path = store_path,
				  .mount_point = mount_point};
	struct store *store;
	struct stage *stage;
	struct err close_err = {0};
	int r, closed;

	(void)umask(077); /* for the store's own files; what users create has its mode from them */
	r = loop_block_signals(e);
	if (r == 0)
		r = store_open(store_path, &store_options, &store, e);
	if (r < 0)
		return r;
	if (store->created)
		(void)fprintf(stderr, "A new store is at '%s'.\n", store_path);
	r = stage_new(store, &settings->stage, &stage, e);
	if (r < 0)
		return r;
	r = settle_root(stage, settings, e);
	if (r == 0)
		r = serve(stage, store, settings, &ready, e);
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

static int run_in_background(const struct mount_settings *settings, const char *store_path,
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
	return run_mount(settings, store_path, mount_point, fds[1], e);
}

/*
 * The store's path, absolute and without symlinks and dots: while it is mounted, no way to it may lead through
 * the mount, or seedfs would wait for itself. The store need not exist yet.
 */
static int resolve_store(const char *path, char **ret, struct err *e)
{
	_cleanup_free_ char *for_dir = strdup(path), *for_base = strdup(path), *dir = NULL;

	*ret = realpath(path, NULL);
	if (*ret)
		return 0;
	if (!for_dir || !for_base)
		return err_oom(e);
	dir = realpath(dirname(for_dir), NULL);
	if (!dir)
		return err_sys(e, "store '%s'", path);
	if (asprintf(ret, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, basename(for_base)) < 0) {
		*ret = NULL;
		return err_oom(e);
	}
	return 0;
}

static int check_apart(const char *store_path, const char *mount_point, struct err *e)
{
	size_t n = strlen(mount_point);

	if (strncmp(store_path, mount_point, n) == 0 &&
	    (store_path[n] == '/' || store_path[n] == '\0'))
		return err_user(e, "the store '%s' would be hidden below its own mount",
				store_path);
	return 0;
}

static int run(const void *given, char *const *arguments, struct err *e)
{
	_cleanup_free_ char *store_path = NULL, *mount_point = NULL;
	struct mount_settings settings;
	int r = mount_options_read(given, &settings, e);

	if (r == 0)
		r = resolve_store(arguments[0], &store_path, e);
	if (r == 0) /* before anything is created */
		r = mount_point_resolve(arguments[1], &mount_point, e);
	if (r == 0)
		r = check_apart(store_path, mount_point, e);
	if (r < 0 || settings.fake)
		return r;
	return settings.foreground ? run_mount(&settings, store_path, mount_point, -1, e)
				   : run_in_background(&settings, store_path, mount_point, e);
}

const struct command command_mount = {
	.name = "mount",
	.summary = "mount a store as a staging location",
	.about = "Mounts the store at STORE on DIR, and creates it on first use. Returns once the "
		 "mount is usable. 'mount -t fuse.seedfs STORE DIR' and a line in fstab do the "
		 "same.",
	.arguments = "STORE DIR",
	.options = mount_option_rows,
	.values_bytes = sizeof(struct mount_values),
	.run = run,
};
