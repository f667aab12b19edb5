/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An XML document as a stream: libxml2's text writer over a sink. */
#include "exporter/manifest/xmlout.h"

#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/ext/utf16.h"
#include "common/ext/xml.h"

struct xmlout {
	xmlTextWriter *writer;
	struct manifest_sink sink; /* write NULL: count only */
	uint64_t bytes;		   /* given to the sink */
	int failure;		   /* 0 or the first -errno ... */
	struct err why;		   /* ... and its story */
};

static int put_bytes(struct xmlout *x, const void *data, size_t len_bytes)
{
	if (x->failure == 0 && x->sink.write)
		x->failure = x->sink.write(data, len_bytes, x->sink.arg, &x->why);
	if (x->failure == 0)
		x->bytes += len_bytes;
	return x->failure;
}

/*
 * libxml2 calls this when its buffer is full. It always hears that all is well: told of a failure it would
 * print to stderr, and x knows already.
 */
static int take_bytes(void *context, const char *data, int len_bytes)
{
	(void)put_bytes(context, data, (size_t)len_bytes);
	return len_bytes;
}

/* Looks at what a function of the text writer returned: it fails for want of memory only. */
static void note(struct xmlout *x, int r)
{
	if (r < 0 && x->failure == 0)
		x->failure = err_oom(&x->why);
}

static int open_writer(struct xmlout *x)
{
	xmlOutputBuffer *out = xmlOutputBufferCreateIO(take_bytes, NULL, x, NULL);

	if (!out)
		return -ENOMEM;
	x->writer = xmlNewTextWriter(out);
	if (!x->writer) {
		(void)xmlOutputBufferClose(out);
		return -ENOMEM;
	}
	if (xmlTextWriterSetIndent(x->writer, 1) < 0 ||
	    xmlTextWriterSetIndentString(x->writer, BAD_CAST "") < 0 ||
	    xmlTextWriterStartDocument(x->writer, "1.0", "UTF-8", NULL) < 0)
		return -ENOMEM;
	return 0;
}

int xmlout_new(const struct manifest_sink *sink, struct xmlout **ret, struct err *e)
{
	_cleanup_(xmlout_freep) struct xmlout *x = calloc(1, sizeof(*x));

	if (!x)
		return err_oom(e);
	xml_init();
	if (sink)
		x->sink = *sink;
	if (open_writer(x) < 0)
		return err_oom(e);
	*ret = take_ptr(x);
	return 0;
}

void xmlout_free(struct xmlout *x)
{
	if (!x)
		return;
	/* An unfinished document must not reach the sink from here. */
	if (x->failure == 0)
		x->failure = -ECANCELED;
	xmlFreeTextWriter(x->writer);
	free(x);
}

/* Char of XML 1.0 section 2.2. */
static bool is_xml_char(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c != 0xfffe && c != 0xffff;
}

static void check_text(struct xmlout *x, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		uint32_t c = 0;
		size_t n = utf8_decode(text, left, &c);

		if (n == 0 || !is_xml_char(c)) {
			x->failure = err_set(&x->why, EILSEQ, "XML cannot hold byte 0x%02X",
					     (unsigned char)*text);
			return;
		}
		text += n;
		left -= n;
	}
}

void xmlout_start(struct xmlout *x, const char *name)
{
	if (x->failure == 0)
		note(x, xmlTextWriterStartElement(x->writer, BAD_CAST name));
}

void xmlout_attribute(struct xmlout *x, const char *name, const char *value)
{
	if (x->failure == 0)
		check_text(x, value);
	if (x->failure == 0)
		note(x, xmlTextWriterWriteAttribute(x->writer, BAD_CAST name, BAD_CAST value));
}

void xmlout_text(struct xmlout *x, const char *text)
{
	if (x->failure == 0)
		check_text(x, text);
	if (x->failure == 0)
		note(x, xmlTextWriterWriteString(x->writer, BAD_CAST text));
}

void xmlout_end(struct xmlout *x)
{
	if (x->failure == 0)
		note(x, xmlTextWriterEndElement(x->writer));
}

void xmlout_element(struct xmlout *x, const char *name, const char *text)
{
	xmlout_start(x, name);
	xmlout_text(x, text);
	xmlout_end(x);
}

int xmlout_fail(struct xmlout *x, int r, const struct err *why)
{
	if (x->failure == 0) {
		x->failure = r;
		x->why = *why;
	}
	return x->failure;
}

int xmlout_error(const struct xmlout *x, struct err *e)
{
	if (x->failure && e)
		*e = x->why;
	return x->failure;
}

static void pad(struct xmlout *x, uint64_t total_bytes)
{
	char newlines[4096];

	if (x->bytes > total_bytes) {
		x->failure =
			err_set(&x->why, EFBIG, "XML of %" PRIu64 " bytes does not fit in %" PRIu64,
				x->bytes, total_bytes);
		return;
	}
	memset(newlines, '\n', sizeof(newlines));
	while (x->failure == 0 && x->bytes < total_bytes) {
		uint64_t left = total_bytes - x->bytes;

		(void)put_bytes(x, newlines, (size_t)MIN(left, (uint64_t)sizeof(newlines)));
	}
}

int xmlout_finish(struct xmlout *x, uint64_t total_bytes, uint64_t *ret_bytes, struct err *e)
{
	int r;

	if (x->failure == 0)
		note(x, xmlTextWriterEndDocument(x->writer));
	if (x->failure == 0 && total_bytes)
		pad(x, total_bytes);
	r = xmlout_error(x, e);
	if (r == 0 && ret_bytes)
		*ret_bytes = x->bytes;
	return r;
}
