/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pack files by their names. */
#include "common/store/pack_list.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/store/pack.h"

struct list {
	struct pack_file *items;
	size_t n, capacity;
};

static void dir_closep(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* The number of a pack file's name; 0 = not such a name. */
static uint32_t number_of(const char *name)
{
	char again[PACK_NAME_BYTES];
	unsigned long number = strtoul(name, NULL, 10);

	if (number == 0 || number > UINT32_MAX)
		return 0;
	return strcmp(pack_name((uint32_t)number, again), name) == 0 ? (uint32_t)number : 0;
}

static int add(struct list *l, int packs_fd, const char *name, struct err *e)
{
	uint32_t pack = number_of(name);
	struct stat st;

	if (pack == 0)
		return 0;
	if (fstatat(packs_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "'packs/%s'", name);
	if (!S_ISREG(st.st_mode))
		return 0;
	if (l->n == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 64;
		struct pack_file *items = reallocarray(l->items, capacity, sizeof(*items));

		if (!items)
			return err_oom(e);
		l->items = items;
		l->capacity = capacity;
	}
	l->items[l->n++] = (struct pack_file){.pack = pack, .size_bytes = (uint64_t)st.st_size};
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = ((const struct pack_file *)a)->pack, y = ((const struct pack_file *)b)->pack;

	return x < y ? -1 : x > y;
}

int pack_list(int packs_fd, struct pack_file **ret, size_t *ret_n, struct err *e)
{
	_cleanup_(dir_closep) DIR *dir = fd_opendir(packs_fd, ".");
	struct list l = {0};
	struct dirent *d;
	int r = 0;

	if (!dir)
		return err_sys(e, "the pack folder");
	while (r == 0 && (errno = 0, d = readdir(dir)))
		r = add(&l, packs_fd, d->d_name, e);
	if (r == 0 && errno)
		r = err_sys(e, "the pack folder");
	if (r < 0) {
		free(l.items);
		return r;
	}
	if (l.n)
		qsort(l.items, l.n, sizeof(*l.items), by_number);
	*ret = l.items;
	*ret_n = l.n;
	return 0;
}
