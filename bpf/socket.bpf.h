/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting what goes through sockets, and the data stored with each socket; shared by net.bpf.c and net_fexit.bpf.c. */
#ifndef SOCKET_BPF_H
#define SOCKET_BPF_H

#include "record.bpf.h"
#include "turns.bpf.h"

/* Connections are being read: report those that close, too. */
volatile bool lt_want_connections __weak = false;
/* The current iteration; with `all` it also reports sockets that did nothing. */
volatile struct lt_walking lt_walking __weak = {};

/* What it reports: one array, which the front end creates, maps and replaces by a larger one. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__uint(value_size, sizeof(__u32));
} lt_walked __weak SEC(".maps");

/* A listener's storage is copied to the connections that it accepts. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct lt_socket);
} lt_sockets __weak SEC(".maps");

/* A copy of the owners of TCP sockets: the storage is a call and three cache lines away, too much for each message. By
 * hash of the socket's address: its bits 6 to 45 << LT_SLOT_BITS | task_group. Another socket may replace an entry.
 * Cleared when the owner changes, and when a socket ends or begins, since a new one may have the same address. */
#define OWNER_BITS 14
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << OWNER_BITS);
	__type(key, __u32);
	__type(value, __u64);
} lt_owners __weak SEC(".maps");

/* The front end looks once a second; it is woken when the ring is half full. */
static __always_inline __u64 lt_events_wakeup(void)
{
	return bpf_ringbuf_query(&lt_events, BPF_RB_AVAIL_DATA) > LT_EVENTS_BYTES / 2 ? BPF_RB_FORCE_WAKEUP
										      : BPF_RB_NO_WAKEUP;
}

static __always_inline bool lt_is_inet(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return (family == AF_INET || family == AF_INET6) &&
	       (sk->sk_protocol == IPPROTO_TCP || sk->sk_protocol == IPPROTO_UDP);
}

static __always_inline enum lt_proto lt_proto_of(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	if (family == AF_UNIX)
		return LT_UNIX;
	if (family != AF_INET && family != AF_INET6)
		return LT_PROTO_OTHER;
	switch (sk->sk_protocol) {
	case IPPROTO_TCP:
		return LT_TCP;
	case IPPROTO_UDP:
		return LT_UDP;
	default:
		return LT_INET;
	}
}

static __always_inline __u64 *lt_owner_at(__u64 key)
{
	__u32 nr = key * GOLDEN_RATIO >> (64 - OWNER_BITS);

	return bpf_map_lookup_elem(&lt_owners, &nr);
}

static __always_inline void lt_owner_forget(struct sock *sk)
{
	__u64 key = lt_key(sk), *at = lt_owner_at(key);

	if (at && *at >> LT_SLOT_BITS == key)
		*at = 0;
}

/* The socket's storage; the calling thread uses it, so its process is the owner. */
static __always_inline struct lt_socket *lt_socket_used(struct sock *sk, struct task_struct *task)
{
	struct lt_socket *socket;

	socket = bpf_sk_storage_get(&lt_sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!socket) {
		lt_this_cpu()->lost_sockets++;
		return NULL;
	}
	if (socket->task_group != (__u32)task->tgid) {
		if (!socket->task_group)
			socket->born_ns = bpf_ktime_get_ns();
		lt_owner_forget(sk);
		socket->task_group = task->tgid;
		socket->tgid = lt_tgid(task);
		socket->process_start_ns = lt_process_start(task, socket->tgid);
	}
	return socket;
}

/* The same for each message of a TCP socket. look: even if the owner is known. */
static __always_inline void lt_tcp_used(struct sock *sk, struct task_struct *task, bool look)
{
	__u64 key = lt_key(sk), *at = lt_owner_at(key);
	__u64 want = key << LT_SLOT_BITS | (__u32)task->tgid;

	if (at && (*at != want || look) && lt_socket_used(sk, task))
		*at = want;
}

/* The calling thread's record in *s; NULL: it has none, counted in lost. */
static __always_inline struct lt_slot *lt_own(struct task_struct *task, struct lt_slot *s)
{
	if (lt_find(task, s))
		return s;
	lt_this_cpu()->lost_sockets++;
	return NULL;
}

/* An empty datagram is an operation, an end of file is not. */
static __always_inline bool lt_is_op(struct sock *sk, int ret)
{
	return ret > 0 || (ret == 0 && sk->sk_type == SOCK_DGRAM);
}

/* Whether a socket has storage: for its connection, or for its turns. */
static __always_inline bool lt_is_stored(struct sock *sk, enum lt_proto proto)
{
	return proto == LT_TCP || proto == LT_UDP || (lt_with_turns && lt_has_turns(sk, proto));
}

static __always_inline int lt_count_send(struct sock *sk, int ret)
{
	__u64 began_ns = lt_self_turn(LT_PROG_SEND);
	struct task_struct *task = bpf_get_current_task_btf();
	struct lt_socket *socket = NULL;
	struct lt_slot s, *own;
	struct lt_flow *flow;
	enum lt_proto proto;

	if (!lt_is_op(sk, ret))
		return 0;
	proto = lt_proto_of(sk);
	own = lt_own(task, &s);
	flow = own ? &lt_net_of(own)->flow[proto] : NULL;
	if (flow) {
		flow->tx_bytes += ret;
		flow->tx_ops++;
	}
	if (proto == LT_TCP && !lt_with_turns)
		lt_tcp_used(sk, task, began_ns);
	else if (lt_is_stored(sk, proto))
		socket = lt_socket_used(sk, task);
	if (socket && proto == LT_UDP)
		__sync_fetch_and_add(&socket->tx_bytes, ret);
	if (socket && lt_with_turns && lt_has_turns(sk, proto))
		lt_turn_send(own, sk, proto, socket);
	if (own && lt_with_turns && proto == LT_UNIX)
		own->net->unix_sent_ns = 0;
	if (began_ns)
		lt_self_add(LT_PROG_SEND, began_ns);
	return 0;
}

static __always_inline int lt_count_recv(struct sock *sk, int ret, int flags)
{
	__u64 began_ns = lt_self_turn(LT_PROG_RECV);
	struct task_struct *task = bpf_get_current_task_btf();
	struct lt_socket *socket = NULL;
	struct lt_slot s, *own;
	struct lt_flow *flow;
	enum lt_proto proto;

	if (flags & (MSG_PEEK | MSG_ERRQUEUE) || !lt_is_op(sk, ret))
		return 0;
	proto = lt_proto_of(sk);
	own = lt_own(task, &s);
	flow = own ? &lt_net_of(own)->flow[proto] : NULL;
	if (flow) {
		flow->rx_bytes += ret;
		flow->rx_ops++;
	}
	if (proto == LT_TCP && !lt_with_turns)
		lt_tcp_used(sk, task, began_ns);
	else if (lt_is_stored(sk, proto))
		socket = lt_socket_used(sk, task);
	if (socket && proto == LT_UDP)
		__sync_fetch_and_add(&socket->rx_bytes, ret);
	if (socket && lt_with_turns && lt_has_turns(sk, proto))
		lt_turn_receive(own, sk, proto, socket, flags);
	if (began_ns)
		lt_self_add(LT_PROG_RECV, began_ns);
	return 0;
}

/* Sequence numbers that another CPU advances: the second may have passed the value read earlier of the first. */
static __always_inline __u32 lt_ahead(__u32 first, __u32 second)
{
	return (__s32)(first - second) > 0 ? first - second : 0;
}

/* What a socket did since it was last reported. */
struct lt_moved {
	__u64 tx_bytes, rx_bytes, turns_ns;
	__u32 retransmits, drops, turns;
	bool changed;
};

/* struct numa_drop_counters of Linux 6.18: two counters, a cache line each. Not by CO-RE: for a type that the running
 * kernel lacks, libbpf looks through the BTF of all modules, which CAP_BPF and CAP_PERFMON alone may not. */
struct lt_drop_counters {
	__u32 first;
	__u8 rest_of_line[60];
	__u32 second;
};

/* Closed, and never connected. */
static __always_inline bool lt_has_listened(struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP && sk->__sk_common.skc_state == TCP_CLOSE && !sk->__sk_common.skc_dport;
}

/* Dropped datagrams, or connections dropped because a listener's queue was full; not used for other sockets. */
static __always_inline __u32 lt_drops(struct sock *sk)
{
	struct lt_drop_counters counters = {};
	void *at;

	if (sk->sk_protocol != IPPROTO_UDP && sk->__sk_common.skc_state != TCP_LISTEN && !lt_has_listened(sk))
		return 0;
	if (bpf_core_field_exists(sk->sk_drop_counters)) {
		at = BPF_CORE_READ(sk, sk_drop_counters);
		if (at && !bpf_probe_read_kernel(&counters, sizeof(counters), at))
			return counters.first + counters.second;
	}
	return BPF_CORE_READ(sk, sk_drops.counter);
}

/* TCP's bytes: sent to the remote end and received from it, each byte counted once. */
static __always_inline struct lt_moved lt_moved(struct sock *sk, struct tcp_sock *tcp, const struct lt_socket *socket)
{
	__u64 tx_bytes = socket->tx_bytes, rx_bytes = socket->rx_bytes;
	__u8 state = sk->__sk_common.skc_state;
	__u32 drops = lt_drops(sk);

	if (tcp && state != TCP_LISTEN) {
		/* The iterator reads while the socket changes: a segment is in bytes_retrans before it is in
		 * bytes_sent, a FIN in bytes_received before it is in the flags. No difference may pass below 0. */
		__u64 retrans = tcp->bytes_retrans, sent = tcp->bytes_sent, received = tcp->bytes_received;
		__u32 fin = sk->__sk_common.skc_flags >> SOCK_DONE_BIT & 1;

		tx_bytes = sent > retrans ? sent - retrans : 0;
		/* A FIN takes one sequence number and is counted as a byte by the kernel. */
		rx_bytes = received > fin ? received - fin : 0;
	}
	return (struct lt_moved){
		.tx_bytes = tx_bytes > socket->seen_tx_bytes ? tx_bytes - socket->seen_tx_bytes : 0,
		.rx_bytes = rx_bytes > socket->seen_rx_bytes ? rx_bytes - socket->seen_rx_bytes : 0,
		.retransmits = socket->retransmits - socket->seen_retransmits,
		.drops = lt_ahead(drops, socket->seen_drops),
		.turns = socket->turns - socket->seen_turns,
		.turns_ns = socket->turns_ns - socket->seen_turns_ns,
		.changed = socket->seen_state != state,
	};
}

static __always_inline void lt_reported(struct lt_socket *socket, const struct lt_moved *moved, __u8 state)
{
	socket->seen_tx_bytes += moved->tx_bytes;
	socket->seen_rx_bytes += moved->rx_bytes;
	socket->seen_retransmits += moved->retransmits;
	socket->seen_drops += moved->drops;
	socket->seen_turns += moved->turns;
	socket->seen_turns_ns += moved->turns_ns;
	socket->seen_state = state;
}

#define STATES_WITH_SYN (1 << TCP_SYN_SENT | 1 << TCP_SYN_RECV)
#define STATES_WITH_FIN (1 << TCP_FIN_WAIT1 | 1 << TCP_CLOSING | 1 << TCP_LAST_ACK)

/* Bytes in flight; a SYN or FIN in flight takes one sequence number but is not a byte. What is closed sends nothing. */
static __always_inline void lt_tcp_queues(struct lt_connection *c, struct sock *sk, struct tcp_sock *tcp)
{
	__u32 tx = lt_ahead(tcp->write_seq, tcp->snd_una), rx = lt_ahead(tcp->rcv_nxt, tcp->copied_seq);

	if (tx && 1 << c->state & (STATES_WITH_SYN | STATES_WITH_FIN))
		tx--;
	if (rx && sk->__sk_common.skc_flags >> SOCK_DONE_BIT & 1)
		rx--;
	c->tx_queue_bytes = c->state == TCP_CLOSE ? 0 : tx;
	c->rx_queue_bytes = 1 << c->state & STATES_WITH_SYN ? 0 : rx;
}

/* As ss and /proc/net/udp count them: with the kernel's overhead for each datagram. */
static __always_inline void lt_udp_queues(struct lt_connection *c, struct sock *sk)
{
	__s32 rx = BPF_CORE_READ(sk, sk_backlog.rmem_alloc.counter) -
		   BPF_CORE_READ((struct udp_sock *)sk, forward_deficit);
	__s32 tx = BPF_CORE_READ(sk, sk_wmem_alloc.refs.counter) - 1; /* the socket itself holds one */

	c->rx_queue_bytes = rx > 0 ? rx : 0;
	c->tx_queue_bytes = tx > 0 ? tx : 0;
}

/* When the connection at the head of the accept queue was established (see accepted() in syscall.bpf.c); 0: the queue
 * is empty. It may be accepted, or even freed, at the same time: then it is no longer the head. */
static __always_inline __u64 lt_oldest_ns(struct sock *listener)
{
	struct inet_connection_sock *icsk = (struct inet_connection_sock *)listener;
	struct request_sock *request = BPF_CORE_READ(icsk, icsk_accept_queue.rskq_accept_head);
	struct sock *child;
	__u64 ns;

	if (!request)
		return 0;
	child = BPF_CORE_READ(request, sk);
	ns = BPF_CORE_READ((struct tcp_sock *)child, rcvq_space.time) * 1000;
	return request == BPF_CORE_READ(icsk, icsk_accept_queue.rskq_accept_head) ? ns : 0;
}

static __always_inline void lt_connection_fill(struct lt_connection *c, struct sock *sk, struct tcp_sock *tcp,
					       const struct lt_socket *socket, const struct lt_moved *moved)
{
	struct sock_common *common = &sk->__sk_common;

	__builtin_memset(c, 0, sizeof(*c));
	c->process_start_ns = socket->process_start_ns;
	c->born_ns = socket->born_ns;
	c->tgid = socket->tgid;
	c->proto = lt_proto_of(sk);
	c->state = common->skc_state;
	c->role = socket->role;
	c->overlapped = socket->overlapped;
	c->turns = moved->turns;
	c->turns_ns = moved->turns_ns;
	if (moved->turns && LT_MAX_WORD_EPOCH(socket->turn_max) == (socket->seen_walk & 0xffff))
		c->turn_max_ns = socket->turn_max & LT_MAX_WORD_NS;
	c->open_ns = lt_with_turns ? lt_turn_open_ns(sk, socket) : 0;
	c->netns = common->skc_net.net->ns.inum;
	c->local_port = common->skc_num;
	if (!c->local_port && tcp) /* it is 0 again when the socket closes */
		c->local_port = __builtin_bswap16(((struct inet_sock *)tcp)->inet_sport);
	c->remote_port = __builtin_bswap16(common->skc_dport);
	if (common->skc_family == AF_INET6) {
		c->family = 6;
		BPF_CORE_READ_INTO(&c->local, common, skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&c->remote, common, skc_v6_daddr);
	} else {
		c->family = 4;
		*(__u32 *)c->local = common->skc_rcv_saddr;
		*(__u32 *)c->remote = common->skc_daddr;
	}
	if (c->state == TCP_LISTEN) {
		c->accept_queue = BPF_CORE_READ(sk, sk_ack_backlog);
		c->accept_queue_max = BPF_CORE_READ(sk, sk_max_ack_backlog);
		c->accept_oldest_ns = lt_oldest_ns(sk);
	} else if (tcp) {
		c->srtt_ns = (__u64)tcp->srtt_us * 125; /* eighths of a µs */
		lt_tcp_queues(c, sk, tcp);
	} else {
		lt_udp_queues(c, sk);
	}
	c->tx_bytes = moved->tx_bytes;
	c->rx_bytes = moved->rx_bytes;
	c->retransmits = moved->retransmits;
	c->drops = moved->drops;
	c->changed = moved->changed;
}

#endif
