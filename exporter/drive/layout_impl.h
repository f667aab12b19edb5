/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of phase 1 share: a drive that is being laid out. */
#ifndef SEEDSHIP_DRIVE_LAYOUT_IMPL_H
#define SEEDSHIP_DRIVE_LAYOUT_IMPL_H

#include "exporter/drive/drive_impl.h"
#include "exporter/ntfs/image.h"
#include "exporter/drive/shipment.h"

struct layout {
	const struct drive_request *request;
	const struct drive_events *events;
	struct shipping_drive row;
	struct shipment *shipment; /* lent */
	const struct plan *plan;   /* lent: the shipment's */
	struct share *share;	   /* of it, for this drive */
	struct ntfs_image *image;
	struct bitlocker_params params;
	struct bitlocker_volume volume;
	uint64_t *dir_refs;  /* by plan directory */
	uint64_t *file_refs; /* by placement */
	char description[256];
	uint64_t now_ns;
};

/* layout_volume.c: the empty volume with BitLocker's places in it, its keys, the metadata block in the image. */
int layout_create_image(struct layout *l, struct err *e);
int layout_create_keys(struct layout *l, struct err *e);
int layout_keep_metadata(struct layout *l, struct err *e);

/* layout_journal.c. A journal that belongs to another drive or job is never overwritten: -EEXIST. */
int layout_write_journal(struct layout *l, struct err *e);

/* layout_tree.c: directories, the manifest, files; the latter with their rows in shipping.db. */
int layout_add_dirs(struct layout *l, struct err *e);
int layout_add_manifest(struct layout *l, struct err *e);
int layout_add_files(struct layout *l, struct err *e);

#endif
