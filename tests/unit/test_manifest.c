/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The drive manifest as it is written: golden text, length known beforehand, filling, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "exporter/manifest/drive_manifest.h"

static const struct manifest_desc plain = {.drive_id = "WD-WMATV123456", .session_id = "session#1"};

static int put_bytes(const void *data, size_t len_bytes, void *arg, struct err *e)
{
	(void)e;
	buf_put(arg, data, len_bytes);
	return 0;
}

static int hash_of(uint64_t i, uint8_t ret[MD5_BYTES], void *arg, struct err *e)
{
	(void)e;
	memset(ret, 0xA0 + (int)i, MD5_BYTES);
	ret[0] = *(const uint8_t *)arg;
	return 0;
}

static uint8_t mark = 0x0f;

/* What a test writes: all its blobs, one after another. */
struct blobs {
	const struct manifest_blob *list;
	size_t n, next;
};

static int next_blob(struct manifest_blob *ret, void *arg, struct err *e)
{
	struct blobs *blobs = arg;

	(void)e;
	if (blobs->next == blobs->n)
		return 0;
	*ret = blobs->list[blobs->next++];
	return 1;
}

/* Writes a manifest, checks that its length was known beforehand, and returns it. */
static char *write_manifest(const struct manifest_desc *desc, const struct manifest_blob *list,
			    size_t n, uint64_t total_bytes)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	_cleanup_(manifest_freep) struct manifest *m = NULL;
	struct manifest_sink sink = {put_bytes, &out};
	struct blobs blobs = {.list = list, .n = n};
	uint64_t written = 0, planned = 0;
	struct err e = {0};

	assert_int_equal(manifest_begin(desc, &sink, &m, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		if (manifest_blob(m, &list[i], &e) != 0)
			fail_msg("%s", e.text);
	}
	assert_int_equal(manifest_end(m, total_bytes, &written, NULL), 0);
	assert_int_equal(written, out.len_bytes);
	assert_int_equal(manifest_length(desc, next_blob, &blobs, &planned, NULL), 0);
	assert_int_equal(MAX(planned, total_bytes), written);
	return buf_take_text(&out);
}

#define HEAD                                                             \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                   \
	"<DriveManifest Version=\"2014-11-01\">\n"                       \
	"<Drive>\n"                                                      \
	"<DriveId>WD-WMATV123456</DriveId>\n"                            \
	"<ClientCreator>Seedship " SEEDSHIP_VERSION "</ClientCreator>\n" \
	"<BlobList Id=\"session#1-0\">\n"
#define TAIL            \
	"</BlobList>\n" \
	"</Drive>\n"    \
	"</DriveManifest>\n"

static void test_blocks(void **state)
{
	const struct manifest_blob blob = {
		.blob_path = "backup/dir/name",
		.file_path = "\\session#1\\dir\\name",
		.length_bytes = 2 * MANIFEST_BLOCK_BYTES + 100,
		.hash = hash_of,
		.hash_arg = &mark,
	};
	_cleanup_free_ char *text = write_manifest(&plain, &blob, 1, 0);

	(void)state;
	assert_string_equal(text,
			    HEAD "<Blob>\n"
				 "<BlobPath>backup/dir/name</BlobPath>\n"
				 "<FilePath>\\session#1\\dir\\name</FilePath>\n"
				 "<Length>8388708</Length>\n"
				 "<BlockList>\n"
				 "<Block Offset=\"0\" Length=\"4194304\" Id=\"AAAAAA==\" "
				 "Hash=\"0FA0A0A0A0A0A0A0A0A0A0A0A0A0A0A0\"/>\n"
				 "<Block Offset=\"4194304\" Length=\"4194304\" Id=\"AQAAAA==\" "
				 "Hash=\"0FA1A1A1A1A1A1A1A1A1A1A1A1A1A1A1\"/>\n"
				 "<Block Offset=\"8388608\" Length=\"100\" Id=\"AgAAAA==\" "
				 "Hash=\"0FA2A2A2A2A2A2A2A2A2A2A2A2A2A2A2\"/>\n"
				 "</BlockList>\n"
				 "</Blob>\n" TAIL);
}

static void test_pages(void **state)
{
	const struct manifest_blob blob = {
		.blob_path = "backup/a.vhd",
		.file_path = "\\session#1\\a.vhd",
		.length_bytes = MANIFEST_BLOCK_BYTES + 512,
		.ranges = MANIFEST_PAGES,
		.disposition = MANIFEST_OVERWRITE,
		.hash = hash_of,
		.hash_arg = &mark,
	};
	_cleanup_free_ char *text = write_manifest(&plain, &blob, 1, 0);

	(void)state;
	assert_string_equal(text, HEAD "<Blob>\n"
				       "<BlobPath>backup/a.vhd</BlobPath>\n"
				       "<FilePath>\\session#1\\a.vhd</FilePath>\n"
				       "<Length>4194816</Length>\n"
				       "<ImportDisposition>overwrite</ImportDisposition>\n"
				       "<PageRangeList>\n"
				       "<PageRange Offset=\"0\" Length=\"4194304\" "
				       "Hash=\"0FA0A0A0A0A0A0A0A0A0A0A0A0A0A0A0\"/>\n"
				       "<PageRange Offset=\"4194304\" Length=\"512\" "
				       "Hash=\"0FA1A1A1A1A1A1A1A1A1A1A1A1A1A1A1\"/>\n"
				       "</PageRangeList>\n"
				       "</Blob>\n" TAIL);
}

static void test_empty_blobs(void **state)
{
	const struct manifest_blob blobs[] = {
		{.blob_path = "c/e", .file_path = "\\s\\e"},
		{.blob_path = "c/p", .file_path = "\\s\\p", .ranges = MANIFEST_PAGES},
	};
	_cleanup_free_ char *text = write_manifest(&plain, blobs, 2, 0);
	_cleanup_free_ char *none = write_manifest(&plain, NULL, 0, 0);

	(void)state;
	assert_string_equal(text, HEAD "<Blob>\n<BlobPath>c/e</BlobPath>\n<FilePath>\\s\\e</"
				       "FilePath>\n<Length>0</Length>\n"
				       "<BlockList/>\n</Blob>\n"
				       "<Blob>\n<BlobPath>c/p</BlobPath>\n<FilePath>\\s\\p</"
				       "FilePath>\n<Length>0</Length>\n"
				       "<PageRangeList/>\n</Blob>\n" TAIL);
	assert_non_null(strstr(none, "<BlobList Id=\"session#1-0\"/>\n</Drive>\n"));
}

static void test_sidecars(void **state)
{
	struct manifest_desc desc = plain;
	struct manifest_blob blob = {.blob_path = "c/e", .file_path = "\\s\\e"};
	_cleanup_free_ char *text = NULL;

	(void)state;
	desc.metadata = (struct manifest_sidecar){"\\session#1\\metadata.xml", {0x01, 0xfe}};
	desc.properties = (struct manifest_sidecar){"\\session#1\\properties.xml", {0x02, 0xfd}};
	blob.metadata = (struct manifest_sidecar){"\\m", {0x03}};
	blob.properties = (struct manifest_sidecar){"\\p", {0x04}};
	text = write_manifest(&desc, &blob, 1, 0);
	assert_string_equal(
		text, HEAD
		"<MetadataPath Hash=\"01FE0000000000000000000000000000\">"
		"\\session#1\\metadata.xml</MetadataPath>\n"
		"<PropertiesPath Hash=\"02FD0000000000000000000000000000\">"
		"\\session#1\\properties.xml</PropertiesPath>\n"
		"<Blob>\n<BlobPath>c/e</BlobPath>\n<FilePath>\\s\\e</FilePath>\n<Length>0</"
		"Length>\n"
		"<BlockList/>\n"
		"<MetadataPath Hash=\"03000000000000000000000000000000\">\\m</MetadataPath>\n"
		"<PropertiesPath Hash=\"04000000000000000000000000000000\">\\p</PropertiesPath>\n"
		"</Blob>\n" TAIL);
}

static void test_special_characters(void **state)
{
	const struct manifest_blob blob = {
		.blob_path = "c/a&b<c>\"d'e \xc3\xa9\xf0\x9f\x92\xbe]]>",
		.file_path = "\\s\\a&b'e",
	};
	_cleanup_free_ char *text = write_manifest(&plain, &blob, 1, 0);

	(void)state;
	assert_non_null(strstr(text, "<BlobPath>c/a&amp;b&lt;c&gt;&quot;d'e "
				     "\xc3\xa9\xf0\x9f\x92\xbe]]&gt;</BlobPath>\n"));
	assert_non_null(strstr(text, "<FilePath>\\s\\a&amp;b'e</FilePath>\n"));
}

static void test_filling(void **state)
{
	const struct manifest_blob blob = {.blob_path = "c/e", .file_path = "\\s\\e"};
	_cleanup_free_ char *text = write_manifest(&plain, &blob, 1, 0);
	_cleanup_free_ char *filled = write_manifest(&plain, &blob, 1, 100000);
	_cleanup_free_ char *exact = write_manifest(&plain, &blob, 1, strlen(text));

	(void)state;
	assert_memory_equal(filled, text, strlen(text));
	assert_int_equal(strspn(filled + strlen(text), "\n"), 100000 - strlen(text));
	assert_string_equal(exact, text);
}

static void test_too_small_to_fill(void **state)
{
	_cleanup_(manifest_freep) struct manifest *m = NULL;
	uint64_t bytes = 77;
	struct err e;

	(void)state;
	assert_int_equal(manifest_begin(&plain, NULL, &m, NULL), 0);
	assert_int_equal(manifest_end(m, 100, &bytes, &e), -EFBIG);
	assert_int_equal(bytes, 77);
	assert_memory_equal(e.text, "manifest: XML of ", 17);
}

static void refuse(const struct manifest_blob *blob, int r, const char *message)
{
	_cleanup_(manifest_freep) struct manifest *m = NULL;
	struct err e = {0};

	assert_int_equal(manifest_begin(&plain, NULL, &m, NULL), 0);
	assert_int_equal(manifest_blob(m, blob, &e), r);
	assert_string_equal(e.text, message);
}

static void test_refusals(void **state)
{
	struct manifest_blob blob = {.blob_path = "c/b", .file_path = "\\s\\b"};

	(void)state;
	blob.length_bytes = MANIFEST_BLOCKS_MAX * MANIFEST_BLOCK_BYTES + 1;
	refuse(&blob, -EINVAL, "manifest: blob 'c/b': 209715200001 bytes are too much for a blob");
	blob.length_bytes = 511;
	blob.ranges = MANIFEST_PAGES;
	refuse(&blob, -EINVAL,
	       "manifest: blob 'c/b': page blob of 511 bytes, not a multiple of 512");
	blob.length_bytes = 0;
	blob.file_path = "s\\b";
	refuse(&blob, -EINVAL, "manifest: blob 'c/b': path on the drive does not begin with '\\'");
	blob.file_path = "\\s\\\x01";
	refuse(&blob, -EILSEQ, "manifest: blob 'c/b': XML cannot hold byte 0x01");
	blob.file_path = "\\s\\\xe9";
	refuse(&blob, -EILSEQ, "manifest: blob 'c/b': XML cannot hold byte 0xE9");
	blob.file_path = "\\s\\\xef\xbf\xbf";
	refuse(&blob, -EILSEQ, "manifest: blob 'c/b': XML cannot hold byte 0xEF");
	blob.file_path = "\\s\\b";
	blob.blob_path = "b";
	refuse(&blob, -EINVAL, "manifest: blob 'b': no container in the blob's path");
}

static int failing_hash(uint64_t i, uint8_t ret[MD5_BYTES], void *arg, struct err *e)
{
	(void)arg;
	memset(ret, 0, MD5_BYTES);
	return i == 2 ? err_set(e, EBADMSG, "no hash of range 2") : 0;
}

static void test_failing_hash(void **state)
{
	const struct manifest_blob blob = {
		.blob_path = "c/b",
		.file_path = "\\s\\b",
		.length_bytes = 5 * MANIFEST_BLOCK_BYTES,
		.hash = failing_hash,
	};

	(void)state;
	refuse(&blob, -EBADMSG, "manifest: blob 'c/b': no hash of range 2");
}

/* A sink that takes room_bytes and then fails; it must not be called again. */
struct small_sink {
	size_t room_bytes;
	bool failed;
};

static int put_in_small(const void *data, size_t len_bytes, void *arg, struct err *e)
{
	struct small_sink *sink = arg;

	(void)data;
	assert_false(sink->failed);
	if (len_bytes > sink->room_bytes) {
		sink->failed = true;
		return err_set(e, ENOSPC, "sink is full");
	}
	sink->room_bytes -= len_bytes;
	return 0;
}

static int write_to_small(size_t room_bytes, struct err *e)
{
	struct small_sink small = {.room_bytes = room_bytes};
	struct manifest_sink sink = {put_in_small, &small};
	_cleanup_(manifest_freep) struct manifest *m = NULL;
	const struct manifest_blob blob = {.blob_path = "c/b",
					   .file_path = "\\s\\b",
					   .length_bytes = 600 * MANIFEST_BLOCK_BYTES};
	int r = manifest_begin(&plain, &sink, &m, e);

	if (r == 0)
		r = manifest_blob(m, &blob, e);
	if (r == 0)
		r = manifest_end(m, 0, NULL, e);
	return r;
}

static void test_failing_sink(void **state)
{
	struct err e;

	(void)state;
	for (size_t room = 0; room < 60000; room += 1000) {
		assert_int_equal(write_to_small(room, &e), -ENOSPC);
		assert_non_null(strstr(e.text, "sink is full"));
	}
	assert_int_equal(write_to_small(100000, &e), 0);
}

static void test_abandoned(void **state)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	struct manifest_sink sink = {put_bytes, &out};
	struct manifest *m = NULL;
	size_t before;

	(void)state;
	assert_int_equal(manifest_begin(&plain, &sink, &m, NULL), 0);
	before = out.len_bytes;
	manifest_free(m);
	assert_int_equal(out.len_bytes, before);
	manifest_free(NULL);
}

static int no_more_blobs(struct manifest_blob *ret, void *arg, struct err *e)
{
	(void)ret;
	(void)arg;
	return err_set(e, EIO, "no more");
}

static void test_length_fails(void **state)
{
	uint64_t bytes = 5;
	struct err e;

	(void)state;
	assert_int_equal(manifest_length(&plain, no_more_blobs, NULL, &bytes, &e), -EIO);
	assert_int_equal(bytes, 5);
	assert_string_equal(e.text, "no more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_empty_blobs),
		cmocka_unit_test(test_sidecars),
		cmocka_unit_test(test_special_characters),
		cmocka_unit_test(test_filling),
		cmocka_unit_test(test_too_small_to_fill),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_failing_hash),
		cmocka_unit_test(test_failing_sink),
		cmocka_unit_test(test_abandoned),
		cmocka_unit_test(test_length_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
