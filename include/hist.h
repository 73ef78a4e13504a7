/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log-linear histogram that the BPF programs fill and the front end reads.
 *
 * Bucket 0 holds [0, 256) ns. Each octave from 2^8 to 2^33 has four equal buckets, the last bucket is open and begins
 * at 2^34 ns (17.2 s). A bucket is a quarter of an octave wide: its middle is at most 12.5 % off. Counts are u32 and
 * wrap; readers subtract in u32.
 */
#ifndef LAGTOP_HIST_H
#define LAGTOP_HIST_H

#ifdef __bpf__
#include "kernel.h"
#else
#include <linux/types.h>
#endif

#define HIST_MIN_SHIFT 8
#define HIST_MAX_SHIFT 34
#define HIST_BUCKETS ((HIST_MAX_SHIFT - HIST_MIN_SHIFT) * 4 + 2)

struct lt_hist {
	__u32 count[HIST_BUCKETS];
};

/* 1 if v > limit, both below 2^63. A comparison would be a branch in BPF, and each doubles what the verifier walks. */
#define HIST_ABOVE(v, limit) (((limit) - (v)) >> 63)

/* floor(log2(v)) for 0 < v < 2^63: BPF has no count-leading-zeros instruction. */
static inline __attribute__((always_inline)) __u32 hist_log2_by_shifts(__u64 v)
{
	__u64 r, s;

	r = HIST_ABOVE(v, 0xffffffffULL) << 5;
	v >>= r;
	s = HIST_ABOVE(v, 0xffffULL) << 4;
	v >>= s;
	r |= s;
	s = HIST_ABOVE(v, 0xffULL) << 3;
	v >>= s;
	r |= s;
	s = HIST_ABOVE(v, 0xfULL) << 2;
	v >>= s;
	r |= s;
	s = HIST_ABOVE(v, 0x3ULL) << 1;
	v >>= s;
	r |= s;
	return (__u32)(r | v >> 1);
}

static inline __attribute__((always_inline)) __u32 hist_log2(__u64 v)
{
#ifdef __bpf__
	return hist_log2_by_shifts(v);
#else
	return 63 - (__u32)__builtin_clzll(v);
#endif
}

/* The bucket of a value in ns: 0 .. HIST_BUCKETS - 1. */
static inline __attribute__((always_inline)) __u32 hist_bucket(__u64 ns)
{
	__u32 log2;

	if (ns < (1ULL << HIST_MIN_SHIFT))
		return 0;
	if (ns >= (1ULL << HIST_MAX_SHIFT))
		return HIST_BUCKETS - 1;
	log2 = hist_log2(ns);
	return (log2 - HIST_MIN_SHIFT) * 4 + (__u32)((ns >> (log2 - 2)) & 3) + 1;
}

/* The lowest value in ns that falls into a bucket; for bucket == HIST_BUCKETS, the upper end. */
static inline __u64 hist_floor(__u32 bucket)
{
	__u32 log2;

	if (bucket == 0)
		return 0;
	if (bucket >= HIST_BUCKETS)
		return ~0ULL;
	log2 = (bucket - 1) / 4 + HIST_MIN_SHIFT;
	return (1ULL << log2) + (__u64)((bucket - 1) % 4) * (1ULL << (log2 - 2));
}

#endif
