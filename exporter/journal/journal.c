/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Creating, appending to and replaying a journal. */
#include "exporter/journal/journal.h"

#include <fcntl.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/fdio.h"
#include "common/ext/secret.h"
#include "exporter/journal/file.h"

#define VOCABULARY_VERSION "2013-02-01"

/* Writes the first record to temp and gives it its name, which must be free. */
static int create_as(const char *temp, const char *path, const char *text, size_t len_bytes,
		     struct err *e)
{
	_cleanup_fd_ int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_sys(e, "cannot create '%s'", temp);
	r = fd_write_full(fd, text, len_bytes);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && link(temp, path) < 0)
		r = -errno;
	(void)unlink(temp);
	if (r == 0)
		r = fsync_parent(path);
	return r < 0 ? err_set(e, -r, "cannot create journal '%s': %s", path, strerror(-r)) : 0;
}

int journal_create(const char *path, uint64_t time_ns, struct err *e)
{
	struct record record = {.time_ns = time_ns, .type = JOURNAL_TYPE_NEW};
	_cleanup_secret_ char *text = NULL;
	_cleanup_free_ char *temp = NULL;
	size_t len_bytes;
	int r;

	record_add(&record, "VocabularyVersion", VOCABULARY_VERSION);
	r = record_encode(&record, &text, &len_bytes, e);
	if (r < 0)
		return r;
	if (asprintf(&temp, "%s.new", path) < 0) {
		temp = NULL;
		return err_oom(e);
	}
	if (unlink(temp) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove '%s'", temp);
	return create_as(temp, path, text, len_bytes, e);
}

/*
 * An editor may have taken the last line's end: gives it back. Returns where the next record goes.
 */
static int end_last_line(const struct journal_file *f, uint64_t *ret_off_bytes)
{
	size_t end = f->good_bytes;

	*ret_off_bytes = end;
	if (f->text[end - 1] == '\n')
		return 0;
	if (f->text[end - 1] == '\r')
		end--;
	*ret_off_bytes = end + 2;
	return fd_pwrite_full(f->fd, "\r\n", 2, end);
}

/*
 * Writes text behind the last whole record. What stood there instead is gone; on failure both are.
 */
static int write_at_end(const struct journal_file *f, const char *path, const char *text,
			size_t len_bytes, struct err *e)
{
	uint64_t off_bytes;
	int r;

	if (f->good_bytes < f->len_bytes && ftruncate(f->fd, (off_t)f->good_bytes) < 0)
		return err_sys(e, "cannot cut the torn end of journal '%s'", path);
	r = end_last_line(f, &off_bytes);
	if (r == 0)
		r = fd_pwrite_full(f->fd, text, len_bytes, off_bytes);
	if (r == 0 && fsync(f->fd) < 0)
		r = -errno;
	if (r < 0) {
		(void)!ftruncate(f->fd, (off_t)f->good_bytes);
		return err_set(e, -r, "cannot write journal '%s': %s", path, strerror(-r));
	}
	return 0;
}

int journal_append(const char *path, const struct record *record, struct err *e)
{
	_cleanup_(journal_file_done) struct journal_file f = {.fd = -1};
	_cleanup_secret_ char *text = NULL;
	size_t len_bytes;
	int r;

	r = record_encode(record, &text, &len_bytes, e);
	if (r == 0)
		r = journal_file_open(path, O_RDWR, &f, e);
	if (r == 0)
		r = journal_file_scan(&f, path, NULL, NULL, e);
	if (r < 0)
		return r;
	if (f.good_bytes + len_bytes > JOURNAL_MAX_BYTES)
		return err_set(e, EFBIG, "journal '%s' would be larger than %d bytes", path,
			       JOURNAL_MAX_BYTES);
	return write_at_end(&f, path, text, len_bytes, e);
}

int journal_replay(const char *path,
		   int (*fn)(const struct record *record, void *arg, struct err *e), void *arg,
		   size_t *ret_torn_bytes, struct err *e)
{
	_cleanup_(journal_file_done) struct journal_file f = {.fd = -1};
	int r = journal_file_open(path, O_RDONLY, &f, e);

	if (r == 0)
		r = journal_file_scan(&f, path, fn, arg, e);
	if (r == 0 && ret_torn_bytes)
		*ret_torn_bytes = f.len_bytes - f.good_bytes;
	return r;
}
