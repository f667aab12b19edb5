/* SPDX-License-Identifier: GPL-3.0-or-later */
/* POSIX ACLs: a header of 4 bytes, then entries of tag, permissions and id. */
#include "fs/acl.h"

#include "common/base/le.h"

#define VERSION	     2
#define HEADER_BYTES 4
#define ENTRY_BYTES  8
#define PERMISSIONS  7u

enum tag {
	USER_OBJ = 0x01,
	USER = 0x02,
	GROUP_OBJ = 0x04,
	GROUP = 0x08,
	MASK = 0x10,
	OTHER = 0x20,
};

static size_t n_entries(size_t len_bytes)
{
	return (len_bytes - HEADER_BYTES) / ENTRY_BYTES;
}

static uint8_t *entry_at(void *acl, size_t n)
{
	return (uint8_t *)acl + HEADER_BYTES + n * ENTRY_BYTES;
}

static unsigned tag_at(const void *acl, size_t n)
{
	return le16_load((const uint8_t *)acl + HEADER_BYTES + n * ENTRY_BYTES);
}

bool acl_valid(const void *acl, size_t len_bytes)
{
	const unsigned obligatory = USER_OBJ | GROUP_OBJ | OTHER;
	unsigned seen = 0;

	if (len_bytes < HEADER_BYTES || (len_bytes - HEADER_BYTES) % ENTRY_BYTES ||
	    le32_load(acl) != VERSION)
		return false;
	for (size_t n = 0; n < n_entries(len_bytes); n++) {
		unsigned tag = tag_at(acl, n);

		if (tag == 0 || tag > OTHER || tag & (tag - 1))
			return false;
		seen |= tag;
	}
	return (seen & obligatory) == obligatory;
}

/* The entry with a tag that occurs at most once; NULL when there is none. */
static uint8_t *find(void *acl, size_t len_bytes, enum tag tag)
{
	for (size_t n = 0; n < n_entries(len_bytes); n++)
		if (tag_at(acl, n) == tag)
			return entry_at(acl, n);
	return NULL;
}

static bool is_minimal(const void *acl, size_t len_bytes)
{
	for (size_t n = 0; n < n_entries(len_bytes); n++)
		if (tag_at(acl, n) & (USER | GROUP | MASK))
			return false;
	return true;
}

static unsigned permissions(const uint8_t *entry)
{
	return le16_load(entry + 2) & PERMISSIONS;
}

static void set_permissions(uint8_t *entry, uint32_t wanted)
{
	le16_store(entry + 2, (uint16_t)(wanted & PERMISSIONS));
}

/* The entries behind the three digits of a mode: the group's is the mask where there is one. */
static void mode_entries(void *acl, size_t len_bytes, uint8_t *entries[3])
{
	uint8_t *mask = find(acl, len_bytes, MASK);

	entries[0] = find(acl, len_bytes, OTHER);
	entries[1] = mask ? mask : find(acl, len_bytes, GROUP_OBJ);
	entries[2] = find(acl, len_bytes, USER_OBJ);
}

bool acl_to_mode(const void *acl, size_t len_bytes, uint32_t *mode)
{
	uint8_t *entries[3];

	mode_entries((void *)acl, len_bytes, entries);
	for (unsigned digit = 0; digit < 3; digit++)
		*mode = (*mode & ~(PERMISSIONS << 3 * digit)) | permissions(entries[digit])
									<< 3 * digit;
	return is_minimal(acl, len_bytes);
}

void acl_set_mode(void *acl, size_t len_bytes, uint32_t mode)
{
	uint8_t *entries[3];

	mode_entries(acl, len_bytes, entries);
	for (unsigned digit = 0; digit < 3; digit++)
		set_permissions(entries[digit], mode >> 3 * digit);
}

bool acl_inherit(void *acl, size_t len_bytes, uint32_t *mode)
{
	uint8_t *entries[3];

	mode_entries(acl, len_bytes, entries);
	for (unsigned digit = 0; digit < 3; digit++)
		set_permissions(entries[digit], permissions(entries[digit]) & *mode >> 3 * digit);
	return acl_to_mode(acl, len_bytes, mode);
}
