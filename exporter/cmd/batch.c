/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The import jobs of a job. */
#include "exporter/cmd/batch.h"

#include <stdio.h>

int batch_name(const char *job, size_t batch, char **ret, struct err *e)
{
	int r;

	if (batch == 0)
		r = asprintf(ret, "%s", job);
	else
		r = asprintf(ret, "%s-%zu", job, batch + 1);
	if (r < 0) {
		*ret = NULL;
		return err_oom(e);
	}
	return 0;
}
