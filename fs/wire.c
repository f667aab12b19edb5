/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bits of the FUSE protocol between the kernel and libfuse. */
#include "fs/wire.h"

#include <linux/fuse.h>
#include <stdatomic.h>
#include <string.h>

/* Of PARALLEL_DIROPS libfuse 3.14 says that it wants it, and then does not ask for it. */
#define WANTED_FLAGS (FUSE_HANDLE_KILLPRIV_V2 | FUSE_PARALLEL_DIROPS)

/* Copying more than that takes longer than waking a thread. */
#define SHORT_BYTES (64u << 10)

static atomic_uint_fast64_t counts[N_WIRE_KINDS];

static enum wire_kind kind_of(uint32_t opcode)
{
	switch (opcode) {
	case FUSE_LOOKUP:
	case FUSE_GETATTR:
	case FUSE_GETXATTR:
	case FUSE_LISTXATTR:
	case FUSE_READLINK:
		return WIRE_LOOKUP;
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		return WIRE_LIST;
	case FUSE_READ:
		return WIRE_READ;
	case FUSE_WRITE:
		return WIRE_WRITE;
	case FUSE_CREATE:
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_SYMLINK:
	case FUSE_LINK:
		return WIRE_CREATE;
	case FUSE_UNLINK:
	case FUSE_RMDIR:
		return WIRE_REMOVE;
	case FUSE_SETATTR:
	case FUSE_SETXATTR:
	case FUSE_REMOVEXATTR:
	case FUSE_RENAME:
	case FUSE_RENAME2:
	case FUSE_FALLOCATE:
		return WIRE_CHANGE;
	case FUSE_FSYNC:
	case FUSE_FSYNCDIR:
	case FUSE_SYNCFS:
		return WIRE_SYNC;
	default:
		return WIRE_OTHER;
	}
}

void wire_get_counts(uint64_t ret[static N_WIRE_KINDS])
{
	for (int i = 0; i < N_WIRE_KINDS; i++)
		ret[i] = atomic_load(&counts[i]);
}

/* The request this thread serves. */
static _Thread_local struct {
	pid_t asker; /* 0: nobody waits */
	bool is_short;
	bool is_notice;
	bool kills_priv;
	bool is_tmpfile;
	bool is_init;
	uint32_t offers; /* INIT only: flags of the kernel */
} current;

/* The 32-bit field of a request's arguments, or 0 when the request is too short to have it. */
static uint32_t get_field(const void *request, size_t len_bytes, size_t offset)
{
	uint32_t value = 0;

	offset += sizeof(struct fuse_in_header);
	if (offset + sizeof(value) <= len_bytes)
		memcpy(&value, (const char *)request + offset, sizeof(value));
	return value;
}

#define FIELD(type, member) get_field(request, len_bytes, offsetof(struct type, member))

static bool is_waited_for(uint32_t opcode)
{
	switch (opcode) {
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_INTERRUPT:
		return false;
	default:
		return true;
	}
}

static bool is_short(uint32_t opcode, const void *request, size_t len_bytes)
{
	return len_bytes <= SHORT_BYTES &&
	       (opcode != FUSE_READ || FIELD(fuse_read_in, size) <= SHORT_BYTES);
}

void wire_note_request(void *request, size_t len_bytes)
{
	struct fuse_in_header header;

	memset(&current, 0, sizeof(current));
	if (len_bytes < sizeof(header))
		return;
	memcpy(&header, request, sizeof(header));
	current.is_notice = !is_waited_for(header.opcode);
	current.asker = current.is_notice ? 0 : (pid_t)header.pid;
	current.is_short = is_short(header.opcode, request, len_bytes);
	(void)atomic_fetch_add(&counts[kind_of(header.opcode)], 1);
	switch (header.opcode) {
	case FUSE_INIT:
		current.is_init = true;
		current.offers = FIELD(fuse_init_in, flags);
		break;
	case FUSE_WRITE:
		current.kills_priv = FIELD(fuse_write_in, write_flags) & FUSE_WRITE_KILL_SUIDGID;
		break;
	case FUSE_OPEN:
		current.kills_priv = FIELD(fuse_open_in, open_flags) & FUSE_OPEN_KILL_SUIDGID;
		break;
	case FUSE_TMPFILE:
		current.is_tmpfile = true;
		header.opcode = FUSE_CREATE;
		memcpy(request, &header, sizeof(header));
		__attribute__((fallthrough));
	case FUSE_CREATE:
		current.kills_priv = FIELD(fuse_create_in, open_flags) & FUSE_OPEN_KILL_SUIDGID;
		break;
	case FUSE_SETATTR:
		current.kills_priv = FIELD(fuse_setattr_in, valid) & FATTR_KILL_SUIDGID;
		break;
	default:
		break;
	}
}

pid_t wire_asker(bool *ret_short)
{
	*ret_short = current.is_short;
	return current.asker;
}

bool wire_is_notice(void)
{
	return current.is_notice;
}

bool wire_is_tmpfile(void)
{
	return current.is_tmpfile;
}

bool wire_kills_priv(void)
{
	return current.kills_priv;
}

bool wire_complete_init(const struct iovec *reply, int count)
{
	const struct fuse_out_header *header = reply[0].iov_base;
	struct fuse_init_out *init;

	if (!current.is_init || header->error != 0 || count != 2 ||
	    reply[1].iov_len < offsetof(struct fuse_init_out, max_background))
		return false;
	init = reply[1].iov_base;
	if (init->max_write == 0 && init->flags == 0)
		return false; /* only a protocol version so far: the kernel asks again */
	init->flags |= current.offers & WANTED_FLAGS;
	return true;
}
