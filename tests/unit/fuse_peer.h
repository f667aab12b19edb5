/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A mount without a kernel: requests and replies as packets on a socket, by the test itself, over a real
 * stage and store.
 */
#ifndef SEEDSHIP_TESTS_FUSE_PEER_H
#define SEEDSHIP_TESTS_FUSE_PEER_H

#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/macros.h"
#include "fs/ops_priv.h"
#include "fs/wire.h"

#define REPLY_BYTES 65536

/* A mount without a kernel. */
struct peer {
	char dir[64];
	struct ops ops;
	int kernel_fd; /* our end */
	struct fuse_buf buf;
	uint64_t unique;
	struct fuse_out_header header; /* of the last reply */
	char *reply;		       /* what followed it */
	size_t reply_bytes;
	uint32_t uid;
};

static _unused_ ssize_t read_request(int fd, void *data, size_t size, void *userdata)
{
	ssize_t n = read(fd, data, size);

	(void)userdata;
	if (n > 0)
		wire_note_request(data, (size_t)n);
	return n;
}

static _unused_ ssize_t write_reply(int fd, struct iovec *reply, int count, void *userdata)
{
	(void)userdata;
	(void)wire_complete_init(reply, count);
	return writev(fd, reply, count);
}

/* Sends a request of three parts, lets it be served, and reads the reply: its error. */
static _unused_ int call(struct peer *p, uint32_t opcode, uint64_t ino, const void *a,
			 size_t a_bytes, const void *b, size_t b_bytes, const void *c,
			 size_t c_bytes)
{
	struct fuse_in_header in = {
		.len = (uint32_t)(sizeof(in) + a_bytes + b_bytes + c_bytes),
		.opcode = opcode,
		.unique = ++p->unique,
		.nodeid = ino,
		.uid = p->uid,
		.gid = p->uid,
	};
	struct iovec parts[] = {{&in, sizeof(in)},
				{(void *)(uintptr_t)a, a_bytes},
				{(void *)(uintptr_t)b, b_bytes},
				{(void *)(uintptr_t)c, c_bytes}};
	char packet[sizeof(struct fuse_out_header) + REPLY_BYTES];
	ssize_t n;

	assert_int_equal(writev(p->kernel_fd, parts, 4), in.len);
	assert_int_equal(fuse_session_receive_buf(p->ops.fuse, &p->buf), in.len);
	fuse_session_process_buf(p->ops.fuse, &p->buf);
	if (opcode == FUSE_FORGET)
		return 0;
	do { /* notifications have no request */
		n = read(p->kernel_fd, packet, sizeof(packet));
		assert_true(n >= (ssize_t)sizeof(p->header));
		memcpy(&p->header, packet, sizeof(p->header));
	} while (p->header.unique == 0);
	assert_int_equal(p->header.unique, p->unique);
	p->reply_bytes = (size_t)n - sizeof(p->header);
	memcpy(p->reply, packet + sizeof(p->header), p->reply_bytes);
	return p->header.error;
}

static _unused_ int call_name(struct peer *p, uint32_t opcode, uint64_t dir, const void *arg,
			      size_t arg_bytes, const char *name)
{
	return call(p, opcode, dir, arg, arg_bytes, name, strlen(name) + 1, NULL, 0);
}

static _unused_ const struct fuse_entry_out *entry_of(const struct peer *p)
{
	assert_true(p->reply_bytes >= sizeof(struct fuse_entry_out));
	return (const struct fuse_entry_out *)(const void *)p->reply;
}

static _unused_ uint64_t make_dir(struct peer *p, uint64_t parent, const char *name)
{
	struct fuse_mkdir_in in = {.mode = 0755};

	assert_int_equal(call_name(p, FUSE_MKDIR, parent, &in, sizeof(in), name), 0);
	return entry_of(p)->nodeid;
}

static _unused_ uint64_t create_file(struct peer *p, uint64_t parent, const char *name,
				     uint32_t mode)
{
	struct fuse_create_in in = {.flags = O_RDWR | O_CREAT, .mode = S_IFREG | mode};

	assert_int_equal(call_name(p, FUSE_CREATE, parent, &in, sizeof(in), name), 0);
	assert_int_equal(p->reply_bytes,
			 sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out));
	return entry_of(p)->nodeid;
}

static _unused_ int write_file(struct peer *p, uint64_t ino, const char *text, uint64_t off,
			       uint32_t flags)
{
	struct fuse_write_in in = {
		.offset = off, .size = (uint32_t)strlen(text), .write_flags = flags};

	return call(p, FUSE_WRITE, ino, &in, sizeof(in), text, strlen(text), NULL, 0);
}

static _unused_ const struct fuse_attr *get_attr(struct peer *p, uint64_t ino)
{
	struct fuse_getattr_in in = {0};

	assert_int_equal(call(p, FUSE_GETATTR, ino, &in, sizeof(in), NULL, 0, NULL, 0), 0);
	return &((const struct fuse_attr_out *)(const void *)p->reply)->attr;
}

static _unused_ void send_init(struct peer *p)
{
	struct fuse_init_in in = {.major = 7,
				  .minor = 36,
				  .max_readahead = 131072,
				  .flags = 0x7FFFFFFF & ~FUSE_INIT_EXT};
	struct fuse_init_out out;

	assert_int_equal(call(p, FUSE_INIT, 0, &in, sizeof(in), NULL, 0, NULL, 0), 0);
	assert_true(p->reply_bytes >= sizeof(out));
	memcpy(&out, p->reply, sizeof(out));
	assert_int_equal(out.max_write, 1 << 20);
	assert_int_equal(out.max_pages, (1 << 20) / getpagesize());
	assert_int_equal(out.flags & (FUSE_HANDLE_KILLPRIV_V2 | FUSE_PARALLEL_DIROPS |
				      FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO |
				      FUSE_CACHE_SYMLINKS | FUSE_EXPLICIT_INVAL_DATA |
				      FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_MAX_PAGES),
			 FUSE_HANDLE_KILLPRIV_V2 | FUSE_PARALLEL_DIROPS | FUSE_DO_READDIRPLUS |
				 FUSE_READDIRPLUS_AUTO | FUSE_CACHE_SYMLINKS |
				 FUSE_EXPLICIT_INVAL_DATA | FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC |
				 FUSE_MAX_PAGES);
	assert_int_equal(out.flags & (FUSE_WRITEBACK_CACHE | FUSE_POSIX_ACL | FUSE_POSIX_LOCKS |
				      FUSE_FLOCK_LOCKS | FUSE_AUTO_INVAL_DATA | FUSE_DONT_MASK),
			 0);
}

static _unused_ void make_stage(struct peer *p)
{
	struct store_options store_options = {.create = true};
	struct stage_options stage_options = {
		.writer = {.queue_depth = 16, .commit_ms = 50, .n_workers = 1},
		.dirty_age_ms = 50,
		.memory_bytes = 64 << 20,
	};
	struct store *store;
	struct err e;

	if (store_open(p->dir, &store_options, &store, &e) < 0 ||
	    stage_new(store, &stage_options, &p->ops.stage, &e) < 0)
		fail_msg("%s", e.text);
}

static _unused_ int make_peer(void **state)
{
	static const struct fuse_custom_io hooks = {.read = read_request, .writev = write_reply};
	char *argv[] = {(char[]){"test_ops"}, NULL};
	_cleanup_(fuse_opt_free_args) struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct peer *p = calloc(1, sizeof(*p));
	int ends[2];

	assert_non_null(p);
	p->reply = malloc(REPLY_BYTES);
	(void)strcpy(p->dir, "/tmp/test_ops.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	make_stage(p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	p->kernel_fd = ends[0];
	p->ops.fuse = fuse_session_new(&args, &ops_table, sizeof(ops_table), &p->ops);
	assert_non_null(p->ops.fuse);
	assert_int_equal(fuse_session_custom_io(p->ops.fuse, &hooks, ends[1]), 0);
	send_init(p);
	*state = p;
	return 0;
}

static _unused_ int drop_peer(void **state)
{
	struct peer *p = *state;
	char command[128];

	fuse_session_destroy(p->ops.fuse);
	(void)close(p->kernel_fd);
	assert_int_equal(stage_close(p->ops.stage, NULL), 0);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", p->dir);
	assert_int_equal(system(command), 0);
	free(p->buf.mem);
	free(p->reply);
	free(p);
	return 0;
}

#define PEER_TEST(f) cmocka_unit_test_setup_teardown(f, make_peer, drop_peer)

#endif
