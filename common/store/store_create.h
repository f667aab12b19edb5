/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making a store, as part of opening it (store.c). */
#ifndef SEEDSHIP_STORE_STORE_CREATE_H
#define SEEDSHIP_STORE_STORE_CREATE_H

#include "common/store/store.h"

/*
 * -EBADMSG when there are packs: without an index they are a damaged store, and a new one in its place would
 * overwrite them.
 */
int store_check_no_packs(struct store *s, struct err *e);

/* -ENOTEMPTY: a folder with anything in it but a half-made store is not ours to fill. */
int store_check_empty(struct store *s, struct err *e);

/* The first rows of an index that has none, durable on return. */
int store_create(struct store *s, const struct store_options *o, struct err *e);

#endif
