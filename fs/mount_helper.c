/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Turns the argument lists of mount(8) and umount(8) into those of our commands. */
#include "fs/mount_helper.h"

#include <string.h>

#define WORDS_MAX 16 /* of a translated command line; a helper is called with far fewer */

struct words {
	int n;
	char *all[WORDS_MAX + 1];
};

static void add(struct words *w, const char *word)
{
	if (w->n < WORDS_MAX)
		w->all[w->n++] = (char *)word;
}

/* What a flag of mount(8) or umount(8) is called here; "" = nothing, it changes nothing. */
static const char *flag_of(char letter, bool mounting)
{
	switch (letter) {
	case 'f':
		return mounting ? "--fake" : "--force";
	case 'l':
		return mounting ? NULL : "--lazy";
	case 'r': /* of umount: fall back to read-only, which only makes sense on a disk */
		return mounting ? "--ro" : "";
	case 's':
		return mounting ? "--options=sloppy" : NULL;
	case 'n':
	case 'v':
	case 'w':
		return "";
	default:
		return NULL;
	}
}

/* Flags may stand together, as in "-sfn"; those with an argument take the rest, or the next word. */
static void translate_flags(struct words *w, const char *word, char ***next, bool mounting)
{
	for (const char *flag = word + 1; *flag; flag++) {
		const char *ours = flag_of(*flag, mounting);

		if (strchr(mounting ? "oNt" : "Nt", *flag)) {
			const char *rest = flag[1] ? flag + 1 : **next ? *(*next)++ : "";

			if (*flag == 'o') {
				add(w, "-o");
				add(w, rest);
			}
			return;
		}
		if (!ours) {
			add(w, word); /* to be refused by its name */
			return;
		}
		if (*ours)
			add(w, ours);
	}
}

static void translate(struct words *w, char **given, bool mounting)
{
	while (*given) {
		const char *word = *given++;

		if (word[0] == '-' && word[1] && word[1] != '-')
			translate_flags(w, word, &given, mounting);
		else
			add(w, word);
	}
}

static bool is_command(const struct command *program, const char *word)
{
	for (const struct command *const *c = program->children; *c; c++)
		if (strcmp((*c)->name, word) == 0)
			return true;
	return false;
}

/* "seedfs STORE DIR -o ...": what mount.fuse3 makes of a line of fstab. */
static bool is_mount_line(const struct command *program, int argc, char *const *argv)
{
	return argc >= 3 && argv[1][0] != '-' && argv[2][0] != '-' &&
	       !is_command(program, argv[1]) && (strchr(argv[1], '/') || argc >= 4);
}

bool mount_helper_translate(const struct command *program, int *argc, char ***argv)
{
	static struct words w;
	const char *slash = strrchr((*argv)[0], '/');
	const char *name = slash ? slash + 1 : (*argv)[0];
	bool mounting = strncmp(name, "mount.", 6) == 0,
	     unmounting = strncmp(name, "umount.", 7) == 0;

	if (!mounting && !unmounting && !is_mount_line(program, *argc, *argv))
		return false;
	w = (struct words){0};
	add(&w, program->name);
	add(&w, unmounting ? "umount" : "mount");
	if (mounting || unmounting)
		translate(&w, *argv + 1, mounting);
	else
		for (char **word = *argv + 1; *word; word++)
			add(&w, *word);
	*argc = w.n;
	*argv = w.all;
	return true;
}
