/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Key memory: locked into RAM, left out of core dumps and of forked children, wiped when freed. There
 * is no way to print one.
 */
#ifndef SEEDSHIP_EXT_SECRET_H
#define SEEDSHIP_EXT_SECRET_H

#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"

/* Allocates len_bytes of zeroed key memory. -ENOMEM; a refused lock (RLIMIT_MEMLOCK) is an error too. */
int secret_alloc(size_t len_bytes, void **ret, struct err *e);

/* Wipes and frees; NULL is fine. */
void secret_free(void *data);
static inline void secret_freep(void *p)
{
	secret_free(*(void **)p);
}
#define _cleanup_secret_ _cleanup_(secret_freep)

/* Wipes memory on the stack or inside a struct; never optimised away. */
void secret_wipe(void *data, size_t len_bytes);

/* Wipes a block of malloc(3) and frees it, for libraries whose free() can be replaced. NULL is fine. */
void secret_wiping_free(void *block);

/* Turns core dumps and ptrace of this process off. Call first in main() of a program that holds keys. */
int secret_harden_process(struct err *e);

#endif
