/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Self-relative security descriptors with one entry in their access list. */
#include "exporter/ntfs/security.h"

#include "common/base/buf.h"

#define HEADER_BYTES	   20
#define CONTROL		   0x8004u /* self-relative, with a discretionary list */
#define ACE_INHERIT	   0x03u   /* by objects and containers */
#define FULL_ACCESS	   0x001f01ffu
#define AUTHORITY_WORLD	   1u
#define AUTHORITY_NT	   5u
#define RID_LOCAL_SYSTEM   18u
#define RID_BUILTIN	   32u
#define RID_BUILTIN_ADMINS 544u

struct sid {
	uint8_t authority, n_parts;
	uint32_t parts[2];
};

static const struct sid everyone = {AUTHORITY_WORLD, 1, {0}};
static const struct sid system_account = {AUTHORITY_NT, 1, {RID_LOCAL_SYSTEM}};
static const struct sid administrators = {AUTHORITY_NT, 2, {RID_BUILTIN, RID_BUILTIN_ADMINS}};

static uint16_t sid_bytes(const struct sid *sid)
{
	return (uint16_t)(8 + 4 * sid->n_parts);
}

static void put_sid(struct buf *b, const struct sid *sid)
{
	buf_put_u8(b, 1);
	buf_put_u8(b, sid->n_parts);
	buf_put_zero(b, 5);
	buf_put_u8(b, sid->authority);
	for (size_t i = 0; i < sid->n_parts; i++)
		buf_put_le32(b, sid->parts[i]);
}

static void put_acl(struct buf *b, const struct sid *who, uint8_t flags)
{
	uint16_t ace_bytes = (uint16_t)(8 + sid_bytes(who));

	buf_put_le16(b, 2); /* revision */
	buf_put_le16(b, (uint16_t)(8 + ace_bytes));
	buf_put_le32(b, 1); /* number of entries */
	buf_put_u8(b, 0);   /* access allowed */
	buf_put_u8(b, flags);
	buf_put_le16(b, ace_bytes);
	buf_put_le32(b, FULL_ACCESS);
	put_sid(b, who);
}

static void put_descriptor(struct buf *b, enum ntfs_access access)
{
	bool for_system = access == NTFS_ACCESS_SYSTEM;
	const struct sid *owner = &administrators;
	const struct sid *group = for_system ? &system_account : &administrators;
	uint32_t group_off = HEADER_BYTES + (uint32_t)sid_bytes(owner);

	buf_put_le16(b, 1); /* revision */
	buf_put_le16(b, CONTROL);
	buf_put_le32(b, HEADER_BYTES);
	buf_put_le32(b, group_off);
	buf_put_le32(b, 0); /* no system list */
	buf_put_le32(b, group_off + sid_bytes(group));
	put_sid(b, owner);
	put_sid(b, group);
	put_acl(b, for_system ? &system_account : &everyone,
		access == NTFS_ACCESS_FILE ? 0 : ACE_INHERIT);
}

int ntfs_security_set(struct ntfs_session *s, ntfs_inode *ni, enum ntfs_access access, le32 *ret_id,
		      struct err *e)
{
	struct SECURITY_CONTEXT context = {.vol = s->vol};
	struct buf b = BUF_INIT;
	int r;

	put_descriptor(&b, access);
	if (buf_error(&b) < 0)
		return err_oom(e);
	r = ntfs_set_ntfs_acl(&context, ni, (const char *)b.data, b.len_bytes, 0);
	buf_done(&b);
	if (r < 0)
		return ntfs_session_fail(s, e, "cannot store a security descriptor");
	*ret_id = ni->security_id;
	return 0;
}
