/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fixed words of a record's text form. */
#ifndef SEEDSHIP_JOURNAL_RECORD_TEXT_H
#define SEEDSHIP_JOURNAL_RECORD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define RECORD_BEGIN	   "[BeginUpdateRecord]"
#define RECORD_END	   "[EndUpdateRecord]"
#define RECORD_TYPE	   "[Type:"
#define RECORD_BEGIN_VALUE "[BeginValue]"
#define RECORD_END_VALUE   "[EndValue]"

/* Whether it may be a key or a type: letters and digits. */
bool record_is_word(const char *text, size_t len_bytes);

#endif
