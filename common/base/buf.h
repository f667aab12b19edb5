/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct buf: a growable byte buffer. An allocation failure is remembered (buf_error()) so that a
 * builder checks once at its end. struct cursor: a bounds-checked reader over foreign bytes; a read
 * past the end sets the cursor bad and gives zeros.
 */
#ifndef SEEDSHIP_BASE_BUF_H
#define SEEDSHIP_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/macros.h"

struct buf {
	uint8_t *data; /* owned; NUL-terminated when not empty, so text needs no copy */
	size_t len_bytes;
	size_t capacity_bytes;
	bool failed;
};

#define BUF_INIT ((struct buf){0})

void buf_done(struct buf *b);  /* frees; b is empty and usable again */
void buf_reset(struct buf *b); /* forgets the content, keeps the memory */
void buf_put(struct buf *b, const void *data, size_t len_bytes);
void buf_put_zero(struct buf *b, size_t len_bytes);
uint8_t *buf_extend(struct buf *b,
		    size_t len_bytes); /* undefined content to fill in; NULL after a failure */
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_le16(struct buf *b, uint16_t v);
void buf_put_le32(struct buf *b, uint32_t v);
void buf_put_le64(struct buf *b, uint64_t v);
void buf_puts(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
int buf_error(const struct buf *b) _warn_unused_result_; /* 0 or -ENOMEM */
const char *buf_text(const struct buf *b);		 /* never NULL; lent */
char *buf_take_text(struct buf *b);			 /* caller frees; NULL after a failure */

struct cursor {
	const uint8_t *data; /* lent */
	size_t len_bytes;
	size_t pos_bytes;
	bool bad; /* a read went past the end */
};

struct cursor cursor_over(const void *data, size_t len_bytes);
size_t cursor_left(const struct cursor *c);
const uint8_t *cursor_get(struct cursor *c, size_t len_bytes); /* lent; NULL and bad when short */
uint8_t cursor_get_u8(struct cursor *c);
uint16_t cursor_get_le16(struct cursor *c);
uint32_t cursor_get_le32(struct cursor *c);
uint64_t cursor_get_le64(struct cursor *c);

#endif
