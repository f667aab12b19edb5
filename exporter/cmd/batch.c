/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The import jobs of a job. */
#include "exporter/cmd/batch.h"

#include <stdio.h>

int batch_drives(struct shipping *s, const struct job *job, struct shipping_drive_list *ret,
		 struct err *e)
{
	int r = shipping_drive_list(s, job->id, ret, e);

	if (r < 0 || ret->n)
		return r;
	return err_hint(e, err_set(e, ENOENT, "job '%s' has no drives yet", job->name),
			"prepare them with 'seedship export'");
}

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
