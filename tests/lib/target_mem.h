/* SPDX-License-Identifier: GPL-3.0-or-later */
/* target_mem: a target in memory, for tests. */
#ifndef SEEDSHIP_TESTS_TARGET_MEM_H
#define SEEDSHIP_TESTS_TARGET_MEM_H

#include "exporter/block/target.h"

/* Zeroed memory of size_bytes. */
int target_mem_new(uint64_t size_bytes, uint32_t sector_bytes, struct target **ret)
	_warn_unused_result_;

/* Its bytes; lent. */
uint8_t *target_mem_data(struct target *t);

#endif
