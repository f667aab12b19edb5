/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What export and verify say while they work: progress per phase, lines for people, SIGINT as a request. */
#ifndef SEEDSHIP_CMD_DRIVE_TALK_H
#define SEEDSHIP_CMD_DRIVE_TALK_H

#include "common/cli/progress.h"
#include "exporter/drive/drive.h"

struct drive_talk {
	struct progress *progress;
	enum progress_style style;
	const char *label;   /* the drive id; lent */
	uint64_t done_bytes; /* of the phase, as told to progress */
	bool json;
};

/* Fills in events that talk through talk (lent). From here on SIGINT and SIGTERM ask to stop. */
int drive_talk_begin(struct drive_talk *talk, const char *label, bool json,
		     struct drive_events *ret, struct err *e);
void drive_talk_end(struct drive_talk *talk);

/* Threads to work with: the machine's cores. */
unsigned drive_talk_workers(void);

#endif
