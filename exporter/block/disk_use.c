/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who uses a disk. First what stands on it is collected: its partitions, and what the kernel has built
 * on them (device mapper, RAID, loop devices), and on that, all the way up. Then it is asked whether
 * anything of this is mounted, swapped to, or simply there.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "exporter/block/disk_impl.h"
#include "exporter/block/sysfs.h"

#define PARTS_MAX  512
#define NAME_BYTES 64

struct part {
	char name[NAME_BYTES];
	unsigned major, minor;
	bool above; /* neither the disk nor a partition of it */
};

struct parts {
	const char *root;
	size_t n;
	bool full;
	const char *below; /* whose holders are being read */
	struct part items[PARTS_MAX];
};

void disk_refuse(struct disk *d, const char *hint, const char *fmt, ...)
{
	va_list ap;

	if (d->reason[0])
		return; /* the first reason is the one to tell */
	va_start(ap, fmt);
	(void)vsnprintf(d->reason, sizeof(d->reason), fmt, ap);
	va_end(ap);
	(void)snprintf(d->hint, sizeof(d->hint), "%s", hint ? hint : "");
}

/* ---- what stands on it ---- */

static const struct part *find_part(const struct parts *p, unsigned major, unsigned minor)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->items[i].major == major && p->items[i].minor == minor)
			return &p->items[i];
	}
	return NULL;
}

static void add_part(struct parts *p, const char *name, bool above)
{
	struct part part = {.above = above};

	if (strlen(name) >= NAME_BYTES || !sysfs_device(p->root, name, &part.major, &part.minor) ||
	    find_part(p, part.major, part.minor))
		return;
	p->full = p->n == PARTS_MAX;
	if (p->full)
		return;
	(void)snprintf(part.name, sizeof(part.name), "%s", name);
	p->items[p->n++] = part;
}

static int add_holder(const char *name, void *arg)
{
	add_part(arg, name, true);
	return 0;
}

static int add_if_partition(const char *name, void *arg)
{
	struct parts *p = arg;

	if (sysfs_exists(p->root, "/sys/class/block/%s/%s/partition", p->below, name))
		add_part(p, name, false);
	return 0;
}

/* A loop device over one of the parts: the kernel does not count it among the holders. */
static int add_if_loop(const char *name, void *arg)
{
	struct parts *p = arg;
	unsigned major, minor;
	char file[512];

	if (strncmp(name, "loop", 4) == 0 &&
	    sysfs_text(p->root, file, sizeof(file), "/sys/class/block/%s/loop/backing_file",
		       name) &&
	    sysfs_device_of_path(p->root, file, &major, &minor) && find_part(p, major, minor))
		add_part(p, name, true);
	return 0;
}

/* Goes over the list while it grows. A path that does not fit is one that is not there. */
static void collect(struct parts *p, const char *disk)
{
	char path[2 * NAME_BYTES];

	p->below = disk;
	add_part(p, disk, false);
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s", disk);
	(void)sysfs_each(p->root, path, add_if_partition, p);
	for (size_t i = 0; i < p->n; i++) {
		(void)snprintf(path, sizeof(path), "/sys/class/block/%s/holders", p->items[i].name);
		(void)sysfs_each(p->root, path, add_holder, p);
		if (i + 1 == p->n)
			(void)sysfs_each(p->root, "/sys/class/block", add_if_loop, p);
	}
}

/* ---- what it is used for ---- */

/* Blanks and the like stand as \ooo in /proc (proc(5)). Works in place. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; out++) {
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			*out = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
			text += 4;
		} else {
			*out = *text++;
		}
	}
	*out = '\0';
}

static FILE *open_proc(const char *root, const char *path)
{
	_cleanup_free_ char *whole = NULL;

	if (asprintf(&whole, "%s%s", root, path) < 0) {
		whole = NULL;
		return NULL;
	}
	return fopen(whole, "re");
}

static bool is_of_the_system(const char *mount_point)
{
	static const char *const points[] = {"/", "/boot", "/boot/efi", "/efi", "/usr", "/var"};

	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		if (strcmp(mount_point, points[i]) == 0)
			return true;
	}
	return false;
}

/*
 * One line of mountinfo (proc(5)): number, parent, major:minor, root, mount point, options, tags, "-",
 * type, source, options. File systems over several disks (btrfs) have a number of their own: there
 * the source tells. The part that is mounted, or NULL; mount_point: lent from line.
 */
static const struct part *mounted_part(const struct parts *p, char *line, char **mount_point)
{
	char *words[5] = {NULL}, *rest = line, *source;
	const struct part *part;
	unsigned major, minor;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = strsep(&rest, " ");
	if (!words[4] || !rest || !sysfs_parse_device(words[2], &major, &minor))
		return NULL;
	unescape(words[4]);
	*mount_point = words[4];
	part = find_part(p, major, minor);
	source = strstr(rest, " - ");
	if (part || !source)
		return part;
	rest = source + 3;
	(void)strsep(&rest, " ");
	source = strsep(&rest, " ");
	if (!source || !*source)
		return NULL;
	unescape(source);
	return sysfs_device_of_path(p->root, source, &major, &minor) ? find_part(p, major, minor)
								     : NULL;
}

static void check_mounts(const struct parts *p, struct disk *d)
{
	_cleanup_file_ FILE *file = open_proc(p->root, "/proc/self/mountinfo");
	_cleanup_free_ char *line = NULL;
	struct disk other = {0};
	size_t room = 0;

	if (!file)
		disk_refuse(d, "/proc must be mounted", "cannot be checked for being mounted");
	while (file && getline(&line, &room, file) > 0) {
		char *mount_point = NULL;
		const struct part *part = mounted_part(p, line, &mount_point);

		if (part && is_of_the_system(mount_point))
			disk_refuse(d, NULL, "holds the running system: '%s' is on %s", mount_point,
				    part->name);
		else if (part)
			disk_refuse(&other, "unmount it first", "is in use: %s is mounted at '%s'",
				    part->name, mount_point);
	}
	if (other.reason[0])
		disk_refuse(d, other.hint, "%s", other.reason);
}

static void check_swaps(const struct parts *p, struct disk *d)
{
	_cleanup_file_ FILE *file = open_proc(p->root, "/proc/swaps");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	while (file && getline(&line, &room, file) > 0) {
		const struct part *part;
		unsigned major, minor;

		line[strcspn(line, " \t\n")] = '\0';
		unescape(line);
		if (!sysfs_device_of_path(p->root, line, &major, &minor))
			continue;
		part = find_part(p, major, minor);
		if (part)
			disk_refuse(d, "end it with swapoff first", "is in use: %s is swap space",
				    part->name);
	}
}

/* btrfs takes disks into a mounted file system that neither a mount nor a holder tells of. */
static int check_btrfs(const char *name, void *arg)
{
	const struct parts *p = arg;

	for (size_t i = 0; i < p->n; i++) {
		if (sysfs_exists(p->root, "/sys/fs/btrfs/%s/devices/%s", name, p->items[i].name))
			return 1;
	}
	return 0;
}

static void check_holders(struct parts *p, struct disk *d)
{
	for (size_t i = 0; i < p->n; i++) {
		char name[128] = "";

		if (!p->items[i].above)
			continue;
		if (sysfs_text(p->root, name, sizeof(name), "/sys/class/block/%s/dm/name",
			       p->items[i].name))
			disk_refuse(d, "deactivate that first",
				    "is in use: %s ('%s') is built on it", p->items[i].name, name);
		else
			disk_refuse(d, "stop or detach that first", "is in use: %s is built on it",
				    p->items[i].name);
	}
	if (sysfs_each(p->root, "/sys/fs/btrfs", check_btrfs, p) == 1)
		disk_refuse(d, "unmount it first", "is in use: it is part of a mounted btrfs");
	if (p->full)
		disk_refuse(d, NULL, "has more on it than can be looked through");
}

void disk_check_use(const char *root, struct disk *d)
{
	_cleanup_free_ struct parts *p = calloc(1, sizeof(*p));

	if (!p) {
		disk_refuse(d, NULL, "cannot be checked: out of memory");
		return;
	}
	p->root = root;
	collect(p, d->name);
	check_mounts(p, d);
	check_swaps(p, d);
	check_holders(p, d);
}
