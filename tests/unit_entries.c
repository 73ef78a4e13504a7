/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pool's free entries: none is lost or duplicated, in whatever order they are taken and freed; idle chunks are
 * removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "entries.h"
#include "ledger.h"
#include "stack.h"
#include "takers.h"

#define CHUNKS 6
#define ALL (CHUNKS * LT_CALL_CHUNK)

static struct lt_call_chunk *chunks[CHUNKS];
static struct lt_stack stack;
static struct ledger_memory memory;

static struct lt_call *entry(uint32_t at)
{
	return &chunks[(at - 1) / LT_CALL_CHUNK]->call[(at - 1) % LT_CALL_CHUNK];
}

static int opened(void **state)
{
	(void)state;
	stack = (struct lt_stack){ 0 };
	memory = (struct ledger_memory){
		.call_chunks = chunks, .n_call_chunks = CHUNKS, .free_calls = &stack, .calls_wanted = LT_CALL_CHUNK
	};
	for (uint32_t i = 0; i < CHUNKS; i++) {
		chunks[i] = calloc(1, sizeof(*chunks[i]));
		assert_non_null(chunks[i]);
		assert_int_equal(entries_add(&memory, i, LT_CALL_CHUNK), 0);
	}
	return 0;
}

static int closed(void **state)
{
	(void)state;
	entries_free(&memory);
	for (uint32_t i = 0; i < CHUNKS; i++)
		free(chunks[i]);
	return 0;
}

static __u32 *next(uint32_t at)
{
	return &entry(at)->next;
}

static const struct takers_list list = { &stack, next };

static uint32_t pop(void)
{
	return takers_pop(&list);
}

static uint32_t count_chain(uint32_t at, bool seen[ALL + 1])
{
	uint32_t n = 0;

	for (; at; at = entry(at)->next, n++) {
		assert_in_range(at, 1, ALL);
		assert_false(seen[at]);
		seen[at] = true;
	}
	return n;
}

/* Every entry is on the BPF programs' list, kept in entries.c, among `taken`, or in a removed chunk; none is in two
 * places. */
static void check_all(const uint32_t *taken, uint32_t n_taken, uint32_t out)
{
	static bool seen[ALL + 1];
	uint32_t n = 0, here = 0;

	memset(seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < n_taken; i++) {
		assert_false(seen[taken[i]]);
		seen[taken[i]] = true;
	}
	n = count_chain((uint32_t)stack.head, seen);
	assert_int_equal(n, stack_left(&stack));
	for (uint32_t i = 0; i < memory.n_entries; i++) {
		uint32_t in_chunk = count_chain(memory.entries[i].first, seen);

		assert_int_equal(in_chunk, memory.entries[i].n);
		here += in_chunk;
	}
	assert_int_equal(here, memory.calls_here);
	assert_int_equal(n + here + n_taken + out * LT_CALL_CHUNK, ALL);
}

static void test_feeds_what_is_wanted(void **state)
{
	static uint32_t taken[ALL];
	uint32_t n = 0, at;

	(void)state;
	entries_feed(&memory);
	assert_int_equal(stack_left(&stack), LT_CALL_CHUNK);
	assert_int_equal(stack.low, LT_CALL_CHUNK / 2);
	check_all(NULL, 0, 0);
	/* Takes all, a few at a time. */
	while (n < ALL) {
		for (int i = 0; i < 100 && (at = pop()); i++)
			taken[n++] = at;
		entries_feed(&memory);
	}
	assert_int_equal(pop(), 0);
	check_all(taken, n, 0);
	while (n)
		entries_put(&memory, taken[--n] - 1);
	check_all(NULL, 0, 0);
	assert_int_equal(stack_left(&stack), LT_CALL_CHUNK);
}

/* After all were in use, free chunks are removed one by one, even if the BPF programs' list has entries of each; only
 * if free at two checks in a row, and the first chunk and what is wanted stay. */
static void test_idle_chunks_come_out(void **state)
{
	static uint32_t taken[ALL];
	uint32_t n = 0, at, out = 0;

	(void)state;
	entries_feed(&memory);
	assert_int_equal(entries_idle(&memory), 0);
	while ((at = pop())) {
		taken[n++] = at;
		entries_feed(&memory);
	}
	assert_int_equal(n, ALL);
	assert_int_equal(entries_idle(&memory), 0);
	/* In an order that leaves some of each chunk on the list. */
	for (uint32_t i = 0; i < n; i += 10)
		entries_put(&memory, taken[i] - 1);
	for (uint32_t i = 0; i < n; i++)
		if (i % 10)
			entries_put(&memory, taken[i] - 1);
	check_all(NULL, 0, 0);
	assert_int_equal(entries_idle(&memory), 0);
	assert_int_equal(stack_left(&stack), LT_CALL_CHUNK);
	while ((at = entries_idle(&memory))) {
		assert_in_range(at, 1, CHUNKS - 1);
		out++;
		check_all(NULL, 0, out);
	}
	assert_int_equal(out, CHUNKS - 2);
	assert_int_equal(stack_left(&stack), LT_CALL_CHUNK);
	n = 0;
	/* One entry in use keeps its chunk; another chunk is removed. */
	memset(chunks[5], 0, sizeof(*chunks[5]));
	assert_int_equal(entries_add(&memory, 5, LT_CALL_CHUNK), 0);
	while (n < 2 * LT_CALL_CHUNK || taken[n - 1] <= 5 * LT_CALL_CHUNK) {
		entries_feed(&memory);
		taken[n++] = pop();
	}
	at = taken[--n];
	while (n)
		entries_put(&memory, taken[--n] - 1);
	memory.calls_wanted = LT_CALL_CHUNK / 2;
	assert_int_equal(entries_idle(&memory), 0);
	assert_int_equal(entries_idle(&memory), 1);
	assert_int_equal(entries_idle(&memory), 0);
	assert_int_equal(entries_idle(&memory), 0);
	check_all(&at, 1, out);
	entries_put(&memory, at - 1);
	assert_int_equal(entries_idle(&memory), 0);
	assert_int_equal(entries_idle(&memory), 5);
	check_all(NULL, 0, out + 1);
}

static void sort_list(int round)
{
	(void)round;
	for (int i = 0; i < 20; i++) {
		if (i % 2)
			entries_feed(&memory);
		else
			assert_int_equal(entries_idle(&memory), 0);
		for (uint32_t e = 1; e < memory.n_entries; e++)
			memory.entries[e].was_whole = false; /* all stay */
	}
}

static void put_back(const uint32_t *taken, uint32_t n)
{
	check_all(taken, n, 0);
	for (uint32_t i = 0; i < n; i++)
		entries_put(&memory, taken[i] - 1);
	entries_feed(&memory);
}

/* While others take entries, the front end sorts the list over and over: no entry is handed out twice. */
static void test_takers_meanwhile(void **state)
{
	(void)state;
	entries_feed(&memory);
	takers_run(&(struct takers){
		.list = list, .rounds = 200, .each = 400, .meanwhile = sort_list, .taken = put_back });
}

#define entries_test(f) cmocka_unit_test_setup_teardown(f, opened, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		entries_test(test_feeds_what_is_wanted),
		entries_test(test_idle_chunks_come_out),
		entries_test(test_takers_meanwhile),
	};

	return cmocka_run_group_tests_name("entries", tests, NULL, NULL);
}
