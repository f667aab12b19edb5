/* SPDX-License-Identifier: GPL-3.0-or-later */
/* common/base: errors, buffers, cursors, units, files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/fdio.h"
#include "common/base/units.h"

static void test_err_tells_outward(void **state _unused_)
{
	struct err e = {0};
	int r = err_set(&e, ENOSPC, "pack %d", 7);

	assert_int_equal(r, -ENOSPC);
	r = err_wrap(&e, r, "copy '%s'", "a");
	r = err_hint(&e, r, "make room");
	assert_int_equal(r, -ENOSPC);
	assert_string_equal(e.text, "copy 'a': pack 7");
	assert_string_equal(e.hint, "make room");
	assert_int_equal(err_exit_code(&e), 1);
	errno = EACCES;
	assert_int_equal(err_sys(&e, "open"), -EACCES);
	assert_string_equal(e.text, "open: Permission denied");
	assert_string_equal(e.hint, "");
}

static void test_err_exit_codes(void **state _unused_)
{
	struct err e = {0};

	(void)err_user(&e, "x");
	assert_int_equal(err_exit_code(&e), 2);
	(void)err_set(&e, EBADMSG, "x");
	assert_int_equal(err_exit_code(&e), 3);
	(void)err_set(&e, EINTR, "x");
	assert_int_equal(err_exit_code(&e), 4);
	assert_int_equal(err_set(NULL, EPERM, "x"), -EPERM);
	assert_int_equal(err_set(&e, 0, "x"), -EIO);
}

static void test_err_long_text_is_cut(void **state _unused_)
{
	struct err e = {0};
	char text[3000];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&e, EIO, "%s", text);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	(void)err_wrap(&e, -EIO, "%s", text);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

static void test_buf_and_cursor(void **state _unused_)
{
	struct buf b = BUF_INIT;
	struct cursor c;

	buf_put_u8(&b, 1);
	buf_put_le16(&b, 0x0302);
	buf_put_le32(&b, 0x07060504);
	buf_put_le64(&b, UINT64_C(0x0f0e0d0c0b0a0908));
	assert_int_equal(buf_error(&b), 0);
	assert_int_equal(b.len_bytes, 15);
	for (size_t i = 0; i < b.len_bytes; i++)
		assert_int_equal(b.data[i], i + 1);
	c = cursor_over(b.data, b.len_bytes);
	assert_int_equal(cursor_get_u8(&c), 1);
	assert_int_equal(cursor_get_le16(&c), 0x0302);
	assert_int_equal(cursor_get_le32(&c), 0x07060504);
	assert_int_equal(cursor_left(&c), 8);
	assert_null(cursor_get(&c, 9));
	assert_true(c.bad);
	assert_int_equal(cursor_get_le64(&c), 0);
	assert_int_equal(cursor_left(&c), 0);
	buf_done(&b);
}

static void test_buf_text(void **state _unused_)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_free_ char *text = NULL;

	assert_string_equal(buf_text(&b), "");
	buf_printf(&b, "%s-%d", "abc", 42);
	buf_puts(&b, "!");
	assert_string_equal(buf_text(&b), "abc-42!");
	text = buf_take_text(&b);
	assert_string_equal(text, "abc-42!");
	assert_int_equal(b.len_bytes, 0);
}

static void test_sizes(void **state _unused_)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"0", 0},	   {"512", 512},	   {"4K", 4096},
		{"2MiB", 2 * MiB}, {"8TB", 8000000000000}, {"1t", TiB},
	};
	static const char *const bad[] = {
		"", "K", "-1", "1.5G", "1X", "99999999999T", " 1", "1 G", "18446744073709551616"};
	uint64_t v = 77;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse_size(good[i].text, &v, NULL), 0);
		assert_int_equal(v, good[i].bytes);
	}
	v = 77;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_size(bad[i], &v, NULL), -EINVAL);
	assert_int_equal(v, 77);
}

static void test_printing(void **state _unused_)
{
	char out[64];

	assert_string_equal(format_size(312, out, sizeof(out)), "312 B");
	assert_string_equal(format_size(1536, out, sizeof(out)), "1.50 KiB");
	assert_string_equal(format_size(UINT64_MAX, out, sizeof(out)), "16.0 EiB");
	assert_string_equal(format_duration(41, out, sizeof(out)), "41s");
	assert_string_equal(format_duration(7384, out, sizeof(out)), "2h 03m 04s");
	assert_string_equal(format_time_utc(UINT64_C(1795489380000000000), out, sizeof(out)),
			    "2026-11-24T03:03:00Z");
	assert_string_equal(format_hex("\x0f\xa0", 2, true, out), "0FA0");
	assert_int_equal(parse_hex("0fA0", out, 2), 0);
	assert_memory_equal(out, "\x0f\xa0", 2);
	assert_int_equal(parse_hex("0fA", out, 2), -EINVAL);
	assert_int_equal(parse_hex("0fAx", out, 2), -EINVAL);
}

static void test_atomic_file(void **state _unused_)
{
	char dir[] = "/tmp/test_base.XXXXXX", path[64];
	_cleanup_free_ char *data = NULL;
	struct stat st;
	size_t n;

	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/f", dir);
	assert_int_equal(write_file_atomic(path, "one", 3, 0600, NULL), 0);
	assert_int_equal(write_file_atomic(path, "three", 5, 0600, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(read_file(path, 100, &data, &n, NULL), 0);
	assert_int_equal(n, 5);
	assert_string_equal(data, "three");
	assert_int_equal(read_file(path, 4, &data, &n, NULL), -EFBIG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err_tells_outward),
		cmocka_unit_test(test_err_exit_codes),
		cmocka_unit_test(test_err_long_text_is_cut),
		cmocka_unit_test(test_buf_and_cursor),
		cmocka_unit_test(test_buf_text),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_printing),
		cmocka_unit_test(test_atomic_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
