/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * struct plan: what is shipped, under which blob names, and where it lies on a drive. It is made once from
 * one snapshot of a store (plan_from_store(), or entry by entry with a plan_builder) and then only read,
 * by any number of threads. The same tree and the same description give the same plan.
 *
 * Placements are regular files in the order of the walk. A second name of the same inode is a placement of
 * its own (its own blob) whose bytes on the drive are those of an earlier one: link_of. Directories form a
 * tree in an array, parents before children; index 0 is the session's directory in the root of the drive.
 *
 * What cannot be shipped, or not as it stands, is told by plan_omissions() (omission.h), never dropped.
 */
#ifndef SEEDSHIP_PLAN_PLAN_H
#define SEEDSHIP_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/store/reader.h"
#include "exporter/plan/blobtype.h"

#define PLAN_LINKS_PER_FILE 1000 /* NTFS allows 1024 names of a file */
#define PLAN_NO_LINK	    UINT32_MAX
#define PLAN_DIR_ROOT	    0 /* \<session id> */
#define PLAN_DIR_FLAT	    1 /* \<session id>\~long: files whose path is too long for Windows */
#define PLAN_DIGEST_BYTES   32

/* What the plan is for. All text is copied and must have passed its blobname_check_*(). */
struct plan_desc {
	const char *session_id;
	const char *container;
	const char *prefix; /* of blob names; "" for none */
	enum blobtype blob_type;
	/*
	 * Whether a regular file needs no place any more, because an earlier drive has it as it stands: it gets no
	 * placement. NULL: all need one.
	 */
	int (*is_placed)(const struct staged_entry *entry, void *arg, bool *ret, struct err *e);
	void *is_placed_arg;
};

/* One file. Texts are lent as long as the plan lives. */
struct placement {
	uint64_t ino;
	uint64_t size_bytes;
	uint64_t content_version;
	uint64_t mtime_ns;
	enum blobtype blob_type; /* never BLOBTYPE_AUTO */
	uint32_t dir;		 /* its staged directory */
	uint32_t drive_dir;	 /* its directory on the drive: dir or PLAN_DIR_FLAT */
	uint32_t link_of;	 /* the placement whose bytes these are, or PLAN_NO_LINK */
	const char *name;	 /* last component of the staged path; bytes */
	const char *blob_name;	 /* the same component of the blob name; UTF-8 */
	const char *drive_name;	 /* and of the path on the drive; UTF-8 */
};

/* One directory, staged and on the drive. */
struct plan_dir {
	uint32_t parent;			   /* PLAN_DIR_ROOT is its own parent */
	bool on_drive;				   /* some file needs it there */
	bool has_files;				   /* some file is shipped from it or from below */
	const char *name, *blob_name, *drive_name; /* components, as in struct placement */
};

struct plan_totals {
	uint64_t files;	      /* placements, so blobs */
	uint64_t links;	      /* of these, names of a file placed before */
	uint64_t dirs;	      /* on the drive, the session's one included */
	uint64_t drive_bytes; /* content on the drive, each inode once */
	uint64_t blob_bytes;  /* content of all blobs */
	uint64_t ranges;      /* blocks and page ranges of all blobs: what a manifest lists */
	uint64_t
		drive_name_units; /* names of files and directories on the drive, in UTF-16 units */
	uint64_t largest_bytes;	  /* size of the largest file */
	uint64_t renamed;	  /* names that had to be encoded: files and directories */
	uint64_t placed;	  /* files that an earlier drive has */
	uint64_t not_shipped; /* symbolic links, special files, empty directories, refused files */
	uint64_t refused;     /* of these, regular files: content that would not arrive */
};

struct plan;

/* Plans the whole store in one snapshot. Blocks. */
int plan_from_store(struct reader *reader, const struct plan_desc *desc, struct plan **ret,
		    struct err *e);

void plan_free(struct plan *p); /* NULL is fine */
static inline void plan_freep(struct plan **p)
{
	plan_free(*p);
}

const struct plan_totals *plan_totals(const struct plan *p); /* lent */
const struct plan_desc *plan_desc(const struct plan *p);     /* lent */

uint32_t plan_count(const struct plan *p);
void plan_get(const struct plan *p, uint32_t i, struct placement *ret); /* i < plan_count() */

uint32_t plan_dir_count(const struct plan *p); /* at least 2 */
void plan_get_dir(const struct plan *p, uint32_t i, struct plan_dir *ret);

/*
 * Append a whole name of a placement, or of a directory (name NULL), to out; a failure shows in
 * buf_error(out).
 *   staged: a/b                      bytes
 *   blob:   container/prefix/a/b     BlobPath of the manifest
 *   drive:  \session\a\b             FilePath of the manifest
 */
void plan_staged_path(const struct plan *p, uint32_t dir, const char *name, struct buf *out);
void plan_blob_path(const struct plan *p, const struct placement *file, struct buf *out);
void plan_drive_path(const struct plan *p, const struct placement *file, struct buf *out);

/*
 * SHA-256 over everything that decides what lies where: description, directories and placements in
 * order, without times. A resumed export compares it with the one it began with.
 */
int plan_digest(const struct plan *p, uint8_t ret[PLAN_DIGEST_BYTES], struct err *e);

/* Ranges of a file: number of them, and length of number i (it begins at i * BLOBTYPE_BLOCK_BYTES). */
static inline uint64_t plan_range_count(uint64_t size_bytes)
{
	return size_bytes / BLOBTYPE_BLOCK_BYTES + (size_bytes % BLOBTYPE_BLOCK_BYTES != 0);
}

static inline uint32_t plan_range_bytes(uint64_t size_bytes, uint64_t i)
{
	return (uint32_t)MIN(size_bytes - i * BLOBTYPE_BLOCK_BYTES, BLOBTYPE_BLOCK_BYTES);
}

#endif
