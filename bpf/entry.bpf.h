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

/* Takes an entry off the free list and chains it before *head; NULL: none is left. */
static __always_inline struct lt_call *lt_entry_new(__u32 *head, __u32 call)
{
	struct lt_call *entry;
	__u64 old, next;

	for (int i = 0; i < 16; i++) {
		old = *(volatile __u64 *)&lt_free_calls.head;
		if (!(__u32)old)
			return NULL;
		entry = lt_entry_at((__u32)old - 1);
		if (!entry)
			return NULL;
		next = ((old >> 32) + 1) << 32 | entry->next;
		if (__sync_val_compare_and_swap(&lt_free_calls.head, old, next) != old)
			continue;
		lt_alarm_if_low(&lt_free_calls, __sync_fetch_and_add(&lt_free_calls.taken, 1) + 1);
		entry->call = call;
		entry->next = *head;
		barrier();
		*head = (__u32)old;
		return entry;
	}
	return NULL;
}

/* The thread's entry for a call, made if need be; NULL: no room, counted. */
static __always_inline struct lt_call *lt_entry(struct lt_calls *calls, __u32 call)
{
	__u32 *head = &calls->head[call & (LT_CALL_HEADS - 1)], at = *head;
	struct lt_call *entry;

	for (int i = 0; i < CHAIN && at; i++) {
		entry = lt_entry_at(at - 1);
		if (!entry)
			break;
		if (entry->call == call)
			return entry;
		at = entry->next;
	}
	entry = lt_entry_new(head, call);
	if (!entry)
		lt_this_cpu()->lost_calls++;
	return entry;
}

#endif
