/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The decrypted view: its map, its ciphertext, random access against a model, threads, faults. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exporter/bitlocker/view.h"
#include "tests/lib/expect.h"
#include "tests/lib/target_fault.h"
#include "tests/lib/target_mem.h"

#define VOLUME_BYTES (2 * MiB)
#define THREADS	     4

static struct bitlocker_params sample_params(enum bitlocker_cipher cipher, uint32_t sector_bytes)
{
	return (struct bitlocker_params){
		.cipher = cipher,
		.geometry = {.volume_bytes = VOLUME_BYTES,
			     .sector_bytes = sector_bytes,
			     .meta_off_bytes = {0x40000, 0xc0000, 0x180000},
			     .vbb_off_bytes = 0x50000,
			     .ice_off_bytes = 0x60000},
		.sectors_per_cluster = 8,
		.hidden_sectors = 2048,
		.now_filetime = 0x01dc000000000000,
	};
}

struct stack {
	struct bitlocker_params params;
	struct bitlocker_volume v;
	struct target *base, *disk, *view;
};

static void open_stack(struct stack *s, enum bitlocker_cipher cipher, uint32_t sector_bytes)
{
	struct err e = {0};

	s->params = sample_params(cipher, sector_bytes);
	expect_ok(bitlocker_create(&s->params, &s->v, &e), &e);
	assert_int_equal(target_mem_new(VOLUME_BYTES, 512, &s->base), 0);
	assert_int_equal(target_fault_new(s->base, &s->disk), 0);
	expect_ok(bitlocker_view_new(s->v.keys, s->disk, &s->view, &e), &e);
	assert_int_equal(s->view->size_bytes, VOLUME_BYTES);
	assert_int_equal(s->view->sector_bytes, sector_bytes);
}

static void close_stack(struct stack *s)
{
	target_close(s->view);
	target_close(s->disk);
	target_close(s->base);
	bitlocker_volume_done(&s->v);
}

static bool is_hole(uint64_t off)
{
	return (off >= 0x40000 && off < 0x52000) || (off >= 0xc0000 && off < 0xd0000) ||
	       (off >= 0x180000 && off < 0x190000);
}

static void test_map(void **state)
{
	static const struct {
		uint64_t off, len;
		enum bitlocker_span_kind kind;
		uint64_t disk_off, span_len;
	} want[] = {
		{0, VOLUME_BYTES, BITLOCKER_SPAN_DATA, 0x50000, 0x2000},
		{0x1fff, 2, BITLOCKER_SPAN_DATA, 0x51fff, 1},
		{0x2000, VOLUME_BYTES - 0x2000, BITLOCKER_SPAN_DATA, 0x2000, 0x3e000},
		{0x3ffff, 100, BITLOCKER_SPAN_DATA, 0x3ffff, 1},
		{0x40000, 0x20000, BITLOCKER_SPAN_HOLE, 0x40000, 0x10000},
		{0x4ffff, 0x20000, BITLOCKER_SPAN_HOLE, 0x4ffff, 1},
		{0x50000, 0x20000, BITLOCKER_SPAN_HOLE, 0x50000, 0x2000},
		{0x51000, 0x10, BITLOCKER_SPAN_HOLE, 0x51000, 0x10},
		{0x52000, 0x100000, BITLOCKER_SPAN_DATA, 0x52000, 0x6e000},
		{0x60000, 0x10000, BITLOCKER_SPAN_DATA, 0x60000,
		 0x10000}, /* the ICE area is ordinary */
		{0x190000, 0x70000, BITLOCKER_SPAN_DATA, 0x190000, 0x70000},
	};
	struct bitlocker_params p = sample_params(BITLOCKER_XTS_256, 512);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct bitlocker_span s = bitlocker_map(&p.geometry, want[i].off, want[i].len);

		assert_int_equal(s.kind, want[i].kind);
		assert_int_equal(s.disk_off_bytes, want[i].disk_off);
		assert_int_equal(s.len_bytes, want[i].span_len);
	}
}

/* Where the bytes end up, decrypted by hand. */
static void test_places(void **state)
{
	uint8_t boot[8192], sector[512], raw[8192];
	struct sector_cipher *c;
	struct stack s;
	struct err e = {0};

	(void)state;
	open_stack(&s, BITLOCKER_CBC_256, 512);
	for (size_t i = 0; i < sizeof(boot); i++)
		boot[i] = (uint8_t)(i * 7 + i / 256);
	memset(sector, 0x33, sizeof(sector));
	expect_ok(target_pwrite(s.view, boot, sizeof(boot), 0, &e), &e);
	expect_ok(target_pwrite(s.view, sector, 512, VOLUME_BYTES - 512, &e), &e);
	expect_ok(target_flush(s.view, &e), &e);
	expect_ok(bitlocker_keys_cipher(s.v.keys, &c, &e), &e);
	assert_int_equal(
		sector_cipher_decrypt(c, target_mem_data(s.base) + 0x50000, raw, 8192, 0x50000), 0);
	assert_memory_equal(raw, boot, sizeof(boot));
	assert_int_equal(sector_cipher_decrypt(c, target_mem_data(s.base) + VOLUME_BYTES - 512, raw,
					       512, VOLUME_BYTES - 512),
			 0);
	assert_memory_equal(raw, sector, 512);
	for (size_t i = 0; i < 0x2000; i++)
		assert_int_equal(target_mem_data(s.base)[i], 0);
	sector_cipher_free(c);
	close_stack(&s);
}

/* Writes into the holes: zeros are dropped, anything else is an error; reads give zeros. */
static void test_holes(void **state)
{
	uint8_t data[4096] = {0};
	struct stack s;
	struct err e = {0};

	(void)state;
	open_stack(&s, BITLOCKER_XTS_128, 512);
	memset(target_mem_data(s.base), 0x99, VOLUME_BYTES);
	expect_ok(target_pwrite(s.view, data, sizeof(data), 0x40000, &e), &e);
	expect_ok(target_pwrite(s.view, data, sizeof(data), 0x51000, &e), &e);
	data[4095] = 1;
	expect_err(target_pwrite(s.view, data, sizeof(data), 0xc0000, &e), &e, EIO, ERR_SYSTEM,
		   "metadata");
	expect_err(target_pwrite(s.view, data, sizeof(data), 0xc0000 - 4095, &e), &e, EIO,
		   ERR_SYSTEM, "at 786432");
	expect_ok(target_flush(s.view, &e), &e);
	for (uint64_t i = 0; i < VOLUME_BYTES; i++) {
		if (is_hole(i))
			assert_int_equal(target_mem_data(s.base)[i], 0x99);
	}
	expect_ok(target_pread(s.view, data, sizeof(data), 0x180800, &e), &e);
	for (size_t i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], 0);
	close_stack(&s);
}

/* Any offset, any length, against a plain array. */
static void random_access(enum bitlocker_cipher cipher, uint32_t sector_bytes, unsigned seed)
{
	uint8_t *model = calloc(1, VOLUME_BYTES), *data = malloc(VOLUME_BYTES);
	uint64_t max_bytes = 400 * KiB; /* more than a worker's buffer */
	struct stack s;
	struct err e = {0};

	assert_true(model && data);
	open_stack(&s, cipher, sector_bytes);
	for (uint64_t off = 0; off < VOLUME_BYTES; off += max_bytes)
		expect_ok(target_pwrite(s.view, model + off, MIN(max_bytes, VOLUME_BYTES - off),
					off, &e),
			  &e);
	for (int round = 0; round < 200; round++) {
		uint64_t off = (uint64_t)rand_r(&seed) % VOLUME_BYTES;
		uint64_t len = (uint64_t)rand_r(&seed) % (round % 8 ? 3000 : max_bytes);

		len = MIN(len, VOLUME_BYTES - off);
		if (round % 3 == 0) {
			off = round_down_u64(off, sector_bytes);
			len = round_down_u64(len, sector_bytes);
		}
		for (uint64_t i = 0; i < len; i++)
			data[i] = is_hole(off + i) ? 0 : (uint8_t)rand_r(&seed);
		expect_ok(target_pwrite(s.view, data, len, off, &e), &e);
		memcpy(model + off, data, len);
		off = (uint64_t)rand_r(&seed) % VOLUME_BYTES;
		len = (uint64_t)rand_r(&seed) % max_bytes;
		len = MIN(len, VOLUME_BYTES - off);
		expect_ok(target_pread(s.view, data, len, off, &e), &e);
		assert_memory_equal(data, model + off, len);
		if (round % 16 == 0)
			expect_ok(target_flush(s.view, &e), &e);
	}
	expect_ok(target_pread(s.view, data, VOLUME_BYTES, 0, &e), &e);
	assert_memory_equal(data, model, VOLUME_BYTES);
	close_stack(&s);
	free(model);
	free(data);
}

static void test_random_access(void **state)
{
	(void)state;
	random_access(BITLOCKER_XTS_256, 512, 1);
	random_access(BITLOCKER_CBC_128, 512, 2);
	random_access(BITLOCKER_XTS_128, 4096, 3);
	random_access(BITLOCKER_CBC_256, 4096, 4);
}

struct job {
	struct target *view;
	unsigned number;
	bool failed;
};

/* Each thread owns every fourth 100-byte piece of an area: they meet in nearly every sector. */
static void *work(void *arg)
{
	struct job *job = arg;
	uint8_t piece[100], back[100];

	for (int round = 0; round < 3; round++) {
		for (uint64_t i = job->number; i < 600; i += THREADS) {
			uint64_t off = 0x52000 + i * sizeof(piece);

			memset(piece, (int)(i * 5) + round, sizeof(piece));
			if (target_pwrite(job->view, piece, sizeof(piece), off, NULL) < 0 ||
			    target_pread(job->view, back, sizeof(back), off, NULL) < 0 ||
			    memcmp(piece, back, sizeof(piece)) != 0)
				job->failed = true;
		}
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct job jobs[THREADS];
	pthread_t threads[THREADS];
	uint8_t piece[100];
	struct target *view;
	struct stack s;
	struct err e = {0};

	(void)state;
	open_stack(&s, BITLOCKER_XTS_256, 512);
	/* Straight on the memory: the failing disk has a lock of its own. */
	expect_ok(bitlocker_view_new(s.v.keys, s.base, &view, &e), &e);
	for (unsigned i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){.view = view, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_false(jobs[i].failed);
	}
	for (uint64_t i = 0; i < 600; i++) {
		expect_ok(target_pread(view, piece, sizeof(piece), 0x52000 + i * sizeof(piece), &e),
			  &e);
		for (size_t k = 0; k < sizeof(piece); k++)
			assert_int_equal(piece[k], (uint8_t)(i * 5 + 2));
	}
	target_close(view);
	close_stack(&s);
}

static void test_ends(void **state)
{
	uint8_t data[1024] = {0};
	struct target *small, *none = NULL;
	struct stack s;
	struct err e = {0};

	(void)state;
	open_stack(&s, BITLOCKER_XTS_256, 512);
	expect_err(target_pread(s.view, data, 2, VOLUME_BYTES - 1, &e), &e, ENODATA, ERR_SYSTEM,
		   "end");
	expect_err(target_pwrite(s.view, data, 1024, VOLUME_BYTES - 512, &e), &e, ENOSPC,
		   ERR_SYSTEM, "end");
	expect_err(target_pread(s.view, data, 2, UINT64_MAX, &e), &e, ENODATA, ERR_SYSTEM, "end");
	expect_ok(target_drop_caches(s.view, &e), &e);
	assert_int_equal(target_mem_new(VOLUME_BYTES - 512, 512, &small), 0);
	expect_err(bitlocker_view_new(s.v.keys, small, &none, &e), &e, EINVAL, ERR_SYSTEM,
		   "smaller");
	target_close(small);
	close_stack(&s);
}

static void test_faults(void **state)
{
	static const enum fault_op ops[] = {FAULT_PREAD, FAULT_PWRITE, FAULT_FLUSH};
	uint8_t data[1000] = {1};
	struct stack s;
	struct err e = {0};

	(void)state;
	open_stack(&s, BITLOCKER_XTS_256, 512);
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		struct fault_plan plan = {
			.op = ops[i], .nth = 1, .kind = FAULT_ERROR, .code = ENODEV};
		int r;

		target_fault_arm(s.disk, &plan);
		r = target_pwrite(s.view, data, sizeof(data), 0x30001, &e); /* reads, then writes */
		if (r == 0)
			r = target_flush(s.view, &e);
		expect_err(r, &e, ENODEV, ERR_SYSTEM, "injected");
	}
	expect_ok(target_pwrite(s.view, data, sizeof(data), 0x30001, &e), &e);
	expect_ok(target_flush(s.view, &e), &e);
	close_stack(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),	cmocka_unit_test(test_places),
		cmocka_unit_test(test_holes),	cmocka_unit_test(test_random_access),
		cmocka_unit_test(test_threads), cmocka_unit_test(test_ends),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
