/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Security descriptors (MS-DTYP 2.4.6) of what the image holds, kept once each in $Secure. */
#ifndef SEEDSHIP_NTFS_SECURITY_H
#define SEEDSHIP_NTFS_SECURITY_H

#include "exporter/ntfs/session.h"

enum ntfs_access {
	NTFS_ACCESS_FILE, /* O:BAG:BAD:(A;;FA;;;WD): whoever unlocks the drive may read it */
	NTFS_ACCESS_DIR,  /* the same, inherited by what Windows adds later */
	NTFS_ACCESS_SYSTEM, /* O:BAG:SYD:(A;OICI;FA;;;SY): as Windows makes System Volume Information */
	NTFS_ACCESS_MAX,
};

/* Gives an open inode that access. *ret_id: its number in $Secure, for further inodes. */
int ntfs_security_set(struct ntfs_session *s, ntfs_inode *ni, enum ntfs_access access, le32 *ret_id,
		      struct err *e);

#endif
