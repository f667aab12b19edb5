/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct grammar: which elements and attributes a drive manifest may have, in which order, as a table and a
 * small stack. It knows names and nesting only, nothing of values.
 */
#ifndef SEEDSHIP_MANIFEST_GRAMMAR_H
#define SEEDSHIP_MANIFEST_GRAMMAR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

enum element {
	ELEMENT_DOCUMENT, /* not an element: what is around the root */
	ELEMENT_MANIFEST,
	ELEMENT_DRIVE,
	ELEMENT_DRIVE_ID,
	ELEMENT_ACCOUNT_KEY,
	ELEMENT_CONTAINER_SAS,
	ELEMENT_CREATOR,
	ELEMENT_BLOB_LIST,
	ELEMENT_LIST_METADATA,
	ELEMENT_LIST_PROPERTIES,
	ELEMENT_BLOB,
	ELEMENT_BLOB_PATH,
	ELEMENT_FILE_PATH,
	ELEMENT_CLIENT_DATA,
	ELEMENT_LENGTH,
	ELEMENT_DISPOSITION,
	ELEMENT_PAGE_LIST,
	ELEMENT_PAGE,
	ELEMENT_BLOCK_LIST,
	ELEMENT_BLOCK,
	ELEMENT_METADATA,
	ELEMENT_PROPERTIES,
};

enum attribute {
	ATTRIBUTE_VERSION,
	ATTRIBUTE_ID,
	ATTRIBUTE_HASH,
	ATTRIBUTE_OFFSET,
	ATTRIBUTE_LENGTH,
	ATTRIBUTES,
};

#define GRAMMAR_DEPTH 7 /* the document, and six elements in one another */

struct grammar {
	struct grammar_level {
		enum element element;
		uint8_t last_rank; /* of the child elements so far; 0 = none yet */
		uint32_t seen;	   /* bit of every rank among them */
	} levels[GRAMMAR_DEPTH];
	unsigned depth; /* of the level in use; 0 = the document */
};

/* The element that is open; ELEMENT_DOCUMENT outside of all. */
enum element grammar_current(const struct grammar *g);

/* An element of this name begins. -EBADMSG when it may not stand here, or not after what came before. */
int grammar_enter(struct grammar *g, const char *name, enum element *ret, struct err *e);

/* The current element ends. -EBADMSG when something it must have is missing. */
int grammar_leave(struct grammar *g, struct err *e);

/* Whether text stands in it rather than elements. */
bool grammar_has_text(enum element element);

const char *grammar_name(enum element element);

/* The attribute of this name if the element may have it; -EBADMSG otherwise. */
int grammar_attribute(enum element element, const char *name, enum attribute *ret, struct err *e);

/* present: bit of every attribute found. -EBADMSG when one that the element must have is missing. */
int grammar_check_attributes(enum element element, uint32_t present, struct err *e);

#endif
