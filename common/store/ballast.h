/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct ballast: blocks of the disk that are held back in a file of the store and given up when the disk is
 * full, so that commits, and with them deletions, still find room. Belongs to the committer.
 */
#ifndef SEEDSHIP_STORE_BALLAST_H
#define SEEDSHIP_STORE_BALLAST_H

#include <stdbool.h>

#include "common/base/macros.h"

#define BALLAST_NAME  "ballast"
#define BALLAST_BYTES (8 * MiB)

struct ballast {
	int fd; /* -1 = there can be none */
	bool held;
};

/* Never fails: without ballast a full disk is only harder to live with. */
void ballast_init(struct ballast *b, int store_fd, unsigned long long spare_bytes);
void ballast_done(struct ballast *b);

/* Gives the blocks to whoever needs them now. True when there were any. */
bool ballast_release(struct ballast *b);

/* The same before there is a struct ballast: to open a store on a full disk. */
bool ballast_give_up(int store_fd);

/* Takes them back if the disk has at least spare_bytes besides. True when they are held, or can never be. */
bool ballast_restore(struct ballast *b, unsigned long long spare_bytes);

#endif
