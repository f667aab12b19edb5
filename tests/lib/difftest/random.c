/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a writer does is a function of its seed alone. */
#include <string.h>

#include "tests/lib/difftest/difftest.h"

#define CHUNK_BYTES (128 << 10)

/* splitmix64 (public domain, Vigna) */
static uint64_t next(struct writer *w)
{
	uint64_t z = (w->rng += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t pick(struct writer *w, uint64_t below)
{
	return next(w) % below;
}

bool chance(struct writer *w, unsigned percent)
{
	return pick(w, 100) < percent;
}

void fill_random(struct writer *w, void *data, size_t n_bytes)
{
	uint8_t *bytes = data;
	bool noise = chance(w, 50);
	uint64_t word = next(w);

	if (chance(w, 5)) {
		memset(data, 0, n_bytes);
		return;
	}
	for (size_t i = 0; i < n_bytes; i += sizeof(word)) {
		if (noise || i % 512 == 0)
			word = next(w);
		memcpy(bytes + i, &word, MIN(sizeof(word), n_bytes - i));
	}
}

uint64_t pick_offset(struct writer *w)
{
	uint64_t off = pick(w, FILE_MAX);

	if (chance(w, 30))
		off = pick(w, FILE_MAX / CHUNK_BYTES + 1) * CHUNK_BYTES + pick(w, 3);
	else if (chance(w, 30))
		off = off / 4096 * 4096;
	return off > 0 && chance(w, 20) ? off - 1 : off;
}

size_t pick_length(struct writer *w, size_t max)
{
	size_t n;

	switch (pick(w, 10)) {
	case 0:
		n = pick(w, 2);
		break;
	case 1:
		n = pick(w, max);
		break;
	case 2:
		n = CHUNK_BYTES;
		break;
	case 3:
		n = 4096 * (1 + pick(w, 8));
		break;
	default:
		n = 1 + pick(w, 6000);
	}
	return MIN(n, max);
}

/* ---- names ---- */

/* Any bytes but '/' and NUL. */
static void random_name(struct writer *w, char *name, size_t n_bytes)
{
	for (size_t i = 0; i < n_bytes; i++) {
		do
			name[i] = (char)pick(w, 256);
		while (name[i] == '/' || name[i] == '\0');
	}
	name[n_bytes] = '\0';
}

void make_names(struct writer *w)
{
	static const char *const plain[] = {"a",  "bb",	  "dir c", "...", "\xff\xfe",
					    "-x", "n\nl", "grüße", ".h",  "A"};

	for (size_t i = 0; i < N_NAMES; i++) {
		if (i < ARRAY_SIZE(plain))
			strcpy(w->names[i], plain[i]);
		else if (i % 2)
			random_name(w, w->names[i], 255);
		else
			random_name(w, w->names[i], 200 + pick(w, 55));
	}
}

#define N_DIR_NAMES 4 /* the first names are mostly directories, so that there is depth */

static void append(struct writer *w, struct path *p, size_t name)
{
	size_t n = strlen(p->text), m = strlen(p->label);

	(void)snprintf(p->text + n, sizeof(p->text) - n, "%s%s", n ? "/" : "", w->names[name]);
	(void)snprintf(p->label + m, sizeof(p->label) - m, "%sn%zu", m ? "/" : "", name);
}

static void append_text(struct path *p, const char *text, const char *label)
{
	(void)strcat(p->text, text);
	(void)strcat(p->label, label);
}

/* What a careless program asks for. */
static void spoil(struct writer *w, struct path *p)
{
	char too_long[258] = "/";

	memset(too_long + 1, 'x', 256);
	too_long[257] = '\0';
	switch (pick(w, 6)) {
	case 0:
		append_text(p, "/", "/");
		break;
	case 1:
		append_text(p, "/.", "/.");
		break;
	case 2:
		append_text(p, "/..", "/..");
		break;
	case 3:
		append_text(p, too_long, "/x*256");
		break;
	case 4:
		p->text[0] = p->label[0] = '\0';
		break;
	default:
		append(w, p, pick(w, N_NAMES)); /* often through something that is no directory */
	}
}

static void pick_with_leaf(struct writer *w, struct path *p, size_t n_leaves)
{
	size_t depth = pick(w, 4);

	p->text[0] = p->label[0] = '\0';
	while (depth-- > 1)
		append(w, p, pick(w, N_DIR_NAMES));
	append(w, p, pick(w, n_leaves));
	(void)snprintf(w->about, sizeof(w->about), "n%s", strrchr(p->label, 'n') + 1);
}

void pick_path(struct writer *w, struct path *p)
{
	pick_with_leaf(w, p, N_NAMES);
	if (chance(w, 2))
		spoil(w, p);
}

void pick_dir_path(struct writer *w, struct path *p)
{
	pick_with_leaf(w, p, chance(w, 80) ? N_DIR_NAMES : N_NAMES);
}

struct open_pair *pick_open(struct writer *w)
{
	size_t start = pick(w, N_OPEN);

	for (size_t i = 0; i < N_OPEN; i++) {
		struct open_pair *p = &w->open[(start + i) % N_OPEN];

		if (p->fd[TESTED] < 0)
			continue;
		(void)snprintf(w->about, sizeof(w->about), "n%s", strrchr(p->label, 'n') + 1);
		return p;
	}
	return NULL;
}
