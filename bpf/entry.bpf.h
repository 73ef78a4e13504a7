/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool of 512-byte entries that are chained to a thread's record: one per call, more for a call's rarer errnos, one
 * for the command line, one for each kind of duration that few threads have, one for who killed it, one for all calls
 * above the limit, one for each peer whose answers it waits for. Entries are added only by the thread itself, or by its
 * waker while it is in an uninterruptible wait and cannot run; the front end reclaims them.
 */
#ifndef ENTRY_BPF_H
#define ENTRY_BPF_H

#include "record.bpf.h"

/* The longest that a chain can be: every call of the thread, `others`, more errnos of each, the command line,
 * durations, its killer, peers, who keeps it asleep. */
#define CHAIN (2 * (LT_CALLS_LIMIT + 1) + 2 + LT_POOL_DISTS + LT_PEERS_LIMIT + 1 + 1)

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

/* Finds an entry that is not the first of its chain. Returns its index + 1; 0: not found. A global function, like the
 * next two, so that the verifier checks its loop once. */
__weak __noinline __u32 lt_entry_find(struct lt_calls *calls, __u32 call)
{
	struct lt_call *entry;
	__u32 at;

	if (!calls)
		return 0;
	at = calls->head[call & (LT_CALL_HEADS - 1)];
	for (int i = 0; i < CHAIN && at; i++) {
		entry = lt_entry_at(at - 1);
		if (!entry)
			break;
		if (entry->call == call)
			return at;
		at = entry->next;
	}
	return 0;
}

/* Takes an entry off the free list and puts it first in the chain. Returns its index + 1; 0: none is left. */
__weak __noinline __u32 lt_entry_take(struct lt_calls *calls, __u32 call)
{
	struct lt_call *entry;
	__u64 old, next;
	__u32 *head;

	if (!calls)
		return 0;
	head = &calls->head[call & (LT_CALL_HEADS - 1)];
	for (int i = 0; i < 16; i++) {
		old = *(volatile __u64 *)&lt_free_calls.head;
		if (!(__u32)old)
			break;
		entry = lt_entry_at((__u32)old - 1);
		if (!entry)
			continue;
		next = ((old >> 32) + 1) << 32 | entry->next;
		if (__sync_val_compare_and_swap(&lt_free_calls.head, old, next) != old)
			continue;
		lt_alarm_if_low(&lt_free_calls, __sync_fetch_and_add(&lt_free_calls.taken, 1) + 1);
		entry->call = call;
		entry->next = *head;
		lt_release();
		*head = (__u32)old;
		return (__u32)old;
	}
	__sync_fetch_and_add(&lt_free_calls.refused, 1);
	return 0;
}

/* The entry that counts a call, if it is not the first of its chain; allocated if there is none. A call without an
 * entry is counted in lost. Returns its index + 1, or 0. */
__weak __noinline __u32 lt_entry_slow(struct lt_calls *calls, __u32 call)
{
	__u32 at = lt_entry_find(calls, call);

	if (!calls || at)
		return at;
	if (call & LT_CALL_SPECIAL)
		return lt_entry_take(calls, call);
	if (calls->n_entries >= LT_CALLS_LIMIT) {
		call = LT_CALL_OTHERS;
		at = lt_entry_find(calls, call);
		if (at)
			return at;
	}
	at = lt_entry_take(calls, call);
	if (at)
		calls->n_entries++;
	else
		lt_this_cpu()->lost_calls++;
	return at;
}

/* The thread's entry for a call, allocated if there is none; NULL: no room, counted in lost. */
static __always_inline struct lt_call *lt_entry(struct lt_calls *calls, __u32 call)
{
	__u32 at = calls->head[call & (LT_CALL_HEADS - 1)];
	struct lt_call *entry = at ? lt_entry_at(at - 1) : NULL;

	if (entry && entry->call == call)
		return entry;
	at = lt_entry_slow(calls, call);
	return at ? lt_entry_at(at - 1) : NULL;
}

/* Adds a duration to one of the thread's histograms in the pool. */
static __always_inline void lt_dist_add(struct lt_calls *calls, enum lt_dist dist, __u64 ns)
{
	struct lt_call *entry = lt_entry(calls, LT_CALL_DIST | dist);

	if (!entry) {
		lt_this_cpu()->lost_calls++;
		return;
	}
	lt_hist_add(&entry->hist, ns);
	lt_max_add(&entry->hist_max, ns);
}

/* How long a connection that was just accepted waited for that. TCP stamps its receive window when the connection is
 * established (tcp_init_buffer_space, by ktime_get_ns), and again when the program reads from it, which it has not done
 * yet. */
static __always_inline void lt_accept_wait(struct lt_slot *s, struct sock *sk, __u64 now_ns)
{
	__u64 established_ns = BPF_CORE_READ((struct tcp_sock *)sk, rcvq_space.time) * 1000;

	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP && established_ns && now_ns > established_ns)
		lt_dist_add(&s->record->calls, LT_DIST_ACCEPT, now_ns - established_ns);
}

/* The entry that a call was counted in; NULL: it was lost. */
static __always_inline struct lt_call *lt_entry_of_counted(struct lt_calls *calls, __u32 call)
{
	__u32 at = lt_entry_find(calls, call);

	if (!at)
		at = lt_entry_find(calls, LT_CALL_OTHERS);
	return at ? lt_entry_at(at - 1) : NULL;
}

#endif
