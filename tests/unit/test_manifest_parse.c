/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a drive manifest: what is found in it, whole, cut short or damaged. */
#include <setjmp.h>
#include <malloc.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "exporter/manifest/drive_manifest.h"
#include "tests/unit/manifest_fixture.h"

static void test_everything(void **state)
{
	static const char text[] = XML
		"<!-- by hand -->\n"
		"<DriveManifest Version='2014-11-01'><Drive>\n"
		"  <DriveId>9WM35C2V</DriveId>\n"
		"  <StorageAccountKey>a2V5</StorageAccountKey>\n"
		"  <ClientCreator>someone</ClientCreator>\n"
		"  <BlobList>\n"
		"    <MetadataPath Hash='" HASH "'>\\m.xml</MetadataPath>\n"
		"    <Blob><BlobPath>c/a&amp;b &lt;1&gt; \xc3\xa9</BlobPath>"
		"<FilePath>\\s\\<![CDATA[a&b]]></FilePath><ClientData>x</ClientData>\n"
		"      <Length>4194305</Length><ImportDisposition>rename</ImportDisposition>\n"
		"      <BlockList><Block Offset='0' Length='4194304' Hash='" HASH "'/>\n"
		"      <Block Offset='4194304' Length='1' Hash='" HASH "'></Block></BlockList>\n"
		"      <PropertiesPath Hash='" HASH "'>\\p.xml</PropertiesPath></Blob>\n"
		"  </BlobList>\n"
		"  <BlobList Id='x'><Blob><BlobPath>c/v</BlobPath><FilePath>\\s\\v</FilePath>"
		"<Length>4096</Length><PageRangeList><PageRange Offset='512' Length='1024' "
		"Hash='" HASH "'/><PageRange Offset='2048' Length='2048' Hash='" HASH
		"'/></PageRangeList></Blob></BlobList>\n"
		"</Drive></DriveManifest>\n\n\n   \n<!-- end -->\n";
	static const char want[] = "drive 9WM35C2V\n"
				   "sidecar \\m.xml 0123456789abcdef0123456789abcdef\n"
				   "blob c/a&b <1> \xc3\xa9 \\s\\a&b 4194305\n"
				   "block 0 4194304 01\n"
				   "block 4194304 1 01\n"
				   "sidecar \\p.xml 0123456789abcdef0123456789abcdef\n"
				   "end\n"
				   "blob c/v \\s\\v 4096\n"
				   "page 512 1024 01\n"
				   "page 2048 2048 01\n"
				   "end\n";
	static const size_t steps[] = {1, 2, 3, 5, 7, 16, 100, 1000, SIZE_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		_cleanup_(buf_done) struct buf told = BUF_INIT;
		struct err e = {0};

		if (parse_bytes(text, strlen(text), steps[i], &told, &e) != 0)
			fail_msg("%s", e.text);
		assert_string_equal(buf_text(&told), want);
	}
}

static int put_bytes(const void *data, size_t len_bytes, void *arg, struct err *e)
{
	(void)e;
	buf_put(arg, data, len_bytes);
	return 0;
}

static int hash_of(uint64_t i, uint8_t ret[MD5_BYTES], void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	memset(ret, (int)i, MD5_BYTES);
	return 0;
}

/* A manifest of several blobs by our own writer, filled up with newlines. */
static void write_sample(struct buf *out)
{
	const struct manifest_desc desc = {
		.drive_id = "D1", .session_id = "s#1", .properties = {.path = "\\p"}};
	struct manifest_sink sink = {put_bytes, out};
	_cleanup_(manifest_freep) struct manifest *m = NULL;
	struct manifest_blob blobs[] = {
		{.blob_path = "c/<&>\"'", .file_path = "\\s\\'&\xe2\x82\xac", .length_bytes = 5},
		{.blob_path = "c/empty", .file_path = "\\s\\empty"},
		{.blob_path = "c/v",
		 .file_path = "\\s\\v",
		 .ranges = MANIFEST_PAGES,
		 .length_bytes = 3 * MANIFEST_BLOCK_BYTES - 512},
		{.blob_path = "c/z",
		 .file_path = "\\s\\z",
		 .disposition = MANIFEST_NO_OVERWRITE,
		 .length_bytes = 2 * MANIFEST_BLOCK_BYTES,
		 .metadata = {.path = "\\m"}},
	};

	assert_int_equal(manifest_begin(&desc, &sink, &m, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++) {
		blobs[i].hash = hash_of;
		assert_int_equal(manifest_blob(m, &blobs[i], NULL), 0);
	}
	assert_int_equal(manifest_end(m, 4096, NULL, NULL), 0);
	assert_int_equal(out->len_bytes, 4096);
}

static void test_round_trip(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT, told = BUF_INIT;
	struct err e = {0};

	(void)state;
	write_sample(&text);
	if (parse_bytes(buf_text(&text), text.len_bytes, 100, &told, &e) != 0)
		fail_msg("%s", e.text);
	assert_string_equal(buf_text(&told), "drive D1\n"
					     "sidecar \\p 00000000000000000000000000000000\n"
					     "blob c/<&>\"' \\s\\'&\xe2\x82\xac 5\n"
					     "block 0 5 00\n"
					     "end\n"
					     "blob c/empty \\s\\empty 0\n"
					     "end\n"
					     "blob c/v \\s\\v 12582400\n"
					     "page 0 4194304 00\n"
					     "page 4194304 4194304 01\n"
					     "page 8388608 4193792 02\n"
					     "end\n"
					     "blob c/z \\s\\z 8388608\n"
					     "block 0 4194304 00\n"
					     "block 4194304 4194304 01\n"
					     "sidecar \\m 00000000000000000000000000000000\n"
					     "end\n");
}

static void test_cut_anywhere(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	size_t end;

	(void)state;
	write_sample(&text);
	end = (size_t)(strstr(buf_text(&text), "</DriveManifest>") - buf_text(&text)) + 16;
	for (size_t n = 0; n < text.len_bytes; n++) {
		_cleanup_(buf_done) struct buf told = BUF_INIT;

		assert_int_equal(parse_bytes(buf_text(&text), n, SIZE_MAX, &told, NULL),
				 n < end ? -EBADMSG : 0);
	}
}

/* Any single byte changed: never a crash, and never a silent change of what the structure says. */
static void test_damage_anywhere(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	static const uint8_t damage[] = {0x00, 0x01, 0x20, 0x80, 0xff, '<', '>', '&', '"', '9'};

	(void)state;
	write_sample(&text);
	for (size_t at = 0; at < 1500; at++) {
		for (size_t i = 0; i < ARRAY_SIZE(damage); i++) {
			_cleanup_(buf_done) struct buf told = BUF_INIT;
			uint8_t good = text.data[at];
			struct err e = {0};
			int r;

			text.data[at] = damage[i];
			r = parse_bytes(buf_text(&text), text.len_bytes, SIZE_MAX, &told, &e);
			text.data[at] = good;
			if (r != 0)
				assert_int_equal(r, -EBADMSG);
			if (r != 0)
				assert_memory_equal(e.text, "manifest", 8);
		}
	}
}

/* A document as long as a drive is large is read in the memory of a short one. */
struct endless {
	uint64_t blocks_left, blob_bytes, next;
	int part;
};

static int read_endless(void *data, size_t len_bytes, size_t *ret_bytes, void *arg, struct err *e)
{
	struct endless *s = arg;
	int n = 0;

	(void)e;
	if (s->part == 0) {
		n = snprintf(data, len_bytes,
			     XML
			     "<DriveManifest Version='2014-11-01'><Drive><DriveId>D</DriveId>"
			     "<BlobList><Blob><BlobPath>c/b</BlobPath><FilePath>\\s\\b</FilePath>"
			     "<Length>%ju</Length><PageRangeList>",
			     (uintmax_t)s->blob_bytes);
		s->part = 1;
	} else if (s->blocks_left) {
		n = snprintf(data, len_bytes,
			     "<PageRange Offset='%ju' Length='512' Hash='" HASH "'/>\n",
			     (uintmax_t)(s->next++ * 512));
		s->blocks_left--;
	} else if (s->part == 1) {
		n = snprintf(data, len_bytes,
			     "</PageRangeList></Blob></BlobList></Drive></DriveManifest>");
		s->part = 2;
	}
	*ret_bytes = (size_t)n;
	return 0;
}

static int count_range(const struct manifest_range *range, void *arg, struct err *e)
{
	(void)range;
	(void)e;
	++*(uint64_t *)arg;
	return 0;
}

static void test_many_ranges(void **state)
{
	struct endless endless = {.blocks_left = 400000, .blob_bytes = 400000 * UINT64_C(512)};
	const struct manifest_source source = {read_endless, &endless};
	uint64_t count = 0;
	const struct manifest_handler handler = {.range = count_range, .arg = &count};
	size_t before = mallinfo2().uordblks;

	(void)state;
	assert_int_equal(manifest_parse(&source, &handler, NULL), 0);
	assert_int_equal(count, 400000);
	assert_true(mallinfo2().uordblks < before + 64 * 1024);
}

static int stop_with(const char *path, void *arg, struct err *e)
{
	(void)path;
	return *(int *)arg < 0 ? err_set(e, -*(int *)arg, "enough") : *(int *)arg;
}

static void test_handler_stops(void **state)
{
	static const int codes[] = {7, -EIO, -EINTR};
	_cleanup_(buf_done) struct buf text = BUF_INIT;

	(void)state;
	write_sample(&text);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct text_source text_source = {buf_text(&text), text.len_bytes, 10};
		const struct manifest_source source = {read_text, &text_source};
		int code = codes[i];
		const struct manifest_handler handler = {.drive_id = stop_with, .arg = &code};
		struct err e = {0};

		assert_int_equal(manifest_parse(&source, &handler, &e), code);
		assert_string_equal(e.text, code < 0 ? "enough" : "");
	}
}

static int read_fails(void *data, size_t len_bytes, size_t *ret_bytes, void *arg, struct err *e)
{
	(void)data;
	(void)len_bytes;
	(void)ret_bytes;
	(void)arg;
	return err_set(e, EIO, "drive is gone");
}

static void test_source_fails(void **state)
{
	const struct manifest_source source = {read_fails, NULL};
	const struct manifest_handler handler = {0};
	struct err e;

	(void)state;
	assert_int_equal(manifest_parse(&source, &handler, &e), -EIO);
	assert_string_equal(e.text, "drive is gone");
}

static void test_no_handler(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct text_source text_source;
	const struct manifest_source source = {read_text, &text_source};
	const struct manifest_handler handler = {0};

	(void)state;
	write_sample(&text);
	text_source = (struct text_source){buf_text(&text), text.len_bytes, 1000};
	assert_int_equal(manifest_parse(&source, &handler, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),   cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_cut_anywhere), cmocka_unit_test(test_damage_anywhere),
		cmocka_unit_test(test_many_ranges),  cmocka_unit_test(test_handler_stops),
		cmocka_unit_test(test_source_fails), cmocka_unit_test(test_no_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
