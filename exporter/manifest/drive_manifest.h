/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct manifest: writes \DriveManifest.xml, which tells the datacenter which file of a drive becomes which
 * blob, with an MD5 of every range of it. Written as a stream: a manifest may have millions of ranges.
 *
 * Hashes have a fixed length, so that the length of a manifest is known before any content was read:
 * manifest_length(). If blobs are left out later, the rest is filled with newlines.
 *
 * Source: "Azure Import/Export service manifest file format", version 2014-11-01.
 */
#ifndef SEEDSHIP_MANIFEST_DRIVE_MANIFEST_H
#define SEEDSHIP_MANIFEST_DRIVE_MANIFEST_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/macros.h"
#include "common/ext/digest.h"
#include "exporter/manifest/xmlout.h"

#define MANIFEST_PATH	     "\\DriveManifest.xml" /* on the drive */
#define MANIFEST_VERSION     "2014-11-01"
#define MANIFEST_BLOCK_BYTES (4 * MiB) /* of a block and of a page range, at most */
#define MANIFEST_BLOCKS_MAX  50000     /* of a blob */
#define MANIFEST_PAGE_BYTES  512

/* What a manifest takes besides its blobs, at most; sidecars for all blobs aside. */
#define MANIFEST_FRAME_BYTES_MAX 1024

enum manifest_ranges { MANIFEST_BLOCKS, MANIFEST_PAGES };

/* What happens when the container has a blob of this name; newer datacenters overwrite in any case. */
enum manifest_disposition {
	MANIFEST_DISPOSITION_DEFAULT, /* not written */
	MANIFEST_RENAME,
	MANIFEST_NO_OVERWRITE,
	MANIFEST_OVERWRITE,
};

/* A metadata or properties file on the drive (properties.h); path NULL for none. */
struct manifest_sidecar {
	const char *path; /* "\session\properties.xml" */
	uint8_t md5[MD5_BYTES];
};

/* What a manifest says once. */
struct manifest_desc {
	const char *drive_id;			      /* hardware serial number without spaces */
	const char *session_id;			      /* the blob list is called "<session id>-0" */
	struct manifest_sidecar metadata, properties; /* for all blobs */
};

/* One blob. Its ranges are MANIFEST_BLOCK_BYTES long each, the last one what is left. */
struct manifest_blob {
	const char *blob_path; /* "container/name" */
	const char *file_path; /* "\session\dir\name" */
	uint64_t length_bytes; /* of pages: a multiple of MANIFEST_PAGE_BYTES */
	enum manifest_ranges ranges;
	enum manifest_disposition disposition;
	struct manifest_sidecar metadata, properties; /* instead of those for all blobs */
	/* MD5 of range number i. NULL: zeros, to find the length of a manifest. */
	int (*hash)(uint64_t i, uint8_t ret[MD5_BYTES], void *arg, struct err *e);
	void *hash_arg;
};

struct manifest;

/* sink as in xmlout_new(). Blocks when the sink does, like all of these. */
int manifest_begin(const struct manifest_desc *desc, const struct manifest_sink *sink,
		   struct manifest **ret, struct err *e);

/*
 * Writes a blob. -EINVAL when it breaks a rule of the format (paths, length, number of blocks), -EILSEQ
 * for a path that XML cannot hold. After a failure the manifest is good only for manifest_free().
 */
int manifest_blob(struct manifest *m, const struct manifest_blob *blob, struct err *e);

/*
 * Ends the manifest. total_bytes not 0: fills up to that length; -EFBIG when it is longer. *ret_bytes (may
 * be NULL) = its length.
 */
int manifest_end(struct manifest *m, uint64_t total_bytes, uint64_t *ret_bytes, struct err *e);

void manifest_free(struct manifest *m); /* NULL is fine */
static inline void manifest_freep(struct manifest **m)
{
	manifest_free(*m);
}

/*
 * What a blob takes in a manifest, at most: its exact length but for the digits of offsets. Quick, so that a
 * plan can ask for every file. Its hash function is not called.
 */
uint64_t manifest_blob_bound(const struct manifest_blob *blob);

/*
 * The exact length of the manifest of these blobs. next fills in the next blob and returns 1, or 0 at the
 * end, or -errno; hashes are not asked for.
 */
int manifest_length(const struct manifest_desc *desc,
		    int (*next)(struct manifest_blob *ret, void *arg, struct err *e), void *arg,
		    uint64_t *ret_bytes, struct err *e);

#endif
