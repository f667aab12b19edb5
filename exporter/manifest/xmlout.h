/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct xmlout: an XML document written as a stream, one element a line, no indentation. It remembers the
 * first failure, and everything after that does nothing: the writer looks once with xmlout_error().
 */
#ifndef SEEDSHIP_MANIFEST_XMLOUT_H
#define SEEDSHIP_MANIFEST_XMLOUT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/* Where the bytes of a document go, in order. Returns 0 or -errno. May block. */
struct manifest_sink {
	int (*write)(const void *data, size_t len_bytes, void *arg, struct err *e);
	void *arg;
};

struct xmlout;

/* Begins a document: UTF-8, XML 1.0. sink NULL: nothing goes anywhere, only bytes are counted. */
int xmlout_new(const struct manifest_sink *sink, struct xmlout **ret, struct err *e);
void xmlout_free(struct xmlout *x); /* NULL is fine */
static inline void xmlout_freep(struct xmlout **x)
{
	xmlout_free(*x);
}

void xmlout_start(struct xmlout *x, const char *name);
void xmlout_attribute(struct xmlout *x, const char *name, const char *value);
void xmlout_text(struct xmlout *x, const char *text);
void xmlout_end(struct xmlout *x);
void xmlout_element(struct xmlout *x, const char *name, const char *text); /* start, text, end */

/* Fails as the caller says, unless something failed before. Returns like xmlout_error(). */
int xmlout_fail(struct xmlout *x, int r, const struct err *why);

/* 0, or the first failure so far: of the sink, of memory, or -EILSEQ for text that XML cannot hold. */
int xmlout_error(const struct xmlout *x, struct err *e) _warn_unused_result_;

/*
 * Ends the document. total_bytes not 0: newlines are added up to that length; -EFBIG when it is longer
 * already. *ret_bytes (may be NULL) = its length.
 */
int xmlout_finish(struct xmlout *x, uint64_t total_bytes, uint64_t *ret_bytes, struct err *e);

#endif
