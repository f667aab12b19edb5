/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of an NTFS image: format and mount, unmount and make durable, or remove. */
#include "exporter/ntfs/image.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/ext/utf16.h"
#include "exporter/block/target_file.h"
#include "exporter/ntfs/image_private.h"
#include "exporter/ntfs/mkfs.h"

#define LABEL_UNITS 32

static int check_params(const struct ntfs_image_params *p, struct err *e)
{
	const char *label = p->label ? p->label : "";

	if (p->sector_bytes != 512 && p->sector_bytes != 4096)
		return err_user(e, "sectors of %" PRIu32 " bytes are not supported",
				p->sector_bytes);
	if (p->cluster_bytes < 4 * KiB || p->cluster_bytes > 64 * KiB ||
	    (p->cluster_bytes & (p->cluster_bytes - 1)))
		return err_user(e, "clusters of %" PRIu32 " bytes are not supported",
				p->cluster_bytes);
	if (p->volume_bytes % p->sector_bytes || p->volume_bytes < NTFS_VOLUME_MIN_BYTES)
		return err_user(e,
				"a volume of %" PRIu64 " bytes is too small or not whole sectors",
				p->volume_bytes);
	if (p->volume_bytes / p->cluster_bytes >= UINT32_MAX)
		return err_user(e, "the volume has too many clusters of %" PRIu32 " bytes",
				p->cluster_bytes);
	if (p->hidden_sectors > UINT32_MAX)
		return err_user(e, "the partition starts too far behind: sector %" PRIu64,
				p->hidden_sectors);
	if (utf16_units(label, strlen(label)) > LABEL_UNITS)
		return err_user(e, "the volume label '%s' is not UTF-8 or longer than %d units",
				label, LABEL_UNITS);
	return 0;
}

static int format(struct ntfs_image *img, const struct ntfs_image_params *p, struct err *e)
{
	struct ntfs_mkfs_params mkfs = {
		.path = p->path,
		.sector_bytes = p->sector_bytes,
		.cluster_bytes = p->cluster_bytes,
		.hidden_sectors = p->hidden_sectors,
		.label = p->label,
	};
	int r;

	r = target_file_create(p->path, p->volume_bytes, &img->file, e);
	if (r < 0)
		return r;
	/* From here on ntfs_image_free() removes the file. */
	img->path = strdup(p->path);
	if (!img->path) {
		(void)unlink(p->path);
		return err_oom(e);
	}
	r = ntfs_mkfs(&mkfs, e);
	if (r < 0)
		return r;
	return ntfs_session_open(img->file, true, &img->session, e);
}

static struct ntfs_reserve reserve_of(const struct ntfs_image_params *p)
{
	struct ntfs_geometry g = {p->volume_bytes, p->sector_bytes, p->cluster_bytes};
	const struct ntfs_tree_size *t = &p->tree;

	if (t->n_files || t->n_dirs || t->n_links)
		return ntfs_reserve_for(&g, t);
	return (struct ntfs_reserve){
		.mft_clusters = p->volume_bytes / p->cluster_bytes / 64,
		.index_clusters = p->volume_bytes / p->cluster_bytes / 64,
	};
}

int ntfs_image_create(const struct ntfs_image_params *params, struct ntfs_image **ret,
		      struct err *e)
{
	_cleanup_(ntfs_image_freep) struct ntfs_image *img = NULL;
	int r;

	r = check_params(params, e);
	if (r < 0)
		return r;
	img = calloc(1, sizeof(*img));
	if (!img)
		return err_oom(e);
	r = format(img, params, e);
	if (r < 0)
		return r;
	/* A name that differs in case only is one name for Windows: look names up as it does. */
	img->session->vol->state &= ~(1ul << NV_CaseSensitive);
	ntfs_bitmap_init(&img->bitmap, img->session);
	img->reserve = reserve_of(params);
	img->now_ns = (int64_t)params->now_ns;
	*ret = take_ptr(img);
	return 0;
}

int ntfs_image_begin(struct ntfs_image *img, struct err *e)
{
	if (img->finished || img->broken || !img->session)
		return err_set(e, EINVAL, "image '%s' is %s", img->path,
			       img->finished ? "finished" : "broken by an earlier failure");
	ntfs_session_begin(img->session);
	return 0;
}

int ntfs_image_spoil(struct ntfs_image *img, int r)
{
	if (r < 0)
		img->broken = true;
	return r;
}

int ntfs_image_finish(struct ntfs_image *img, struct err *e)
{
	bool dirty;
	int r;

	r = ntfs_image_begin(img, e);
	if (r < 0)
		return r;
	r = ntfs_parent_close(img, e);
	if (r < 0)
		return ntfs_image_spoil(img, r);
	dirty = (img->session->vol->flags & VOLUME_IS_DIRTY) != 0;
	r = ntfs_session_close(take_ptr(img->session), e);
	if (r == 0)
		r = target_flush(img->file, e);
	if (r == 0 && dirty)
		r = err_set(e, EBADMSG, "image '%s' is marked dirty", img->path);
	if (r < 0)
		return ntfs_image_spoil(img, r);
	img->finished = true;
	return 0;
}

void ntfs_image_free(struct ntfs_image *img)
{
	if (!img)
		return;
	if (img->session)
		(void)ntfs_parent_close(img, NULL);
	ntfs_session_free(img->session);
	ntfs_alloc_done(&img->content);
	free(img->extents);
	if (img->path && !img->finished)
		(void)unlink(img->path);
	target_close(img->file);
	free(img->path);
	free(img);
}
