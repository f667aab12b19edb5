/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a whole tree of an index that has lost names: every inode without a way to it from the root gets a
 * name "#<number>" in a new folder "lost+found", no directory lies within itself or has two names, and link
 * counts are what they should be. The changes go through the writer, so that packs have them, too.
 */
#ifndef SEEDSHIP_STORE_LOST_FOUND_H
#define SEEDSHIP_STORE_LOST_FOUND_H

#include <stdint.h>

#include "common/base/err.h"

/* *ret_n = inodes that got a name. Nothing is written to a store that needs nothing. Takes the store's lock. */
int lost_found_collect(const char *store_path, uint64_t *ret_n, struct err *e);

#endif
