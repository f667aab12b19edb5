/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * target_fault: a target that behaves like a disk with a volatile write cache and fails on demand.
 * What is written reaches the target below only with a flush, or when it is closed unharmed; reads
 * see it at once. So the target below always holds what would be there after a power cut. A flush
 * that fails loses what it should have written, as on Linux.
 */
#ifndef SEEDSHIP_TESTS_TARGET_FAULT_H
#define SEEDSHIP_TESTS_TARGET_FAULT_H

#include <stdbool.h>

#include "exporter/block/target.h"

enum fault_op { FAULT_PREAD, FAULT_PWRITE, FAULT_FLUSH, FAULT_ANY, FAULT_OPS };

/*
 * ERROR: this one call fails, those behind it do not. UNPLUG: this call and all behind it fail; what
 * was written before reaches the disk. POWER_CUT: likewise, but what was written since the last flush
 * is lost. POWER_TORN: or each sector of it by the toss of a coin.
 */
enum fault_kind { FAULT_ERROR, FAULT_UNPLUG, FAULT_POWER_CUT, FAULT_POWER_TORN };

struct fault_plan {
	enum fault_op op; /* which calls count */
	uint64_t nth;	  /* the nth of them from now on, from 1; 0 = no fault */
	enum fault_kind kind;
	int code;      /* positive errno; 0 = EIO */
	unsigned seed; /* of the coin */
};

/* base is lent and must outlive it. */
int target_fault_new(struct target *base, struct target **ret) _warn_unused_result_;

/* Sets the fault to come, and ends a fault that is there: the disk is plugged in again. */
void target_fault_arm(struct target *t, const struct fault_plan *plan);

/* Calls of this kind since target_fault_new(), failed ones included. */
uint64_t target_fault_count(struct target *t, enum fault_op op);

/* Whether the armed fault has struck. */
bool target_fault_struck(struct target *t);

#endif
