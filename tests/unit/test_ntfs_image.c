/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NTFS images: what independent readers find in them, and what of them goes to the drive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "common/base/le.h"
#include "exporter/ntfs/mkfs.h"
#include "exporter/ntfs/runs.h"
#include "tests/lib/ntfs_kit.h"

static struct kit kit;

static int setup(void **state)
{
	(void)state;
	kit_open(&kit);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kit_close(&kit);
	return 0;
}

/* ---- what has to be copied ------------------------------------------------------------------- */

struct range_list {
	struct ntfs_range *v;
	size_t n;
};

static void push(struct range_list *l, uint64_t off_bytes, uint64_t len_bytes)
{
	if ((l->n & (l->n - 1)) == 0) {
		l->v = reallocarray(l->v, MAX(l->n * 2, 16u), sizeof(*l->v));
		assert_non_null(l->v);
	}
	l->v[l->n++] = (struct ntfs_range){off_bytes, len_bytes};
}

static int by_offset(const void *a, const void *b)
{
	const struct ntfs_range *x = a, *y = b;

	return (x->off_bytes > y->off_bytes) - (x->off_bytes < y->off_bytes);
}

static struct range_list content_of(const struct kit *k)
{
	struct range_list l = {0};

	for (size_t i = 0; i < k->n_files; i++)
		for (size_t j = 0; j < k->files[i].n_extents; j++)
			push(&l, k->files[i].extents[j].volume_off_bytes,
			     k->files[i].extents[j].len_bytes);
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), by_offset);
	return l;
}

static int collect(void *arg, uint64_t off_bytes, uint64_t len_bytes, struct err *e)
{
	struct range_list *l = arg;

	(void)e;
	assert_true(len_bytes > 0);
	if (l->n)
		assert_true(off_bytes > l->v[l->n - 1].off_bytes);
	push(l, off_bytes, len_bytes);
	return 0;
}

static struct range_list metadata_of(struct kit *k)
{
	_cleanup_(target_closep) struct target *t = NULL;
	struct range_list content = content_of(k), l = {0};

	expect_ok(target_file_open(k->image, false, &t, &k->e), &k->e);
	expect_ok(ntfs_image_metadata_runs(t, content.v, content.n, &k->fve, collect, &l, &k->e), &k->e);
	free(content.v);
	return l;
}

/* Every allocated cluster and the tail belong to exactly one of: metadata, content, BitLocker. */
static void expect_partition(struct kit *k, uint64_t volume_bytes, const struct range_list *metadata)
{
	struct range_list all = content_of(k);
	_cleanup_free_ char *bits = NULL;
	uint64_t clusters = (volume_bytes - 512) / k->cluster_bytes, pos = 0;
	size_t n, i = 0;

	for (size_t j = 0; j < metadata->n; j++)
		push(&all, metadata->v[j].off_bytes, metadata->v[j].len_bytes);
	for (size_t j = 0; j < 3; j++)
		push(&all, k->fve.meta_off_bytes[j], 65536);
	push(&all, k->fve.vbb_off_bytes, 8192);
	push(&all, k->fve.ice_off_bytes, 65536);
	qsort(all.v, all.n, sizeof(*all.v), by_offset);
	assert_int_equal(kit_run(k, "ntfscat -f -i 6 %s", k->image), 0);
	bits = kit_output(k, &n);
	assert_true(n * 8 >= clusters);
	for (uint64_t c = 0; c <= clusters; c++) {
		bool used = c == clusters || (bits[c / 8] >> c % 8 & 1);
		uint64_t end = c == clusters ? volume_bytes : (c + 1) * k->cluster_bytes;

		pos = c * k->cluster_bytes;
		while (i < all.n && all.v[i].off_bytes < end) {
			assert_true(used);
			assert_int_equal(all.v[i].off_bytes, pos);
			pos += MIN(all.v[i].len_bytes, end - pos);
			if (pos == all.v[i].off_bytes + all.v[i].len_bytes) {
				i++;
				continue;
			}
			all.v[i].len_bytes -= pos - all.v[i].off_bytes;
			all.v[i].off_bytes = pos;
		}
		assert_int_equal(pos, used ? end : c * k->cluster_bytes);
	}
	assert_int_equal(i, all.n);
	free(all.v);
}

/* Builds the drive: a blank image that gets the content and the metadata and nothing else. */
static void copy_to(struct kit *k, const struct range_list *metadata, const char *copy)
{
	_cleanup_fd_ int from = open(k->image, O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int to = open(copy, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum { PIECE = 1 << 20 };
	_cleanup_free_ uint8_t *data = malloc(PIECE);
	struct stat st;

	assert_true(from >= 0 && to >= 0 && data);
	assert_int_equal(fstat(from, &st), 0);
	assert_int_equal(ftruncate(to, st.st_size), 0);
	for (size_t i = 0; i < metadata->n; i++) {
		uint64_t end = metadata->v[i].off_bytes + metadata->v[i].len_bytes;

		for (uint64_t off = metadata->v[i].off_bytes; off < end; off += PIECE) {
			size_t n = (size_t)MIN((uint64_t)PIECE, end - off);

			assert_int_equal(fd_pread_full(from, data, n, off), 0);
			assert_int_equal(fd_pwrite_full(to, data, n, off), 0);
		}
	}
	kit_stream(k, copy);
}

/* The whole of an export without encryption, and every reader on the result. */
static void expect_exportable(struct kit *k, uint64_t volume_bytes)
{
	struct range_list metadata;
	char copy[80];

	kit_finish(k);
	kit_expect_sound(k, k->image);
	metadata = metadata_of(k);
	assert_int_equal(metadata.v[0].off_bytes, 0);
	assert_true(metadata.v[0].len_bytes >= 8192);
	assert_int_equal(metadata.v[metadata.n - 1].off_bytes + metadata.v[metadata.n - 1].len_bytes,
			 volume_bytes);
	expect_partition(k, volume_bytes, &metadata);
	(void)snprintf(copy, sizeof(copy), "%s/copy", k->dir);
	copy_to(k, &metadata, copy);
	free(metadata.v);
	kit_expect_sound(k, copy);
	kit_compare_all(k, copy);
	for (size_t i = 0; i < k->n_files; i += 1 + k->n_files / 20)
		kit_compare_ntfscat(k, copy, &k->files[i]);
}

/* ---- layout ---------------------------------------------------------------------------------- */

static void add_deep_tree(struct kit *k)
{
	char path[600] = "";
	uint64_t ref = NTFS_ROOT_REF;

	for (int depth = 0; depth < 60; depth++) {
		ref = kit_add_dir(k, ref, "deeper");
		(void)strcat(path, "\\deeper");
		kit_add(k, ref, path, "leaf", (uint64_t)depth * 100);
	}
}

static void add_all_kinds(struct kit *k)
{
	static const char *const names[] = {
		"plain.txt", "gr\xc3\xb6\xc3\x9f" "e.vhd", "\xe6\x97\xa5\xe6\x9c\xac.bak",
		"\xf0\x9f\x9a\x80 rocket \xf0\x9f\x8c\xb1", ".hidden", "two  blanks", "a'b$(c)`d`",
	};
	char long_name[256], long_emoji[512];
	uint64_t dir = kit_add_dir(k, NTFS_ROOT_REF, "Verzeichnis \xc3\xa4");
	const char *at = "\\Verzeichnis \xc3\xa4";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		kit_add(k, dir, at, names[i], 5000 + i);
	memset(long_name, 'n', 255);
	long_name[255] = '\0';
	kit_add(k, dir, at, long_name, 255);
	for (size_t i = 0; i < 127; i++)
		memcpy(long_emoji + 4 * i, "\xf0\x9f\x8c\xb1", 4);
	(void)strcpy(long_emoji + 4 * 127, "x"); /* 255 units */
	kit_add(k, dir, at, long_emoji, 127);
	kit_add(k, NTFS_ROOT_REF, "", "empty", 0);
	kit_add(k, NTFS_ROOT_REF, "", "one byte", 1);
	kit_add(k, NTFS_ROOT_REF, "", "one cluster", k->cluster_bytes);
	kit_add(k, NTFS_ROOT_REF, "", "one cluster and one", k->cluster_bytes + 1);
	kit_add(k, NTFS_ROOT_REF, "", "ten megabytes", 10000000);
	(void)kit_add_dir(k, dir, "empty directory");
}

static void link_to(struct kit *k, size_t i, uint64_t dir, const char *dir_path, const char *name)
{
	struct kit_file *f = kit_note(k, dir_path, name);

	f->ref = k->files[i].ref;
	f->size_bytes = k->files[i].size_bytes;
	expect_ok(ntfs_image_add_link(k->img, dir, name, f->ref, &k->e), &k->e);
}

/* A link is one more path to bytes that are somewhere already: it has no extents of its own to stream. */
static void add_links(struct kit *k)
{
	uint64_t dir = kit_add_dir(k, NTFS_ROOT_REF, "links");

	for (size_t i = 0; i < 20; i++) {
		char name[240];

		(void)snprintf(name, sizeof(name), "link %0*zu", (int)(10 * i), i);
		link_to(k, 3, dir, "\\links", name);
		link_to(k, 9, dir, "\\links", name + 2);
	}
}

static void compare_links(struct kit *k, size_t first)
{
	_cleanup_(target_closep) struct target *t = NULL;
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = NULL;

	expect_ok(target_file_open(k->image, false, &t, &k->e), &k->e);
	expect_ok(ntfs_volume_open(t, &vol, &k->e), &k->e);
	for (size_t i = first; i < k->n_files; i++)
		kit_compare(k, vol, &k->files[i]);
}

static void test_kinds(uint64_t volume_bytes, uint32_t cluster_bytes)
{
	size_t n_files;

	kit_create(&kit, volume_bytes, cluster_bytes, NULL);
	add_all_kinds(&kit);
	add_deep_tree(&kit);
	n_files = kit.n_files;
	add_links(&kit);
	for (size_t i = 0; i < n_files; i++)
		assert_true(kit.files[i].n_extents == (kit.files[i].size_bytes > 0));
	kit_stream(&kit, kit.image);
	kit_finish(&kit);
	compare_links(&kit, n_files);
	kit.n_files = n_files;
	kit_compare_all(&kit, kit.image);
	kit_expect_sound(&kit, kit.image);
}

static void test_kinds_4k(void **state)
{
	(void)state;
	test_kinds(300 * MiB, 4096);
}

static void test_kinds_64k(void **state)
{
	(void)state;
	test_kinds(300 * MiB + 512, 65536);
}

/* Sizes that are whole clusters, a sector more, a sector less. */
static void export(uint64_t volume_bytes, uint32_t cluster_bytes)
{
	kit_create(&kit, volume_bytes, cluster_bytes, NULL);
	add_all_kinds(&kit);
	add_deep_tree(&kit);
	expect_exportable(&kit, volume_bytes);
}

static void test_export_4k(void **state)
{
	(void)state;
	export(64 * MiB, 4096);
}

static void test_export_8k_odd(void **state)
{
	(void)state;
	export(100 * MiB + 4608, 8192);
}

static void test_export_64k(void **state)
{
	(void)state;
	export(128 * MiB - 512, 65536);
}

static void test_by_path_of_other_reader(void **state)
{
	_cleanup_free_ char *seen = NULL;
	struct kit_file *f;
	uint8_t want[77];
	size_t n;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	f = kit_add(&kit, kit_add_dir(&kit, NTFS_ROOT_REF, "\xc3\xbc"), "\\\xc3\xbc",
		    "\xf0\x9f\x9a\x80", sizeof(want));
	kit_stream(&kit, kit.image);
	kit_finish(&kit);
	kit_fill(f, 0, want, sizeof(want));
	assert_int_equal(kit_run(&kit, "ntfscat -f %s '/\xc3\xbc/\xf0\x9f\x9a\x80'", kit.image), 0);
	seen = kit_output(&kit, &n);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(seen, want, sizeof(want));
}

/* ---- BitLocker's areas ----------------------------------------------------------------------- */

static void expect_fve_file(struct ntfs_volume *vol, const char *name, uint64_t size_bytes,
			    uint64_t off_bytes)
{
	_cleanup_(ntfs_file_closep) struct ntfs_file *f = NULL;
	const struct ntfs_extent *x;
	char path[128];
	size_t n;

	(void)snprintf(path, sizeof(path), "\\System Volume Information\\FVE2.{%s", name);
	expect_ok(ntfs_volume_open_file(vol, path, &f, &kit.e), &kit.e);
	assert_int_equal(ntfs_file_size(f), size_bytes);
	expect_ok(ntfs_file_extents(f, &x, &n, &kit.e), &kit.e);
	assert_int_equal(n, 1);
	assert_int_equal(x->volume_off_bytes, off_bytes);
	assert_int_equal(x->len_bytes, round_up_u64(size_bytes, kit.cluster_bytes));
}

static void expect_fve(uint64_t volume_bytes, uint32_t cluster_bytes)
{
	_cleanup_(target_closep) struct target *t = NULL;
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = NULL;
	struct ntfs_fve_places *p = &kit.fve;
	uint64_t rest = volume_bytes - 33 * MiB;

	kit_create(&kit, volume_bytes, cluster_bytes, NULL);
	kit_finish(&kit);
	assert_true(p->meta_off_bytes[0] >= 33 * MiB && p->meta_off_bytes[0] < 36 * MiB);
	assert_int_equal(p->vbb_off_bytes, p->meta_off_bytes[0] + 65536);
	assert_int_equal(p->ice_off_bytes, p->vbb_off_bytes + MAX(cluster_bytes, 8192u));
	assert_true(p->meta_off_bytes[1] >= 33 * MiB + rest / 3);
	assert_true(p->meta_off_bytes[1] < 37 * MiB + rest / 3);
	assert_true(p->meta_off_bytes[2] >= 33 * MiB + rest / 3 * 2);
	assert_true(p->meta_off_bytes[2] < 37 * MiB + rest / 3 * 2);
	expect_ok(target_file_open(kit.image, false, &t, &kit.e), &kit.e);
	expect_ok(ntfs_volume_open(t, &vol, &kit.e), &kit.e);
	expect_fve_file(vol, "e40ad34d-dae9-4bc7-95bd-b16218c10f72}.1", 65536, p->meta_off_bytes[0]);
	expect_fve_file(vol, "e40ad34d-dae9-4bc7-95bd-b16218c10f72}.2", 65536, p->meta_off_bytes[1]);
	expect_fve_file(vol, "e40ad34d-dae9-4bc7-95bd-b16218c10f72}.3", 65536, p->meta_off_bytes[2]);
	expect_fve_file(vol, "24e6f0ae-6a00-4f73-984b-75ce9942852d}", 8192, p->vbb_off_bytes);
	expect_fve_file(vol, "da392a22-cae0-4f0f-9a30-b8830385d046}", 65536, p->ice_off_bytes);
	kit_expect_sound(&kit, kit.image);
}

static void test_fve_4k(void **state)
{
	(void)state;
	expect_fve(64 * MiB, 4096);
}

static void test_fve_16k(void **state)
{
	(void)state;
	expect_fve(264 * MiB, 16384);
}

static void test_fve_64k(void **state)
{
	(void)state;
	expect_fve(64 * MiB + 1024, 65536);
}

/* Both ends of "hidden and system, for SYSTEM only", as sleuthkit and the raw $Secure show it. */
static void test_fve_attributes(void **state)
{
	static const uint8_t system_only[] = {
		0x01, 0x00, 0x04, 0x80, 0x14, 0, 0, 0, 0x24, 0, 0, 0, 0, 0, 0, 0, 0x30, 0, 0, 0,
		0x01, 0x02, 0, 0, 0, 0, 0, 0x05, 0x20, 0, 0, 0, 0x20, 0x02, 0, 0,
		0x01, 0x01, 0, 0, 0, 0, 0, 0x05, 0x12, 0, 0, 0,
		0x02, 0x00, 0x1c, 0x00, 0x01, 0, 0, 0,
		0x00, 0x03, 0x14, 0x00, 0xff, 0x01, 0x1f, 0x00, 0x01, 0x01, 0, 0, 0, 0, 0, 0x05, 0x12, 0, 0, 0,
	};
	static const uint8_t everyone_dir[] = {
		0x01, 0x00, 0x04, 0x80, 0x14, 0, 0, 0, 0x24, 0, 0, 0, 0, 0, 0, 0, 0x34, 0, 0, 0,
		0x01, 0x02, 0, 0, 0, 0, 0, 0x05, 0x20, 0, 0, 0, 0x20, 0x02, 0, 0,
		0x01, 0x02, 0, 0, 0, 0, 0, 0x05, 0x20, 0, 0, 0, 0x20, 0x02, 0, 0,
		0x02, 0x00, 0x1c, 0x00, 0x01, 0, 0, 0,
		0x00, 0x03, 0x14, 0x00, 0xff, 0x01, 0x1f, 0x00, 0x01, 0x01, 0, 0, 0, 0, 0, 0x01, 0, 0, 0, 0,
	};
	_cleanup_free_ char *text = NULL, *sds = NULL;
	uint64_t dir, folder = 64;
	size_t n;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	dir = kit_add_dir(&kit, NTFS_ROOT_REF, "d");
	kit_finish(&kit);
	/* The folder is the first inode made; its five files follow. */
	for (uint64_t i = folder; i <= folder + 4; i++) {
		assert_int_equal(kit_run(&kit, "istat %s %" PRIu64 " | grep -c 'Flags:.*Hidden, System$'",
					 kit.image, i),
				 0);
		assert_int_equal(kit_run(&kit, "istat %s %" PRIu64 " | grep -q 'Security ID: 258 '",
					 kit.image, i),
				 0);
	}
	assert_int_equal(kit_run(&kit, "istat %s %" PRIu64 " | grep -q 'Security ID: 259 '", kit.image,
				 dir & UINT32_MAX),
			 0);
	assert_int_equal(kit_run(&kit, "ntfscat -f -i 9 -a 0x80 -n '$SDS' %s", kit.image), 0);
	sds = kit_output(&kit, &n);
	assert_non_null(memmem(sds, n, system_only, sizeof(system_only)));
	assert_non_null(memmem(sds, n, everyone_dir, sizeof(everyone_dir)));
}

/* ---- what a name and a time look like --------------------------------------------------------- */

static void test_times(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct kit_file *f;
	const char *p;
	int n = 0;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	f = kit_add(&kit, NTFS_ROOT_REF, "", "f", 4097);
	kit_finish(&kit);
	assert_int_equal(kit_run(&kit, "istat -z UTC %s %" PRIu64, kit.image, f->ref & UINT32_MAX), 0);
	text = kit_output(&kit, NULL);
	/* Four times in the standard information, four with the name. */
	for (p = text; (p = strstr(p, "2023-11-14 22:13:20.123456700 (UTC)")); p++)
		n++;
	assert_int_equal(n, 8);
	assert_non_null(strstr(text, "Allocated Size: 8192   \tActual Size: 4097"));
	assert_non_null(strstr(text, "Non-Resident   size: 4097  init_size: 4097"));
	assert_non_null(strstr(text, "Flags: Archive"));
}

static void test_times_before_1970(void **state)
{
	uint64_t ref;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	expect_ok(ntfs_image_add_dir(kit.img, NTFS_ROOT_REF, "old", INT64_C(-1000000001), &ref, &kit.e),
		  &kit.e);
	kit_finish(&kit);
	/* sleuthkit cannot show years before 1970. */
	assert_int_equal(kit_run(&kit,
				 "test $(TZ=UTC ntfsinfo -f -i %" PRIu64
				 " %s | grep -c 'Dec 31 23:59:58 1969') = 8",
				 ref & UINT32_MAX, kit.image),
			 0);
}

static int add_named(const char *name)
{
	const struct ntfs_extent *x;
	uint64_t ref;
	size_t n;

	return ntfs_image_add_file(kit.img, NTFS_ROOT_REF, name, 10, 0, &ref, &x, &n, &kit.e);
}

static void test_refused_names(void **state)
{
	static const char *const bad[] = {
		"",       "a/b",   "a\\b",  "a:b",	 "a*",	 "a?",	 "a\"b",     "<",	 ">",
		"a|b",    "a\x01", "tail.", "tail ",	 "CON",	 "nul",	 "Aux.txt",  "com1.log", "LPT9",
		"\xff",   ".",	   "..",    "\xed\xa0\x80",
	};
	char name[258];

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_err(add_named(bad[i]), &kit.e, EINVAL, ERR_USER, "");
	memset(name, 'x', 256);
	name[256] = '\0';
	expect_err(add_named(name), &kit.e, EINVAL, ERR_USER, "longer than");
	/* None of that broke the image. */
	kit_add(&kit, NTFS_ROOT_REF, "", "CONSOLE", 10);
	kit_add(&kit, NTFS_ROOT_REF, "", "com", 10);
	kit_finish(&kit);
	kit_expect_sound(&kit, kit.image);
}

static void test_collisions(void **state)
{
	uint64_t dir, ref;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	dir = kit_add_dir(&kit, NTFS_ROOT_REF, "Stra\xc3\x9f" "e \xc3\xa4");
	kit_add(&kit, NTFS_ROOT_REF, "", "File", 1);
	for (int i = 0; i < 300; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "Other %d", i);
		kit_add(&kit, NTFS_ROOT_REF, "", name, 1);
	}
	expect_err(add_named("File"), &kit.e, EEXIST, ERR_SYSTEM, "already");
	expect_err(add_named("fILE"), &kit.e, EEXIST, ERR_SYSTEM, "already");
	expect_err(add_named("oTHER 299"), &kit.e, EEXIST, ERR_SYSTEM, "already");
	expect_err(add_named("system volume information"), &kit.e, EEXIST, ERR_SYSTEM, "already");
	expect_err(add_named("stra\xc3\x9f" "e \xc3\x84"), &kit.e, EEXIST, ERR_SYSTEM, "already");
	expect_err(ntfs_image_add_dir(kit.img, NTFS_ROOT_REF, "FILE", 0, &ref, &kit.e), &kit.e, EEXIST,
		   ERR_SYSTEM, "already");
	expect_err(ntfs_image_add_link(kit.img, NTFS_ROOT_REF, "FILE", kit.files[1].ref, &kit.e), &kit.e,
		   EEXIST, ERR_SYSTEM, "already");
	kit_add(&kit, dir, "\\Stra\xc3\x9f" "e \xc3\xa4", "File", 1);
	expect_exportable(&kit, 64 * MiB);
}

static void test_link_limits(void **state)
{
	uint64_t dir;
	char name[32];

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	dir = kit_add_dir(&kit, NTFS_ROOT_REF, "d");
	kit_add(&kit, NTFS_ROOT_REF, "", "f", 100);
	kit_stream(&kit, kit.image);
	for (int i = 1; i < 1024; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		expect_ok(ntfs_image_add_link(kit.img, dir, name, kit.files[0].ref, &kit.e), &kit.e);
	}
	expect_err(ntfs_image_add_link(kit.img, dir, "more", kit.files[0].ref, &kit.e), &kit.e, EMLINK,
		   ERR_SYSTEM, "limit");
	expect_err(ntfs_image_add_link(kit.img, NTFS_ROOT_REF, "dir", dir, &kit.e), &kit.e, EPERM,
		   ERR_SYSTEM, "second name");
	expect_err(ntfs_image_add_link(kit.img, dir, "loop", dir, &kit.e), &kit.e, EPERM, ERR_SYSTEM,
		   "second name");
	kit_finish(&kit);
	assert_int_equal(kit_run(&kit, "ntfsresize -i -f %s", kit.image), 0);
	assert_int_equal(kit_run(&kit, "test $(ntfsls -p /d %s | wc -l) = 1023", kit.image), 0);
	kit_compare_all(&kit, kit.image);
}

/* ---- size ------------------------------------------------------------------------------------ */

static void test_many_in_one_directory(void **state)
{
	struct ntfs_tree_size tree = {.n_files = 5000, .n_dirs = 1, .name_units = 5000 * 24};
	uint64_t dir;
	char name[64];

	(void)state;
	kit_create(&kit, 128 * MiB, 4096, &tree);
	dir = kit_add_dir(&kit, NTFS_ROOT_REF, "many");
	for (unsigned i = 0; i < 5000; i++) {
		/* Not in the order of the directory. */
		(void)snprintf(name, sizeof(name), "file %08x", i * 2654435761u);
		kit_add(&kit, dir, "\\many", name, i % 9000);
	}
	expect_exportable(&kit, 128 * MiB);
	assert_int_equal(kit_run(&kit, "test $(ntfsls -p /many %s | grep -c '^file ') = 5000", kit.image), 0);
	assert_int_equal(kit_run(&kit, "test $(fls -r -F %s | grep -c 'file ') = 5000", kit.image), 0);
}

/* A large file among small ones, with free space that is all in pieces. */
static void test_fragmented(void **state)
{
	uint64_t sizes[] = {40 * MiB, 30 * MiB, 20 * MiB, 10 * MiB, 5 * MiB, MiB, 100000, 4096};
	const struct ntfs_extent *x;
	uint64_t ref, total = 0;
	size_t n, most = 0;
	char name[32];

	(void)state;
	kit_create(&kit, 128 * MiB, 4096, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(sizes);) {
		int r;

		(void)snprintf(name, sizeof(name), "f%zu", kit.n_files);
		r = ntfs_image_add_file(kit.img, NTFS_ROOT_REF, name, sizes[i], 0, &ref, &x, &n, &kit.e);
		if (r < 0) {
			expect_err(r, &kit.e, ENOSPC, ERR_SYSTEM, "the volume is full");
			i++;
			continue;
		}
		struct kit_file *f = kit_note(&kit, "", name);

		f->ref = ref;
		f->size_bytes = sizes[i];
		f->n_extents = n;
		f->extents = calloc(n, sizeof(*x));
		memcpy(f->extents, x, n * sizeof(*x));
		most = MAX(most, n);
		total += round_up_u64(sizes[i], 4096);
	}
	assert_true(most > 1);
	assert_true(total > 115 * MiB);
	expect_exportable(&kit, 128 * MiB);
}

/*
 * The promise of ntfs_image_overhead(): a tree of the announced size fits to the last cluster, whatever
 * its shape. files_bytes 0: empty files.
 */
static void fill_to_the_limit(uint64_t volume_bytes, uint32_t cluster_bytes, unsigned n_dirs,
			      unsigned per_dir, unsigned name_len)
{
	struct ntfs_geometry g = {volume_bytes, 512, cluster_bytes};
	struct ntfs_tree_size tree = {.n_files = (uint64_t)n_dirs * per_dir + 1, .n_dirs = n_dirs};
	uint64_t clusters, used, dirs[64], each;
	char name[300];

	tree.name_units = tree.n_files * (name_len + 8) + 20 * n_dirs;
	used = ntfs_image_overhead(&g, &tree);
	assert_true(used < volume_bytes);
	clusters = (volume_bytes - used) / cluster_bytes;
	kit_create(&kit, volume_bytes, cluster_bytes, &tree);
	for (unsigned d = 0; d < n_dirs; d++) {
		(void)snprintf(name, sizeof(name), "directory %u", d);
		dirs[d] = kit_add_dir(&kit, NTFS_ROOT_REF, name);
	}
	each = MIN(clusters / tree.n_files, 3u);
	for (unsigned i = 0; i < n_dirs * per_dir; i++) {
		/* Directory after directory in turn, long names between short ones. */
		unsigned len = i % 3 ? name_len : 1;

		(void)snprintf(name, sizeof(name), "%0*u %x", (int)len, 0u, i * 40503u);
		kit_add(&kit, dirs[i % n_dirs], "", name, each * cluster_bytes);
		clusters -= each;
	}
	kit_add(&kit, NTFS_ROOT_REF, "", "the rest", clusters * cluster_bytes);
	kit_finish(&kit);
	kit_expect_sound(&kit, kit.image);
}

static void test_limit_flat(void **state)
{
	(void)state;
	fill_to_the_limit(128 * MiB, 4096, 1, 12000, 12);
}

static void test_limit_long_names(void **state)
{
	(void)state;
	fill_to_the_limit(128 * MiB, 4096, 4, 2000, 240);
}

static void test_limit_many_dirs(void **state)
{
	(void)state;
	fill_to_the_limit(64 * MiB, 4096, 64, 60, 8);
}

static void test_limit_64k(void **state)
{
	(void)state;
	fill_to_the_limit(300 * MiB, 65536, 64, 40, 8);
}

static void test_limit_no_files(void **state)
{
	(void)state;
	fill_to_the_limit(64 * MiB, 4096, 1, 0, 8);
}

/* The bound is an honest one: not more than this many times what is really used. */
static void test_overhead_is_not_silly(void **state)
{
	struct ntfs_geometry g = {10 * TiB, 512, 65536};
	struct ntfs_tree_size few = {.n_files = 100, .n_dirs = 10, .name_units = 2000};
	struct ntfs_tree_size many = {.n_files = 200000, .n_dirs = 2000, .name_units = 200000 * 30};

	(void)state;
	assert_true(ntfs_image_overhead(&g, &few) < 100 * MiB);
	assert_true(ntfs_image_overhead(&g, &many) < 800 * MiB);
	g.cluster_bytes = 4096;
	assert_true(ntfs_image_overhead(&g, &few) < 400 * MiB);
}

/* 10 TiB with a file of 3 GiB and one of 9 TiB: places beyond 32 bits of bytes, sectors and clusters. */
static void large(uint32_t cluster_bytes)
{
	_cleanup_(target_closep) struct target *t = NULL;
	_cleanup_(ntfs_volume_closep) struct ntfs_volume *vol = NULL;
	struct range_list metadata;
	uint64_t total = 0;
	struct kit_file *f;
	_cleanup_fd_ int fd = -1;

	kit_create(&kit, 10 * TiB, cluster_bytes, NULL);
	kit_add(&kit, NTFS_ROOT_REF, "", "3 GiB", 3 * GiB);
	kit_add(&kit, NTFS_ROOT_REF, "", "9 TiB", 9 * TiB);
	kit_add(&kit, NTFS_ROOT_REF, "", "small", 12345);
	kit_finish(&kit);
	fd = open(kit.image, O_RDWR | O_CLOEXEC);
	expect_ok(target_file_open(kit.image, false, &t, &kit.e), &kit.e);
	expect_ok(ntfs_volume_open(t, &vol, &kit.e), &kit.e);
	for (f = kit.files; f < kit.files + kit.n_files; f++) {
		_cleanup_(ntfs_file_closep) struct ntfs_file *file = NULL;
		uint64_t at = 0;

		expect_ok(ntfs_volume_open_file(vol, f->path, &file, &kit.e), &kit.e);
		kit_compare_extents(&kit, vol, f);
		/* A few bytes at the start of each extent and at the end of the file. */
		for (size_t i = 0; i <= f->n_extents; i++) {
			const struct ntfs_extent *x = &f->extents[MIN(i, f->n_extents - 1)];
			uint8_t want[100], seen[100];

			at = i < f->n_extents ? x->file_off_bytes : f->size_bytes - sizeof(want);
			kit_fill(f, at, want, sizeof(want));
			assert_int_equal(fd_pwrite_full(fd, want, sizeof(want),
							x->volume_off_bytes + at - x->file_off_bytes),
					 0);
			expect_ok(ntfs_file_pread(file, seen, sizeof(seen), at, &kit.e), &kit.e);
			assert_memory_equal(seen, want, sizeof(want));
		}
	}
	metadata = metadata_of(&kit);
	for (size_t i = 0; i < metadata.n; i++)
		total += metadata.v[i].len_bytes;
	free(metadata.v);
	assert_true(total < 500 * MiB);
	kit_expect_sound(&kit, kit.image);
}

static void test_large_4k(void **state)
{
	(void)state;
	large(4096);
}

static void test_large_64k(void **state)
{
	(void)state;
	large(65536);
}

/* ---- life of an image ------------------------------------------------------------------------ */

static void test_boot_sector(void **state)
{
	struct ntfs_image_params params = {
		.path = kit.image,
		.volume_bytes = 64 * MiB,
		.sector_bytes = 4096,
		.cluster_bytes = 8192,
		.hidden_sectors = 0x12345678,
		.label = NULL,
	};
	_cleanup_fd_ int fd = -1;
	uint8_t first[512], last[512];
	struct stat st;

	(void)state;
	expect_ok(ntfs_image_create(&params, &kit.img, &kit.e), &kit.e);
	kit_finish(&kit);
	fd = open(kit.image, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 64 * MiB);
	assert_int_equal(fd_pread_full(fd, first, sizeof(first), 0), 0);
	assert_memory_equal(first + 3, "NTFS    ", 8);
	assert_int_equal(le16_load(first + 0x0b), 4096);
	assert_int_equal(first[0x0d], 2);
	assert_int_equal(le16_load(first + 0x18), 63);
	assert_int_equal(le16_load(first + 0x1a), 255);
	assert_int_equal(le32_load(first + 0x1c), 0x12345678);
	assert_int_equal(le64_load(first + 0x28), 64 * MiB / 4096 - 1);
	assert_int_equal(fd_pread_full(fd, last, sizeof(last), 64 * MiB - 4096), 0);
	assert_memory_equal(last, first, sizeof(first));
	kit_expect_sound(&kit, kit.image);
}

static void test_refused_params(void **state)
{
	struct ntfs_image_params good = {
		.path = kit.image, .volume_bytes = 64 * MiB, .sector_bytes = 512, .cluster_bytes = 4096};
	struct ntfs_image_params bad[10];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[n++].sector_bytes = 1024;
	bad[n++].cluster_bytes = 2048;
	bad[n++].cluster_bytes = 12288;
	bad[n++].cluster_bytes = 131072;
	bad[n++].volume_bytes = 64 * MiB + 1;
	bad[n++].volume_bytes = 63 * MiB;
	bad[n++].volume_bytes = 16 * TiB;
	bad[n++].hidden_sectors = UINT64_C(1) << 32;
	bad[n++].label = "this label is longer than 32 units";
	bad[n++].label = "\xff";
	assert_int_equal(n, ARRAY_SIZE(bad));
	for (size_t i = 0; i < n; i++) {
		expect_err(ntfs_image_create(&bad[i], &kit.img, &kit.e), &kit.e, EINVAL, ERR_USER, "");
		assert_null(kit.img);
		assert_int_equal(access(kit.image, F_OK), -1);
	}
}

/* mkntfs fails: its own words arrive. */
static void test_mkntfs_fails(void **state)
{
	struct ntfs_mkfs_params params = {
		.path = kit.image, .sector_bytes = 4096, .cluster_bytes = 1024, .hidden_sectors = 1};
	_cleanup_(target_closep) struct target *t = NULL;

	(void)state;
	expect_err(ntfs_mkfs(&params, &kit.e), &kit.e, EIO, ERR_SYSTEM, "No such file");
	expect_ok(target_file_create(kit.image, 64 * MiB, &t, &kit.e), &kit.e);
	expect_err(ntfs_mkfs(&params, &kit.e), &kit.e, EIO, ERR_SYSTEM, "sector size");
	params.cluster_bytes = 4096;
	expect_ok(ntfs_mkfs(&params, &kit.e), &kit.e);
}

static void test_missing_folder(void **state)
{
	char missing[80];
	struct ntfs_image_params params = {
		.path = missing, .volume_bytes = 64 * MiB, .sector_bytes = 512, .cluster_bytes = 4096};

	(void)state;
	(void)snprintf(missing, sizeof(missing), "%s/missing/image", kit.dir);
	expect_err(ntfs_image_create(&params, &kit.img, &kit.e), &kit.e, ENOENT, ERR_SYSTEM, missing);
}

/* A relative path may look like an option. */
static void test_path_with_dash(void **state)
{
	struct ntfs_image_params params = {
		.path = "-F", .volume_bytes = 64 * MiB, .sector_bytes = 512, .cluster_bytes = 4096};

	(void)state;
	assert_int_equal(chdir(kit.dir), 0);
	expect_ok(ntfs_image_create(&params, &kit.img, &kit.e), &kit.e);
	kit_finish(&kit);
	assert_int_equal(access("-F", F_OK), 0);
	assert_int_equal(chdir("/"), 0);
}

static void test_abort_removes(void **state)
{
	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	kit_add(&kit, kit_add_dir(&kit, NTFS_ROOT_REF, "d"), "\\d", "f", 5);
	ntfs_image_free(kit.img);
	kit.img = NULL;
	assert_int_equal(access(kit.image, F_OK), -1);
}

static void test_existing_file_is_kept(void **state)
{
	struct ntfs_image_params params = {
		.path = kit.image, .volume_bytes = 64 * MiB, .sector_bytes = 512, .cluster_bytes = 4096};
	_cleanup_free_ char *text = NULL;
	size_t n;

	(void)state;
	assert_int_equal(write_file_atomic(kit.image, "precious", 8, 0600, NULL), 0);
	assert_int_equal(ntfs_image_create(&params, &kit.img, &kit.e), -EEXIST);
	assert_int_equal(read_file(kit.image, 100, &text, &n, NULL), 0);
	assert_string_equal(text, "precious");
}

static void test_order_of_calls(void **state)
{
	struct ntfs_fve_places places;
	uint64_t ref;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	expect_err(ntfs_image_place_fve(kit.img, &places, &kit.e), &kit.e, EINVAL, ERR_SYSTEM, "before");
	kit_add(&kit, NTFS_ROOT_REF, "", "f", 1);
	/* A file is no directory, and that is the caller's mistake: the image says so from then on. */
	expect_err(ntfs_image_add_dir(kit.img, kit.files[0].ref, "d", 0, &ref, &kit.e), &kit.e, ENOTDIR,
		   ERR_SYSTEM, "not a directory");
	expect_err(ntfs_image_add_dir(kit.img, NTFS_ROOT_REF, "d", 0, &ref, &kit.e), &kit.e, EINVAL,
		   ERR_SYSTEM, "broken");
	expect_err(ntfs_image_finish(kit.img, &kit.e), &kit.e, EINVAL, ERR_SYSTEM, "broken");
	ntfs_image_free(kit.img);
	kit.img = NULL;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	expect_ok(ntfs_image_finish(kit.img, &kit.e), &kit.e);
	expect_err(ntfs_image_add_dir(kit.img, NTFS_ROOT_REF, "d", 0, &ref, &kit.e), &kit.e, EINVAL,
		   ERR_SYSTEM, "finished");
}

/* What export relies on when it is run again: the same plan gives the same places. */
static void test_deterministic(void **state)
{
	struct range_list lists[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		kit_create(&kit, 100 * MiB, 4096, NULL);
		add_all_kinds(&kit);
		add_deep_tree(&kit);
		lists[i] = content_of(&kit);
		ntfs_image_free(kit.img);
		kit.img = NULL;
		for (size_t j = 0; j < kit.n_files; j++)
			free(kit.files[j].extents);
		kit.n_files = 0;
		free(kit.files);
		kit.files = NULL;
	}
	assert_int_equal(lists[0].n, lists[1].n);
	assert_memory_equal(lists[0].v, lists[1].v, lists[0].n * sizeof(*lists[0].v));
	free(lists[0].v);
	free(lists[1].v);
}

static int stop(void *arg, uint64_t off_bytes, uint64_t len_bytes, struct err *e)
{
	(void)arg;
	(void)off_bytes;
	(void)len_bytes;
	return err_set(e, EINTR, "stopped");
}

/* Extents of another image, or of none, are found out before anything is missing on the drive. */
static void test_foreign_extents(void **state)
{
	_cleanup_(target_closep) struct target *t = NULL;
	struct range_list l = {0};
	struct ntfs_range free_space = {60 * MiB, 4096}, twice[2], straddling;
	struct kit_file *f;

	(void)state;
	kit_create(&kit, 64 * MiB, 4096, NULL);
	f = kit_add(&kit, NTFS_ROOT_REF, "", "f", 40960);
	kit_finish(&kit);
	expect_ok(target_file_open(kit.image, false, &t, &kit.e), &kit.e);
	expect_err(ntfs_image_metadata_runs(t, &free_space, 1, &kit.fve, collect, &l, &kit.e), &kit.e,
		   EBADMSG, ERR_CORRUPT, "not allocated");
	l.n = 0;
	free_space.off_bytes = 640 * MiB;
	expect_err(ntfs_image_metadata_runs(t, &free_space, 1, &kit.fve, collect, &l, &kit.e), &kit.e,
		   EBADMSG, ERR_CORRUPT, "not allocated");
	l.n = 0;
	straddling = (struct ntfs_range){f->extents[0].volume_off_bytes, 40 * MiB};
	expect_err(ntfs_image_metadata_runs(t, &straddling, 1, NULL, collect, &l, &kit.e), &kit.e, EBADMSG,
		   ERR_CORRUPT, "not allocated");
	l.n = 0;
	twice[0] = twice[1] = (struct ntfs_range){f->extents[0].volume_off_bytes, 40960};
	expect_err(ntfs_image_metadata_runs(t, twice, 2, &kit.fve, collect, &l, &kit.e), &kit.e, EINVAL,
		   ERR_SYSTEM, "overlap");
	free(l.v);
	expect_err(ntfs_image_metadata_runs(t, twice, 1, &kit.fve, stop, NULL, &kit.e), &kit.e, EINTR,
		   ERR_INTERRUPTED, "stopped");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kinds_4k),
		TEST(test_kinds_64k),
		TEST(test_export_4k),
		TEST(test_export_8k_odd),
		TEST(test_export_64k),
		TEST(test_by_path_of_other_reader),
		TEST(test_fve_4k),
		TEST(test_fve_16k),
		TEST(test_fve_64k),
		TEST(test_fve_attributes),
		TEST(test_times),
		TEST(test_times_before_1970),
		TEST(test_refused_names),
		TEST(test_collisions),
		TEST(test_link_limits),
		TEST(test_many_in_one_directory),
		TEST(test_fragmented),
		TEST(test_limit_flat),
		TEST(test_limit_long_names),
		TEST(test_limit_many_dirs),
		TEST(test_limit_64k),
		TEST(test_limit_no_files),
		TEST(test_overhead_is_not_silly),
		TEST(test_large_4k),
		TEST(test_large_64k),
		TEST(test_boot_sector),
		TEST(test_refused_params),
		TEST(test_mkntfs_fails),
		TEST(test_missing_folder),
		TEST(test_path_with_dash),
		TEST(test_abort_removes),
		TEST(test_existing_file_is_kept),
		TEST(test_order_of_calls),
		TEST(test_deterministic),
		TEST(test_foreign_extents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
