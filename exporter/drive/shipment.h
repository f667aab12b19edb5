/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct shipment: what of a job no drive has yet, in one export session. Made once for all drives that are laid
 * out in that session; each takes its share.
 */
#ifndef SEEDSHIP_DRIVE_SHIPMENT_H
#define SEEDSHIP_DRIVE_SHIPMENT_H

#include "exporter/drive/share.h"
#include "exporter/shipping/jobs.h"
#include "exporter/shipping/shipping.h"

#define SESSION_ID_BYTES 32 /* with its NUL */

struct shipment {
	struct plan *plan;     /* owned */
	struct shares *shares; /* owned */
	char session_id[SESSION_ID_BYTES];
	bool session_counted; /* the job knows that this session has begun */
};

/*
 * Plans all files of the store that no drive of the job has as they are now. The plan may be empty. Blocks
 * for a walk of the store.
 */
int shipment_new(const char *store_path, struct shipping *shipping, const struct job *job,
		 struct shipment **ret, struct err *e) _warn_unused_result_;
void shipment_free(struct shipment *s); /* NULL is fine */
static inline void shipment_freep(struct shipment **s)
{
	shipment_free(*s);
}

#endif
