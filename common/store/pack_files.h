/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct pack_files: the pack files of a store, opened for reading when they are asked for and kept
 * open while they are in use (the least recently used one is closed first). One thread at a time.
 */
#ifndef SEEDSHIP_STORE_PACK_FILES_H
#define SEEDSHIP_STORE_PACK_FILES_H

#include <inttypes.h>
#include <stdint.h>

#include "common/base/err.h"

/* A pack's file name below packs/; its argument is the pack's number as uint32_t. */
#define PACK_NAME_FORMAT "%08" PRIu32 ".pack"

struct pack_files;

/* Takes over packs_fd, the descriptor of the folder packs/, also when it fails. */
int pack_files_new(int packs_fd, struct pack_files **ret, struct err *e);
void pack_files_free(struct pack_files *f); /* NULL is fine */
static inline void pack_files_freep(struct pack_files **f)
{
	pack_files_free(*f);
}

/* *ret_fd is lent until the next call. -EBADMSG when the store has no such pack any more. */
int pack_files_get(struct pack_files *f, uint32_t pack, int *ret_fd, struct err *e);

/* Closes all, so that files removed or made since are seen as they are now. */
void pack_files_forget(struct pack_files *f);

#endif
