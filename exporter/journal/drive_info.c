/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The DriveInfo record: a small XML document as the value of DriveState. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/ext/secret.h"
#include "common/ext/xml.h"
#include "exporter/journal/context.h"
#include "exporter/journal/file.h"

#define ACTIVITY "DriveInfo"

static const struct {
	const char *element;
	size_t offset;
} elements[] = {
	{"DriveId", offsetof(struct journal_drive_info, drive_id)},
	{"BitLockerKey", offsetof(struct journal_drive_info, bitlocker_key)},
	{"ManifestFile", offsetof(struct journal_drive_info, manifest_file)},
	{"ManifestHash", offsetof(struct journal_drive_info, manifest_hash)},
};

#define N_ELEMENTS ARRAY_SIZE(elements)

void journal_drive_info_done(struct journal_drive_info *info)
{
	secret_free(info->memory);
	*info = (struct journal_drive_info){0};
}

static const char **text_of(struct journal_drive_info *info, size_t i)
{
	return (const char **)(void *)((char *)info + elements[i].offset);
}

static int check(struct journal_drive_info info, struct err *e)
{
	for (size_t i = 0; i < N_ELEMENTS; i++) {
		const char *text = *text_of(&info, i);

		if (!text || !*text)
			return err_set(e, EINVAL, "drive info without %s", elements[i].element);
	}
	if (strlen(info.manifest_hash) != 32 ||
	    strspn(info.manifest_hash, "0123456789ABCDEF") != 32)
		return err_set(e, EINVAL, "manifest hash '%s' is not 32 upper-case hex digits",
			       info.manifest_hash);
	return 0;
}

static char *put(char *out, const char *text)
{
	return stpcpy(out, text);
}

static char *put_escaped(char *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '&')
			out = put(out, "&amp;");
		else if (*text == '<')
			out = put(out, "&lt;");
		else if (*text == '>')
			out = put(out, "&gt;");
		else
			*out++ = *text;
	}
	*out = '\0';
	return out;
}

static int format_drive(struct journal_drive_info info, char **ret, struct err *e)
{
	size_t room = 256;
	void *text;
	char *out;
	int r;

	for (size_t i = 0; i < N_ELEMENTS; i++)
		room += 2 * strlen(elements[i].element) + 5 * strlen(*text_of(&info, i)) + 8;
	r = secret_alloc(room, &text, e);
	if (r < 0)
		return r;
	out = put(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Drive>");
	for (size_t i = 0; i < N_ELEMENTS; i++) {
		out = put(put(put(out, "<"), elements[i].element), ">");
		out = put_escaped(out, *text_of(&info, i));
		out = put(put(put(out, "</"), elements[i].element), ">");
	}
	(void)put(out, "</Drive>");
	*ret = text;
	return 0;
}

int journal_append_drive_info(const char *path, uint64_t time_ns,
			      const struct journal_drive_info *info, struct err *e)
{
	struct record record = {.time_ns = time_ns, .type = JOURNAL_TYPE_ACTIVITY};
	_cleanup_secret_ char *drive = NULL;
	int r = check(*info, e);

	if (r == 0)
		r = format_drive(*info, &drive, e);
	if (r < 0)
		return r;
	record_add(&record, "ActivityId", ACTIVITY);
	record_add(&record, "DriveState", drive);
	record_add(&record, "SaveCommandOutput", "Completed");
	return journal_append(path, &record, e);
}

/* Copies the elements' texts, one after another, into one piece of key memory. */
static int copy_texts(const char *const texts[N_ELEMENTS], struct journal_drive_info *ret,
		      struct err *e)
{
	struct journal_drive_info info = {0};
	size_t room = 0;
	char *out;
	int r;

	for (size_t i = 0; i < N_ELEMENTS; i++)
		room += strlen(texts[i]) + 1;
	r = secret_alloc(room, &info.memory, e);
	if (r < 0)
		return r;
	out = info.memory;
	for (size_t i = 0; i < N_ELEMENTS; i++) {
		*text_of(&info, i) = out;
		out = put(out, texts[i]) + 1;
	}
	*ret = info;
	return 0;
}

static int parse_drive(const char *text, struct journal_drive_info *ret, struct err *e)
{
	_cleanup_xml_ xmlDoc *doc = NULL;
	const char *texts[N_ELEMENTS];
	const xmlNode *drive;
	int r = xml_parse(text, strlen(text), &doc, e);

	if (r < 0)
		return r;
	drive = xmlDocGetRootElement(doc);
	if (!xmlStrEqual(drive->name, BAD_CAST "Drive"))
		return err_set(e, EBADMSG, "its root is not <Drive>");
	for (size_t i = 0; i < N_ELEMENTS; i++) {
		const xmlNode *element = xml_child(drive, elements[i].element);

		texts[i] = element ? xml_text(element) : NULL;
		if (!texts[i] || !*texts[i])
			return err_set(e, EBADMSG, "<%s> is missing or empty", elements[i].element);
	}
	return copy_texts(texts, ret, e);
}

/* Remembers the last DriveState; it points into the journal's text. */
static int take_state(const struct record *record, void *arg, struct err *e _unused_)
{
	const char *activity = record_get(record, "ActivityId");
	const char *state = record_get(record, "DriveState");
	const char **last = arg;

	if (activity && state && strcmp(activity, ACTIVITY) == 0)
		*last = state;
	return 0;
}

int journal_drive_info(const char *path, struct journal_drive_info *ret, struct err *e)
{
	_cleanup_(journal_file_done) struct journal_file f = {.fd = -1};
	const char *state = NULL;
	int r = journal_file_open(path, O_RDONLY, &f, e);

	if (r == 0)
		r = journal_file_scan(&f, path, take_state, &state, e);
	if (r < 0)
		return r;
	if (!state)
		return err_set(e, ENODATA,
			       "journal '%s' has no drive info: the drive is not finished", path);
	r = parse_drive(state, ret, e);
	return r < 0 ? err_wrap(e, r, "drive info in journal '%s'", path) : 0;
}
