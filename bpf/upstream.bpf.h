/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many answers a process in focus waits for: what it sent last on sockets that it connected, since it is in focus.
 * A sleep in poll or net that begins meanwhile is a wait for them.
 */
#ifndef UPSTREAM_BPF_H
#define UPSTREAM_BPF_H

#include "record.bpf.h"

/* By slot. round: the front end counts who had it before, so that a socket's mark of that time is none; sockets close
 * on any CPU: n with atomics. */
volatile __u32 lt_upstream_round[LT_FOCUS_SLOTS] __weak = {};
volatile __s32 lt_upstream_n[LT_FOCUS_SLOTS] __weak = {};

#define UPSTREAM_SLOT 0x1f
#define UPSTREAM_ROUND_BITS 5

static __always_inline bool lt_upstream_waits(__u32 slot)
{
	return lt_upstream_n[lt_focus_index(slot)] > 0;
}

/* A turn begins: the process sent, and is to get an answer. focus: its slot + 1. */
static __always_inline void lt_upstream_begin(struct lt_socket *socket, __u32 focus)
{
	__u64 slot = lt_focus_index(focus - 1);

	if (socket->upstream)
		return;
	socket->upstream = lt_upstream_round[slot] << UPSTREAM_ROUND_BITS | focus;
	__sync_fetch_and_add(&lt_upstream_n[slot], 1);
}

/* The answer came, or none will. */
static __always_inline void lt_upstream_end(struct lt_socket *socket)
{
	__u32 mark = socket->upstream ? __sync_lock_test_and_set(&socket->upstream, 0) : 0;
	__u64 slot = lt_focus_index((mark & UPSTREAM_SLOT) - 1);

	if (mark && lt_upstream_round[slot] == mark >> UPSTREAM_ROUND_BITS)
		__sync_fetch_and_add(&lt_upstream_n[slot], -1);
}

#endif
