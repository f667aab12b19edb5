/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words that mount(8) and fstab(5) know for any filesystem, and what becomes of them here. */
#ifndef SEEDSHIP_FS_MOUNT_WORDS_H
#define SEEDSHIP_FS_MOUNT_WORDS_H

enum mount_word {
	MOUNT_WORD_OTHER,   /* none of these: one of our own options, or unknown */
	MOUNT_WORD_KERNEL,  /* the kernel's business */
	MOUNT_WORD_IGNORED, /* meant for mount(8) and systemd, or always so here */
	MOUNT_WORD_RW,
	MOUNT_WORD_SLOPPY,  /* ignore what is unknown */
	MOUNT_WORD_REFUSED, /* would change a mount that is there */
};

/* word: one option, as "noatime" or "x-systemd.requires=/srv". */
enum mount_word mount_word_of(const char *word);

#endif
