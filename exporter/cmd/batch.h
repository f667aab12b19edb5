/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An import job takes IMPORT_JOB_DRIVES_MAX drives. A job with more becomes several import jobs, each
 * with a parcel of its own: NAME, NAME-2, ...
 */
#ifndef SEEDSHIP_CMD_BATCH_H
#define SEEDSHIP_CMD_BATCH_H

#include <stddef.h>

#include "common/base/err.h"

/* The name of the import job number `batch`, from 0; caller frees. */
int batch_name(const char *job, size_t batch, char **ret, struct err *e) _warn_unused_result_;

#endif
