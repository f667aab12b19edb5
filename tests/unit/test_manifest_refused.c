/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drive manifests that break a rule, one each, and what is said of them; hostile documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "tests/unit/manifest_fixture.h"

static int parse_text(const char *text, struct err *e)
{
	_cleanup_(buf_done) struct buf told = BUF_INIT;

	return parse_bytes(text, strlen(text), SIZE_MAX, &told, e);
}

#define OPEN	 XML "<DriveManifest Version=\"2014-11-01\">\n<Drive>\n<DriveId>D1</DriveId>\n"
#define LIST	 OPEN "<BlobList Id=\"s-0\">\n"
#define CLOSE	 "</BlobList>\n</Drive>\n</DriveManifest>\n"
#define NAMES	 "<BlobPath>c/b</BlobPath>\n<FilePath>\\s\\b</FilePath>\n"
#define BLOB(n)	 LIST "<Blob>\n" NAMES "<Length>" #n "</Length>\n"
#define END_BLOB "</Blob>\n" CLOSE

/* Messages end after the line number where libxml2 has the word. */
static const struct {
	const char *text, *message;
} refused[] = {
	/* Not a document, or not the whole of one. */
	{"", "manifest line 1: the document is cut short"},
	{"   \n", "manifest line 2: the document is cut short"},
	{"hello", "manifest line 1: "},
	{XML, "manifest line 2: the document is cut short"},
	{LIST, "manifest line 5: the document is cut short"},
	{LIST CLOSE "x", "manifest line 9: "},
	{LIST CLOSE "<DriveManifest/>", "manifest line 9: "},
	{LIST "</Blob>", "manifest line 6: "},
	/* Encodings and characters. */
	{"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><DriveManifest Version='2014-11-01'/>",
	 "manifest line 1: the encoding is not UTF-8"},
	{"<?xml version=\"1.0\" encoding=\"UTF-16\"?><DriveManifest Version='2014-11-01'/>",
	 "manifest line 1: "},
	{XML "<DriveManifest Version='2014-11-01'><Drive><DriveId>\xe9</DriveId>",
	 "manifest line 2: "},
	{XML "<DriveManifest Version='2014-11-01'><Drive><DriveId>&#1;</DriveId>",
	 "manifest line 2: "},
	/* Document types, entities, namespaces. */
	{"<!DOCTYPE DriveManifest>\n<DriveManifest/>",
	 "manifest line 1: a document type is not allowed"},
	{"<!DOCTYPE d SYSTEM \"file:///etc/passwd\"><DriveManifest/>",
	 "manifest line 1: a document type is not allowed"},
	{"<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
	 "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]><DriveManifest Version='&c;'/>",
	 "manifest line 1: a document type is not allowed"},
	{XML "<DriveManifest Version='2014-11-01'><Drive><DriveId>&x;</DriveId>",
	 "manifest line 2: "},
	{XML "<DriveManifest xmlns='urn:x' Version='2014-11-01'/>",
	 "manifest line 2: <DriveManifest> has a namespace"},
	{XML "<x:DriveManifest xmlns:x='urn:x' Version='2014-11-01'/>",
	 "manifest line 2: <DriveManifest> has a namespace"},
	/* Root. */
	{XML "<Drive/>", "manifest line 2: <Drive> must not stand in the document"},
	{XML "<DriveManifest/>", "manifest line 2: <DriveManifest> has no Version"},
	{XML "<DriveManifest Version='2011-01-01'/>",
	 "manifest line 2: version '2011-01-01' is not 2014-11-01"},
	{XML "<DriveManifest Version='2014-11-01' Extra='1'/>",
	 "manifest line 2: <DriveManifest> must not have the attribute Extra"},
	{XML "<DriveManifest Version='2014-11-01'/>",
	 "manifest line 2: <Drive> is missing in DriveManifest"},
	{XML "<DriveManifest Version='2014-11-01'>text</DriveManifest>",
	 "manifest line 2: text in DriveManifest"},
	/* Drive. */
	{XML "<DriveManifest Version='2014-11-01'><Drive/></DriveManifest>",
	 "manifest line 2: <DriveId> is missing in Drive"},
	{XML "<DriveManifest Version='2014-11-01'><Drive><DriveId/>",
	 "manifest line 2: drive id '' is empty or has spaces"},
	{XML "<DriveManifest Version='2014-11-01'><Drive><DriveId>a b</DriveId>",
	 "manifest line 2: drive id 'a b' is empty or has spaces"},
	{OPEN "<DriveId>D2</DriveId>",
	 "manifest line 5: <DriveId> stands in Drive after another of its kind"},
	{OPEN "<ContainerSas>x</ContainerSas><StorageAccountKey>y</StorageAccountKey>",
	 "manifest line 5: <StorageAccountKey> stands in Drive after another of its kind"},
	{OPEN "<ClientCreator>x</ClientCreator><ContainerSas>y</ContainerSas>",
	 "manifest line 5: <ContainerSas> comes too late in Drive"},
	{OPEN "<ClientCreator><b/></ClientCreator>", "manifest line 5: <b> stands in a text"},
	{OPEN "</Drive></DriveManifest>", "manifest line 5: <BlobList> is missing in Drive"},
	{XML "<DriveManifest Version='2014-11-01'><Drive><BlobList/></Drive>",
	 "manifest line 2: <DriveId> is missing in Drive"},
	{OPEN "<BlobList/></Drive><Drive/>",
	 "manifest line 5: <Drive> stands in DriveManifest after another of its kind"},
	{OPEN "<Unknown/>", "manifest line 5: <Unknown> must not stand in Drive"},
	/* Metadata and properties. */
	{LIST "<MetadataPath>\\m</MetadataPath>", "manifest line 6: <MetadataPath> has no Hash"},
	{LIST "<MetadataPath Hash='" HASH "'>m</MetadataPath>",
	 "manifest line 6: 'm' is not a path on the drive"},
	{LIST "<MetadataPath Hash='0123456789abcdef0123456789abcdef'>\\m</MetadataPath>",
	 "manifest line 6: hash '0123456789abcdef0123456789abcdef' is not 32 hex digits in upper "
	 "case"},
	{LIST "<MetadataPath Hash='" HASH "0'>\\m</MetadataPath>",
	 "manifest line 6: hash '0123456789ABCDEF0123456789ABCDEF0' is not 32 hex digits in upper "
	 "case"},
	{LIST "<MetadataPath Hash=' " HASH "'>\\m</MetadataPath>",
	 "manifest line 6: hash ' 0123456789ABCDEF0123456789ABCDEF' is not 32 hex digits in upper "
	 "case"},
	{LIST "<PropertiesPath Hash='" HASH "'>\\m</PropertiesPath><MetadataPath Hash='" HASH "'/>",
	 "manifest line 6: <MetadataPath> comes too late in BlobList"},
	{LIST "<Blob/><PropertiesPath Hash='" HASH "'>\\m</PropertiesPath>",
	 "manifest line 6: <BlobPath> is missing in Blob"},
	/* Blob. */
	{LIST "<Blob></Blob>", "manifest line 6: <BlobPath> is missing in Blob"},
	{LIST "<Blob><FilePath>\\s\\b</FilePath><BlobPath>c/b</BlobPath>",
	 "manifest line 6: <BlobPath> comes too late in Blob"},
	{LIST "<Blob><BlobPath>c</BlobPath>", "manifest line 6: 'c' is not a container and a blob"},
	{LIST "<Blob><BlobPath>/b</BlobPath>",
	 "manifest line 6: '/b' is not a container and a blob"},
	{LIST "<Blob><BlobPath>c/</BlobPath>",
	 "manifest line 6: 'c/' is not a container and a blob"},
	{LIST "<Blob><BlobPath>c/b</BlobPath><FilePath>s</FilePath>",
	 "manifest line 6: 's' is not a path on the drive"},
	{LIST "<Blob><BlobPath>c/b</BlobPath><FilePath>\\</FilePath>",
	 "manifest line 6: '\\' is not a path on the drive"},
	{LIST "<Blob>" NAMES "<Snapshot>x</Snapshot>",
	 "manifest line 8: <Snapshot> must not stand in Blob"},
	{LIST "<Blob>" NAMES "<Length></Length>",
	 "manifest line 8: Length '' is not a number of bytes"},
	{LIST "<Blob>" NAMES "<Length> 1</Length>",
	 "manifest line 8: Length ' 1' is not a number of bytes"},
	{LIST "<Blob>" NAMES "<Length>-1</Length>",
	 "manifest line 8: Length '-1' is not a number of bytes"},
	{LIST "<Blob>" NAMES "<Length>9223372036854775808</Length>",
	 "manifest line 8: Length '9223372036854775808' is not a number of bytes"},
	{LIST "<Blob>" NAMES "<Length>99999999999999999999999999</Length>",
	 "manifest line 8: Length '99999999999999999999999999' is not a number of bytes"},
	{LIST "<Blob>" NAMES "<BlockList/>" END_BLOB,
	 "manifest line 8: <Length> is missing in Blob"},
	{BLOB(1) "<ImportDisposition>delete</ImportDisposition>",
	 "manifest line 10: disposition 'delete' is unknown"},
	{BLOB(1) END_BLOB, "manifest line 10: <PageRangeList> is missing in Blob"},
	{BLOB(0) "<BlockList/><PageRangeList/>",
	 "manifest line 10: <PageRangeList> stands in Blob after another of its kind"},
	{BLOB(0) "<BlockList/><BlockList/>",
	 "manifest line 10: <BlockList> stands in Blob after another of its kind"},
	{BLOB(0) "<BlockList/><ImportDisposition>rename</ImportDisposition>",
	 "manifest line 10: <ImportDisposition> comes too late in Blob"},
	{BLOB(0) "<BlockList><PageRange/></BlockList>",
	 "manifest line 10: <PageRange> must not stand in BlockList"},
	/* Blocks. */
	{BLOB(1) "<BlockList/>", "manifest line 10: blocks end at 0 of 1 bytes"},
	{BLOB(1) "<BlockList><Block Offset='0' Length='1'/>",
	 "manifest line 10: <Block> has no Hash"},
	{BLOB(1) "<BlockList><Block Offset='0' Hash='" HASH "'/>",
	 "manifest line 10: <Block> has no Length"},
	{BLOB(1) "<BlockList><Block Length='1' Hash='" HASH "'/>",
	 "manifest line 10: <Block> has no Offset"},
	{BLOB(1) "<BlockList><Block Offset='x' Length='1' Hash='" HASH "'/>",
	 "manifest line 10: Offset 'x' is not a number of bytes"},
	{BLOB(1) "<BlockList><Block Offset='0' Length='0x1' Hash='" HASH "'/>",
	 "manifest line 10: Length '0x1' is not a number of bytes"},
	{BLOB(1) "<BlockList><Block Offset='0' Length='0' Hash='" HASH "'/>",
	 "manifest line 10: range of 0 bytes"},
	{BLOB(1) "<BlockList><Block Offset='0' Length='2' Hash='" HASH "'/>",
	 "manifest line 10: range ends after the blob"},
	{BLOB(1) "<BlockList><Block Offset='0' Length='1' Hash='" HASH
		 "'/><Block Offset='1' Length='1' Hash='" HASH "'/>",
	 "manifest line 10: range ends after the blob"},
	{BLOB(9) "<BlockList><Block Offset='1' Length='1' Hash='" HASH "'/>",
	 "manifest line 10: gap before the block"},
	{BLOB(9) "<BlockList><Block Offset='0' Length='4' Hash='" HASH
		 "'/><Block Offset='5' Length='4' Hash='" HASH "'/>",
	 "manifest line 10: gap before the block"},
	{BLOB(9) "<BlockList><Block Offset='0' Length='5' Hash='" HASH
		 "'/><Block Offset='4' Length='5' Hash='" HASH "'/>",
	 "manifest line 10: range begins before the end of the last one"},
	{BLOB(9) "<BlockList><Block Offset='0' Length='5' Hash='" HASH "'/></BlockList>",
	 "manifest line 10: blocks end at 5 of 9 bytes"},
	{BLOB(9000000) "<BlockList><Block Offset='0' Length='4194305' Hash='" HASH "'/>",
	 "manifest line 10: range of 4194305 bytes"},
	{BLOB(9) "<BlockList><Block Offset='9223372036854775807' Length='4' Hash='" HASH "'/>",
	 "manifest line 10: gap before the block"},
	{BLOB(9) "<BlockList>x</BlockList>", "manifest line 10: text in BlockList"},
	{BLOB(9) "<BlockList><Block Offset='0' Length='9' Hash='" HASH "'>x</Block>",
	 "manifest line 10: text in Block"},
	{BLOB(9) "<BlockList><Block Offset='0' Length='9' Id='AAA' Hash='" HASH "'/>",
	 "manifest line 10: id of block is not Base64"},
	{BLOB(9) "<BlockList><Block Offset='0' Length='9' Id='' Hash='" HASH "'/>",
	 "manifest line 10: id of block is not Base64"},
	{BLOB(9) "<BlockList><Block Offset='0' Length='9' Id='A===' Hash='" HASH "'/>",
	 "manifest line 10: id of block is not Base64"},
	{BLOB(9) "<BlockList><Block Offset='0' Length='9' Id='A=AA' Hash='" HASH "'/>",
	 "manifest line 10: id of block is not Base64"},
	{BLOB(9) "<BlockList><Block Offset='0' Length='4' Id='AAAA' Hash='" HASH
		 "'/><Block Offset='4' Length='5' Hash='" HASH "'/>",
	 "manifest line 10: ids of blocks differ in length"},
	{BLOB(9) "<BlockList><Block Offset='0' Length='4' Hash='" HASH
		 "'/><Block Offset='4' Length='5' Id='AAAA' Hash='" HASH "'/>",
	 "manifest line 10: ids of blocks differ in length"},
	{BLOB(9) "<BlockList><Block Offset='0' Length='4' Id='AAAA' Hash='" HASH
		 "'/><Block Offset='4' Length='5' Id='AAAAAAAA' Hash='" HASH "'/>",
	 "manifest line 10: ids of blocks differ in length"},
	{BLOB(9) "<BlockList><Block Offset='0' Offset='0' Length='9' Hash='" HASH "'/>",
	 "manifest line 10: "},
	/* Page ranges. */
	{BLOB(1) "<PageRangeList/>", "manifest line 10: page blob of 1 bytes"},
	{BLOB(1024) "<PageRangeList><PageRange Offset='1' Length='512' Hash='" HASH "'/>",
	 "manifest line 10: range is not a multiple of 512"},
	{BLOB(1024) "<PageRangeList><PageRange Offset='0' Length='511' Hash='" HASH "'/>",
	 "manifest line 10: range is not a multiple of 512"},
	{BLOB(1024) "<PageRangeList><PageRange Offset='0' Length='512' Id='AAAA' Hash='" HASH "'/>",
	 "manifest line 10: <PageRange> must not have the attribute Id"},
	{BLOB(1024) "<PageRangeList><PageRange Offset='512' Length='512' Hash='" HASH
		    "'/><PageRange Offset='0' Length='512' Hash='" HASH "'/>",
	 "manifest line 10: range begins before the end of the last one"},
	{BLOB(1024) "<PageRangeList><PageRange Offset='0' Length='1024' Hash='" HASH
		    "'/><PageRange Offset='512' Length='512' Hash='" HASH "'/>",
	 "manifest line 10: range begins before the end of the last one"},
	{BLOB(1024) "<PageRangeList><PageRange Offset='512' Length='1024' Hash='" HASH "'/>",
	 "manifest line 10: range ends after the blob"},
	{BLOB(8388608) "<PageRangeList><PageRange Offset='0' Length='4194816' Hash='" HASH "'/>",
	 "manifest line 10: range of 4194816 bytes"},
	{BLOB(1024) "<PageRangeList><Block/>",
	 "manifest line 10: <Block> must not stand in PageRangeList"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct err e = {0};

		assert_int_equal(parse_text(refused[i].text, &e), -EBADMSG);
		assert_int_equal(parse_text(refused[i].text, NULL), -EBADMSG);
		if (strncmp(e.text, refused[i].message, strlen(refused[i].message)) != 0)
			fail_msg("row %zu: '%s' instead of '%s'", i, e.text, refused[i].message);
		assert_int_equal(e.class, ERR_CORRUPT);
	}
}

static void test_nesting(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct err e;

	(void)state;
	buf_puts(&text, XML);
	for (int i = 0; i < 100000; i++)
		buf_puts(&text, "<DriveManifest Version='2014-11-01'>");
	assert_int_equal(parse_text(buf_text(&text), &e), -EBADMSG);
	assert_string_equal(e.text,
			    "manifest line 2: <DriveManifest> must not stand in DriveManifest");
}

/* Things without end must be refused before they fill the memory; libxml2 itself stops at 10 MB. */
static void test_endless_parts(void **state)
{
	static const struct {
		const char *start;
		size_t most_bytes; /* read before it is refused */
	} rows[] = {
		{OPEN "<ClientCreator>", 512 * KiB},
		{OPEN "<", 11 * MiB},
		{OPEN "<BlobList Id='", 11 * MiB},
		{OPEN "<!-- ", 11 * MiB},
		{OPEN "<?x ", 11 * MiB},
		{"<?xml ", 11 * MiB},
	};
	const struct manifest_handler handler = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(buf_done) struct buf text = BUF_INIT;
		struct text_source text_source = {.step_bytes = SIZE_MAX};
		const struct manifest_source source = {read_text, &text_source};

		buf_puts(&text, rows[i].start);
		buf_put_zero(&text, 16 * MiB);
		memset(text.data + strlen(rows[i].start), 'x', 16 * MiB);
		text_source.text = buf_text(&text);
		text_source.left_bytes = text.len_bytes;
		assert_int_equal(manifest_parse(&source, &handler, NULL), -EBADMSG);
		if (text.len_bytes - text_source.left_bytes > rows[i].most_bytes)
			fail_msg("row %zu: %zu bytes read", i,
				 text.len_bytes - text_source.left_bytes);
	}
}

static void test_long_attribute(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct err e;

	(void)state;
	buf_puts(&text, OPEN "<BlobList Id='");
	for (int i = 0; i < 256; i++)
		buf_puts(&text, "x");
	buf_puts(&text, "'/></Drive></DriveManifest>");
	assert_int_equal(parse_text(buf_text(&text), &e), -EBADMSG);
	assert_string_equal(e.text, "manifest line 5: attribute Id of 256 bytes");
}

static void test_too_many_blocks(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct err e;

	(void)state;
	buf_puts(&text, BLOB(50001) "<BlockList>\n");
	for (int i = 0; i < 50001; i++)
		buf_printf(&text, "<Block Offset='%d' Length='1' Hash='" HASH "'/>\n", i);
	assert_int_equal(parse_text(buf_text(&text), &e), -EBADMSG);
	assert_string_equal(e.text, "manifest line 50011: more than 50000 blocks");
}

static void test_lines_beyond_16_bits(void **state)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct err e;

	(void)state;
	buf_puts(&text, OPEN);
	for (int i = 0; i < 100000; i++)
		buf_puts(&text, "\n");
	buf_puts(&text, "<Nonsense/>");
	assert_int_equal(parse_text(buf_text(&text), &e), -EBADMSG);
	assert_string_equal(e.text, "manifest line 100005: <Nonsense> must not stand in Drive");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_endless_parts),	cmocka_unit_test(test_long_attribute),
		cmocka_unit_test(test_too_many_blocks), cmocka_unit_test(test_lines_beyond_16_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
