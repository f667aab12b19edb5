/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signatures on a disk and in its partitions, in words. */
#include "exporter/block/disk_content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "common/ext/blkid.h"
#include "exporter/block/target_file.h"

#define SIGNATURES_MAX 16
#define PARTITIONS_MAX 128

/* Anything but plain characters becomes '?': what others wrote must not steer a terminal. */
static void put_clean(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_put_u8(out, (unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e
					? (uint8_t)'?'
					: (uint8_t)*text);
}

static void put_signature(struct buf *out, const struct signature *s)
{
	put_clean(out, s->type);
	if (s->label[0]) {
		buf_puts(out, " '");
		put_clean(out, s->label);
		buf_puts(out, "'");
	}
}

/* Those of [off, off + size), file systems only or tables only. Returns how many. */
static size_t put_signatures(struct buf *out, const struct signature *list, size_t n, bool tables,
			     const char *between)
{
	size_t done = 0;

	for (size_t i = 0; i < n; i++) {
		/* The protective MBR in front of a GPT tells nothing of its own. */
		if (list[i].table != tables || strcmp(list[i].type, "PMBR") == 0)
			continue;
		if (done++)
			buf_puts(out, between);
		put_signature(out, &list[i]);
	}
	return done;
}

static int put_partition(int fd, const struct signature_partition *p, struct buf *out,
			 struct err *e)
{
	struct signature list[SIGNATURES_MAX];
	char size[32];
	size_t n;
	int r = signature_list(fd, p->off_bytes, p->size_bytes, list, ARRAY_SIZE(list), &n, e);

	if (r < 0)
		return r;
	if (put_signatures(out, list, n, false, " and ") == 0)
		buf_puts(out, "something");
	buf_printf(out, " (%s)", format_size(p->size_bytes, size, sizeof(size)));
	return 0;
}

static int put_partitions(int fd, uint64_t size_bytes, struct buf *out, struct err *e)
{
	_cleanup_free_ struct signature_partition *list = calloc(PARTITIONS_MAX, sizeof(*list));
	size_t n = 0;
	int r;

	if (!list)
		return err_oom(e);
	r = signature_partitions(fd, size_bytes, list, PARTITIONS_MAX, &n, e);
	for (size_t i = 0; r == 0 && i < n; i++) {
		buf_puts(out, i ? ", " : ": ");
		r = put_partition(fd, &list[i], out, e);
	}
	if (r == 0 && n == 0)
		buf_puts(out, " without partitions");
	return r;
}

static int is_zero(struct target *disk, uint64_t off_bytes, bool *ret, struct err *e)
{
	size_t len_bytes = (size_t)MIN(disk->size_bytes, MiB);
	_cleanup_free_ uint8_t *data = malloc(len_bytes);
	int r = data ? target_pread(disk, data, len_bytes, off_bytes, e) : err_oom(e);

	if (r == 0)
		*ret = data[0] == 0 && memcmp(data, data + 1, len_bytes - 1) == 0;
	return r;
}

/* Nothing that has a name: zeros at both ends is what a wiped or a new disk has. */
static int look_for_bytes(struct target *disk, struct disk_content *ret, struct err *e)
{
	bool head = false, tail = false;
	int r = is_zero(disk, 0, &head, e);

	if (r == 0)
		r = is_zero(disk, disk->size_bytes - MIN(disk->size_bytes, MiB), &tail, e);
	if (r < 0)
		return r;
	ret->empty = head && tail;
	(void)snprintf(ret->text, sizeof(ret->text), "%s",
		       ret->empty ? "empty" : "data of an unknown kind");
	return 0;
}

static int describe(int fd, uint64_t size_bytes, const struct signature *list, size_t n,
		    struct buf *out, struct err *e)
{
	size_t systems = put_signatures(out, list, n, false, " and ");
	struct buf tables = BUF_INIT;
	int r = 0;

	if (put_signatures(&tables, list, n, true, " and ")) {
		buf_printf(out, "%s%s", systems ? " and " : "", buf_text(&tables));
		r = put_partitions(fd, size_bytes, out, e);
	} else if (systems == 0) {
		buf_puts(out, "an empty partition table");
	}
	buf_done(&tables);
	return r;
}

int disk_content_read(struct target *disk, struct disk_content *ret, struct err *e)
{
	struct signature list[SIGNATURES_MAX];
	struct disk_content content = {0};
	struct buf out = BUF_INIT;
	int fd = target_file_fd(disk), r;
	size_t n = 0;

	r = signature_list(fd, 0, disk->size_bytes, list, ARRAY_SIZE(list), &n, e);
	if (r == 0 && n == 0)
		r = look_for_bytes(disk, &content, e);
	else if (r == 0)
		r = describe(fd, disk->size_bytes, list, n, &out, e);
	if (r == 0 && buf_error(&out) < 0)
		r = err_oom(e);
	if (r == 0 && n)
		(void)snprintf(content.text, sizeof(content.text), "%s", buf_text(&out));
	buf_done(&out);
	if (r < 0)
		return err_wrap(e, r, "%s: looking what is on it", disk->name);
	*ret = content;
	return 0;
}
