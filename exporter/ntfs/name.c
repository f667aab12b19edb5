/* SPDX-License-Identifier: GPL-3.0-or-later */
/* File names as NTFS stores them. The encoding is our own: the library's depends on the locale. */
#include "exporter/ntfs/name.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/ext/utf16.h"

int ntfs_name_encode(const char *text, size_t len_bytes, struct ntfs_name *ret, struct err *e)
{
	_cleanup_free_ uint8_t *utf16 = NULL;
	size_t n_bytes;
	int r;

	r = utf16le_encode(text, len_bytes, &utf16, &n_bytes);
	if (r == -EILSEQ)
		return err_user(e, "'%.*s': the name is not valid UTF-8", (int)len_bytes, text);
	if (r < 0)
		return err_oom(e);
	if (n_bytes == 0)
		return err_user(e, "the name of a file is empty");
	if (n_bytes > sizeof(ret->units))
		return err_user(e, "'%.*s': the name is longer than the %d UTF-16 units of NTFS",
				(int)len_bytes, text, NTFS_NAME_UNITS);
	memcpy(ret->units, utf16, n_bytes);
	ret->n_units = (uint8_t)(n_bytes / sizeof(ret->units[0]));
	return 0;
}

int ntfs_name_check(struct ntfs_session *s, const struct ntfs_name *name, const char *text,
		    struct err *e)
{
	if (!ntfs_forbidden_names(s->vol, name->units, name->n_units, TRUE))
		return 0;
	return err_user(e, "'%s': Windows does not allow that name", text);
}

int ntfs_name_lookup(struct ntfs_session *s, ntfs_inode *dir, const struct ntfs_name *name,
		     uint64_t *ret_ref, struct err *e)
{
	u64 ref = ntfs_inode_lookup_by_name(dir, name->units, name->n_units);

	if (ref != (u64)-1) {
		*ret_ref = ref;
		return 0;
	}
	if (errno == ENOENT)
		return -ENOENT;
	return ntfs_session_corrupt(s, e, "cannot read directory %llu",
				    (unsigned long long)dir->mft_no);
}
