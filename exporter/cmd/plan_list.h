/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The long lists of a plan, as text that scripts read: fields with tabs between them, a line a file. */
#ifndef SEEDSHIP_CMD_PLAN_LIST_H
#define SEEDSHIP_CMD_PLAN_LIST_H

#include "exporter/drive/share.h"

/* Drive (from 1; 0 = none of them), bytes, staged path, blob. path "-" is stdout. Blocks. */
int plan_list_files(const char *path, const struct plan *plan, const struct share *const *shares,
		    unsigned n_shares, struct err *e) _warn_unused_result_;

/* Kind, staged path, reason. path "-" is stdout. Blocks. */
int plan_list_problems(const char *path, const struct plan *plan, struct err *e)
	_warn_unused_result_;

#endif
