/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A placement as a record: flags, numbers as varints, mtime as 8 bytes, names with their NUL. Records never
 * leave this process, so decoding checks nothing.
 */
#include <string.h>

#include "common/base/le.h"
#include "exporter/plan/plan_impl.h"

enum {
	FLAG_PAGE = 1,	     /* page blob */
	FLAG_FLAT = 2,	     /* lies in PLAN_DIR_FLAT */
	FLAG_LINK = 4,	     /* link_of follows */
	FLAG_BLOB_NAME = 8,  /* a blob name of its own follows the name */
	FLAG_DRIVE_NAME = 16 /* and a name on the drive */
};

void varint_put(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_put_u8(out, (uint8_t)(v | 0x80));
	buf_put_u8(out, (uint8_t)v);
}

uint64_t varint_get(const uint8_t **p)
{
	uint64_t v = 0;

	for (int shift = 0;; shift += 7) {
		uint8_t byte = *(*p)++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
}

static void put_name(struct buf *out, const char *name)
{
	buf_put(out, name, strlen(name) + 1);
}

static const char *get_name(const uint8_t **p)
{
	const char *name = (const char *)*p;

	*p += strlen(name) + 1;
	return name;
}

static uint8_t flags_of(const struct placement *file)
{
	unsigned flags = 0;

	flags |= file->blob_type == BLOBTYPE_PAGE ? FLAG_PAGE : 0;
	flags |= file->drive_dir != file->dir ? FLAG_FLAT : 0;
	flags |= file->link_of != PLAN_NO_LINK ? FLAG_LINK : 0;
	flags |= strcmp(file->blob_name, file->name) != 0 ? FLAG_BLOB_NAME : 0;
	flags |= strcmp(file->drive_name, file->name) != 0 ? FLAG_DRIVE_NAME : 0;
	return (uint8_t)flags;
}

void placement_encode(const struct placement *file, struct buf *out)
{
	uint8_t flags = flags_of(file);

	buf_put_u8(out, flags);
	varint_put(out, file->dir);
	varint_put(out, file->ino);
	varint_put(out, file->size_bytes);
	varint_put(out, file->content_version);
	buf_put_le64(out, file->mtime_ns);
	if (flags & FLAG_LINK)
		varint_put(out, file->link_of);
	put_name(out, file->name);
	if (flags & FLAG_BLOB_NAME)
		put_name(out, file->blob_name);
	if (flags & FLAG_DRIVE_NAME)
		put_name(out, file->drive_name);
}

void placement_decode(const uint8_t *record, struct placement *ret)
{
	uint8_t flags = *record++;

	ret->blob_type = flags & FLAG_PAGE ? BLOBTYPE_PAGE : BLOBTYPE_BLOCK;
	ret->dir = (uint32_t)varint_get(&record);
	ret->drive_dir = flags & FLAG_FLAT ? PLAN_DIR_FLAT : ret->dir;
	ret->ino = varint_get(&record);
	ret->size_bytes = varint_get(&record);
	ret->content_version = varint_get(&record);
	ret->mtime_ns = le64_load(record);
	record += sizeof(uint64_t);
	ret->link_of = flags & FLAG_LINK ? (uint32_t)varint_get(&record) : PLAN_NO_LINK;
	ret->name = get_name(&record);
	ret->blob_name = flags & FLAG_BLOB_NAME ? get_name(&record) : ret->name;
	ret->drive_name = flags & FLAG_DRIVE_NAME ? get_name(&record) : ret->name;
}
