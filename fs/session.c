/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The FUSE session: mount, INIT, unmount; its loop is loop.h. libfuse mounts (by itself as root, else with
 * fusermount3); requests and replies then pass through two hooks of ours, which complete the protocol
 * where libfuse 3.14 is silent (wire.h) and notice when the mount has become usable.
 */
#include "fs/session.h"

#include "fs/ops_priv.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/macros.h"
#include "fs/loop.h"
#include "fs/mount_point.h"
#include "fs/mounts.h"
#include "fs/wire.h"

#define MAX_THREADS_DEFAULT 32 /* most of them wait for a commit, if there ever are so many */
/* Four requests of the largest size: threads decode ahead of one reader. */
#define READAHEAD_KIB 4096

struct session {
	struct ops ops; /* the FUSE session's user data, and the session itself */
	char *mount_point;
	unsigned max_threads;
	void (*ready)(void *arg);
	void *ready_arg;
	atomic_bool is_ready;
};

/* ---- what libfuse has to say ---- */

/* Its last words while a session is opened: they belong into the error. */
static _Thread_local char *opening_words;
#define WORDS_BYTES 256

static void take_words(enum fuse_log_level level, const char *fmt, va_list ap)
{
	char text[WORDS_BYTES];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	if (opening_words)
		(void)snprintf(opening_words, WORDS_BYTES, "%s", text);
	else if (level <= FUSE_LOG_ERR)
		log_error("%s", text);
	else
		log_debug("%s", text);
}

/* ---- hooks between the kernel and libfuse ---- */

static ssize_t read_request(int fd, void *data, size_t size, void *userdata)
{
	ssize_t n = read(fd, data, size);

	(void)userdata;
	if (n > 0)
		wire_note_request(data, (size_t)n);
	return n;
}

static void become_ready(struct session *s)
{
	mount_point_raise_readahead(s->mount_point, READAHEAD_KIB);
	if (s->ready)
		s->ready(s->ready_arg);
}

static ssize_t write_reply(int fd, struct iovec *reply, int count, void *userdata)
{
	struct session *s = container_of(userdata, struct session, ops);
	bool completes_init = wire_complete_init(reply, count);
	ssize_t n = writev(fd, reply, count);
	int saved = errno;

	if (completes_init && n >= 0 && !atomic_exchange(&s->is_ready, true))
		become_ready(s);
	errno = saved;
	return n;
}

/* ---- opening ---- */

/* The options of the mount, as libfuse wants them: one comma-separated text. */
static int make_mount_options(const struct session_options *o, char **ret)
{
	_cleanup_free_ char *text = NULL, *source = NULL;

	if (asprintf(&source, "fsname=%s", o->source) < 0) {
		source = NULL;
		return -ENOMEM;
	}
	if (fuse_opt_add_opt(&text, "subtype=" MOUNT_SUBTYPE) < 0 ||
	    fuse_opt_add_opt(&text, "default_permissions") < 0 ||
	    (o->flags && fuse_opt_add_opt(&text, o->flags) < 0) ||
	    fuse_opt_add_opt_escaped(&text, source) < 0)
		return -ENOMEM;
	if ((o->allow_other || geteuid() == 0) && fuse_opt_add_opt(&text, "allow_other") < 0)
		return -ENOMEM;
	*ret = take_ptr(text);
	return 0;
}

static int make_fuse_session(struct session *s, const struct session_options *o, struct err *e)
{
	_cleanup_(fuse_opt_free_args) struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	_cleanup_free_ char *options = NULL;

	if (make_mount_options(o, &options) < 0 || fuse_opt_add_arg(&args, MOUNT_SUBTYPE) < 0 ||
	    fuse_opt_add_arg(&args, "-o") < 0 || fuse_opt_add_arg(&args, options) < 0)
		return err_oom(e);
	s->ops.fuse = fuse_session_new(&args, &ops_table, sizeof(ops_table), &s->ops);
	return s->ops.fuse ? 0 : err_set(e, EINVAL, "FUSE: %s", opening_words);
}

static int mount_session(struct session *s, struct err *e)
{
	static const struct fuse_custom_io hooks = {.read = read_request, .writev = write_reply};
	int r;

	errno = 0;
	if (fuse_session_mount(s->ops.fuse, s->mount_point) < 0) {
		r = err_set(e, errno ? errno : EPERM, "cannot mount at '%s': %s", s->mount_point,
			    opening_words[0] ? opening_words : "fusermount3 failed");
		return access("/dev/fuse", F_OK) < 0 ? err_hint(e, r,
								"is the kernel module loaded? "
								"try: modprobe fuse")
						     : r;
	}
	r = fuse_session_custom_io(s->ops.fuse, &hooks, fuse_session_fd(s->ops.fuse));
	return r < 0 ? err_set(e, -r, "FUSE: %s", opening_words) : 0;
}

static int open_session(struct session *s, const struct session_options *o, struct err *e)
{
	int r = mount_point_prepare(o->mount_point, &s->mount_point, e);

	if (r == 0)
		r = make_fuse_session(s, o, e);
	if (r < 0)
		return r;
	return mount_session(s, e);
}

int session_open(struct stage *stage, const struct session_options *o, struct session **ret,
		 struct err *e)
{
	_cleanup_(session_closep) struct session *s = calloc(1, sizeof(*s));
	char words[WORDS_BYTES] = "";
	int r;

	if (!s)
		return err_oom(e);
	s->ops = (struct ops){.stage = stage, .posix_acl = o->posix_acl};
	s->max_threads = o->max_threads ? o->max_threads : MAX_THREADS_DEFAULT;
	s->ready = o->ready;
	s->ready_arg = o->ready_arg;
	fuse_set_log_func(take_words);
	opening_words = words;
	r = open_session(s, o, e);
	opening_words = NULL;
	if (r == 0)
		*ret = take_ptr(s);
	return r;
}

const char *session_mount_point(const struct session *s)
{
	return s->mount_point;
}

/* ---- running ---- */

int session_run(struct session *s, struct err *e)
{
	int r = loop_run(s->ops.fuse, s->max_threads, e);

	return r < 0 ? err_wrap(e, r, "serving '%s'", s->mount_point) : 0;
}

void session_close(struct session *s)
{
	if (!s)
		return;
	if (s->ops.fuse) {
		fuse_session_unmount(s->ops.fuse);
		fuse_session_destroy(s->ops.fuse);
		mount_point_clear(s->mount_point);
	}
	free(s->mount_point);
	free(s);
}
