/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The serial number of a disk: the drive id that the datacenter compares with what it reads from the
 * disk itself. Sources in the order in which they are believed. Behind a USB adapter only the disk's
 * own answer to IDENTIFY DEVICE is the disk's; everything else is the adapter's word.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "exporter/block/disk_impl.h"
#include "exporter/block/sysfs.h"

/* A wwid by T10's vendor scheme: "t10.", vendor, model, serial number, in fields of these widths. */
#define T10_ATA	      "t10.ATA     "
#define T10_OFF_MODEL (sizeof(T10_ATA) - 1)
#define T10_OFF_SN    (T10_OFF_MODEL + 40)

/* Without spaces; false when nothing is left, or what is left is no text. */
static bool take(const char *text, struct disk *d, enum disk_serial from)
{
	char clean[sizeof(d->serial)];
	size_t n = 0;

	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e ||
		    n + 1 == sizeof(clean))
			return false;
		if (*text != ' ')
			clean[n++] = *text;
	}
	clean[n] = '\0';
	/* Adapters and virtual disks fill the field with one character when they have none. */
	if (n == 0 || strspn(clean, "0") == n)
		return false;
	memcpy(d->serial, clean, n + 1);
	d->serial_from = from;
	return true;
}

/* SCSI's vital product data, page 0x80 (SPC-4, 7.8.15): four bytes of header, then the number. */
static bool from_vpd(const char *root, struct disk *d, enum disk_serial from)
{
	uint8_t page[256];
	char text[256];
	size_t n;

	if (!sysfs_bytes(root, page, sizeof(page), &n, "/sys/class/block/%s/device/vpd_pg80",
			 d->name) ||
	    n <= 4 || page[1] != 0x80)
		return false;
	n = MIN(n - 4, (size_t)page[3]);
	memcpy(text, page + 4, n);
	text[n] = '\0';
	return take(text, d, from);
}

static bool from_attribute(const char *root, struct disk *d, const char *attribute)
{
	char text[128];

	return sysfs_text(root, text, sizeof(text), "/sys/class/block/%s/%s", d->name, attribute) &&
	       take(text, d, DISK_SERIAL_HARDWARE);
}

static bool from_wwid(const char *root, struct disk *d)
{
	char text[128];

	return sysfs_text(root, text, sizeof(text), "/sys/class/block/%s/device/wwid", d->name) &&
	       strncmp(text, T10_ATA, T10_OFF_MODEL) == 0 && strlen(text) > T10_OFF_SN &&
	       take(text + T10_OFF_SN, d, DISK_SERIAL_HARDWARE);
}

/* A property of udev's database, "E:KEY=value" on a line; lent from data. */
static const char *property(char *data, const char *key)
{
	size_t len = strlen(key);

	for (char *line = data; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "E:", 2) == 0 && strncmp(line + 2, key, len) == 0 &&
		    line[2 + len] == '=')
			return line + 2 + len + 1;
	}
	return NULL;
}

static bool take_property(char *data, const char *key, struct disk *d, enum disk_serial from)
{
	const char *value = property(data, key);
	char text[128];

	if (!value)
		return false;
	(void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(value, "\n"), value);
	return take(text, d, from);
}

/* ID_ATA=1: udev has asked the disk itself, through the adapter if there is one. */
static bool from_udev(const char *root, struct disk *d, bool ata_only)
{
	_cleanup_free_ char *data = calloc(1, 65536);
	size_t n;
	const char *ata;

	if (!data ||
	    !sysfs_bytes(root, data, 65535, &n, "/run/udev/data/b%u:%u", d->major, d->minor))
		return false;
	ata = property(data, "ID_ATA");
	if (ata && *ata == '1')
		return take_property(data, "ID_SERIAL_SHORT", d, DISK_SERIAL_HARDWARE);
	return !ata_only && (take_property(data, "ID_SCSI_SERIAL", d, DISK_SERIAL_HARDWARE) ||
			     take_property(data, "ID_SERIAL_SHORT", d, DISK_SERIAL_HARDWARE));
}

/* Asks this machine's disk; a made-up tree has none to ask. */
static bool from_identity(const char *root, struct disk *d, bool behind_usb)
{
	char text[64];

	return !*root && disk_identify(d->path, behind_usb, text, sizeof(text)) &&
	       take(text, d, DISK_SERIAL_HARDWARE);
}

/* The number of the USB device: the folder on the way up that has one. */
static bool from_usb_device(const char *root, struct disk *d)
{
	_cleanup_free_ char *at = sysfs_real(root, "/sys/class/block/%s", d->name);
	char text[128], *cut;

	while (at && (cut = strrchr(at, '/')) && strstr(at, "/usb")) {
		if (sysfs_exists(root, "%s/idVendor", at))
			return sysfs_text(root, text, sizeof(text), "%s/serial", at) &&
			       take(text, d, DISK_SERIAL_BRIDGE);
		*cut = '\0';
	}
	return false;
}

void disk_read_serial(const char *root, struct disk *d)
{
	if (strcmp(d->bus, "usb") == 0) {
		/* Removable ones are sticks and card readers, which may hang when asked. */
		if (from_udev(root, d, true) || (!d->removable && from_identity(root, d, true)) ||
		    from_vpd(root, d, DISK_SERIAL_BRIDGE) || from_usb_device(root, d))
			return;
	} else if (d->real) {
		if (from_vpd(root, d, DISK_SERIAL_HARDWARE) ||
		    from_attribute(root, d, "device/serial") || from_attribute(root, d, "serial") ||
		    from_udev(root, d, false) || from_identity(root, d, false) ||
		    from_wwid(root, d))
			return;
	}
}
