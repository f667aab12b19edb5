/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a name or a number to a disk, and whether it may become a drive. */
#include "exporter/block/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/base/cleanup.h"
#include "exporter/block/disk_impl.h"
#include "exporter/block/sysfs.h"

#define DRIVE_SECTOR_BYTES 512

/* The service's own conditions, and the plainest: that it can be written at all. */
static void check_facts(const char *root, struct disk *d)
{
	char zoned[32] = "";

	(void)sysfs_text(root, zoned, sizeof(zoned), "/sys/class/block/%s/queue/zoned", d->name);
	if (!d->real && strcmp(d->bus, "loop") != 0)
		disk_refuse(d, "name the disk below it",
			    "is not a disk but what the system makes of one");
	if (d->size_bytes == 0)
		disk_refuse(d, NULL, "has no medium");
	if (d->read_only)
		disk_refuse(d, "it may have a switch", "is read-only");
	if (d->logical_sector_bytes != DRIVE_SECTOR_BYTES)
		disk_refuse(d,
			    "a USB adapter may be what shows larger ones; some disks can be "
			    "switched to 512e",
			    "has logical sectors of %u bytes; Azure Import/Export takes disks with "
			    "512-byte sectors only",
			    d->logical_sector_bytes);
	if (strcmp(zoned, "host-managed") == 0)
		disk_refuse(d, NULL, "is host-managed SMR and cannot be written in any order");
}

static void read_disk(const char *root, struct disk *d)
{
	disk_read_facts(root, d);
	disk_read_serial(root, d);
	if (d->real || strcmp(d->bus, "loop") == 0)
		disk_check_use(root, d);
	check_facts(root, d);
}

/* Whatever the tables do not tell of: ZFS, another namespace's mount, another seedship. */
static void check_held(const char *root, struct disk *d)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int fd = -1;

	if (d->reason[0])
		return;
	if (asprintf(&path, "%s%s", root, d->path) < 0) {
		path = NULL;
		return;
	}
	fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		disk_refuse(d, "'lsof' or 'fuser' may tell which",
			    "is in use: another program has it for itself");
	else if (fd < 0 && errno == ENOMEDIUM)
		disk_refuse(d, NULL, "has no medium");
}

struct list {
	const char *root;
	struct disk *items;
	size_t n, capacity;
};

static int add_disk(const char *name, void *arg)
{
	struct list *list = arg;
	struct disk d = {0};

	if (strlen(name) >= sizeof(d.name) ||
	    sysfs_exists(list->root, "/sys/class/block/%s/partition", name) ||
	    sysfs_number(list->root, "/sys/class/block/%s/hidden", name) ||
	    !sysfs_number(list->root, "/sys/class/block/%s/size", name) ||
	    !sysfs_device(list->root, name, &d.major, &d.minor))
		return 0;
	if (list->n == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct disk *grown = reallocarray(list->items, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->items = grown;
		list->capacity = capacity;
	}
	(void)snprintf(d.name, sizeof(d.name), "%s", name);
	list->items[list->n++] = d;
	return 0;
}

/* sdb before sdaa, nvme2n1 before nvme10n1. */
static int compare_names(const void *a, const void *b)
{
	const char *x = ((const struct disk *)a)->name, *y = ((const struct disk *)b)->name;
	size_t x_len = strlen(x), y_len = strlen(y);

	if (strncmp(x, "sd", 2) == 0 && strncmp(y, "sd", 2) == 0 && x_len != y_len)
		return x_len < y_len ? -1 : 1;
	return strverscmp(x, y);
}

int disk_list(const char *root, struct disk **ret, size_t *ret_n, struct err *e)
{
	struct list list = {.root = root};
	int r = sysfs_each(root, "/sys/class/block", add_disk, &list);

	if (r < 0) {
		free(list.items);
		return r == -ENOMEM ? err_oom(e)
				    : err_set(e, ENOENT, "cannot read '%s/sys/class/block'", root);
	}
	if (list.n)
		qsort(list.items, list.n, sizeof(*list.items), compare_names);
	for (size_t i = 0; i < list.n; i++) {
		read_disk(root, &list.items[i]);
		check_held(root, &list.items[i]);
	}
	*ret = list.items;
	*ret_n = list.n;
	return 0;
}

struct search {
	const char *root;
	unsigned major, minor;
	char name[64];
};

static int is_it(const char *name, void *arg)
{
	struct search *s = arg;
	unsigned major, minor;

	if (strlen(name) >= sizeof(s->name) || !sysfs_device(s->root, name, &major, &minor) ||
	    major != s->major || minor != s->minor)
		return 0;
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	return 1;
}

int disk_of_number(const char *root, unsigned major, unsigned minor, struct disk *ret,
		   struct err *e)
{
	struct search s = {.root = root, .major = major, .minor = minor};
	struct disk d = {.major = major, .minor = minor};

	if (sysfs_each(root, "/sys/class/block", is_it, &s) != 1)
		return err_set(e, ENOENT, "the kernel knows no disk of the number %u:%u", major,
			       minor);
	if (sysfs_exists(root, "/sys/class/block/%s/partition", s.name))
		return err_hint(e, err_user(e, "'/dev/%s' is a partition", s.name),
				"a drive is a whole disk: name that");
	(void)snprintf(d.name, sizeof(d.name), "%s", s.name);
	read_disk(root, &d);
	*ret = d;
	return 0;
}

int disk_of_path(const char *root, const char *path, struct disk *ret, struct err *e)
{
	_cleanup_free_ char *whole = NULL;
	struct stat st;

	if (asprintf(&whole, "%s%s", root, path) < 0) {
		whole = NULL;
		return err_oom(e);
	}
	if (stat(whole, &st) < 0)
		return err_sys(e, "cannot find '%s'", path);
	if (!S_ISBLK(st.st_mode))
		return err_user(e, "'%s' is not a disk", path);
	return disk_of_number(root, major(st.st_rdev), minor(st.st_rdev), ret, e);
}
