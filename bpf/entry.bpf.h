/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool of 512-byte entries chained to a thread's record: one a call, more for its rarer errnos,
 * one for the command line. Only the thread itself chains them; the front end takes them back.
 */
#ifndef ENTRY_BPF_H
#define ENTRY_BPF_H

#include "record.bpf.h"

#define CHAIN 64 /* entries looked at before one is given up as lost */

static __always_inline struct lt_call *lt_entry_at(__u32 index)
{
	__u32 chunk_nr = index >> LT_CALL_CHUNK_SHIFT, zero = 0;
	struct lt_call_chunk *chunk;
	void *map;

	map = bpf_map_lookup_elem(&lt_call_chunks, &chunk_nr);
	if (!map)
		return NULL;
	chunk = bpf_map_lookup_elem(map, &zero);
	return chunk ? &chunk->call[index & (LT_CALL_CHUNK - 1)] : NULL;
}

/* Finds the entry further down its chain, or takes one off the free list and chains it in front. Returns its index + 1;
 * 0: none is left, counted. Global, so that the verifier walks its loops once. */
__weak __noinline __u32 lt_entry_slow(struct lt_calls *calls, __u32 call)
{
	struct lt_call *entry;
	__u64 old, next;
	__u32 *head, at;

	if (!calls)
		return 0;
	head = &calls->head[call & (LT_CALL_HEADS - 1)];
	at = *head;
	for (int i = 0; i < CHAIN && at; i++) {
		entry = lt_entry_at(at - 1);
		if (!entry)
			break;
		if (entry->call == call)
			return at;
		at = entry->next;
	}
	for (int i = 0; i < 16; i++) {
		old = *(volatile __u64 *)&lt_free_calls.head;
		entry = (__u32)old ? lt_entry_at((__u32)old - 1) : NULL;
		if (!entry)
			break;
		next = ((old >> 32) + 1) << 32 | entry->next;
		if (__sync_val_compare_and_swap(&lt_free_calls.head, old, next) != old)
			continue;
		lt_alarm_if_low(&lt_free_calls, __sync_fetch_and_add(&lt_free_calls.taken, 1) + 1);
		entry->call = call;
		entry->next = *head;
		barrier();
		*head = (__u32)old;
		return (__u32)old;
	}
	lt_this_cpu()->lost_calls++;
	return 0;
}

/* The thread's entry for a call, made if need be; NULL: no room, counted. */
static __always_inline struct lt_call *lt_entry(struct lt_calls *calls, __u32 call)
{
	__u32 at = calls->head[call & (LT_CALL_HEADS - 1)];
	struct lt_call *entry = at ? lt_entry_at(at - 1) : NULL;

	if (entry && entry->call == call)
		return entry;
	at = lt_entry_slow(calls, call);
	return at ? lt_entry_at(at - 1) : NULL;
}

#endif
