/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What sysfs says of a disk: size, sectors, model, and how it is connected. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "exporter/block/disk_impl.h"
#include "exporter/block/sysfs.h"

#define SYSFS_SECTOR_BYTES 512 /* the unit of `size`, whatever the disk's is */

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether a folder of the device's path is called `prefix` and a number: "/ata3/", "/usb2/". */
static bool is_below(const char *device_path, const char *prefix)
{
	const char *at = device_path;

	while ((at = strstr(at, prefix))) {
		at += strlen(prefix);
		if (isdigit((unsigned char)*at))
			return true;
	}
	return false;
}

/* Names that have a device behind them and are no disks all the same. */
static bool is_other_kind(const char *name)
{
	return has_prefix(name, "sr") || has_prefix(name, "fd") || has_prefix(name, "mtdblock") ||
	       (has_prefix(name, "mmcblk") && (strstr(name, "boot") || strstr(name, "rpmb")));
}

static const char *bus_of(const char *root, const struct disk *d)
{
	_cleanup_free_ char *at = sysfs_real(root, "/sys/class/block/%s", d->name);
	char vendor[16];

	if (!at)
		return "other";
	if (is_below(at, "/usb"))
		return "usb";
	if (has_prefix(d->name, "nvme"))
		return "nvme";
	if (is_below(at, "/virtio"))
		return "virtio";
	if (is_below(at, "/ata"))
		return "sata";
	if (strstr(at, "/mmc_host/"))
		return "mmc";
	if (is_below(at, "/session"))
		return "iscsi";
	if (is_below(at, "/rport-"))
		return "fc";
	/* A SATA disk behind a SAS controller: the controller's translation says so. */
	if (sysfs_text(root, vendor, sizeof(vendor), "/sys/class/block/%s/device/vendor",
		       d->name) &&
	    strcmp(vendor, "ATA") == 0)
		return "sata";
	if (is_below(at, "/end_device-"))
		return "sas";
	if (has_prefix(d->name, "loop"))
		return "loop";
	return has_prefix(d->name, "sd") ? "scsi" : "other";
}

static void read_model(const char *root, struct disk *d)
{
	char vendor[16] = "", model[sizeof(d->model) - sizeof(vendor)];

	if (!sysfs_text(root, model, sizeof(model), "/sys/class/block/%s/device/model", d->name) &&
	    !sysfs_text(root, model, sizeof(model), "/sys/class/block/%s/device/name", d->name))
		return;
	/* SCSI's vendor of a SATA disk is "ATA"; those of virtio and NVMe are numbers. */
	if (has_prefix(d->name, "sd"))
		(void)sysfs_text(root, vendor, sizeof(vendor), "/sys/class/block/%s/device/vendor",
				 d->name);
	if (vendor[0] && strcmp(vendor, "ATA") != 0)
		(void)snprintf(d->model, sizeof(d->model), "%s %s", vendor, model);
	else
		(void)snprintf(d->model, sizeof(d->model), "%s", model);
}

void disk_read_facts(const char *root, struct disk *d)
{
	const char *name = d->name;

	(void)snprintf(d->path, sizeof(d->path), "/dev/%s", name);
	for (char *c = d->path; *c; c++) {
		if (*c == '!')
			*c = '/'; /* sysfs cannot have names with a slash */
	}
	d->size_bytes = sysfs_number(root, "/sys/class/block/%s/size", name) * SYSFS_SECTOR_BYTES;
	d->logical_sector_bytes =
		(uint32_t)sysfs_number(root, "/sys/class/block/%s/queue/logical_block_size", name);
	d->physical_sector_bytes =
		(uint32_t)sysfs_number(root, "/sys/class/block/%s/queue/physical_block_size", name);
	d->rotational = sysfs_number(root, "/sys/class/block/%s/queue/rotational", name) != 0;
	d->read_only = sysfs_number(root, "/sys/class/block/%s/ro", name) != 0;
	d->removable = sysfs_number(root, "/sys/class/block/%s/removable", name) != 0;
	d->bus = bus_of(root, d);
	d->real = sysfs_exists(root, "/sys/class/block/%s/device", name) && !is_other_kind(name);
	read_model(root, d);
}
