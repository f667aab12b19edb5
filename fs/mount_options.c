/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From options as given, in both forms, to the settings of a mount. */
#include "fs/mount_options.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "fs/mount_words.h"

#define COMMIT_SECONDS_DEFAULT 5
#define COMMIT_SECONDS_MAX     3600
#define MEMORY_BYTES_DEFAULT   (256 * MiB)
#define MEMORY_BYTES_MIN       (32 * MiB)
#define QUEUE_DEPTH	       8192

const struct option_row mount_option_rows[] = {
	{"foreground", 'f', OPTION_FLAG, NULL, "stay in the foreground",
	 offsetof(struct mount_values, foreground)},
	{"fake", 0, OPTION_FLAG, NULL, "check the options, but do not mount",
	 offsetof(struct mount_values, fake)},
	{"ro", 'r', OPTION_FLAG, NULL, "read-only: the store is not changed in any way",
	 offsetof(struct mount_values, read_only)},
	{"allow-other", 0, OPTION_FLAG, NULL, "let other users in (always so when root mounts)",
	 offsetof(struct mount_values, allow_other)},
	{"level", 0, OPTION_TEXT, "N", "zstd level, 1 to 19, or auto (default: auto)",
	 offsetof(struct mount_values, level)},
	{"commit", 0, OPTION_NUMBER, "SECONDS",
	 "at most so much is lost without fsync (default: 5)",
	 offsetof(struct mount_values, commit_seconds)},
	{"max-memory", 0, OPTION_SIZE, "SIZE",
	 "what data on its way and caches may take, 32M or more (default: 256M)",
	 offsetof(struct mount_values, memory_bytes)},
	{"chunk", 0, OPTION_SIZE, "SIZE",
	 "unit of compression of a new store, 64K to 1M (default: 128K)",
	 offsetof(struct mount_values, chunk_bytes)},
	{"uid", 0, OPTION_TEXT, "USER", "give the top directory to this user, by name or number",
	 offsetof(struct mount_values, uid)},
	{"gid", 0, OPTION_TEXT, "GROUP", "give the top directory to this group",
	 offsetof(struct mount_values, gid)},
	{"mode", 0, OPTION_TEXT, "OCTAL", "set the top directory's permissions",
	 offsetof(struct mount_values, mode)},
	{"options", 'o', OPTION_LIST, "OPTION[,...]",
	 "the same as mount(8) and fstab write them: ro, max_memory=1G; also noatime, nodev, "
	 "noexec "
	 "and the like",
	 offsetof(struct mount_values, lists)},
	OPTION_END,
};

/* ---- lists ---- */

/* The next word of *list, up to a comma that has no backslash before it; unescaped in place. NULL at the end. */
static char *next_word(char **list)
{
	char *word = *list, *out = word, *p = word;

	if (!word)
		return NULL;
	for (; *p && *p != ','; p++) {
		if (*p == '\\' && p[1])
			p++;
		*out++ = *p;
	}
	*list = *p ? p + 1 : NULL;
	*out = '\0';
	return word;
}

struct list_reader {
	struct mount_values *values;
	struct buf flags;
	bool sloppy; /* words that nobody knows are ignored, as mount -s wants it */
};

static int take_word(struct list_reader *reader, char *word, struct err *e)
{
	char *text = strchr(word, '=');
	int r;

	switch (mount_word_of(word)) {
	case MOUNT_WORD_KERNEL:
		buf_printf(&reader->flags, ",%s", word);
		return 0;
	case MOUNT_WORD_IGNORED:
		return 0;
	case MOUNT_WORD_RW:
		reader->values->read_only = false;
		return 0;
	case MOUNT_WORD_SLOPPY:
		reader->sloppy = true;
		return 0;
	case MOUNT_WORD_REFUSED:
		return err_user(e, "'%s': unmount and mount again to change a mount", word);
	case MOUNT_WORD_OTHER:
		break;
	}
	if (text)
		*text++ = '\0';
	r = options_set(mount_option_rows, reader->values, word, text, e);
	if (r != -ENOENT)
		return r;
	if (reader->sloppy) {
		if (e)
			*e = (struct err){0};
		return 0;
	}
	return err_hint(e, r, "'seedfs mount --help' lists them");
}

static int read_list(struct list_reader *reader, char *list, struct err *e)
{
	char *word;
	int r = 0;

	while (r == 0 && (word = next_word(&list)))
		if (*word)
			r = take_word(reader, word, e);
	return r < 0 ? err_wrap(e, r, "-o") : 0;
}

/* ---- values ---- */

static int read_level(const struct mount_values *values, int *ret, struct err *e)
{
	uint64_t level = 0;
	int r = 0;

	if (values->level && strcmp(values->level, "auto") != 0)
		r = parse_u64(values->level, 1, 19, &level, e);
	*ret = (int)level;
	return r < 0 ? err_wrap(e, r, "option 'level'") : 0;
}

/* Half of the time is for the age of data in memory, half for the age of a batch. */
static int read_stage(const struct mount_values *values, struct stage_options *ret, struct err *e)
{
	uint64_t commit_ms = values->commit_seconds * 1000,
		 memory_bytes = values->memory_bytes ? values->memory_bytes : MEMORY_BYTES_DEFAULT;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int level, r = read_level(values, &level, e);

	if (r < 0)
		return r;
	if (values->commit_seconds > COMMIT_SECONDS_MAX)
		return err_user(e, "option 'commit': at most %d seconds", COMMIT_SECONDS_MAX);
	if (memory_bytes < MEMORY_BYTES_MIN)
		return err_user(e, "option 'max_memory': at least 32M");
	if (commit_ms == 0)
		commit_ms = COMMIT_SECONDS_DEFAULT * 1000;
	*ret = (struct stage_options){
		.writer = {.level = level,
			   .n_workers = (unsigned)MAX(cpus, 1L),
			   .queue_depth = QUEUE_DEPTH,
			   .commit_ms = commit_ms / 2},
		.dirty_age_ms = commit_ms / 2 - 250,
		.memory_bytes = memory_bytes,
	};
	return 0;
}

static int read_user(const char *text, uid_t *ret, struct err *e)
{
	/* cppcheck-suppress getpwnamCalled ; no threads yet */
	const struct passwd *user = getpwnam(text);
	uint64_t number = 0;

	if (user)
		number = user->pw_uid;
	else if (parse_u64(text, 0, UINT32_MAX - 1, &number, NULL) < 0)
		return err_user(e, "option 'uid': there is no user '%s'", text);
	*ret = (uid_t)number;
	return 0;
}

static int read_group(const char *text, gid_t *ret, struct err *e)
{
	/* cppcheck-suppress getgrnamCalled ; no threads yet */
	const struct group *group = getgrnam(text);
	uint64_t number = 0;

	if (group)
		number = group->gr_gid;
	else if (parse_u64(text, 0, UINT32_MAX - 1, &number, NULL) < 0)
		return err_user(e, "option 'gid': there is no group '%s'", text);
	*ret = (gid_t)number;
	return 0;
}

static int read_mode(const char *text, mode_t *ret, struct err *e)
{
	size_t n = strspn(text, "01234567");

	if (n == 0 || text[n] || n > 5 || strtoul(text, NULL, 8) > 07777)
		return err_user(e, "option 'mode': '%s' is not an octal number up to 7777", text);
	*ret = (mode_t)strtoul(text, NULL, 8);
	return 0;
}

static int read_root(const struct mount_values *values, struct mount_settings *s, struct err *e)
{
	int r = 0;

	if (values->uid)
		r = read_user(values->uid, &s->root.st_uid, e);
	if (r == 0 && values->gid)
		r = read_group(values->gid, &s->root.st_gid, e);
	if (r == 0 && values->mode)
		r = read_mode(values->mode, &s->root.st_mode, e);
	s->root_valid = (values->uid ? STAGE_SET_UID : 0) | (values->gid ? STAGE_SET_GID : 0) |
			(values->mode ? STAGE_SET_MODE : 0);
	if (r == 0 && s->root_valid && values->read_only)
		return err_user(e, "uid, gid and mode change the store: not with ro");
	return r;
}

static int read_chunk(uint64_t chunk_bytes, uint32_t *ret, struct err *e)
{
	if (chunk_bytes &&
	    (chunk_bytes < 64 * KiB || chunk_bytes > MiB || chunk_bytes & (chunk_bytes - 1)))
		return err_user(e, "option 'chunk': must be 64K, 128K, 256K, 512K or 1M");
	*ret = (uint32_t)chunk_bytes;
	return 0;
}

static int read_values(const struct mount_values *values, const char *flags,
		       struct mount_settings *s, struct err *e)
{
	int r = read_stage(values, &s->stage, e);

	s->foreground = values->foreground;
	s->fake = values->fake;
	s->read_only = values->read_only;
	s->allow_other = values->allow_other;
	if (snprintf(s->kernel_flags, sizeof(s->kernel_flags), "%s%s",
		     values->read_only ? "ro" : "rw", flags) >= (int)sizeof(s->kernel_flags))
		return err_user(e, "-o: too many options");
	if (r == 0)
		r = read_chunk(values->chunk_bytes, &s->chunk_bytes, e);
	return r == 0 ? read_root(values, s, e) : r;
}

int mount_options_read(const struct mount_values *given, struct mount_settings *ret, struct err *e)
{
	struct mount_values values = *given;
	struct mount_settings settings = {0};
	_cleanup_(buf_done) struct buf text = BUF_INIT; /* what values point into */
	struct list_reader reader = {.values = &values, .flags = BUF_INIT};
	int r;

	for (size_t i = 0; i < given->lists.n; i++)
		buf_printf(&text, "%s%s", i ? "," : "", given->lists.items[i]);
	buf_put_u8(&text, '\0');
	r = buf_error(&text) < 0 ? err_oom(e) : read_list(&reader, (char *)text.data, e);
	if (r == 0 && buf_error(&reader.flags) < 0)
		r = err_oom(e);
	if (r == 0)
		r = read_values(&values, buf_text(&reader.flags), &settings, e);
	buf_done(&reader.flags);
	if (r == 0)
		*ret = settings;
	return r;
}
