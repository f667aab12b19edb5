/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text encodings: UTF-8 (RFC 3629) checks and UTF-16LE for NTFS names and BitLocker texts. */
#ifndef SEEDSHIP_EXT_UTF16_H
#define SEEDSHIP_EXT_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Length in bytes of the well-formed UTF-8 sequence at s, of at most len_bytes, and its code point;
 * 0 when it is not well-formed (overlong forms, surrogates and values past U+10FFFF are not).
 */
size_t utf8_decode(const char *s, size_t len_bytes, uint32_t *ret_code_point);

/* Whether all len_bytes are well-formed UTF-8. */
bool utf8_valid(const char *s, size_t len_bytes);

/* UTF-16 units needed for valid UTF-8 text; SIZE_MAX when it is not valid. */
size_t utf16_units(const char *s, size_t len_bytes);

/*
 * Encodes valid UTF-8 as UTF-16LE bytes without terminator. *ret: caller frees; *ret_bytes = its length.
 * -EILSEQ when the text is not valid UTF-8, -ENOMEM.
 */
int utf16le_encode(const char *s, size_t len_bytes, uint8_t **ret, size_t *ret_bytes);

/* Decodes UTF-16LE to NUL-terminated UTF-8; caller frees. -EILSEQ on a lone surrogate. */
int utf16le_decode(const uint8_t *data, size_t len_bytes, char **ret);

/*
 * A key under which two names that a case-insensitive filesystem may take for the same are equal:
 * each code point folded to upper then lower case by the C.UTF-8 locale. Input valid UTF-8; caller
 * frees; NULL when out of memory.
 */
char *utf8_fold(const char *s);

#endif
