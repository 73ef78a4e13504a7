/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records.h"

#include <stdbool.h>

#include "ledger_thread.h"
#include "stack.h"

struct chain {
	uint32_t first, n; /* first: slot + 1 */
	__u32 *last_next;
};

static __u32 *next_of(const struct ledger_memory *m, uint32_t at)
{
	return &record_at(m, at - 1)->who.next_free;
}

static void chain_add(const struct ledger_memory *m, struct chain *c, uint32_t at)
{
	__u32 *next = next_of(m, at);

	*next = c->first;
	c->first = at;
	if (!c->n++)
		c->last_next = next;
}

static void chain_push(struct ledger_memory *m, const struct chain *c)
{
	if (c->n)
		stack_push(m->free, c->first - 1, c->last_next, c->n);
}

/* As lt_pop_slot of the BPF programs. */
static uint32_t pop(struct ledger_memory *m)
{
	uint64_t old = stack_load(&m->free->head);

	do {
		if (!(uint32_t)old)
			return 0;
	} while (!stack_replace_head(m->free, &old, __atomic_load_n(next_of(m, (uint32_t)old), __ATOMIC_RELAXED)));
	stack_give(m->free, -1);
	return (uint32_t)old;
}

/* No record of it is in use, though some may have been taken just now. */
static bool looks_free(const struct ledger_memory *m, uint32_t chunk)
{
	const struct lt_chunk *c = m->chunks[chunk];

	for (uint32_t i = 0; c && i < LT_CHUNK; i++)
		if (c->word[i])
			return false;
	return c;
}

/* The index of a record's chunk among those to be removed; n: it stays. */
static uint32_t leaves(uint32_t at, const uint32_t *chunk, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && chunk[i] != (at - 1) >> LT_CHUNK_SHIFT)
		i++;
	return i;
}

/* Splits a list by chunk: of[n] gets what stays. Returns how many there were. */
static uint32_t sort(const struct ledger_memory *m, uint32_t at, const uint32_t *chunk, uint32_t n, struct chain *of)
{
	uint32_t sorted = 0;

	for (uint32_t next; at; at = next, sorted++) {
		next = *next_of(m, at);
		chain_add(m, &of[leaves(at, chunk, n)], at);
	}
	return sorted;
}

uint32_t records_withdraw(struct ledger_memory *m, uint32_t most, uint32_t chunk[RECORDS_MOST])
{
	struct chain of[RECORDS_MOST + 1] = { 0 }, meanwhile = { 0 };
	uint32_t n = 0, out = 0, at;
	uint64_t left = stack_left(m->free);

	for (uint32_t i = m->n_chunks; i-- > 1 && n < most && n < RECORDS_MOST;)
		if (left >= (uint64_t)(n + 2) * LT_CHUNK && looks_free(m, i))
			chunk[n++] = i;
	if (!n)
		return 0;
	/* The list is never empty: half a chunk is on it while the rest is sorted. */
	while (meanwhile.n < LT_CHUNK / 2 && (at = pop(m))) {
		uint32_t i = leaves(at, chunk, n);

		chain_add(m, i < n ? &of[i] : &meanwhile, at);
	}
	if (meanwhile.n) {
		at = stack_exchange(m->free, meanwhile.first - 1, meanwhile.n);
		left = sort(m, at, chunk, n, of);
		__atomic_store_n((uint64_t *)&m->free->given, m->free->given - left, __ATOMIC_RELEASE);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (of[i].n == LT_CHUNK)
			chunk[out++] = chunk[i];
		else
			chain_push(m, &of[i]);
	}
	chain_push(m, &of[n]);
	stack_set_low(m->free);
	return out;
}
