/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a drive manifest: libxml2's push parser calls back for each element, the grammar says where we are,
 * and values are checked and handed on. The first failure stops the parser and is what the caller gets.
 */
#include "exporter/manifest/manifest_parse.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/ext/xml.h"
#include "exporter/manifest/grammar.h"
#include "exporter/manifest/values.h"

#define TEXT_MAX_BYTES (128 * 1024) /* the longest path NTFS can have, and more */
#define READ_BYTES     (64 * 1024)

struct parser {
	xmlParserCtxt *xml;
	struct grammar grammar;
	struct values values;
	struct buf text; /* of the element that is open */
	struct err *e;
	int result; /* 0, or what ended the parse */
};

static void stop(struct parser *p, int r)
{
	p->result = r;
	xmlStopParser(p->xml);
}

/* Stops with the line in front of what e tells. */
static void stop_here(struct parser *p, int r)
{
	stop(p, err_wrap(p->e, r, "manifest line %d", xmlSAX2GetLineNumber(p->xml)));
}

/* Takes what values_begin() and values_end() return. */
static void stop_unless_zero(struct parser *p, int r)
{
	if (p->values.handler_ended)
		stop(p, r);
	else if (r != 0)
		stop_here(p, r);
}

/* Attributes come from libxml2 as five pointers each: name, prefix, URI, begin and end of the value. */
static int take_attributes(struct parser *p, enum element element, int n,
			   const xmlChar **attributes)
{
	struct values *v = &p->values;

	v->present = 0;
	for (const xmlChar **a = attributes; n > 0; n--, a += 5) {
		size_t len_bytes = (size_t)(a[4] - a[3]);
		enum attribute which;
		int r = grammar_attribute(element, (const char *)a[0], &which, p->e);

		if (r < 0)
			return r;
		if (len_bytes >= VALUE_MAX_BYTES)
			return err_set(p->e, EBADMSG, "attribute %s of %zu bytes",
				       (const char *)a[0], len_bytes);
		memcpy(v->attributes[which], a[3], len_bytes);
		v->attributes[which][len_bytes] = '\0';
		v->present |= UINT32_C(1) << which;
	}
	return grammar_check_attributes(element, v->present, p->e);
}

/* A converter is there when the document is in anything but UTF-8. */
static int check_encoding(const struct parser *p)
{
	const xmlParserInput *input = p->xml->input;

	if (input && input->buf && input->buf->encoder)
		return err_set(p->e, EBADMSG, "the encoding is not UTF-8");
	return 0;
}

static int enter(struct parser *p, const char *name, bool namespaced, enum element *ret)
{
	int r = check_encoding(p);

	if (r < 0)
		return r;
	if (namespaced)
		return err_set(p->e, EBADMSG, "<%.40s> has a namespace", name);
	if (grammar_has_text(grammar_current(&p->grammar)))
		return err_set(p->e, EBADMSG, "<%.40s> stands in a text", name);
	return grammar_enter(&p->grammar, name, ret, p->e);
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int n_namespaces, const xmlChar **namespaces _unused_, int n_attributes,
		     int n_defaulted _unused_, const xmlChar **attributes)
{
	struct parser *p = context;
	enum element element;
	int r;

	if (p->result)
		return;
	buf_reset(&p->text);
	r = enter(p, (const char *)name, prefix || uri || n_namespaces, &element);
	if (r == 0)
		r = take_attributes(p, element, n_attributes, attributes);
	if (r < 0)
		stop_here(p, r);
	else
		stop_unless_zero(p, values_begin(&p->values, element, p->e));
}

static void on_end(void *context, const xmlChar *name _unused_, const xmlChar *prefix _unused_,
		   const xmlChar *uri _unused_)
{
	struct parser *p = context;
	enum element element = grammar_current(&p->grammar);
	int r;

	if (p->result)
		return;
	r = grammar_leave(&p->grammar, p->e);
	if (r == 0 && buf_error(&p->text) < 0)
		r = err_oom(p->e);
	if (r < 0)
		stop_here(p, r);
	else
		stop_unless_zero(p, values_end(&p->values, element, buf_text(&p->text), p->e));
}

static bool all_white(const char *text, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++) {
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			return false;
	}
	return true;
}

static void on_text(void *context, const xmlChar *text, int len_bytes)
{
	struct parser *p = context;
	enum element element = grammar_current(&p->grammar);

	if (p->result)
		return;
	if (!grammar_has_text(element)) {
		if (!all_white((const char *)text, (size_t)len_bytes))
			stop_here(p, err_set(p->e, EBADMSG, "text in %s", grammar_name(element)));
		return;
	}
	if (p->text.len_bytes + (size_t)len_bytes > TEXT_MAX_BYTES)
		stop_here(p, err_set(p->e, EBADMSG, "text of more than %d bytes", TEXT_MAX_BYTES));
	else
		buf_put(&p->text, text, (size_t)len_bytes);
}

/* Entities are declared in a document type: without one there are none but XML's own five. */
static void on_document_type(void *context, const xmlChar *name _unused_,
			     const xmlChar *id _unused_, const xmlChar *system_id _unused_)
{
	struct parser *p = context;

	if (p->result == 0)
		stop_here(p, err_set(p->e, EBADMSG, "a document type is not allowed"));
}

/* Whether the root element has ended. */
static bool is_complete(const struct parser *p)
{
	return grammar_current(&p->grammar) == ELEMENT_DOCUMENT &&
	       p->grammar.levels[0].last_rank != 0;
}

static void on_error(void *context, xmlError *error)
{
	struct parser *p = context;
	const char *text = error->message ? error->message : "not XML";

	if (p->result || error->level < XML_ERR_ERROR)
		return;
	/* libxml2 says of both that there is "extra content". */
	if (error->code == XML_ERR_DOCUMENT_END && !is_complete(p))
		text = "the document is cut short";
	stop(p, err_set(p->e, EBADMSG, "manifest line %d: %.*s", error->line,
			(int)strcspn(text, "\n"), text));
}

static int push(struct parser *p, const char *data, size_t len_bytes, bool last)
{
	int code = xmlParseChunk(p->xml, data, (int)len_bytes, last);

	if (p->result)
		return p->result;
	if (code != XML_ERR_OK)
		return err_set(p->e, EBADMSG, "manifest is not well-formed (libxml2 error %d)",
			       code);
	return 0;
}

static int parse_all(struct parser *p, const struct manifest_source *source)
{
	_cleanup_free_ char *data = malloc(READ_BYTES);
	size_t n = 1;
	int r = data ? 0 : err_oom(p->e);

	while (r == 0 && n) {
		r = source->read(data, READ_BYTES, &n, source->arg, p->e);
		if (r == 0)
			r = push(p, data, n, n == 0);
	}
	return r;
}

int manifest_parse(const struct manifest_source *source, const struct manifest_handler *handler,
		   struct err *e)
{
	xmlSAXHandler sax = {
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.internalSubset = on_document_type,
		.serror = on_error,
	};
	struct parser p = {.values.handler = handler, .e = e};
	int r;

	xml_init();
	p.xml = xmlCreatePushParserCtxt(&sax, &p, NULL, 0, NULL);
	if (!p.xml)
		return err_oom(e);
	(void)xmlCtxtUseOptions(p.xml, XML_PARSE_NONET);
	r = parse_all(&p, source);
	xmlFreeParserCtxt(p.xml);
	values_done(&p.values);
	buf_done(&p.text);
	return r;
}
