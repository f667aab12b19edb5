/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Properties and metadata files: a root element with one element per name. */
#include "exporter/manifest/properties.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/base/cleanup.h"
#include "exporter/manifest/xmlout.h"

static bool is_property(const char *name)
{
	static const char *const known[] = {
		"Content-Type",	    "Content-MD5",   "Content-Encoding",
		"Content-Language", "Cache-Control",
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(name, known[i]) == 0)
			return true;
	}
	return false;
}

static bool is_identifier(const char *name)
{
	static const char chars[] =
		"_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	return *name && !strchr("0123456789", *name) && name[strspn(name, chars)] == '\0';
}

static int check_names(const struct property *list, size_t n, bool (*is_valid)(const char *name),
		       const char *what, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_valid(list[i].name))
			return err_user(e, "'%s' is not the name of a blob's %s", list[i].name,
					what);
		for (size_t j = 0; j < i; j++) {
			if (strcasecmp(list[i].name, list[j].name) == 0)
				return err_user(e, "%s '%s' is given twice", what, list[i].name);
		}
	}
	return 0;
}

static int put_bytes(const void *data, size_t len_bytes, void *arg, struct err *e)
{
	buf_put(arg, data, len_bytes);
	return buf_error(arg) < 0 ? err_oom(e) : 0;
}

static int format(const char *root, const struct property *list, size_t n, struct buf *out,
		  struct err *e)
{
	struct manifest_sink sink = {.write = put_bytes, .arg = out};
	_cleanup_(xmlout_freep) struct xmlout *xml = NULL;
	int r = xmlout_new(&sink, &xml, e);

	if (r < 0)
		return r;
	xmlout_start(xml, root);
	for (size_t i = 0; i < n; i++)
		xmlout_element(xml, list[i].name, list[i].value);
	return xmlout_finish(xml, 0, NULL, e);
}

int properties_format(const struct property *properties, size_t n, struct buf *out, struct err *e)
{
	int r = check_names(properties, n, is_property, "property", e);

	return r < 0 ? r : format("Properties", properties, n, out, e);
}

int metadata_format(const struct property *metadata, size_t n, struct buf *out, struct err *e)
{
	int r = check_names(metadata, n, is_identifier, "metadata", e);

	return r < 0 ? r : format("Metadata", metadata, n, out, e);
}
