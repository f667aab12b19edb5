/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The face of libxml2. */
#include "common/ext/xml.h"

#include <libxml/parser.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/ext/secret.h"

/* realloc(3) that leaves nothing behind where the block was. */
static void *wiping_realloc(void *old, size_t len_bytes)
{
	size_t had_bytes = old ? malloc_usable_size(old) : 0;
	void *p = malloc(len_bytes);

	if (!p)
		return NULL;
	if (old)
		memcpy(p, old, MIN(had_bytes, len_bytes));
	secret_wiping_free(old);
	return p;
}

static void setup(void)
{
	(void)xmlMemSetup(secret_wiping_free, malloc, wiping_realloc, strdup);
	xmlInitParser();
}

void xml_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, setup);
}

/* libxml2's own texts quote the document, which may hold keys: its number has to do. */
static int parse_error(const xmlParserCtxt *parser, struct err *e)
{
	return err_set(e, EBADMSG, "XML line %d: not well-formed (libxml2 error %d)",
		       parser->lastError.line, parser->lastError.code);
}

int xml_parse(const char *text, size_t len_bytes, xmlDoc **ret, struct err *e)
{
	_cleanup_xml_ xmlDoc *doc = NULL;
	xmlParserCtxt *parser;
	int r = 0;

	if (len_bytes == 0 || len_bytes > XML_MAX_BYTES)
		return err_set(e, EBADMSG, "XML of %zu bytes", len_bytes);
	xml_init();
	parser = xmlNewParserCtxt();
	if (!parser)
		return err_oom(e);
	doc = xmlCtxtReadMemory(parser, text, (int)len_bytes, NULL, NULL,
				XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					XML_PARSE_NOCDATA);
	if (!doc)
		r = parse_error(parser, e);
	else if (doc->intSubset || !xmlDocGetRootElement(doc))
		r = err_set(e, EBADMSG, "XML with a document type");
	xmlFreeParserCtxt(parser);
	if (r == 0)
		*ret = take_ptr(doc);
	return r;
}

const xmlNode *xml_child(const xmlNode *parent, const char *name)
{
	for (const xmlNode *n = parent->children; n; n = n->next) {
		if (n->type == XML_ELEMENT_NODE && xmlStrEqual(n->name, BAD_CAST name))
			return n;
	}
	return NULL;
}

const char *xml_text(const xmlNode *element)
{
	const xmlNode *text = element->children;

	if (!text)
		return "";
	if (text->type != XML_TEXT_NODE || text->next)
		return NULL;
	return (const char *)text->content;
}
