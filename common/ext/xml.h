/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The face of libxml2 for reading small documents that other people may have written. */
#ifndef SEEDSHIP_EXT_XML_H
#define SEEDSHIP_EXT_XML_H

#include <libxml/tree.h>
#include <stddef.h>

#include "common/base/err.h"

static inline void xml_freep(xmlDoc **p)
{
	xmlFreeDoc(*p);
}
#define _cleanup_xml_ _cleanup_(xml_freep)

#define XML_MAX_BYTES (1024 * 1024)

/*
 * Prepares libxml2 for this process; everyone who uses it directly calls this first. Again is free,
 * and any thread may be the first. From then on libxml2 wipes all memory it gives back: documents
 * may hold keys.
 */
void xml_init(void);

/*
 * Parses text of at most XML_MAX_BYTES. No network, no document type (so no entities but the five
 * of XML). *ret: caller frees (_cleanup_xml_). -EBADMSG names the line.
 */
int xml_parse(const char *text, size_t len_bytes, xmlDoc **ret, struct err *e);

/* The first child element of this name; NULL when there is none. Lent. */
const xmlNode *xml_child(const xmlNode *parent, const char *name);

/* The text inside an element without child elements, "" when empty; NULL for any other. Lent. */
const char *xml_text(const xmlNode *element);

#endif
