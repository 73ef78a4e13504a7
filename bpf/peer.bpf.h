/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long each peer takes to answer a thread: an entry of the thread's pool for each, found by a hash of the peer's
 * address. Those without room, or with the same hash as another, count under LT_PEER_OTHERS.
 */
#ifndef PEER_BPF_H
#define PEER_BPF_H

#include "entry.bpf.h"

#define PEER_WORDS (sizeof(struct lt_peer) / sizeof(__u32))

/* The name of the other end, and the process that called listen(). */
static __always_inline void lt_peer_unix(struct lt_peer *peer, struct sock *sk)
{
	struct sock *other = BPF_CORE_READ((struct unix_sock *)sk, peer);
	struct unix_address *address = BPF_CORE_READ((struct unix_sock *)other, addr);
	const char *path = address->name[0].sun_path;
	__u32 n;

	peer->pid = lt_pid_number(BPF_CORE_READ(sk, sk_peer_pid));
	if (!address || bpf_probe_read_kernel_str(peer->address, sizeof(peer->address), path) > 1)
		return;
	/* An abstract name: the length of the address has its family and a NUL, too. */
	n = BPF_CORE_READ(address, len) - 3;
	if (n > sizeof(peer->address) - 2)
		n = sizeof(peer->address) - 2;
	peer->address[0] = '@';
	bpf_probe_read_kernel(peer->address + 1, n, path + 1);
}

static __always_inline void lt_peer_inet(struct lt_peer *peer, struct sock *sk)
{
	struct sock_common *common = &sk->__sk_common;

	peer->netns = common->skc_net.net->ns.inum;
	peer->port = __builtin_bswap16(common->skc_dport);
	if (common->skc_family == AF_INET6) {
		peer->family = 6;
		BPF_CORE_READ_INTO((char(*)[16])peer->address, common, skc_v6_daddr);
	} else {
		peer->family = 4;
		*(__u32 *)peer->address = common->skc_daddr;
	}
}

static __always_inline bool lt_peer_is(const struct lt_peer *a, const struct lt_peer *b)
{
	const __u32 *x = (const void *)a, *y = (const void *)b;
	__u32 differ = 0;

	for (__u32 i = 0; i < PEER_WORDS; i++)
		differ |= x[i] ^ y[i];
	return !differ;
}

static __always_inline __u32 lt_peer_key(const struct lt_peer *peer)
{
	const __u32 *words = (const void *)peer;
	__u64 hash = 0;
	__u32 key;

	for (__u32 i = 0; i < PEER_WORDS; i++)
		hash = (hash ^ words[i]) * GOLDEN_RATIO;
	key = LT_CALL_PEER | hash >> (64 - LT_PEER_HASH_BITS);
	return key == LT_PEER_OTHERS ? key - LT_CALL_HEADS : key;
}

static __always_inline bool lt_peer_is_idle(const struct lt_call *entry)
{
	__u32 a = entry->hist_max.epoch[0], b = entry->hist_max.epoch[1];

	return (a > b ? a : b) + LT_PEER_IDLE <= lt_epoch;
}

/* An entry in this peer's chain that belongs to another peer, which has not answered for some readings. A global
 * function, so that the verifier checks its loop once. */
__weak __noinline __u32 lt_peer_idle(struct lt_calls *calls, __u32 key)
{
	struct lt_call *entry;
	__u32 at;

	if (!calls)
		return 0;
	at = calls->head[key & (LT_CALL_HEADS - 1)];
	for (int i = 0; i < CHAIN && at; i++) {
		entry = lt_entry_at(at - 1);
		if (!entry)
			break;
		if (entry->call >> LT_PEER_HASH_BITS == 1 && entry->call != LT_PEER_OTHERS && lt_peer_is_idle(entry))
			return at;
		at = entry->next;
	}
	return 0;
}

/* The entry of a peer; NULL: there is no room for it. */
static __always_inline struct lt_call *lt_peer_entry(struct lt_slot *own, const struct lt_peer *peer)
{
	struct lt_calls *calls = &own->record->calls;
	struct lt_net *net = lt_net_of(own);
	__u32 key = lt_peer_key(peer), at = lt_entry_find(calls, key);
	struct lt_call *entry;

	if (at) {
		entry = lt_entry_at(at - 1);
		return entry && lt_peer_is(&entry->peer, peer) ? entry : NULL;
	}
	if (net->peers < LT_PEERS_LIMIT) {
		at = lt_entry_take(calls, key);
		net->peers += !!at;
	} else {
		at = lt_peer_idle(calls, key);
	}
	entry = at ? lt_entry_at(at - 1) : NULL;
	if (!entry)
		return NULL;
	/* The reader has the old peer's counts. It looks at the address again when it sees the counts grow. */
	entry->call = key;
	entry->peer = *peer;
	lt_release();
	return entry;
}

static __always_inline void lt_peer_add(struct lt_slot *own, struct sock *sk, enum lt_proto proto, bool overlapped,
					__u64 ns)
{
	struct lt_peer peer = { .proto = proto };
	struct lt_call *entry;

	if (proto == LT_UNIX)
		lt_peer_unix(&peer, sk);
	else
		lt_peer_inet(&peer, sk);
	entry = lt_peer_entry(own, &peer);
	if (!entry)
		entry = lt_entry(&own->record->calls, LT_PEER_OTHERS);
	if (!entry) {
		lt_this_cpu()->lost_calls++;
		return;
	}
	entry->peer_overlapped += overlapped;
	lt_hist_add(&entry->hist, ns);
	lt_max_add(&entry->hist_max, ns);
}

#endif
