/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a plan fits a drive, and how large a drive would have to be. Pure arithmetic. */
#ifndef SEEDSHIP_DRIVE_FIT_H
#define SEEDSHIP_DRIVE_FIT_H

#include <stdint.h>

#include "exporter/ntfs/space.h"
#include "exporter/plan/plan.h"

/* 4 KiB up to 16 TiB, then as large as NTFS's 2^32 clusters need. */
uint32_t fit_cluster_bytes(uint64_t volume_bytes);

/* The tree that a plan makes on a drive, manifest included. */
struct ntfs_tree_size fit_tree(const struct plan *plan);

/* Size of the smallest drive that takes the plan and a manifest of manifest_bytes. */
uint64_t fit_needed_bytes(const struct plan *plan, uint64_t manifest_bytes);

#endif
