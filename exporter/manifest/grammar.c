/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The grammar of the drive manifest as a table. The children of an element have ranks that must not fall;
 * alternatives share a rank.
 */
#include "exporter/manifest/grammar.h"

#include <string.h>

#define BIT(n) (UINT32_C(1) << (n))

struct rule {
	const char *name;
	enum element parent;
	uint8_t rank;	    /* among its siblings, from 1 */
	bool required;	    /* an element of this rank must be there */
	bool repeats;	    /* several may follow one another */
	bool text;	    /* holds text, no elements */
	uint32_t must, may; /* attributes */
};

static const struct rule rules[] = {
	[ELEMENT_DOCUMENT] = {"the document", .parent = ELEMENT_DOCUMENT},
	[ELEMENT_MANIFEST] = {"DriveManifest", ELEMENT_DOCUMENT, 1, .required = true,
			      .must = BIT(ATTRIBUTE_VERSION)},
	[ELEMENT_DRIVE] = {"Drive", ELEMENT_MANIFEST, 1, .required = true},
	[ELEMENT_DRIVE_ID] = {"DriveId", ELEMENT_DRIVE, 1, .required = true, .text = true},
	[ELEMENT_ACCOUNT_KEY] = {"StorageAccountKey", ELEMENT_DRIVE, 2, .text = true},
	[ELEMENT_CONTAINER_SAS] = {"ContainerSas", ELEMENT_DRIVE, 2, .text = true},
	[ELEMENT_CREATOR] = {"ClientCreator", ELEMENT_DRIVE, 3, .text = true},
	[ELEMENT_BLOB_LIST] = {"BlobList", ELEMENT_DRIVE, 4, .required = true, .repeats = true,
			       .may = BIT(ATTRIBUTE_ID)},
	[ELEMENT_LIST_METADATA] = {"MetadataPath", ELEMENT_BLOB_LIST, 1, .text = true,
				   .must = BIT(ATTRIBUTE_HASH)},
	[ELEMENT_LIST_PROPERTIES] = {"PropertiesPath", ELEMENT_BLOB_LIST, 2, .text = true,
				     .must = BIT(ATTRIBUTE_HASH)},
	[ELEMENT_BLOB] = {"Blob", ELEMENT_BLOB_LIST, 3, .repeats = true},
	[ELEMENT_BLOB_PATH] = {"BlobPath", ELEMENT_BLOB, 1, .required = true, .text = true},
	[ELEMENT_FILE_PATH] = {"FilePath", ELEMENT_BLOB, 2, .required = true, .text = true},
	[ELEMENT_CLIENT_DATA] = {"ClientData", ELEMENT_BLOB, 3, .text = true},
	[ELEMENT_LENGTH] = {"Length", ELEMENT_BLOB, 4, .required = true, .text = true},
	[ELEMENT_DISPOSITION] = {"ImportDisposition", ELEMENT_BLOB, 5, .text = true},
	[ELEMENT_PAGE_LIST] = {"PageRangeList", ELEMENT_BLOB, 6, .required = true},
	[ELEMENT_BLOCK_LIST] = {"BlockList", ELEMENT_BLOB, 6, .required = true},
	[ELEMENT_METADATA] = {"MetadataPath", ELEMENT_BLOB, 7, .text = true,
			      .must = BIT(ATTRIBUTE_HASH)},
	[ELEMENT_PROPERTIES] = {"PropertiesPath", ELEMENT_BLOB, 8, .text = true,
				.must = BIT(ATTRIBUTE_HASH)},
	[ELEMENT_PAGE] = {"PageRange", ELEMENT_PAGE_LIST, 1, .repeats = true,
			  .must = BIT(ATTRIBUTE_OFFSET) | BIT(ATTRIBUTE_LENGTH) |
				  BIT(ATTRIBUTE_HASH)},
	[ELEMENT_BLOCK] = {"Block", ELEMENT_BLOCK_LIST, 1, .repeats = true,
			   .must = BIT(ATTRIBUTE_OFFSET) | BIT(ATTRIBUTE_LENGTH) |
				   BIT(ATTRIBUTE_HASH),
			   .may = BIT(ATTRIBUTE_ID)},
};

static const char *const attribute_names[] = {
	[ATTRIBUTE_VERSION] = "Version", [ATTRIBUTE_ID] = "Id",		[ATTRIBUTE_HASH] = "Hash",
	[ATTRIBUTE_OFFSET] = "Offset",	 [ATTRIBUTE_LENGTH] = "Length",
};

enum element grammar_current(const struct grammar *g)
{
	return g->levels[g->depth].element;
}

bool grammar_has_text(enum element element)
{
	return rules[element].text;
}

const char *grammar_name(enum element element)
{
	return rules[element].name;
}

static int find_child(enum element parent, const char *name, enum element *ret, struct err *e)
{
	for (size_t i = ELEMENT_MANIFEST; i < ARRAY_SIZE(rules); i++) {
		if (rules[i].parent == parent && strcmp(rules[i].name, name) == 0) {
			*ret = (enum element)i;
			return 0;
		}
	}
	return err_set(e, EBADMSG, "<%.40s> must not stand in %s", name, rules[parent].name);
}

int grammar_enter(struct grammar *g, const char *name, enum element *ret, struct err *e)
{
	struct grammar_level *level = &g->levels[g->depth];
	const struct rule *rule;
	enum element element;
	int r = find_child(level->element, name, &element, e);

	if (r < 0)
		return r;
	rule = &rules[element];
	if (rule->rank < level->last_rank)
		return err_set(e, EBADMSG, "<%s> comes too late in %s", name,
			       rules[level->element].name);
	if (rule->rank == level->last_rank && !rule->repeats)
		return err_set(e, EBADMSG, "<%s> stands in %s after another of its kind", name,
			       rules[level->element].name);
	level->last_rank = rule->rank;
	level->seen |= BIT(rule->rank);
	g->levels[++g->depth] = (struct grammar_level){.element = element};
	*ret = element;
	return 0;
}

int grammar_leave(struct grammar *g, struct err *e)
{
	const struct grammar_level *level = &g->levels[g->depth];

	for (size_t i = ELEMENT_MANIFEST; i < ARRAY_SIZE(rules); i++) {
		if (rules[i].parent == level->element && rules[i].required &&
		    !(level->seen & BIT(rules[i].rank)))
			return err_set(e, EBADMSG, "<%s> is missing in %s", rules[i].name,
				       rules[level->element].name);
	}
	g->depth--;
	return 0;
}

int grammar_attribute(enum element element, const char *name, enum attribute *ret, struct err *e)
{
	uint32_t allowed = rules[element].must | rules[element].may;

	for (size_t i = 0; i < ATTRIBUTES; i++) {
		if ((allowed & BIT(i)) && strcmp(attribute_names[i], name) == 0) {
			*ret = (enum attribute)i;
			return 0;
		}
	}
	return err_set(e, EBADMSG, "<%s> must not have the attribute %.40s", rules[element].name,
		       name);
}

int grammar_check_attributes(enum element element, uint32_t present, struct err *e)
{
	uint32_t missing = rules[element].must & ~present;

	if (!missing)
		return 0;
	return err_set(e, EBADMSG, "<%s> has no %s", rules[element].name,
		       attribute_names[__builtin_ctz(missing)]);
}
