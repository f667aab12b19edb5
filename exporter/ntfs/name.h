/* SPDX-License-Identifier: GPL-3.0-or-later */
/* File names as NTFS stores them. */
#ifndef SEEDSHIP_NTFS_NAME_H
#define SEEDSHIP_NTFS_NAME_H

#include "exporter/ntfs/session.h"

#define NTFS_NAME_UNITS 255

struct ntfs_name {
	ntfschar units[NTFS_NAME_UNITS];
	uint8_t n_units;
};

/* Encodes len_bytes of UTF-8. -EINVAL (user) when they are not UTF-8, none, or more than NTFS holds. */
int ntfs_name_encode(const char *text, size_t len_bytes, struct ntfs_name *ret, struct err *e);

/* Whether Windows can create and open a file of that name; -EINVAL (user) if not. text: for the message. */
int ntfs_name_check(struct ntfs_session *s, const struct ntfs_name *name, const char *text,
		    struct err *e);

/*
 * Looks a name up in an open directory: -ENOENT (with no message), -EBADMSG. Exact or not is the
 * volume's setting.
 */
int ntfs_name_lookup(struct ntfs_session *s, ntfs_inode *dir, const struct ntfs_name *name,
		     uint64_t *ret_ref, struct err *e);

#endif
