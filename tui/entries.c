/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "ledger_thread.h"
#include "stack.h"

int entries_add(struct ledger_memory *m, uint32_t chunk, uint32_t n)
{
	uint32_t first = chunk << LT_CALL_CHUNK_SHIFT;

	if (!GROW(m->entries, m->cap_entries, chunk + 1))
		return -ENOMEM;
	while (m->n_entries <= chunk)
		m->entries[m->n_entries++] = (struct entries){ .n = 0 };
	for (uint32_t i = 0; i < n; i++)
		call_at(m, first + i)->next = i + 1 < n ? first + i + 2 : 0;
	m->entries[chunk] = (struct entries){ .first = first + 1, .n = n };
	m->calls_here += n;
	return 0;
}

static void keep(struct ledger_memory *m, uint32_t index)
{
	struct entries *e = &m->entries[index >> LT_CALL_CHUNK_SHIFT];

	call_at(m, index)->next = e->first;
	e->first = index + 1;
	e->n++;
	m->calls_here++;
}

void entries_put(struct ledger_memory *m, uint32_t index)
{
	if (stack_left(m->free_calls) < m->calls_wanted)
		stack_push(m->free_calls, index, &call_at(m, index)->next, 1);
	else
		keep(m, index);
}

/* Takes up to n entries from the lowest chunks, as a chain that ends with 0. Returns how many. */
static uint32_t take(struct ledger_memory *m, uint32_t n, uint32_t *first, __u32 **last_next)
{
	__u32 *end = first;
	uint32_t taken = 0;

	*first = 0;
	for (uint32_t i = 0; i < m->n_entries && taken < n; i++) {
		struct entries *e = &m->entries[i];

		while (e->n && taken < n) {
			*end = e->first;
			end = &call_at(m, e->first - 1)->next;
			e->first = *end;
			e->n--;
			taken++;
		}
	}
	*end = 0;
	*last_next = end;
	m->calls_here -= taken;
	return taken;
}

void entries_feed(struct ledger_memory *m)
{
	uint64_t left = stack_left(m->free_calls);
	uint32_t first, n;
	__u32 *last_next;

	if (left < m->calls_wanted) {
		n = take(m, (uint32_t)(m->calls_wanted - left), &first, &last_next);
		if (n)
			stack_push(m->free_calls, first - 1, last_next, n);
	}
	stack_set_low(m->free_calls);
}

/* Sorts the BPF programs' free list: the first chunks' entries come first. The list is never empty meanwhile. */
static void exchange(struct ledger_memory *m)
{
	uint32_t first, next, n = 0, taken;
	__u32 *last_next;

	taken = take(m, m->calls_wanted, &first, &last_next);
	for (uint32_t at = stack_exchange(m->free_calls, first - 1, taken); at; at = next, n++) {
		next = call_at(m, at - 1)->next;
		keep(m, at - 1);
	}
	__atomic_store_n((uint64_t *)&m->free_calls->given, m->free_calls->given - n, __ATOMIC_RELEASE);
}

uint32_t entries_idle(struct ledger_memory *m)
{
	bool many = m->calls_here >= m->calls_wanted + LT_CALL_CHUNK;
	uint32_t found = 0;

	if (many)
		exchange(m);
	for (uint32_t i = 1; i < m->n_entries; i++) {
		struct entries *e = &m->entries[i];
		bool whole = many && e->n == LT_CALL_CHUNK;

		if (whole && e->was_whole)
			found = i;
		e->was_whole = whole;
	}
	if (!found)
		return 0;
	m->entries[found] = (struct entries){ 0 };
	m->calls_here -= LT_CALL_CHUNK;
	return found;
}

void entries_free(struct ledger_memory *m)
{
	free(m->entries);
	m->entries = NULL;
	m->n_entries = 0;
}
