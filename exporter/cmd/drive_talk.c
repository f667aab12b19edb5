/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events of a drive to progress lines on stderr. */
#include "exporter/cmd/drive_talk.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal _unused_)
{
	stop_requested = 1;
}

static void on_phase(void *arg, const char *name, uint64_t total_bytes)
{
	struct drive_talk *talk = arg;
	char label[128];
	struct progress_desc desc = {
		.style = talk->style, .label = label, .total_bytes = total_bytes, .out = stderr};

	progress_free(take_ptr(talk->progress));
	talk->done_bytes = 0;
	(void)snprintf(label, sizeof(label), "%s: %s", talk->label, name);
	/* Phases that do not count bytes are over before a bar would tell anything. */
	if (total_bytes == 0 || strcmp(name, "lay out") == 0)
		desc.style = PROGRESS_NONE;
	if (progress_new(&desc, &talk->progress, NULL) < 0)
		talk->progress = NULL; /* works on without one */
}

static void on_progress(void *arg, uint64_t done_bytes)
{
	struct drive_talk *talk = arg;

	if (done_bytes > talk->done_bytes)
		progress_add(talk->progress, done_bytes - talk->done_bytes);
	talk->done_bytes = done_bytes;
}

static void on_tell(void *arg, const char *line)
{
	struct drive_talk *talk = arg;

	if (talk->progress)
		progress_say(talk->progress, "%s", line);
	else
		(void)fprintf(stderr, "%s\n", line);
}

int drive_talk_begin(struct drive_talk *talk, const char *label, bool json,
		     struct drive_events *ret, struct err *e)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	*talk = (struct drive_talk){
		.style = progress_style_of(stderr, json), .label = label, .json = json};
	*ret = (struct drive_events){.phase = on_phase,
				     .progress = on_progress,
				     .tell = on_tell,
				     .stop = &stop_requested,
				     .arg = talk};
	/* Once: stop at the next safe point. Twice: at once, which is safe too. */
	if (sigaction(SIGINT, &action, NULL) < 0 || sigaction(SIGTERM, &action, NULL) < 0)
		return err_sys(e, "signals");
	return 0;
}

void drive_talk_end(struct drive_talk *talk)
{
	progress_free(take_ptr(talk->progress));
}

unsigned drive_talk_workers(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus > 0 ? (unsigned)cpus : 1;
}
