/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct disk: a file system in memory that knows what a power cut would leave of it. Every file has two
 * images: what programs see, and what is durable; between them stand the changes that no fsync or fdatasync
 * of that file has covered yet. Names likewise: an entry is durable with an fsync of its directory, and with
 * nothing else (POSIX; most real file systems promise more). Owners, modes and times are durable at once.
 *
 * Not thread-safe.
 */
#ifndef SEEDSHIP_TESTS_FAULTFS_DISK_H
#define SEEDSHIP_TESTS_FAULTFS_DISK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define DISK_BLOCK_BYTES  4096 /* unit of allocation */
#define DISK_SECTOR_BYTES 512  /* what a power cut never tears */
#define DISK_FILE_MAX	  (UINT64_C(16) << 30)

enum disk_call { DISK_READ, DISK_WRITE, DISK_FSYNC, DISK_CALLS };

struct image {
	uint8_t *bytes; /* DISK_FILE_MAX of address space; zeros behind size_bytes */
	uint64_t size_bytes;
};

/* A change of a file's content that is not durable yet. */
struct pending {
	struct pending *next;
	bool resize;	    /* the file gets off_bytes long */
	bool lost;	    /* an fsync failed: nothing will ever make it durable */
	uint64_t off_bytes; /* of what is written */
	size_t len_bytes;
	uint8_t *data; /* NULL = zeros */
};

struct names {
	struct name {
		char name[NAME_MAX + 1];
		struct node *node;
	} * items;
	size_t n;
};

/* A change of a directory that is not durable yet; a rename is one change. */
struct name_change {
	struct name_change *next;
	char gone[NAME_MAX + 1], added[NAME_MAX + 1]; /* "" = none */
	struct node *node;
};

struct node {
	struct node *next; /* of all */
	struct stat st;
	char name[NAME_MAX + 1]; /* the last one it had, for fault patterns */
	unsigned links, opens;	 /* names, handles */
	bool reached;

	struct image seen, durable; /* files */
	struct pending *pending, **pending_tail;
	uint8_t *allocated; /* one byte a block */
	size_t allocated_blocks, allocated_len;

	struct names names, durable_names; /* directories */
	struct name_change *changes, **changes_tail;
};

struct fault {
	enum disk_call call;
	uint64_t countdown; /* calls to go; at 1 the next one fails */
	bool always;	    /* and all that follow */
	char pattern[NAME_MAX + 1];
};

struct disk {
	struct node *root, *all;
	uint64_t last_ino;
	uint64_t capacity_blocks, used_blocks; /* capacity 0 = without end */
	uint64_t calls[DISK_CALLS], cuts, struck;
	struct fault faults[8];
	size_t n_faults;
};

/* NULL when out of memory. */
struct disk *disk_new(void);
void disk_free(struct disk *d);

/* Names. Paths begin with a slash. Functions return 0 or -errno. */
struct node *disk_find(struct disk *d, const char *path); /* NULL = no such file */
int disk_create(struct disk *d, const char *path, mode_t mode, uid_t uid, gid_t gid,
		struct node **ret);
int disk_remove(struct disk *d, const char *path);		   /* file or empty directory */
int disk_rename(struct disk *d, const char *from, const char *to); /* within one directory */

void disk_open(struct node *n);
void disk_close(struct disk *d, struct node *n);

/* Content. A write may be short when the disk gets full. */
ssize_t disk_read(struct disk *d, struct node *n, void *data, size_t len_bytes, uint64_t off_bytes);
ssize_t disk_write(struct disk *d, struct node *n, const void *data, size_t len_bytes,
		   uint64_t off_bytes);
int disk_resize(struct disk *d, struct node *n, uint64_t size_bytes);
int disk_allocate(struct disk *d, struct node *n, uint64_t off_bytes, uint64_t len_bytes,
		  bool keep_size);
int disk_punch(struct disk *d, struct node *n, uint64_t off_bytes, uint64_t len_bytes);

/* A file's content, or a directory's names, are durable when it returns 0. When it fails they never will be. */
int disk_fsync(struct disk *d, struct node *n);

/*
 * The power fails and comes back. Of what was not durable a part survives, chosen by seed: changes in any
 * order, each whole, not at all, or by the sector; sizes with or without the bytes behind them. No handle
 * may be open that matters to anybody.
 */
void disk_cut(struct disk *d, uint64_t seed);

/* Blocks that can still be had. */
uint64_t disk_free_blocks(const struct disk *d);

/* Arms a fault: the nth such call from now on, from 1, on files whose name matches the pattern, gives EIO. */
int disk_add_fault(struct disk *d, enum disk_call call, uint64_t nth, bool always,
		   const char *pattern);

/* For faultfs_*.c. */
void image_write(struct image *image, const uint8_t *data, size_t len_bytes, uint64_t off_bytes);
void image_zero(struct image *image, uint64_t from_bytes, uint64_t end_bytes);
void image_resize(struct image *image, uint64_t size_bytes);
void pending_apply(struct image *image, const struct pending *p);
void pending_free(struct pending *p);
int names_set(struct names *names, const char *name, struct node *node); /* NULL = removed */
struct node *names_get(const struct names *names, const char *name);
void name_change_apply(struct names *names, const struct name_change *c);
void disk_sweep(struct disk *d); /* frees what no name, durable or not, and no handle leads to */
bool disk_fault_strikes(struct disk *d, enum disk_call call, const struct node *n);
int node_allocate(struct disk *d, struct node *n, uint64_t block); /* -ENOSPC */
void node_deallocate(struct disk *d, struct node *n, uint64_t first_block, uint64_t end_block);

#endif
