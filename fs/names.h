/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct names: names that were made or removed and that the index does not show yet. A name here
 * overrides the index. An entry is dropped when the change that made it is durable, unless a later
 * change replaced it (told by its mark). One leaf lock: the committer drops entries.
 */
#ifndef SEEDSHIP_FS_NAMES_H
#define SEEDSHIP_FS_NAMES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "common/store/catalog.h"

struct name_entry {
	UT_hash_handle hh;	 /* in the directory's by_name */
	struct name_entry *next; /* in the directory's list: ascending id */
	struct name_entry *prev;
	uint64_t ino;  /* 0 = the name is gone */
	uint64_t id;   /* readdir position of a live name; mark */
	uint32_t mode; /* file type of a live name */
	char name[];
};

struct name_dir;

struct names {
	pthread_mutex_t lock;
	struct name_dir *dirs; /* lock */
};

enum names_answer { NAMES_ASK_INDEX, NAMES_LIVE, NAMES_GONE };

int names_init(struct names *n);
void names_done(struct names *n);

enum names_answer names_find(struct names *n, uint64_t parent, const char *name, uint64_t *ret_ino);

/* id: greater than every one before. mode: of the inode, for readdir. */
int names_set(struct names *n, uint64_t parent, const char *name, uint64_t ino, uint32_t mode,
	      uint64_t id);
int names_set_gone(struct names *n, uint64_t parent, const char *name, uint64_t mark);

/* The change that made this entry is durable. */
void names_durable(struct names *n, uint64_t parent, const char *name, uint64_t mark);

/* One name of a directory as it is now. */
struct dir_entry {
	uint64_t id, ino;
	uint32_t mode; /* file type */
	char *name;    /* owned by the list */
};

struct dir_list {
	struct dir_entry *entries; /* ascending id */
	size_t n;
	bool complete; /* nothing follows */
};

/*
 * The next names of parent with id > after, at least one unless complete: what the index shows,
 * overridden by what is here, as of one moment.
 */
int names_list(struct names *n, struct catalog *catalog, uint64_t parent, uint64_t after,
	       struct dir_list *ret);
void dir_list_done(struct dir_list *l);

#endif
