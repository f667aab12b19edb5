/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What libntfs-3g says: kept per thread for the next error message, never printed. */
#ifndef SEEDSHIP_NTFS_SAID_H
#define SEEDSHIP_NTFS_SAID_H

/* Takes over the library's log for the whole process. Call before anything else of the library. */
void ntfs_said_install(void);

/* Forgets what this thread's calls said. */
void ntfs_said_forget(void);

/* The first complaint since then, one line; "" when there was none. Lent until the next call. */
const char *ntfs_said(void);

#endif
