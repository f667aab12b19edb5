/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads files of an NTFS volume by path. libntfs-3g's typedef ntfs_volume is not our struct ntfs_volume. */
#include "exporter/ntfs/read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/ntfs/name.h"
#include "exporter/ntfs/session.h"

struct ntfs_volume {
	struct ntfs_session *session; /* owned */
};

struct ntfs_file {
	struct ntfs_session *session; /* lent */
	ntfs_inode *ni;		      /* owned */
	ntfs_attr *data;	      /* owned */
	struct ntfs_extent *extents;  /* owned; NULL until asked for */
	size_t n_extents;
};

int ntfs_volume_open(struct target *target, struct ntfs_volume **ret, struct err *e)
{
	_cleanup_free_ struct ntfs_volume *vol = calloc(1, sizeof(*vol));
	int r;

	if (!vol)
		return err_oom(e);
	r = ntfs_session_open(target, false, &vol->session, e);
	if (r < 0)
		return r;
	*ret = take_ptr(vol);
	return 0;
}

void ntfs_volume_close(struct ntfs_volume *vol)
{
	if (!vol)
		return;
	ntfs_session_free(vol->session);
	free(vol);
}

/* Opens what a directory holds under a name. Closes the directory. */
static int step(struct ntfs_session *s, ntfs_inode *dir, const char *text, size_t len_bytes,
		ntfs_inode **ret, struct err *e)
{
	struct ntfs_name name;
	uint64_t ref = 0;
	int r;

	if (!(dir->mrec->flags & MFT_RECORD_IS_DIRECTORY))
		r = err_set(e, ENOTDIR, "not a directory");
	else
		r = ntfs_name_encode(text, len_bytes, &name, e);
	if (r == 0)
		r = ntfs_name_lookup(s, dir, &name, &ref, e);
	if (r == -ENOENT)
		(void)err_set(e, ENOENT, "no such file on the volume");
	(void)ntfs_inode_close(dir);
	if (r < 0)
		return r;
	*ret = ntfs_inode_open(s->vol, ref);
	if (!*ret)
		return ntfs_session_corrupt(s, e, "cannot open inode %" PRIu64,
					    (uint64_t)MREF(ref));
	return 0;
}

static int walk_path(struct ntfs_session *s, const char *path, ntfs_inode **ret, struct err *e)
{
	ntfs_inode *ni = ntfs_inode_open(s->vol, FILE_root);
	int r;

	if (!ni)
		return ntfs_session_corrupt(s, e, "cannot open the root directory");
	for (path += strspn(path, "\\"); *path; path += strspn(path, "\\")) {
		size_t len_bytes = strcspn(path, "\\");

		r = step(s, ni, path, len_bytes, &ni, e);
		if (r < 0)
			return r;
		path += len_bytes;
	}
	*ret = ni;
	return 0;
}

static int open_data(struct ntfs_file *f, struct err *e)
{
	if (f->ni->mrec->flags & MFT_RECORD_IS_DIRECTORY)
		return err_set(e, EISDIR, "is a directory");
	f->data = ntfs_attr_open(f->ni, AT_DATA, AT_UNNAMED, 0);
	if (!f->data)
		return ntfs_session_corrupt(f->session, e, "cannot find the content");
	if (f->data->data_flags & (ATTR_COMPRESSION_MASK | ATTR_IS_ENCRYPTED | ATTR_IS_SPARSE))
		return err_set(e, EOPNOTSUPP, "is compressed, encrypted or sparse");
	if (f->data->data_size < 0 || f->data->initialized_size < 0 ||
	    f->data->initialized_size > f->data->data_size ||
	    f->data->data_size > f->data->allocated_size) {
		errno = EIO;
		return ntfs_session_corrupt(f->session, e, "its sizes contradict each other");
	}
	return 0;
}

int ntfs_volume_open_file(struct ntfs_volume *vol, const char *path, struct ntfs_file **ret,
			  struct err *e)
{
	_cleanup_(ntfs_file_closep) struct ntfs_file *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return err_oom(e);
	f->session = vol->session;
	ntfs_session_begin(f->session);
	r = walk_path(f->session, path, &f->ni, e);
	if (r == 0)
		r = open_data(f, e);
	if (r < 0)
		return err_wrap(e, r, "'%s'", path);
	*ret = take_ptr(f);
	return 0;
}

void ntfs_file_close(struct ntfs_file *f)
{
	if (!f)
		return;
	if (f->data)
		ntfs_attr_close(f->data);
	if (f->ni)
		(void)ntfs_inode_close(f->ni);
	free(f->extents);
	free(f);
}

uint64_t ntfs_file_size(const struct ntfs_file *f)
{
	return (uint64_t)f->data->data_size;
}

uint64_t ntfs_file_initialized(const struct ntfs_file *f)
{
	return (uint64_t)f->data->initialized_size;
}

int ntfs_file_pread(struct ntfs_file *f, void *data, size_t len_bytes, uint64_t off_bytes,
		    struct err *e)
{
	uint64_t size_bytes = ntfs_file_size(f);
	uint8_t *p = data;

	if (off_bytes > size_bytes || len_bytes > size_bytes - off_bytes)
		return err_set(e, ENODATA, "read of %zu bytes at %" PRIu64 " is past the end",
			       len_bytes, off_bytes);
	ntfs_session_begin(f->session);
	while (len_bytes > 0) {
		s64 n = ntfs_attr_pread(f->data, (s64)off_bytes, (s64)len_bytes, p);

		if (n <= 0) {
			if (n == 0)
				errno = EIO;
			return ntfs_session_corrupt(f->session, e,
						    "cannot read %zu bytes at %" PRIu64, len_bytes,
						    off_bytes);
		}
		p += n;
		off_bytes += (uint64_t)n;
		len_bytes -= (size_t)n;
	}
	return 0;
}

/* Run lists come from the volume: each run must lie inside it, follow the last, and all must suffice. */
static int convert(struct ntfs_file *f, const runlist *runs, size_t n, struct err *e)
{
	uint64_t cluster_bytes = f->session->vol->cluster_size;
	uint64_t n_clusters = (uint64_t)f->session->vol->nr_clusters;
	uint64_t vcn = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t count = (uint64_t)runs[i].length, lcn = (uint64_t)runs[i].lcn;

		if (runs[i].lcn < 0 || runs[i].length < 0 || (uint64_t)runs[i].vcn != vcn ||
		    lcn >= n_clusters || count > n_clusters - lcn) {
			errno = EIO;
			return ntfs_session_corrupt(f->session, e, "its run list is wrong");
		}
		f->extents[i] = (struct ntfs_extent){vcn * cluster_bytes, lcn * cluster_bytes,
						     count * cluster_bytes};
		vcn += count;
	}
	if (vcn * cluster_bytes < ntfs_file_size(f)) {
		errno = EIO;
		return ntfs_session_corrupt(f->session, e, "its run list is too short");
	}
	f->n_extents = n;
	return 0;
}

static int load_extents(struct ntfs_file *f, struct err *e)
{
	_cleanup_free_ struct ntfs_extent *unused = NULL;
	size_t n = 0;
	int r;

	ntfs_session_begin(f->session);
	if (ntfs_attr_map_whole_runlist(f->data) < 0)
		return ntfs_session_corrupt(f->session, e, "cannot read the run list");
	while (f->data->rl && f->data->rl[n].length)
		n++;
	f->extents = calloc(n + 1, sizeof(*f->extents));
	if (!f->extents)
		return err_oom(e);
	r = convert(f, f->data->rl, n, e);
	if (r < 0)
		unused = take_ptr(f->extents);
	return r;
}

int ntfs_file_extents(struct ntfs_file *f, const struct ntfs_extent **ret, size_t *ret_n,
		      struct err *e)
{
	int r = 0;

	if (!f->extents && NAttrNonResident(f->data))
		r = load_extents(f, e);
	if (r < 0)
		return r;
	*ret = f->extents;
	*ret_n = f->n_extents;
	return 0;
}
