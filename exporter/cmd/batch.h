/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An import job takes IMPORT_JOB_DRIVES_MAX drives. A job with more becomes several import jobs, each
 * with a parcel of its own: NAME, NAME-2, ...
 */
#ifndef SEEDSHIP_CMD_BATCH_H
#define SEEDSHIP_CMD_BATCH_H

#include <stddef.h>

#include "common/base/err.h"
#include "exporter/shipping/drives.h"
#include "exporter/shipping/jobs.h"

/* The drives of a job. -ENOENT, with a hint, when it has none yet. *ret: shipping_drive_list_done(). */
int batch_drives(struct shipping *s, const struct job *job, struct shipping_drive_list *ret,
		 struct err *e) _warn_unused_result_;

/* The name of the import job number `batch`, from 0; caller frees. */
int batch_name(const char *job, size_t batch, char **ret, struct err *e) _warn_unused_result_;

#endif
