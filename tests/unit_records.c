/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Free records are taken off the BPF programs' list chunk by chunk: none is lost or duplicated, while others take
 * records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ledger_thread.h"
#include "records.h"
#include "stack.h"
#include "takers.h"

#define CHUNKS 6
#define ALL (CHUNKS * LT_CHUNK)

static struct lt_chunk *chunks[CHUNKS];
static struct lt_stack stack;
static struct ledger_memory memory;

static int opened(void **state)
{
	(void)state;
	stack = (struct lt_stack){ 0 };
	memory = (struct ledger_memory){ .chunks = chunks, .n_chunks = CHUNKS, .free = &stack };
	for (uint32_t i = 0; i < CHUNKS; i++) {
		chunks[i] = aligned_alloc(64, sizeof(*chunks[i]));
		assert_non_null(chunks[i]);
		memset(chunks[i], 0, sizeof(*chunks[i]));
		ledger_give(&memory, i * LT_CHUNK, LT_CHUNK);
	}
	return 0;
}

static int closed(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < CHUNKS; i++) {
		free(chunks[i]);
		chunks[i] = NULL;
	}
	return 0;
}

static __u32 *next(uint32_t at)
{
	return &record_at(&memory, at - 1)->who.next_free;
}

static const struct takers_list list = { &stack, next };

static uint32_t pop(void)
{
	return takers_pop(&list);
}

static void push(uint32_t at)
{
	*word_at(&memory, at - 1) = 0;
	stack_push(&stack, at - 1, &record_at(&memory, at - 1)->who.next_free, 1);
}

static bool is_out(uint32_t at, const uint32_t *out, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (out[i] == (at - 1) >> LT_CHUNK_SHIFT)
			return true;
	return false;
}

/* Every record is on the list, among `taken`, or in a removed chunk; none is in two places. */
static void check_all(const uint32_t *taken, uint32_t n_taken, const uint32_t *out, uint32_t n_out)
{
	static bool seen[ALL + 1];
	uint32_t n = 0;

	memset(seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < n_taken; i++) {
		assert_false(seen[taken[i]]);
		assert_false(is_out(taken[i], out, n_out));
		seen[taken[i]] = true;
	}
	for (uint32_t at = (uint32_t)stack.head; at; at = record_at(&memory, at - 1)->who.next_free, n++) {
		assert_in_range(at, 1, ALL);
		assert_false(seen[at]);
		assert_false(is_out(at, out, n_out));
		seen[at] = true;
	}
	assert_int_equal(n, stack_left(&stack));
	assert_int_equal(n + n_taken + n_out * LT_CHUNK, ALL);
}

static void drop(uint32_t chunk)
{
	free(chunks[chunk]);
	chunks[chunk] = NULL;
}

static void test_free_chunks_leave(void **state)
{
	uint32_t out[CHUNKS + RECORDS_MOST] = { 0 }, n = 0, got;

	(void)state;
	assert_int_equal(records_withdraw(&memory, 1, out), 1);
	check_all(NULL, 0, out, ++n);
	drop(out[0]);
	while ((got = records_withdraw(&memory, RECORDS_MOST, out + n))) {
		for (uint32_t i = 0; i < got; i++)
			drop(out[n++]);
		check_all(NULL, 0, out, n);
	}
	/* The first stays, and one chunk is free. */
	assert_int_equal(n, CHUNKS - 1);
	assert_non_null(chunks[0]);
	assert_int_equal(stack_left(&stack), LT_CHUNK);
	assert_int_equal(stack.low, LT_CHUNK / 2);
}

/* A chunk with a record in use stays; so does one with a record taken just now. */
static void test_chunks_in_use_stay(void **state)
{
	static uint32_t taken[ALL + 1];
	uint32_t n = 0, out[RECORDS_MOST];

	(void)state;
	while ((taken[n] = pop()))
		n++;
	assert_int_equal(n, ALL);
	assert_int_equal(records_withdraw(&memory, RECORDS_MOST, out), 0);
	check_all(taken, n, NULL, 0);
	/* One record each of chunks 0, 2 and 5; that of chunk 5 has a word. */
	for (uint32_t i = 0; i < n; i++)
		if (taken[i] != 1 && taken[i] != 2 * LT_CHUNK + 1 && taken[i] != ALL)
			push(taken[i]);
	*word_at(&memory, ALL - 1) = LT_WORD(1, LT_RUN);
	taken[0] = 1;
	taken[1] = 2 * LT_CHUNK + 1;
	taken[2] = ALL;
	assert_int_equal(records_withdraw(&memory, RECORDS_MOST, out), 3);
	assert_false(is_out(taken[1], out, 3) || is_out(taken[2], out, 3) || is_out(1, out, 3));
	check_all(taken, 3, out, 3);
}

/* Takes all, and returns all except those that `keep` selects. */
static void take_but(bool (*keep)(uint32_t at))
{
	static uint32_t taken[ALL + 1];
	uint32_t n = 0;

	while ((taken[n] = pop()))
		n++;
	for (uint32_t i = 0; i < n; i++)
		if (keep(taken[i]))
			*word_at(&memory, taken[i] - 1) = LT_WORD(1, LT_RUN);
		else
			push(taken[i]);
}

static bool one_of_each_but_the_first(uint32_t at)
{
	return at > LT_CHUNK && at % LT_CHUNK == 7;
}

static bool all_of_the_first_two(uint32_t at)
{
	return at <= 2 * LT_CHUNK;
}

/* The maps were loaded with the first chunk. */
static void test_the_first_chunk_stays(void **state)
{
	uint32_t out[RECORDS_MOST];

	(void)state;
	take_but(one_of_each_but_the_first);
	assert_int_equal(records_withdraw(&memory, RECORDS_MOST, out), 0);
	assert_int_equal(stack_left(&stack), ALL - CHUNKS + 1);
}

static void test_not_all_that_are_free_leave(void **state)
{
	uint32_t out[RECORDS_MOST];

	(void)state;
	take_but(all_of_the_first_two);
	assert_int_equal(records_withdraw(&memory, RECORDS_MOST, out), CHUNKS - 3);
	assert_int_equal(stack_left(&stack), LT_CHUNK);
}

static uint32_t withdrawn[RECORDS_MOST], n_withdrawn;

static void begin_life(uint32_t at)
{
	*word_at(&memory, at - 1) = LT_WORD(1, LT_NEW);
}

static void return_chunks(void)
{
	for (uint32_t i = 0; i < n_withdrawn; i++)
		ledger_give(&memory, withdrawn[i] * LT_CHUNK, LT_CHUNK);
	n_withdrawn = 0;
}

static void withdraw(int round)
{
	for (int i = 0; i < 10; i++) {
		return_chunks();
		n_withdrawn = records_withdraw(&memory, 1 + (uint32_t)(round + i) % RECORDS_MOST, withdrawn);
	}
}

static void give_back(const uint32_t *taken, uint32_t n)
{
	check_all(taken, n, withdrawn, n_withdrawn);
	for (uint32_t i = 0; i < n; i++)
		push(taken[i]);
	return_chunks();
	check_all(NULL, 0, NULL, 0);
}

/* While others take records, chunks are removed and added over and over. */
static void test_takers_meanwhile(void **state)
{
	(void)state;
	takers_run(&(struct takers){ .list = list,
				     .rounds = 300,
				     .each = 300,
				     .took = begin_life,
				     .meanwhile = withdraw,
				     .taken = give_back });
}

#define records_test(f) cmocka_unit_test_setup_teardown(f, opened, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		records_test(test_free_chunks_leave),	  records_test(test_chunks_in_use_stay),
		records_test(test_the_first_chunk_stays), records_test(test_not_all_that_are_free_leave),
		records_test(test_takers_meanwhile),
	};

	return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}
