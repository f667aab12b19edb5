/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * POSIX ACLs as the kernel passes them: the value of system.posix_acl_access and system.posix_acl_default
 * (linux/posix_acl_xattr.h, version 2). The kernel enforces them; keeping mode bits and ACL in step, and
 * inheriting, is the filesystem's. Pure functions. Rules: POSIX.1e draft 17, 23.1; acl(5).
 */
#ifndef SEEDSHIP_FS_ACL_H
#define SEEDSHIP_FS_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACL_ACCESS_NAME	 "system.posix_acl_access"
#define ACL_DEFAULT_NAME "system.posix_acl_default"

/* Whether it is an ACL: known version, known tags, the three entries that every ACL has. */
bool acl_valid(const void *acl, size_t len_bytes);

/*
 * The permission bits of *mode as the ACL has them; other bits stay. True when they say all that it says,
 * so that it need not be kept.
 */
bool acl_to_mode(const void *acl, size_t len_bytes, uint32_t *mode);

/* chmod: the ACL follows the permission bits. */
void acl_set_mode(void *acl, size_t len_bytes, uint32_t mode);

/*
 * What a new file gets from a directory's default ACL, in place: its access ACL, and *mode, each limited by
 * the other. True when the mode says it all.
 */
bool acl_inherit(void *acl, size_t len_bytes, uint32_t *mode);

#endif
