/* SPDX-License-Identifier: GPL-3.0-or-later */
/* struct op: locks in order, changes in memory and in one change set, rows last. */
#include <errno.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "fs/stage_priv.h"

uint64_t stage_now_ns(void)
{
	return clock_realtime_ns();
}

int stage_check_writable(struct stage *s)
{
	if (stage_is_read_only(s))
		return -EROFS;
	return writer_state(s->writer, NULL) == WRITER_FAILED ? -EROFS : 0;
}

int op_begin(struct op *op, struct stage *s, bool changes_names)
{
	if (changes_names && stage_check_writable(s) < 0)
		return -EROFS;
	*op = (struct op){.s = s, .set = change_set_new()};
	if (!op->set)
		return -ENOMEM;
	if (changes_names)
		(void)pthread_mutex_lock(&s->names_lock);
	op->names_locked = changes_names;
	return 0;
}

/*
 * What memory shows must reach the index, also when the operation failed half-way. Half a change of names must
 * not: then nothing more is promised, and the next mount shows what was before.
 */
static void submit_rest(struct op *op)
{
	if (!op->set || op->set->n_changes == 0)
		return;
	op->set->failed |= op->names_changed;
	(void)op_submit(op);
}

void op_end(struct op *op)
{
	submit_rest(op);
	while (op->n_inodes) {
		struct inode *i = op->inodes[--op->n_inodes];

		(void)pthread_mutex_unlock(&i->lock);
		inode_unpin(&op->s->inodes, i);
	}
	if (op->names_locked)
		(void)pthread_mutex_unlock(&op->s->names_lock);
	op->names_locked = false;
	change_set_free(take_ptr(op->set));
}

static void join(struct op *op, struct inode *i)
{
	(void)pthread_mutex_lock(&i->lock);
	op->inodes[op->n_inodes++] = i;
}

int op_join(struct op *op, uint64_t ino, struct inode **ret)
{
	struct inode *i;
	int r;

	for (unsigned n = 0; n < op->n_inodes; n++) {
		if (op->inodes[n]->ino == ino) {
			*ret = op->inodes[n];
			return 0;
		}
	}
	if (op->n_inodes == OP_MAX_INODES)
		return -EIO;
	r = inode_get(&op->s->inodes, ino, &i);
	if (r < 0)
		return r;
	join(op, i);
	if (i->removed)
		return -ENOENT;
	*ret = i;
	return 0;
}

int op_create(struct op *op, const struct inode_row *row, struct inode **ret)
{
	struct inode *i;
	int r;

	/* What is there may be renamed and removed on a full disk; more is not accepted. */
	if (writer_state(op->s->writer, NULL) == WRITER_FULL)
		return -ENOSPC;
	r = inode_new(&op->s->inodes, atomic_fetch_add(&op->s->next_ino, 1), row, &i);

	if (r < 0)
		return r;
	join(op, i);
	*ret = i;
	return 0;
}

uint64_t stage_recordable_bytes(const struct stage *s, const struct inode *i)
{
	const struct content *c = &i->content;
	uint64_t safe;

	if (c->n_dirty == 0)
		return i->row.size_bytes;
	safe = MAX(i->recorded_bytes, c->dirty[0] * s->store->chunk_bytes);
	return MIN(safe, i->row.size_bytes);
}

/* Every change that names an owner keeps it in memory until it is durable. */
static void pin_owners(struct op *op)
{
	for (unsigned n = 0; n < op->set->n_changes; n++)
		if (op->set->changes[n].owner)
			inode_pin(&op->s->inodes, op->set->changes[n].owner);
}

int op_submit(struct op *op)
{
	for (unsigned n = 0; n < op->n_inodes; n++) {
		struct inode *i = op->inodes[n];
		struct inode_row row = i->row;

		if (i->removed)
			continue;
		i->known = i->changed = true;
		row.size_bytes = i->recorded_bytes = stage_recordable_bytes(op->s, i);
		change_inode(op->set, i, i->ino, &row);
	}
	if (!op->set->failed)
		pin_owners(op);
	return writer_submit(op->s->writer, &op->set, NULL);
}

int op_add_name(struct op *op, struct inode *parent, const char *name, struct inode *child)
{
	uint64_t id = atomic_fetch_add(&op->s->next_dentry, 1);
	int r = names_set(&op->s->names, parent->ino, name, child->ino, child->row.mode, id);

	if (r < 0)
		return r;
	op->names_changed = true;
	change_dentry(op->set, parent, id, parent->ino, name, child->ino);
	inode_set_place(&op->s->inodes, child, parent->ino, name);
	return 0;
}

int op_remove_name(struct op *op, struct inode *parent, const char *name, uint64_t ino)
{
	uint64_t mark = atomic_fetch_add(&op->s->next_dentry, 1);
	int r = names_set_gone(&op->s->names, parent->ino, name, mark);

	if (r < 0)
		return r;
	op->names_changed = true;
	change_dentry_gone(op->set, parent, mark, parent->ino, name, ino);
	return 0;
}
