/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asking an ATA disk who it is. A SATA controller's driver answers from what it read at start
 * (HDIO_GET_IDENTITY); behind a USB adapter the question has to be put through to the disk (SCSI / ATA
 * Translation, SAT-3: ATA PASS-THROUGH (16)), which some adapters do and others refuse.
 */
#include <fcntl.h>
#include <linux/hdreg.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/base/cleanup.h"
#include "exporter/block/disk_impl.h"

#define IDENTITY_BYTES	   512
#define IDENTITY_OFF_KIND  1 /* high byte of word 0: bit 7 is set by what is no ATA disk */
#define IDENTITY_OFF_SN	   20
#define IDENTITY_SN_BYTES  20
#define PASS_THROUGH_BYTES 16
#define TIMEOUT_MS	   5000

bool disk_identity_serial(const uint8_t identity[IDENTITY_BYTES], bool swapped, char *out,
			  size_t out_bytes)
{
	size_t n = 0;

	out[0] = '\0';
	if (identity[IDENTITY_OFF_KIND] & 0x80)
		return false;
	for (size_t i = 0; i < IDENTITY_SN_BYTES && n + 1 < out_bytes; i++) {
		uint8_t c = identity[IDENTITY_OFF_SN + (swapped ? i ^ 1 : i)];

		if (c == '\0')
			continue;
		if (c < 0x20 || c > 0x7e) {
			out[0] = '\0';
			return false;
		}
		if (c != ' ')
			out[n++] = (char)c;
	}
	out[n] = '\0';
	return n > 0;
}

static bool pass_through(int fd, uint8_t identity[IDENTITY_BYTES])
{
	uint8_t sense[32] = {0};
	uint8_t command[PASS_THROUGH_BYTES] = {
		[0] = 0x85,   /* ATA PASS-THROUGH (16) */
		[1] = 4 << 1, /* PIO data-in */
		[2] = 0x0e,   /* from the device, in sectors, as many as the sector count says */
		[6] = 1,      /* sector count */
		[14] = 0xec,  /* IDENTIFY DEVICE */
	};
	struct sg_io_hdr io = {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_FROM_DEV,
		.cmd_len = sizeof(command),
		.mx_sb_len = sizeof(sense),
		.dxfer_len = IDENTITY_BYTES,
		.dxferp = identity,
		.cmdp = command,
		.sbp = sense,
		.timeout = TIMEOUT_MS,
	};

	if (ioctl(fd, SG_IO, &io) < 0)
		return false;
	return io.status == 0 && io.host_status == 0 && io.driver_status == 0 && io.resid == 0;
}

bool disk_identify(const char *path, bool behind_usb, char *out, size_t out_bytes)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	uint8_t identity[IDENTITY_BYTES] = {0};

	out[0] = '\0';
	if (fd < 0)
		return false;
	if (behind_usb)
		return pass_through(fd, identity) &&
		       disk_identity_serial(identity, true, out, out_bytes);
	/* The kernel has put the characters in their order already. */
	return ioctl(fd, HDIO_GET_IDENTITY, identity) == 0 &&
	       disk_identity_serial(identity, false, out, out_bytes);
}
