/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libntfs-3g's headers, for the files of this folder only: its macros and typedefs stop here. No
 * function of ours bears a name that the library exports.
 */
#ifndef SEEDSHIP_NTFS_LIB_H
#define SEEDSHIP_NTFS_LIB_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include <ntfs-3g/types.h>

#include <ntfs-3g/attrib.h>
#include <ntfs-3g/bitmap.h>
#include <ntfs-3g/device.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/layout.h>
#include <ntfs-3g/logging.h>
#include <ntfs-3g/runlist.h>
#include <ntfs-3g/security.h>
#include <ntfs-3g/unistr.h>
#include <ntfs-3g/volume.h>

#endif
