/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The protocol bits that pass by libfuse: raw requests in, the INIT reply out. */
#include <linux/fuse.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/macros.h"
#include "fs/wire.h"

struct request {
	struct fuse_in_header header;
	union {
		struct fuse_init_in init;
		struct fuse_write_in write;
		struct fuse_open_in open;
		struct fuse_create_in create;
		struct fuse_setattr_in setattr;
	};
};

static bool kills(uint32_t opcode, struct request *request)
{
	request->header.opcode = opcode;
	wire_note_request(request, sizeof(*request));
	return wire_kills_priv();
}

static void test_kill_flags(void **state)
{
	struct request r;

	(void)state;
	r = (struct request){.write.write_flags = FUSE_WRITE_KILL_SUIDGID};
	assert_true(kills(FUSE_WRITE, &r));
	r = (struct request){.write.write_flags = (uint32_t)~FUSE_WRITE_KILL_SUIDGID};
	assert_false(kills(FUSE_WRITE, &r));
	r = (struct request){.open.open_flags = FUSE_OPEN_KILL_SUIDGID};
	assert_true(kills(FUSE_OPEN, &r));
	r = (struct request){.create.open_flags = FUSE_OPEN_KILL_SUIDGID};
	assert_true(kills(FUSE_CREATE, &r));
	r = (struct request){.setattr.valid = FATTR_KILL_SUIDGID | FATTR_SIZE};
	assert_true(kills(FUSE_SETATTR, &r));
	r = (struct request){.setattr.valid = FATTR_SIZE};
	assert_false(kills(FUSE_SETATTR, &r));
	memset(&r, 0xFF,
	       sizeof(r)); /* another request says nothing, and ends what was said before */
	assert_false(kills(FUSE_READ, &r));
}

/* TMPFILE is passed on as CREATE, and known to be none. */
static void test_tmpfile(void **state)
{
	struct request r = {.create.flags = 7};

	(void)state;
	assert_false(kills(FUSE_CREATE, &r));
	assert_false(wire_is_tmpfile());
	r.create.open_flags = FUSE_OPEN_KILL_SUIDGID;
	assert_true(kills(FUSE_TMPFILE, &r));
	assert_true(wire_is_tmpfile());
	assert_int_equal(r.header.opcode, FUSE_CREATE);
	assert_int_equal(r.create.flags, 7);
	assert_false(kills(FUSE_READ, &r));
	assert_false(wire_is_tmpfile());
}

/* Closing and forgetting: the kernel does not wait for an answer, so that nobody asks. */
static void test_notices(void **state)
{
	static const uint32_t notices[] = {FUSE_FORGET, FUSE_BATCH_FORGET, FUSE_RELEASE,
					   FUSE_RELEASEDIR, FUSE_INTERRUPT};
	struct request r = {.header.pid = 7};
	bool is_short;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(notices); i++) {
		(void)kills(notices[i], &r);
		assert_true(wire_is_notice());
		assert_int_equal(wire_asker(&is_short), 0);
	}
	(void)kills(FUSE_FLUSH, &r);
	assert_false(wire_is_notice());
	assert_int_equal(wire_asker(&is_short), 7);
}

/* A request that ends before the field does not have it; nothing behind its end is looked at. */
static void test_short_requests(void **state)
{
	static const uint32_t opcodes[] = {FUSE_WRITE, FUSE_OPEN, FUSE_CREATE, FUSE_SETATTR,
					   FUSE_INIT};
	struct request whole;

	(void)state;
	memset(&whole, 0xFF, sizeof(whole));
	for (size_t i = 0; i < ARRAY_SIZE(opcodes); i++) {
		whole.header.opcode = opcodes[i];
		for (size_t n = 0; n <= sizeof(struct fuse_in_header); n++) {
			char *exact = malloc(n + 1);

			memcpy(exact, &whole, n);
			wire_note_request(exact, n);
			assert_false(wire_kills_priv());
			free(exact);
		}
	}
}

static void *ask_other_thread(void *arg)
{
	*(bool *)arg = wire_kills_priv();
	return NULL;
}

static void test_threads_apart(void **state)
{
	struct request r = {.write.write_flags = FUSE_WRITE_KILL_SUIDGID};
	bool other = true;
	pthread_t thread;

	(void)state;
	assert_true(kills(FUSE_WRITE, &r));
	assert_int_equal(pthread_create(&thread, NULL, ask_other_thread, &other), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_false(other);
}

struct init_reply {
	struct fuse_out_header header;
	struct fuse_init_out init;
};

static bool complete(struct init_reply *reply, size_t init_bytes)
{
	struct iovec parts[] = {{&reply->header, sizeof(reply->header)},
				{&reply->init, init_bytes}};

	return wire_complete_init(parts, init_bytes ? 2 : 1);
}

static void note_init(uint32_t flags)
{
	struct request r = {.header.opcode = FUSE_INIT, .init.flags = flags};

	wire_note_request(&r, sizeof(r));
}

static void test_init(void **state)
{
	const struct init_reply plain = {.init = {.flags = FUSE_BIG_WRITES, .max_write = 4096}};
	struct init_reply reply = plain;

	(void)state;
	note_init(FUSE_HANDLE_KILLPRIV_V2 | FUSE_ASYNC_READ);
	assert_true(complete(&reply, sizeof(reply.init)));
	assert_int_equal(reply.init.flags, FUSE_BIG_WRITES | FUSE_HANDLE_KILLPRIV_V2);
	assert_int_equal(reply.init.max_write, 4096);

	reply = plain;
	note_init(FUSE_HANDLE_KILLPRIV_V2 | FUSE_PARALLEL_DIROPS);
	assert_true(complete(&reply, sizeof(reply.init)));
	assert_int_equal(reply.init.flags,
			 FUSE_BIG_WRITES | FUSE_HANDLE_KILLPRIV_V2 | FUSE_PARALLEL_DIROPS);

	reply = plain;
	note_init(FUSE_ASYNC_READ); /* not offered: not taken */
	assert_true(complete(&reply, sizeof(reply.init)));
	assert_memory_equal(&reply, &plain, sizeof(plain));
}

static void test_not_init(void **state)
{
	const struct init_reply plain = {.init = {.flags = FUSE_BIG_WRITES, .max_write = 4096}};
	struct init_reply reply = plain;
	struct request other = {.header.opcode = FUSE_STATFS};

	(void)state;
	wire_note_request(&other, sizeof(other));
	assert_false(complete(&reply, sizeof(reply.init)));
	note_init(FUSE_HANDLE_KILLPRIV_V2);
	assert_false(complete(&reply, 0));
	assert_false(complete(&reply, 8));
	reply.header.error = -71;
	assert_false(complete(&reply, sizeof(reply.init)));
	reply.header.error = 0;
	assert_memory_equal(&reply, &plain, sizeof(plain));
	memset(&reply.init, 0, sizeof(reply.init)); /* version negotiation only */
	assert_false(complete(&reply, sizeof(reply.init)));
	assert_int_equal(reply.init.flags, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill_flags),    cmocka_unit_test(test_tmpfile),
		cmocka_unit_test(test_notices),	      cmocka_unit_test(test_short_requests),
		cmocka_unit_test(test_threads_apart), cmocka_unit_test(test_init),
		cmocka_unit_test(test_not_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
