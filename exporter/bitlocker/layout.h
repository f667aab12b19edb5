/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * BitLocker on disk, as Windows 7 and later lay it out on fixed NTFS volumes ("FVE" version 2):
 * every offset and constant. All numbers are little-endian; volume offsets are bytes from the
 * partition's first byte. Names follow the libbde format documentation and dissect.fve where these
 * have one.
 *
 *     0x0000         volume header, plaintext
 *     0x0200..1FFF   unused, random
 *     0x2000..end    NTFS, each sector encrypted in place, but for
 *       metadata     three equal copies of 64 KiB
 *       VBB          8 KiB: the volume's true first 8 KiB, encrypted for this place
 *       ICE          64 KiB: named by the extended info, zero
 */
#ifndef SEEDSHIP_BITLOCKER_LAYOUT_H
#define SEEDSHIP_BITLOCKER_LAYOUT_H

#include <stdint.h>

#define FVE_SIGNATURE	    "-FVE-FS-"
#define FVE_SIGNATURE_BYTES 8
#define FVE_COPIES	    3
#define FVE_METADATA_BYTES  0x10000
#define FVE_VBB_BYTES	    0x2000
#define FVE_ICE_BYTES	    0x10000

/* 1. Volume header: sector 0, dressed as a FAT32 boot sector. */
#define FVE_HEADER_BYTES		   512
#define FVE_HEADER_OFF_JUMP		   0x000
#define FVE_HEADER_OFF_SIGNATURE	   0x003
#define FVE_HEADER_OFF_SECTOR_BYTES	   0x00b
#define FVE_HEADER_OFF_SECTORS_PER_CLUSTER 0x00d
#define FVE_HEADER_OFF_MEDIA		   0x015
#define FVE_HEADER_OFF_SECTORS_PER_TRACK   0x018
#define FVE_HEADER_OFF_HEADS		   0x01a
#define FVE_HEADER_OFF_HIDDEN_SECTORS	   0x01c
#define FVE_HEADER_OFF_SECTORS_PER_FAT	   0x024
#define FVE_HEADER_OFF_FSINFO_SECTOR	   0x030
#define FVE_HEADER_OFF_BACKUP_SECTOR	   0x032
#define FVE_HEADER_OFF_DRIVE_NUMBER	   0x040
#define FVE_HEADER_OFF_EXT_BOOT_SIGNATURE  0x042
#define FVE_HEADER_OFF_LABEL		   0x047
#define FVE_HEADER_OFF_FS_NAME		   0x052
#define FVE_HEADER_OFF_BOOT_CODE	   0x05a
#define FVE_HEADER_OFF_GUID		   0x0a0
#define FVE_HEADER_OFF_METADATA		   0x0b0
#define FVE_HEADER_OFF_FILLER_78	   0x198
#define FVE_HEADER_FILLER_78_BYTES	   80
#define FVE_HEADER_OFF_FILLER_FF	   0x1e8
#define FVE_HEADER_FILLER_FF_BYTES	   19
#define FVE_HEADER_OFF_BOOT_SIGNATURE	   0x1fe

#define FVE_HEADER_MEDIA	      0xf8
#define FVE_HEADER_SECTORS_PER_TRACK  63
#define FVE_HEADER_HEADS	      255
#define FVE_HEADER_SECTORS_PER_FAT    0x1fe0
#define FVE_HEADER_FSINFO_SECTOR      1
#define FVE_HEADER_BACKUP_SECTOR      6
#define FVE_HEADER_DRIVE_NUMBER	      0x80
#define FVE_HEADER_EXT_BOOT_SIGNATURE 0x29
#define FVE_HEADER_LABEL	      "NO NAME    "
#define FVE_HEADER_FS_NAME	      "FAT32   "
#define FVE_HEADER_BOOT_SIGNATURE     0xaa55

/* 4967d63b-2e29-4ad8-8399-f6a339e3d001: a volume whose conversion is done; the stored form. */
#define FVE_GUID_NORMAL                                                                       \
	{                                                                                     \
		0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a, 0x83, 0x99, 0xf6, 0xa3, 0x39, \
			0xe3, 0xd0, 0x01                                                      \
	}
/* 92a84d3b-dd80-4d0e-9e4e-b1e3284eaed8: "encrypt on write", a conversion is going on. */
#define FVE_GUID_CONVERTING                                                                   \
	{                                                                                     \
		0x3b, 0x4d, 0xa8, 0x92, 0x80, 0xdd, 0x0e, 0x4d, 0x9e, 0x4e, 0xb1, 0xe3, 0x28, \
			0x4e, 0xae, 0xd8                                                      \
	}

/* 2. Information header: the metadata block's first 64 bytes. */
#define FVE_INFO_OFF_SIGNATURE	  0x00
#define FVE_INFO_OFF_SIZE	  0x08 /* of all info, in FVE_INFO_UNIT_BYTES */
#define FVE_INFO_OFF_VERSION	  0x0a
#define FVE_INFO_OFF_STATE	  0x0c
#define FVE_INFO_OFF_NEXT_STATE	  0x0e
#define FVE_INFO_OFF_VOLUME_BYTES 0x10
#define FVE_INFO_OFF_RELOCATED	  0x1c /* sectors of the VBB */
#define FVE_INFO_OFF_METADATA	  0x20
#define FVE_INFO_OFF_VBB	  0x38
#define FVE_INFO_HEADER_BYTES	  0x40
#define FVE_INFO_UNIT_BYTES	  16
#define FVE_INFO_VERSION	  2
#define FVE_STATE_ENCRYPTED	  4

/* 3. Dataset header, behind it; offsets from the block's start. */
#define FVE_DATASET_OFF_BYTES		 0x40 /* of header and datums */
#define FVE_DATASET_OFF_VERSION		 0x44
#define FVE_DATASET_OFF_START		 0x48 /* of the datums, from the dataset's start */
#define FVE_DATASET_OFF_END		 0x4c
#define FVE_DATASET_OFF_GUID		 0x50
#define FVE_DATASET_OFF_NEXT_COUNTER	 0x60
#define FVE_DATASET_OFF_METHOD		 0x64
#define FVE_DATASET_OFF_PREFERRED_METHOD 0x66
#define FVE_DATASET_OFF_CREATED		 0x68
#define FVE_DATASET_HEADER_BYTES	 0x30
#define FVE_DATASET_VERSION		 1

#define FVE_METHOD_CBC_128 0x8002
#define FVE_METHOD_CBC_256 0x8003
#define FVE_METHOD_XTS_128 0x8004
#define FVE_METHOD_XTS_256 0x8005

/* 4. Validation: directly behind the info, whose size a multiple of FVE_INFO_UNIT_BYTES is. */
#define FVE_VALIDATION_HEADER_BYTES \
	8 /* u16 size of the block's rest, u16 version, u32 CRC-32 of the info */
#define FVE_VALIDATION_VERSION 2

/* 5. Datums: u16 size with this header, u16 role, u16 type, u16 flags; not aligned. */
#define FVE_DATUM_HEADER_BYTES 8
#define FVE_FLAGS_CLEAR	       1 /* datums as they stand in the block */
#define FVE_FLAGS_SEALED       0 /* datums inside a box */

#define FVE_TYPE_KEY	 0x01
#define FVE_TYPE_TEXT	 0x02
#define FVE_TYPE_STRETCH 0x03
#define FVE_TYPE_BOX	 0x05
#define FVE_TYPE_VMK	 0x08
#define FVE_TYPE_VIRTUAL 0x0f

#define FVE_ROLE_PROPERTY	     0x00
#define FVE_ROLE_VMK		     0x02
#define FVE_ROLE_FVEK		     0x03
#define FVE_ROLE_DESCRIPTION	     0x07
#define FVE_ROLE_VIRTUAL	     0x0f
#define FVE_ROLE_ESCROW_RECOVERY_KEY 0x12
#define FVE_ROLE_ESCROW_STRETCHED    0x13

#define FVE_KEY_RECOVERY  0x1000
#define FVE_KEY_VMK	  0x2003
#define FVE_KEY_SHA256	  0x2005
#define FVE_KEY_STRETCHED 0x2008

#define FVE_PROTECTOR_RECOVERY_PASSWORD 0x0800
#define FVE_PROTECTOR_NAME		"DiskPassword"

/* Extended info of the virtualisation datum, version 5 (Windows 8 and later). */
#define FVE_EXT_BYTES	      0x4c
#define FVE_EXT_VERSION	      5
#define FVE_EXT_FLAGS	      0x0a
#define FVE_EXT_MAJOR	      10 /* Windows 10, build 19045, an x64 workstation */
#define FVE_EXT_MINOR	      0
#define FVE_EXT_BUILD	      19045
#define FVE_EXT_PLATFORM_NT   2
#define FVE_EXT_SUITE_MASK    0x0110
#define FVE_EXT_PRODUCT_TYPE  1
#define FVE_EXT_ARCHITECTURE  2
#define FVE_EXT_OFF_ICE	      0x3c
#define FVE_EXT_OFF_ICE_BYTES 0x44

/* 6. Keys. */
#define FVE_RECOVERY_KEY_BYTES 16
#define FVE_SALT_BYTES	       16
#define FVE_VMK_BYTES	       32
#define FVE_FVEK_MAX_BYTES     64
#define FVE_STRETCH_ROUNDS     0x100000
#define FVE_STRETCH_BUF_BYTES  88 /* last hash 32, first hash 32, salt 16, u64 round */

#define FVE_NONCE_BYTES	 12 /* u64 FILETIME, u32 counter */
#define FVE_TAG_BYTES	 16
#define FVE_BOX_OVERHEAD (FVE_NONCE_BYTES + FVE_TAG_BYTES)

/* Key datum: header, u16 key type, u16 0, key. */
#define FVE_KEY_DATUM_OVERHEAD	(FVE_DATUM_HEADER_BYTES + 4)
#define FVE_KEY_DATUM_MAX_BYTES (FVE_KEY_DATUM_OVERHEAD + FVE_FVEK_MAX_BYTES)

#endif
