/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations on attributes: mode, owner, times, extended attributes, ACLs. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/le.h"
#include "tests/lib/difftest/difftest.h"

static void op_chmod(struct writer *w)
{
	mode_t mode = (mode_t)pick(w, 010000);
	struct outcome o[N_SIDES];
	struct path p;

	if (chance(w, 50))
		mode |= 0700;
	pick_path(w, &p);
	note(w, "chmod %s %o", p.label, mode);
	BOTH(w, o, fchmodat(w->root[side], p.text, mode, 0));
}

static void op_chown(struct writer *w)
{
	static const uid_t ids[] = {0, USER_UID, 54321, (uid_t)-1};
	uid_t uid = ids[pick(w, ARRAY_SIZE(ids))], gid = ids[pick(w, ARRAY_SIZE(ids))];
	struct outcome o[N_SIDES];
	struct path p;

	/* Of a chown to nobody, which drops suid on ext4, FUSE is not told. */
	if (uid == (uid_t)-1 && gid == (gid_t)-1)
		return;
	pick_path(w, &p);
	note(w, "lchown %s %d:%d", p.label, (int)uid, (int)gid);
	BOTH(w, o, fchownat(w->root[side], p.text, uid, gid, AT_SYMLINK_NOFOLLOW));
}

/* Given times lie far in the past, so that the comparison of trees can tell them from the clock's. */
static struct timespec pick_time(struct writer *w)
{
	struct timespec ts = {.tv_sec = (time_t)pick(w, 1000000000) - 300000000,
			      .tv_nsec = (long)pick(w, 1000000000)};

	if (chance(w, 20))
		ts.tv_nsec = UTIME_NOW;
	else if (chance(w, 20))
		ts.tv_nsec = UTIME_OMIT;
	return ts;
}

static void op_utimens(struct writer *w)
{
	struct timespec ts[2] = {pick_time(w), pick_time(w)};
	struct outcome o[N_SIDES];
	struct path p;

	pick_path(w, &p);
	note(w, "utimens %s atime %jd.%ld mtime %jd.%ld", p.label, (intmax_t)ts[0].tv_sec,
	     ts[0].tv_nsec, (intmax_t)ts[1].tv_sec, ts[1].tv_nsec);
	BOTH(w, o, utimensat(w->root[side], p.text, ts, AT_SYMLINK_NOFOLLOW));
}

static void op_fchmod_fchown(struct writer *w)
{
	struct open_pair *f = pick_open(w);
	mode_t mode = (mode_t)pick(w, 010000) | 0600;
	struct outcome o[N_SIDES];

	if (!f)
		return;
	note(w, "fchmod %s %o, fchown", f->label, mode);
	BOTH(w, o, fchmod(f->fd[side], mode));
	BOTH(w, o, fchown(f->fd[side], USER_UID, (gid_t)-1));
}

static void op_stat(struct writer *w)
{
	struct stat st[N_SIDES] = {0};
	struct outcome o[N_SIDES];
	struct path p;

	pick_path(w, &p);
	note(w, "stat %s", p.label);
	BOTH(w, o, fstatat(w->root[side], p.text, &st[side], AT_SYMLINK_NOFOLLOW));
	if (o[LOCAL].result == 0 &&
	    (st[0].st_mode != st[1].st_mode || st[0].st_nlink != st[1].st_nlink ||
	     st[0].st_uid != st[1].st_uid || st[0].st_gid != st[1].st_gid ||
	     st[0].st_rdev != st[1].st_rdev ||
	     (!S_ISDIR(st[0].st_mode) && st[0].st_size != st[1].st_size)))
		differs(w, "mode %o/%o, links %ju/%ju, owner %u:%u/%u:%u, size %jd/%jd",
			st[0].st_mode, st[1].st_mode, (uintmax_t)st[0].st_nlink,
			(uintmax_t)st[1].st_nlink, st[0].st_uid, st[0].st_gid, st[1].st_uid,
			st[1].st_gid, (intmax_t)st[0].st_size, (intmax_t)st[1].st_size);
}

/* ---- extended attributes ---- */

/* xattr calls want a path: through the descriptor of the root, so that it works as any user. */
static const char *full(struct writer *w, int side, const struct path *p)
{
	static char text[N_SIDES][2 * PATH_MAX];

	(void)snprintf(text[side], sizeof(text[side]), "/proc/self/fd/%d/%s", w->root[side],
		       p->text);
	return text[side];
}

static const char *pick_xattr(struct writer *w)
{
	static const char *const names[] = {
		"user.a",	  "user.b",
		"user.\xff\n",	  "trusted.t",
		"security.seed",  "user.",
		"unknown.prefix", "system.foo",
		"nodot",	  "security.capability",
		"user.empty",	  "user.longer.name.with.dots",
	};

	return names[pick(w, ARRAY_SIZE(names))];
}

static void op_setxattr(struct writer *w)
{
	static const int flags_of[] = {0, 0, XATTR_CREATE, XATTR_REPLACE};
	int flags = flags_of[pick(w, ARRAY_SIZE(flags_of))];
	const char *name = pick_xattr(w);
	size_t n = pick(w, 200); /* ext4 has 4 KiB for all of them: small ones */
	struct outcome o[N_SIDES];
	struct path p;

	pick_path(w, &p);
	fill_random(w, w->data[0], n);
	note(w, "setxattr %s '%s' %zu flags %d", p.label, name, n, flags);
	BOTH(w, o, lsetxattr(full(w, side, &p), name, w->data[0], n, flags));
}

static void op_set_capability(struct writer *w)
{
	uint8_t capability[20] = {0};
	struct outcome o[N_SIDES];
	struct path p;

	le32_store(capability, 0x02000001); /* revision 2, effective */
	le32_store(capability + 4, 1u << pick(w, 30));
	pick_path(w, &p);
	note(w, "setcap %s", p.label);
	BOTH(w, o,
	     lsetxattr(full(w, side, &p), "security.capability", capability, sizeof(capability),
		       0));
}

static void op_getxattr(struct writer *w)
{
	const char *name = pick_xattr(w);
	size_t size = pick(w, 300);
	struct outcome o[N_SIDES];
	struct path p;

	pick_path(w, &p);
	note(w, "getxattr %s '%s' %zu", p.label, name, size);
	BOTH(w, o, lgetxattr(full(w, side, &p), name, w->data[side], size));
	if (size && o[0].result > 0 && memcmp(w->data[0], w->data[1], (size_t)o[0].result) != 0)
		differs(w, "the values differ");
}

/* Sizes agree when the names do; the names are compared with the trees. */
static void op_listxattr(struct writer *w)
{
	size_t size = chance(w, 50) ? 0 : pick(w, 200);
	struct outcome o[N_SIDES];
	struct path p;

	if (w->as_user)
		return; /* of uid 12345 with CAP_SYS_ADMIN, which is what fsuid makes, seedfs hides trusted.* */
	pick_path(w, &p);
	note(w, "listxattr %s %zu", p.label, size);
	BOTH(w, o, llistxattr(full(w, side, &p), (char *)w->data[side], size));
}

static void op_removexattr(struct writer *w)
{
	const char *name = chance(w, 20)   ? "system.posix_acl_access"
			   : chance(w, 20) ? "system.posix_acl_default"
					   : pick_xattr(w);
	struct outcome o[N_SIDES];
	struct path p;

	pick_path(w, &p);
	note(w, "removexattr %s '%s'", p.label, name);
	BOTH(w, o, lremovexattr(full(w, side, &p), name));
}

/* ---- ACLs: struct posix_acl_xattr_header of linux/posix_acl_xattr.h ---- */

enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

static size_t put_entry(uint8_t *acl, size_t at, unsigned tag, uint64_t permissions, uint32_t id)
{
	le16_store(acl + at, (uint16_t)tag);
	le16_store(acl + at + 2, (uint16_t)permissions);
	le32_store(acl + at + 4, id);
	return at + 8;
}

/* Mostly valid; at times without the mask that named entries call for. */
static size_t make_acl(struct writer *w, uint8_t *acl)
{
	const uint32_t none = UINT32_MAX;
	bool named = chance(w, 70);
	size_t n = 4;

	le32_store(acl, chance(w, 98) ? 2 : 3);
	n = put_entry(acl, n, USER_OBJ, pick(w, 8), none);
	if (named && chance(w, 80))
		n = put_entry(acl, n, USER, pick(w, 8), USER_UID);
	if (named && chance(w, 30))
		n = put_entry(acl, n, USER, pick(w, 8), USER_UID + 1);
	n = put_entry(acl, n, GROUP_OBJ, pick(w, 8), none);
	if (named && chance(w, 50))
		n = put_entry(acl, n, GROUP, pick(w, 8), USER_GID);
	if (named ? chance(w, 95) : chance(w, 20))
		n = put_entry(acl, n, MASK, pick(w, 8), none);
	return put_entry(acl, n, OTHER, pick(w, 8), none);
}

static void op_set_acl(struct writer *w)
{
	bool is_default = chance(w, 50);
	uint8_t acl[4 + 8 * 8];
	size_t n = make_acl(w, acl);
	struct outcome o[N_SIDES];
	struct path p;

	if (is_default || chance(w, 30))
		pick_dir_path(w, &p);
	else
		pick_path(w, &p);
	if (chance(w, 5))
		n = 4; /* no entries */
	note(w, "set %s ACL %s, %zu bytes", is_default ? "default" : "access", p.label, n);
	BOTH(w, o,
	     lsetxattr(full(w, side, &p),
		       is_default ? "system.posix_acl_default" : "system.posix_acl_access", acl, n,
		       0));
}

const struct weighted attr_operations[] = {
	{op_chmod, 6},	     {op_chown, 5},	     {op_utimens, 6},  {op_fchmod_fchown, 1},
	{op_stat, 6},	     {op_setxattr, 6},	     {op_getxattr, 4}, {op_listxattr, 2},
	{op_removexattr, 3}, {op_set_capability, 1}, {op_set_acl, 4},  {NULL, 0},
};
