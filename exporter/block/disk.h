/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct disk: what a disk is, and whether it may become a drive. Everything is read: sysfs, /proc,
 * udev's database where there is one, and the disk's own identity by ioctl. Nothing here writes.
 *
 * root is put in front of every path that is read: "" for this machine, else a made-up tree.
 */
#ifndef SEEDSHIP_BLOCK_DISK_H
#define SEEDSHIP_BLOCK_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/* Where a serial number is from, and so what it is worth. */
enum disk_serial {
	DISK_SERIAL_NONE,
	DISK_SERIAL_HARDWARE, /* the disk's own: what the datacenter will read */
	DISK_SERIAL_BRIDGE,   /* told by a USB adapter, which may have made it up */
};

struct disk {
	char name[64]; /* the kernel's: "sda" */
	char path[80]; /* of its node: "/dev/sda" */
	unsigned major, minor;
	char model[64];	 /* "" = unknown */
	char serial[64]; /* without spaces; "" = none */
	enum disk_serial serial_from;
	const char *bus; /* "sata", "sas", "nvme", "usb", "virtio", "loop", ...: one word, static */
	bool real;	 /* hardware, or what a hypervisor gives for it; no loop, no RAID */
	bool rotational, read_only, removable;
	uint64_t size_bytes;
	uint32_t logical_sector_bytes, physical_sector_bytes;
	char reason
		[256]; /* why it must not become a drive, in words that go on "DISK ..."; "" = it may */
	char hint[160]; /* what can be done about it; may be "" */
};

/*
 * All block devices that have a size, but for partitions, by name; those that are not real too.
 * *ret: caller frees. One that some program holds for itself is found by opening it for a moment
 * with O_EXCL. -ENOENT without a sysfs. Blocks, and wakes sleeping disks.
 */
int disk_list(const char *root, struct disk **ret, size_t *ret_n, struct err *e)
	_warn_unused_result_;

/*
 * The disk with this device number. It is not opened with O_EXCL: the caller may hold it. -EINVAL
 * (user): the number is a partition's; -ENOENT: nobody's.
 */
int disk_of_number(const char *root, unsigned major, unsigned minor, struct disk *ret,
		   struct err *e) _warn_unused_result_;

/* disk_of_number() by the path of a node, any symbolic link to one included. */
int disk_of_path(const char *root, const char *path, struct disk *ret, struct err *e)
	_warn_unused_result_;

#endif
