/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pack files opened for reading: a small cache of descriptors, the least recently used goes first. */
#include "common/store/pack_files.h"

#include <fcntl.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/store/pack.h"

#define OPEN_MAX_PACKS 16

struct open_pack {
	uint32_t pack;
	int fd;		   /* -1 = free */
	uint64_t last_use; /* value of uses then; 0 = never */
};

struct pack_files {
	int packs_fd;
	uint64_t uses;
	struct open_pack open[OPEN_MAX_PACKS];
};

int pack_files_new(int packs_fd, struct pack_files **ret, struct err *e)
{
	struct pack_files *f = calloc(1, sizeof(*f));

	if (!f) {
		(void)close(packs_fd);
		return err_oom(e);
	}
	f->packs_fd = packs_fd;
	for (size_t i = 0; i < OPEN_MAX_PACKS; i++)
		f->open[i].fd = -1;
	*ret = f;
	return 0;
}

void pack_files_forget(struct pack_files *f)
{
	for (size_t i = 0; i < OPEN_MAX_PACKS; i++) {
		if (f->open[i].fd >= 0)
			(void)close(f->open[i].fd);
		f->open[i] = (struct open_pack){.fd = -1};
	}
}

void pack_files_free(struct pack_files *f)
{
	if (!f)
		return;
	pack_files_forget(f);
	(void)close(f->packs_fd);
	free(f);
}

/* The entry of this pack, or else the one to give up for it. */
static struct open_pack *find_entry(struct pack_files *f, uint32_t pack)
{
	struct open_pack *oldest = &f->open[0];

	for (size_t i = 0; i < OPEN_MAX_PACKS; i++) {
		if (f->open[i].fd >= 0 && f->open[i].pack == pack)
			return &f->open[i];
		if (f->open[i].last_use < oldest->last_use)
			oldest = &f->open[i];
	}
	return oldest;
}

static int open_pack(struct pack_files *f, uint32_t pack, int *ret_fd, struct err *e)
{
	char name[PACK_NAME_BYTES];
	int fd = openat(f->packs_fd, pack_name(pack, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)
		return err_set(e, EBADMSG, "'packs/%s' is missing", name);
	if (fd < 0)
		return err_sys(e, "cannot open 'packs/%s'", name);
	*ret_fd = fd;
	return 0;
}

int pack_files_get(struct pack_files *f, uint32_t pack, int *ret_fd, struct err *e)
{
	struct open_pack *entry = find_entry(f, pack);

	if (entry->fd < 0 || entry->pack != pack) {
		int fd, r = open_pack(f, pack, &fd, e);

		if (r < 0)
			return r;
		if (entry->fd >= 0)
			(void)close(entry->fd);
		entry->fd = fd;
		entry->pack = pack;
	}
	entry->last_use = ++f->uses;
	*ret_fd = entry->fd;
	return 0;
}
