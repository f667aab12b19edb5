/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Segments through the pipeline: order, bounded memory, errors; and what a verifying worker finds in one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exporter/drive/pipeline.h"
#include "exporter/drive/verify_impl.h"
#include "tests/lib/expect.h"
#include "tests/lib/target_mem.h"

#define PIECE_BYTES 4096

struct taken {
	uint64_t n;			       /* segments */
	uint64_t next_idx;		       /* of the next piece */
	const void *buffers[PIPELINE_BUFFERS]; /* seen */
	uint64_t fail_at;		       /* this segment is an error; 0 = none */
};

/* There are no more than PIPELINE_BUFFERS. */
static void note_buffer(struct taken *t, const void *data)
{
	for (unsigned i = 0; i < PIPELINE_BUFFERS; i++) {
		if (!t->buffers[i])
			t->buffers[i] = data;
		if (t->buffers[i] == data)
			return;
	}
	fail_msg("one buffer more");
}

static void mark(void *segment, void *worker _unused_)
{
	struct segment *s = segment;

	for (unsigned i = 0; i < s->n_pieces; i++)
		s->data[s->pieces[i].at] = (uint8_t)s->pieces[i].idx;
}

static int take(struct segment *s, void *arg, struct err *e)
{
	struct taken *t = arg;

	note_buffer(t, s->data);
	for (unsigned i = 0; i < s->n_pieces; i++, t->next_idx++) {
		assert_int_equal(s->pieces[i].idx, t->next_idx);
		assert_int_equal(s->data[s->pieces[i].at], (uint8_t)t->next_idx);
	}
	return ++t->n == t->fail_at ? err_set(e, EIO, "the drive is gone") : 0;
}

/* Pushes pieces of a block each; every third wants its buffer at once. */
static int push(struct pipeline *p, uint64_t n, struct err *e)
{
	struct segment *s;
	int r = 0;

	for (uint64_t idx = 0; r == 0 && idx < n; idx++) {
		struct piece piece = {.idx = idx, .padded_bytes = MANIFEST_BLOCK_BYTES};

		r = pipeline_room(p, piece.padded_bytes, 1, &s, e);
		if (r == 0 && idx % 3 == 2)
			r = pipeline_lend_buffer(p, e);
		if (r == 0)
			segment_add_piece(s, &piece);
	}
	return r == 0 ? pipeline_finish(p, e) : r;
}

static void run(unsigned n_workers, uint64_t n_pieces)
{
	struct taken t = {0};
	struct pipeline_desc desc = {
		.name = "test", .n_workers = n_workers, .work = mark, .take = take, .take_arg = &t};
	struct pipeline p = {0};
	struct err e = {0};

	expect_ok(pipeline_start(&p, &desc, &e), &e);
	expect_ok(push(&p, n_pieces, &e), &e);
	assert_int_equal(t.next_idx, n_pieces);
	assert_int_equal(t.n, (n_pieces + SEGMENT_BLOCKS - 1) / SEGMENT_BLOCKS);
	pipeline_done(&p);
}

static void test_order_and_memory(void **state _unused_)
{
	for (unsigned n_workers = 0; n_workers < 9; n_workers += 2) {
		run(n_workers, 0);
		run(n_workers, 1);
		run(n_workers, 50);
	}
}

static void test_error_ends_it(void **state _unused_)
{
	struct taken t = {.fail_at = 2};
	struct pipeline_desc desc = {
		.name = "test", .n_workers = 2, .work = mark, .take = take, .take_arg = &t};
	struct pipeline p = {0};
	struct err e = {0};

	expect_ok(pipeline_start(&p, &desc, &e), &e);
	expect_err(push(&p, 50, &e), &e, EIO, ERR_SYSTEM, "the drive is gone");
	assert_int_equal(t.n, 2);
	pipeline_done(&p);
}

/* n pieces, one behind the other in the segment and on the volume, that expect what is there. */
static struct segment *make_segment(const uint8_t *volume, unsigned n)
{
	struct segment *s = segment_new();

	assert_non_null(s);
	s->data = malloc(SEGMENT_BYTES);
	assert_non_null(s->data);
	for (unsigned i = 0; i < n; i++) {
		struct piece piece = {.len_bytes = PIECE_BYTES, .padded_bytes = PIECE_BYTES};
		struct md5_message m = {volume + (size_t)i * PIECE_BYTES, PIECE_BYTES,
					piece.expected};

		md5_many(&m, 1);
		segment_add_run(s, s->used_bytes, PIECE_BYTES, (uint64_t)i * PIECE_BYTES);
		segment_add_piece(s, &piece);
	}
	assert_int_equal(s->n_runs, 1);
	return s;
}

static void test_verify_names_what_differs(void **state _unused_)
{
	struct target *volume;
	struct segment *s;
	uint8_t *data;

	assert_int_equal(target_mem_new(20 * PIECE_BYTES, 512, &volume), 0);
	data = target_mem_data(volume);
	for (unsigned i = 0; i < 20 * PIECE_BYTES; i++)
		data[i] = (uint8_t)(i * i >> 7);
	s = make_segment(data, 20);
	data[7 * PIECE_BYTES + 100] ^= 0x10;
	verify_work(s, volume);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(s->pieces[i].differs, i == 7);
		assert_false(s->pieces[i].unreadable);
	}
	segment_free(s);
	target_close(volume);
}

/* One read gets all pieces; where it fails, only those are bad that cannot be read by themselves. */
static void test_verify_names_what_is_unreadable(void **state _unused_)
{
	uint8_t *zeros = calloc(20, PIECE_BYTES);
	struct target *volume; /* ends within piece 18 */
	struct segment *s;

	assert_non_null(zeros);
	assert_int_equal(target_mem_new(18 * PIECE_BYTES + 512, 512, &volume), 0);
	s = make_segment(zeros, 20);
	verify_work(s, volume);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(s->pieces[i].unreadable, i >= 18);
	for (unsigned i = 0; i < 18; i++)
		assert_false(s->pieces[i].differs);
	assert_true(s->err.text[0]);
	segment_free(s);
	target_close(volume);
	free(zeros);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_memory),
		cmocka_unit_test(test_error_ends_it),
		cmocka_unit_test(test_verify_names_what_differs),
		cmocka_unit_test(test_verify_names_what_is_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
