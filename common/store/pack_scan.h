/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct pack_scan: walks over all records of a pack file, from its first byte to its end. Only headers
 * are read; frames are stepped over. Where no record can be, it goes on at the next one: space that was
 * given back has turned into zeros, and a damaged header must not hide what follows it. Memory is bounded.
 */
#ifndef SEEDSHIP_STORE_PACK_SCAN_H
#define SEEDSHIP_STORE_PACK_SCAN_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/store/frame.h"

enum pack_span_kind {
	SPAN_RECORD,  /* a chunk or a commit of this store: see header.type */
	SPAN_FOREIGN, /* a record of an unknown type or of another store */
	SPAN_PUNCHED, /* dead records whose space was given back */
	SPAN_DAMAGED, /* bytes that are no record: one or more headers are damaged */
	SPAN_TORN,    /* a record that the pack ends in */
};

/* A part of a pack; spans follow each other without gaps. */
struct pack_span {
	enum pack_span_kind kind;
	uint64_t off_bytes, end_bytes;
	uint64_t frame_off_bytes;   /* RECORD: where its frame begins; it goes up to end_bytes */
	struct frame_header header; /* RECORD; its path is not kept */
};

struct pack_scan;

/*
 * fd: of the pack, lent. uuid: of the store, 16 bytes, lent; NULL = records of any store are taken. Bytes
 * from end_bytes on are not looked at.
 */
int pack_scan_new(int fd, const uint8_t *uuid, uint64_t end_bytes, struct pack_scan **ret,
		  struct err *e);
/* Goes on at off_bytes, where a record begins. */
void pack_scan_seek(struct pack_scan *s, uint64_t off_bytes);

void pack_scan_free(struct pack_scan *s); /* NULL is fine */
static inline void pack_scan_freep(struct pack_scan **s)
{
	pack_scan_free(*s);
}

/* 1 = *ret is the next span, 0 = the end. -ENOTSUP for a record that a newer program wrote; else I/O errors. */
int pack_scan_next(struct pack_scan *s, struct pack_span *ret, struct err *e);

#endif
