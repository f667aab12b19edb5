/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks a whole store: the index by itself, the index against what the packs say (replay.h), and on
 * request the content of every frame in use. A flipped bit anywhere in use is found.
 */
#ifndef SEEDSHIP_STORE_CHECK_H
#define SEEDSHIP_STORE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

enum check_kind {
	CHECK_INDEX,   /* the index contradicts itself, or the packs */
	CHECK_PACK,    /* a record in a pack is damaged */
	CHECK_CONTENT, /* the content of a file is damaged */
};

struct check_finding {
	enum check_kind kind;
	const char *text;
	const char *path; /* of the file, NULL = not known */
	uint64_t ino;	  /* 0 = not known */
	uint32_t pack;	  /* 0 = not about a place in a pack */
	uint64_t off_bytes;
};

struct check_options {
	bool read_data;	    /* read every frame in use */
	bool repair;	    /* see check_store() */
	unsigned n_workers; /* threads for read_data */
	void (*found)(void *arg, const struct check_finding *finding);
	/* What begins: "packs" or "content", and how many bytes it will go over. */
	void (*phase)(void *arg, const char *what, uint64_t total_bytes);
	void (*progress)(void *arg, uint64_t bytes);
	void *arg;
};

enum check_repair {
	CHECK_REPAIR_NONE,    /* nothing to do, or not asked for */
	CHECK_REPAIR_SUMS,    /* sums that are derived from other rows were set right */
	CHECK_REPAIR_REBUILT, /* the index was made again from the packs */
	CHECK_REPAIR_REFUSED, /* packs are damaged, too: a new index might know less than this one */
};

struct check_summary {
	uint64_t findings;
	uint64_t files, directories; /* in the index; 0 when it cannot be read */
	uint64_t packs, pack_bytes;
	uint64_t frames, frame_bytes; /* whose content was read */
	enum check_repair repair;
};

/*
 * 0 whatever was found; see ret->findings. Errors are what keeps it from looking: -EBUSY while the store is
 * mounted, -ENOENT, -ENOTSUP (a newer format), I/O errors. With repair: when the packs are whole and the
 * index is not, it is rebuilt from them (rebuild.h) unless only derived sums are wrong, which are set right.
 * Nothing else is ever changed.
 */
int check_store(const char *path, const struct check_options *options, struct check_summary *ret,
		struct err *e);

#endif
