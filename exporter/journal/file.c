/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a journal and telling a torn end from damage. */
#include "exporter/journal/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/base/fdio.h"
#include "common/ext/secret.h"

void journal_file_done(struct journal_file *f)
{
	secret_free(f->text);
	if (f->fd >= 0)
		(void)close(f->fd);
	*f = (struct journal_file){.fd = -1};
}

static int refuse_access(const char *path, struct err *e)
{
	int r = err_set(e, EPERM, "journal '%s' holds a recovery password and others may access it",
			path);

	return err_hint(e, r, "chmod 600 '%s'", path);
}

static int check_file(int fd, const char *path, size_t *ret_bytes, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot stat '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "'%s' is not a regular file", path);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return refuse_access(path, e);
	if (st.st_size > JOURNAL_MAX_BYTES)
		return err_set(e, EFBIG, "journal '%s' is larger than %d bytes", path,
			       JOURNAL_MAX_BYTES);
	*ret_bytes = (size_t)st.st_size;
	return 0;
}

int journal_file_open(const char *path, int flags, struct journal_file *ret, struct err *e)
{
	_cleanup_(journal_file_done) struct journal_file f = {.fd = -1};
	void *text;
	int r;

	f.fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (f.fd < 0)
		return err_sys(e, "cannot open journal '%s'", path);
	if ((flags & O_ACCMODE) != O_RDONLY && flock(f.fd, LOCK_EX) < 0)
		return err_sys(e, "cannot lock journal '%s'", path);
	r = check_file(f.fd, path, &f.len_bytes, e);
	if (r == 0)
		r = secret_alloc(f.len_bytes + 1, &text, e);
	if (r < 0)
		return r;
	f.text = text;
	r = fd_pread(f.fd, f.text, f.len_bytes, 0, &f.len_bytes);
	if (r < 0)
		return err_set(e, -r, "cannot read journal '%s': %s", path, strerror(-r));
	*ret = f;
	f = (struct journal_file){.fd = -1};
	return 0;
}

/* A crash can also leave zeros where the file had grown and the data had not arrived. */
static size_t without_trailing_zeros(const char *text, size_t len_bytes)
{
	while (len_bytes && text[len_bytes - 1] == '\0')
		len_bytes--;
	return len_bytes;
}

static bool is_blank(const char *text, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++) {
		if (text[i] != '\r' && text[i] != '\n')
			return false;
	}
	return true;
}

int journal_file_scan(struct journal_file *f, const char *path,
		      int (*fn)(const struct record *record, void *arg, struct err *e), void *arg,
		      struct err *e)
{
	size_t end = without_trailing_zeros(f->text, f->len_bytes), good = 0, n;
	unsigned lines = 0, lines_read;
	struct record record;
	int r;

	while (!is_blank(f->text + good, end - good)) {
		r = record_decode(f->text + good, end - good, &record, &n, &lines_read);
		if (r == -ENODATA)
			break;
		if (r < 0)
			return err_set(e, -r, "journal '%s' is damaged at line %u", path,
				       lines + lines_read);
		r = fn ? fn(&record, arg, e) : 0;
		if (r != 0)
			return r;
		good += n;
		lines += lines_read;
	}
	if (good == 0)
		return err_set(e, EBADMSG, "'%s' is not a journal", path);
	f->good_bytes = is_blank(f->text + good, end - good) ? end : good;
	return 0;
}
