/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Things in flight, found by their address: tables of sets with four ways each. Multiplying by the golden ratio spreads
 * an address over 40 bits: the upper ones choose the set, the lower ones are the tag that finds the way. An address is
 * unique while the thing is in flight. Any CPU may put and take, at the same time.
 */
#ifndef FLIGHT_BPF_H
#define FLIGHT_BPF_H

#include "record.bpf.h"

#define LT_FLIGHT_WAYS 4
#define LT_FLIGHT_KEY_BITS 40
#define LT_FLIGHT_TAG_BITS 28
#define LT_FLIGHT_SETS_BITS (LT_FLIGHT_KEY_BITS - LT_FLIGHT_TAG_BITS) /* at most; fewer mean more collisions */
#define LT_FLIGHT_BITS (64 - LT_FLIGHT_TAG_BITS)		      /* of what is kept */
#define LT_FLIGHT_KEPT(way) ((way) & ((1ULL << LT_FLIGHT_BITS) - 1))

struct lt_flights {
	__u64 way[LT_FLIGHT_WAYS]; /* tag, what is kept; 0: free */
};

static __always_inline __u64 lt_address(void *pointer)
{
	return lt_distance(pointer, bpf_get_current_task_btf()) + bpf_get_current_task();
}

static __always_inline __u64 lt_flight_key(__u64 address)
{
	return (address >> 6) * GOLDEN_RATIO & ((1ULL << LT_FLIGHT_KEY_BITS) - 1);
}

static __always_inline __u64 lt_flight_tag(__u64 key)
{
	return key << (64 - LT_FLIGHT_TAG_BITS) >> (64 - LT_FLIGHT_TAG_BITS);
}

static __always_inline struct lt_flights *lt_flights_of(void *map, __u64 key, __u32 sets)
{
	__u32 nr = (key >> LT_FLIGHT_TAG_BITS) & (sets - 1);

	return bpf_map_lookup_elem(map, &nr);
}

/* Keeps 36 bits of the value. Returns what they replace: an older value of the same key, whose end was missed; another
 * key's, if all ways are taken; 0: nothing. */
static __always_inline __u64 lt_flight_put(struct lt_flights *set, __u64 key, __u64 kept)
{
	__u64 tag = lt_flight_tag(key), way, to = LT_FLIGHT_WAYS;

#pragma unroll
	for (int i = 0; i < LT_FLIGHT_WAYS; i++) {
		way = set->way[i];
		if ((way >> LT_FLIGHT_BITS == tag && way) || (!way && to == LT_FLIGHT_WAYS))
			to = i;
	}
	if (to == LT_FLIGHT_WAYS)
		to = key >> 8;
	/* Without this the compiler, which knows the bound, may drop the mask that the verifier needs. */
	asm volatile("" : "+r"(to));
	to &= LT_FLIGHT_WAYS - 1;
	return LT_FLIGHT_KEPT(__sync_lock_test_and_set(&set->way[to], tag << LT_FLIGHT_BITS | LT_FLIGHT_KEPT(kept)));
}

/* The value's bits that were kept; 0: the key is not there. */
static __always_inline __u64 lt_flight_find(struct lt_flights *set, __u64 key, bool take)
{
	__u64 tag = lt_flight_tag(key), way;

#pragma unroll
	for (int i = 0; i < LT_FLIGHT_WAYS; i++) {
		way = set->way[i];
		if (way >> LT_FLIGHT_BITS != tag || !way)
			continue;
		if (!take || __sync_val_compare_and_swap(&set->way[i], way, 0) == way)
			return LT_FLIGHT_KEPT(way);
	}
	return 0;
}

#endif
