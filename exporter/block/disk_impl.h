/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of what a disk is; each fills in its fields of struct disk from its name. */
#ifndef SEEDSHIP_BLOCK_DISK_IMPL_H
#define SEEDSHIP_BLOCK_DISK_IMPL_H

#include "exporter/block/disk.h"

/* disk_facts.c: all but serial number and reason, from name. */
void disk_read_facts(const char *root, struct disk *d);

/* disk_serial.c: wants the facts. */
void disk_read_serial(const char *root, struct disk *d);

/* disk_identify.c: the serial number that an ATA disk tells itself, asked by ioctl at its node. False: none. */
bool disk_identify(const char *path, bool behind_usb, char *out, size_t out_bytes);

/*
 * The serial number in the 512 bytes of an ATA IDENTIFY DEVICE answer (ACS-3, 7.12.7: words 10 to
 * 19). swapped: as on the wire, two characters a word, the first in the high byte. False: none.
 */
bool disk_identity_serial(const uint8_t identity[512], bool swapped, char *out, size_t out_bytes);

/* disk_use.c: puts reason and hint when the system uses the disk or anything on it. */
void disk_check_use(const char *root, struct disk *d);

void disk_refuse(struct disk *d, const char *hint, const char *fmt, ...) _printf_(3, 4);

#endif
