/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options of a mount in both forms, and the ways in which mount(8) and umount(8) call a helper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/macros.h"
#include "fs/commands.h"
#include "fs/mount_helper.h"
#include "fs/mount_options.h"
#include "fs/mount_words.h"
#include "tests/lib/expect.h"

static int read_list(const char *list, struct mount_settings *s, struct err *e)
{
	struct mount_values values = {.lists = {.n = 1, .items = {list}}};

	*e = (struct err){0};
	return mount_options_read(&values, s, e);
}

static void test_defaults(void **state)
{
	struct mount_values values = {0};
	struct mount_settings s;
	struct err e = {0};

	(void)state;
	expect_ok(mount_options_read(&values, &s, &e), &e);
	assert_int_equal(s.stage.memory_bytes, 256 * MiB);
	assert_int_equal(s.stage.writer.level, 0);
	assert_int_equal(s.stage.writer.commit_ms + s.stage.dirty_age_ms, 4750);
	assert_false(s.read_only);
	assert_int_equal(s.root_valid, 0);
	assert_string_equal(s.kernel_flags, "rw");
}

static void test_list(void **state)
{
	struct mount_settings s;
	struct err e;

	(void)state;
	expect_ok(read_list("ro,,noatime,level=7,max_memory=64M,chunk=1M,commit=60,allow_other,"
			    "nodev,x-systemd.requires=/srv,_netdev,nofail,defaults,",
			    &s, &e),
		  &e);
	assert_true(s.read_only);
	assert_true(s.allow_other);
	assert_int_equal(s.stage.writer.level, 7);
	assert_int_equal(s.stage.writer.commit_ms, 30000);
	assert_int_equal(s.stage.memory_bytes, 64 * MiB);
	assert_int_equal(s.chunk_bytes, MiB);
	assert_string_equal(s.kernel_flags, "ro,noatime,nodev");
}

static void test_last_word_wins(void **state)
{
	struct mount_settings s;
	struct err e;

	(void)state;
	expect_ok(read_list("ro,rw,level=3,level=auto", &s, &e), &e);
	assert_false(s.read_only);
	assert_int_equal(s.stage.writer.level, 0);
	assert_string_equal(s.kernel_flags, "rw");
}

static void test_root(void **state)
{
	struct mount_settings s;
	struct err e;

	(void)state;
	expect_ok(read_list("uid=root,gid=1234,mode=2770", &s, &e), &e);
	assert_int_equal(s.root_valid, STAGE_SET_UID | STAGE_SET_GID | STAGE_SET_MODE);
	assert_int_equal(s.root.st_uid, 0);
	assert_int_equal(s.root.st_gid, 1234);
	assert_int_equal(s.root.st_mode, 02770);
}

static void test_refused(void **state)
{
	static const struct {
		const char *list, *said;
	} cases[] = {
		{"noatim", "unknown option 'noatim'"},
		{"x", "unknown option 'x'"},
		{"level=20", "level"},
		{"level=fast", "level"},
		{"level", "needs an argument"},
		{"ro=1", "takes no argument"},
		{"commit=4000", "commit"},
		{"commit=-1", "commit"},
		{"chunk=100K", "chunk"},
		{"chunk=2M", "chunk"},
		{"max_memory=1M", "max_memory"},
		{"mode=888", "mode"},
		{"mode=17777", "mode"},
		{"uid=no such user", "uid"},
		{"gid=-1", "gid"},
		{"ro,uid=1", "not with ro"},
		{"remount,ro", "remount"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mount_settings s = {.chunk_bytes = 77};
		struct err e;

		assert_true(read_list(cases[i].list, &s, &e) < 0);
		assert_int_equal(err_exit_code(&e), 2);
		if (!strstr(e.text, cases[i].said))
			fail_msg("'%s': %s", cases[i].list, e.text);
		assert_int_equal(s.chunk_bytes, 77);
	}
}

static void test_sloppy(void **state)
{
	struct mount_settings s;
	struct err e;

	(void)state;
	expect_ok(read_list("sloppy,whatever=1,level=2", &s, &e), &e);
	assert_int_equal(s.stage.writer.level, 2);
	assert_true(read_list("sloppy,level=99", &s, &e) < 0);
}

static void test_escaped_comma(void **state)
{
	struct mount_settings s;
	struct err e;

	(void)state;
	assert_true(read_list("uid=a\\,b,ro", &s, &e) < 0);
	assert_non_null(strstr(e.text, "'a,b'"));
}

static void test_words(void **state)
{
	(void)state;
	assert_int_equal(mount_word_of("noexec"), MOUNT_WORD_KERNEL);
	assert_int_equal(mount_word_of("X-mount.mkdir"), MOUNT_WORD_IGNORED);
	assert_int_equal(mount_word_of("user=bob"), MOUNT_WORD_IGNORED);
	assert_int_equal(mount_word_of("userx"), MOUNT_WORD_OTHER);
	assert_int_equal(mount_word_of("level=3"), MOUNT_WORD_OTHER);
}

/* ---- helpers ---- */

static const struct command *const children[] = {&command_mount, &command_umount, NULL};
static const struct command program = {.name = "seedfs", .children = children};

/* The words of line, translated and joined again; "" when there is nothing to translate. */
static const char *translated(const char *line)
{
	static char words[512], joined[512];
	char *all[32], **argv = all, *rest = words;
	int argc = 0;

	(void)snprintf(words, sizeof(words), "%s", line);
	while ((all[argc] = strsep(&rest, " ")))
		argc++;
	joined[0] = '\0';
	if (!mount_helper_translate(&program, &argc, &argv))
		return joined;
	for (int i = 0; i < argc; i++) {
		strcat(joined, i ? " " : "");
		strcat(joined, argv[i]);
	}
	assert_null(argv[argc]);
	return joined;
}

static void test_helper(void **state)
{
	static const char *const cases[][2] = {
		{"/sbin/mount.seedfs /srv/store /mnt -o rw,level=3",
		 "seedfs mount /srv/store /mnt -o rw,level=3"},
		{"mount.fuse.seedfs store /mnt -sfn -o ro -t fuse.seedfs",
		 "seedfs mount store /mnt --options=sloppy --fake -o ro"},
		{"mount.seedfs s d -vro noatime", "seedfs mount s d --ro -o noatime"},
		{"mount.seedfs s d -x", "seedfs mount s d -x"},
		{"mount.seedfs s d -o", "seedfs mount s d -o "},
		{"mount.seedfs", "seedfs mount"},
		{"/sbin/umount.fuse.seedfs /mnt -n -l -r -t fuse.seedfs",
		 "seedfs umount /mnt --lazy"},
		{"umount.seedfs /mnt -f -N ns", "seedfs umount /mnt --force"},
		/* What mount.fuse3 makes of it, and what users of other FUSE filesystems write. */
		{"seedfs /srv/store /mnt -o rw", "seedfs mount /srv/store /mnt -o rw"},
		{"seedfs store mnt -f", "seedfs mount store mnt -f"},
		{"seedfs ./store mnt", "seedfs mount ./store mnt"},
		{"seedfs mount store mnt", ""},
		{"seedfs mountt store", ""},
		{"seedfs --help", ""},
		{"seedfs", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(translated(cases[i][0]), cases[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),       cmocka_unit_test(test_list),
		cmocka_unit_test(test_last_word_wins), cmocka_unit_test(test_root),
		cmocka_unit_test(test_refused),	       cmocka_unit_test(test_sloppy),
		cmocka_unit_test(test_escaped_comma),  cmocka_unit_test(test_words),
		cmocka_unit_test(test_helper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
