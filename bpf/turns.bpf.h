/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns of stream sockets, and of connected UDP: how long a program takes to answer, and how long it waits for an
 * answer. A turn is the change of direction on a socket; what the bytes mean is not looked at, so TLS makes no
 * difference.
 *
 * Accepted sockets: from the arrival of the first bytes after our last send to our first send (response), and from that
 * arrival to the program's receive (late). Connected sockets: from our first send after our last receive to the arrival
 * of the answer (upstream), and from there to the receive (late, too).
 *
 * Times: TCP's own clock, which it reads for each segment in and out; for others the clock when the bytes were put into
 * the socket's queue. Not the time of our hooks: they run at the end of a call, when the other end may have answered.
 * Written by the thread that uses the socket, but arrived_ns also by the network's softirq or the other end.
 */
#ifndef TURNS_BPF_H
#define TURNS_BPF_H

#include "peer.bpf.h"
#include "upstream.bpf.h"

/* A client that keeps sending for this long without an answer only sends: a log, an upload. */
#define LT_ONE_WAY_NS 1000000000ULL

/* Ports that programs listened on when lagtop started: namespace << 16 | port. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} lt_listening __weak SEC(".maps");
volatile bool lt_listening_known __weak = false; /* set by the front end after seeding */
volatile __u64 lt_listening_missed __weak = 0;	 /* listeners without room */
/* Ports that connecting sockets get (ip_local_port_range of the namespace of lagtop). */
const volatile __u16 lt_ephemeral_first __weak = 32768, lt_ephemeral_last __weak = 60999;

/* Whether TCP reads the clock when it copies bytes to a program: up to Linux 6.18 it does, 7.2 does not. */
const volatile bool lt_tcp_stamps __weak = false;

static __always_inline bool lt_has_turns(struct sock *sk, enum lt_proto proto)
{
	if (proto == LT_UNIX)
		return sk->sk_type == SOCK_STREAM;
	return proto == LT_TCP || (proto == LT_UDP && sk->__sk_common.skc_dport);
}

static __always_inline struct tcp_sock *lt_tcp_of(struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP ? bpf_skc_to_tcp_sock(sk) : NULL;
}

/* Whether bytes wait to be read. */
static __always_inline bool lt_unread(struct sock *sk, struct tcp_sock *tcp)
{
	__u32 fin = sk->__sk_common.skc_flags >> SOCK_DONE_BIT & 1; /* it takes a sequence number */

	if (tcp)
		return (__s32)(tcp->rcv_nxt - tcp->copied_seq - fin) > 0;
	return sk->sk_receive_queue.qlen;
}

/* Bytes have arrived, or the other end has closed. now_ns: 0 if the clock was not read. */
static __always_inline void lt_turn_arrive(struct sock *sk, enum lt_proto proto, struct lt_socket *socket, __u64 now_ns)
{
	struct tcp_sock *tcp;

	if (socket->arrived_ns)
		return;
	tcp = proto == LT_TCP ? bpf_skc_to_tcp_sock(sk) : NULL;
	if (lt_unread(sk, tcp))
		socket->arrived_ns = tcp ? tcp->tcp_clock_cache : now_ns ? now_ns : bpf_ktime_get_ns();
}

static __always_inline __u64 lt_listening_key(struct sock *sk, __u16 port)
{
	return (__u64)sk->__sk_common.skc_net.net->ns.inum << 16 | port;
}

static __always_inline bool lt_listens(struct sock *sk, __u16 port)
{
	__u64 key = lt_listening_key(sk, port);

	return bpf_map_lookup_elem(&lt_listening, &key);
}

static __always_inline bool lt_is_ephemeral(__u16 port)
{
	return port >= lt_ephemeral_first && port <= lt_ephemeral_last;
}

/* The role of a TCP socket that is older than the probes. */
static __always_inline enum lt_role lt_role_of_old(struct sock *sk)
{
	__u16 local = sk->__sk_common.skc_num, remote = __builtin_bswap16(sk->__sk_common.skc_dport);

	if (lt_listens(sk, local))
		return LT_ROLE_SERVER;
	if (lt_listens(sk, remote))
		return LT_ROLE_CLIENT;
	if (lt_is_ephemeral(local) != lt_is_ephemeral(remote))
		return lt_is_ephemeral(local) ? LT_ROLE_CLIENT : LT_ROLE_SERVER;
	return LT_ROLE_PAIR;
}

/* A UNIX socket that was accepted has the address of the listener; one that connects seldom has an address. */
static __always_inline void lt_turn_role(struct sock *sk, enum lt_proto proto, struct lt_socket *socket)
{
	struct unix_sock *own;
	struct sock *peer;

	if (socket->role)
		return;
	if (proto == LT_TCP) {
		if (lt_listening_known)
			socket->role = lt_role_of_old(sk);
		return;
	}
	if (proto == LT_UDP) {
		socket->role = LT_ROLE_CLIENT;
		return;
	}
	own = (struct unix_sock *)sk;
	peer = BPF_CORE_READ(own, peer);
	if (BPF_CORE_READ(own, addr))
		socket->role = LT_ROLE_SERVER;
	else if (peer && BPF_CORE_READ((struct unix_sock *)peer, addr))
		socket->role = LT_ROLE_CLIENT;
	else
		socket->role = LT_ROLE_PAIR;
}

/* When the call received. TCP itself reads the clock when it copies bytes to the program (tcp_rcv_space_adjust), once
 * it has estimated the round trip time from received data; but not for urgent bytes, kTLS or a sockmap. */
static __always_inline __u64 lt_turn_now_ns(struct sock *sk, struct tcp_sock *tcp, int flags)
{
	if (lt_tcp_stamps && tcp && tcp->rcv_rtt_est.rtt_us && !sk->sk_user_data && !tcp->inet_conn.icsk_ulp_data &&
	    !(flags & MSG_OOB))
		return tcp->tcp_clock_cache;
	return bpf_ktime_get_ns();
}

/* A turn of the connection itself: its number, its time and the longest since it was reported. */
static __always_inline void lt_turn_count(struct lt_socket *socket, __u64 ns)
{
	__u64 word = LT_MAX_WORD(socket->seen_walk, ns), max = socket->turn_max;

	socket->turns++;
	socket->turns_ns += ns;
	if (LT_MAX_WORD_EPOCH(max) != LT_MAX_WORD_EPOCH(word) || word > max)
		socket->turn_max = word;
}

/* A receive is the first one after a send. Returns when its bytes arrived. */
static __always_inline __u64 lt_turn_read(struct lt_slot *own, struct sock *sk, enum lt_proto proto,
					  struct lt_socket *socket, __u64 now_ns)
{
	__u64 arrived_ns = socket->arrived_ns;

	if (!arrived_ns || arrived_ns > now_ns) /* before the probes, or not known on this kernel */
		arrived_ns = now_ns;
	else if (own && socket->role)
		lt_dist_add(&own->record->calls, LT_DIST_LATE, now_ns - arrived_ns);
	if (socket->role == LT_ROLE_CLIENT && socket->turn == LT_TURN_SENT && own) {
		__u64 ns = arrived_ns > socket->turn_ns ? arrived_ns - socket->turn_ns : 0;

		lt_dist_add(&own->record->calls, LT_DIST_UPSTREAM, ns);
		if (socket->overlapped)
			lt_net_of(own)->upstream_overlapped++;
		lt_peer_add(own, sk, proto, socket->overlapped, ns);
		lt_turn_count(socket, ns);
	}
	lt_upstream_end(socket);
	socket->turn = LT_TURN_RECEIVED;
	socket->turn_ns = arrived_ns;
	return arrived_ns;
}

static __always_inline void lt_turn_receive(struct lt_slot *own, struct sock *sk, enum lt_proto proto,
					    struct lt_socket *socket, int flags)
{
	struct tcp_sock *tcp = proto == LT_TCP ? bpf_skc_to_tcp_sock(sk) : NULL;
	__u64 arrived_ns = socket->arrived_ns;

	lt_turn_role(sk, proto, socket);
	if (socket->turn != LT_TURN_RECEIVED)
		arrived_ns = lt_turn_read(own, sk, proto, socket, lt_turn_now_ns(sk, tcp, flags));
	else if (socket->role == LT_ROLE_SERVER && arrived_ns && arrived_ns != socket->turn_ns)
		socket->overlapped = 1; /* more has arrived before it answered */
	/* In this order: what arrives between the two is still unread. */
	*(volatile __u64 *)&socket->arrived_ns = 0;
	if (lt_unread(sk, tcp) && !*(volatile __u64 *)&socket->arrived_ns)
		socket->arrived_ns = arrived_ns;
}

#define LT_LONG_SEND_NS 1000000

/* When the first of the bytes just sent left. TCP's clock is older if they still wait for an acknowledgment. It is the
 * last segment's if the call had to wait for buffer space: then the first bytes left when the call began. */
static __always_inline __u64 lt_turn_left_ns(struct lt_slot *own, struct tcp_sock *tcp, enum lt_proto proto,
					     __u64 since_ns)
{
	__u64 left_ns = 0;

	if (proto == LT_UNIX && own)
		left_ns = lt_net_of(own)->unix_sent_ns;
	barrier_var(left_ns); /* clang would merge the two loads, which the verifier refuses for unlike pointers */
	if (tcp) {
		__u64 clock_ns = tcp->tcp_clock_cache; /* a paced segment's own time may be in the future */

		left_ns = tcp->tcp_wstamp_ns;
		if (left_ns > clock_ns)
			left_ns = clock_ns;
	}
	if (tcp && lt_with_calls && own && own->record->calls.enter_ns > since_ns &&
	    left_ns > own->record->calls.enter_ns + LT_LONG_SEND_NS)
		left_ns = own->record->calls.enter_ns;
	return left_ns > since_ns ? left_ns : bpf_ktime_get_ns();
}

/* The first send after a receive. */
static __always_inline void lt_turn_answer(struct lt_slot *own, struct lt_socket *socket, __u64 since_ns, __u64 left_ns)
{
	__u64 ns;

	if (socket->arrived_ns && socket->arrived_ns < left_ns)
		socket->overlapped = 1; /* it answers while there is more to read */
	if (!own)
		return;
	ns = left_ns > since_ns ? left_ns - since_ns : 0;
	lt_dist_add(&own->record->calls, LT_DIST_RESPONSE, ns);
	if (socket->overlapped)
		lt_net_of(own)->turns_overlapped++;
	lt_turn_count(socket, ns);
}

/* Datagrams that follow one another without an answer: statistics, a log. A resolver asks for two records at once, and
 * again after seconds. */
#define LT_AT_ONCE_NS 10000000
static __always_inline bool is_one_way(enum lt_proto proto, const struct lt_socket *socket)
{
	__u64 age_ns;

	if (proto != LT_UDP)
		return false;
	age_ns = bpf_ktime_get_ns() - socket->turn_ns;
	return age_ns > LT_AT_ONCE_NS && age_ns < LT_ONE_WAY_NS;
}

static __always_inline void lt_turn_send(struct lt_slot *own, struct sock *sk, enum lt_proto proto,
					 struct lt_socket *socket)
{
	struct tcp_sock *tcp = proto == LT_TCP ? bpf_skc_to_tcp_sock(sk) : NULL;
	__u64 since_ns, left_ns;

	lt_turn_role(sk, proto, socket);
	/* The request was read by splice, which no hook sees. */
	if (socket->role == LT_ROLE_SERVER && socket->turn != LT_TURN_RECEIVED && socket->arrived_ns &&
	    !lt_unread(sk, tcp)) {
		socket->turn = LT_TURN_RECEIVED;
		socket->turn_ns = socket->arrived_ns;
		socket->arrived_ns = 0;
	}
	if (socket->turn == LT_TURN_SENT) {
		if (tcp && socket->role == LT_ROLE_CLIENT && tcp->tcp_wstamp_ns > socket->turn_ns + LT_ONE_WAY_NS)
			socket->overlapped = 1;
		if (socket->upstream && (socket->overlapped || is_one_way(proto, socket)))
			lt_upstream_end(socket);
		return;
	}
	/* The rest of what it answers was read by splice. */
	if (socket->arrived_ns && !lt_unread(sk, tcp))
		socket->arrived_ns = 0;
	since_ns = *(volatile __u64 *)&socket->turn_ns; /* another thread's send may change it */
	left_ns = lt_turn_left_ns(own, tcp, proto, since_ns);
	if (socket->role == LT_ROLE_SERVER && socket->turn == LT_TURN_RECEIVED)
		lt_turn_answer(own, socket, since_ns, left_ns);
	socket->turn = LT_TURN_SENT;
	socket->turn_ns = left_ns;
	if (own && own->record->sched.focus && socket->role == LT_ROLE_CLIENT && !socket->overlapped)
		lt_upstream_begin(socket, own->record->sched.focus);
}

/* A new connection: the storage may be the listener's, or an earlier connection's. */
static __always_inline void lt_turn_begin(struct lt_socket *socket, enum lt_role role)
{
	lt_upstream_end(socket);
	socket->arrived_ns = socket->turn_ns = 0;
	socket->role = role;
	socket->turn = LT_TURN_NONE;
	socket->overlapped = 0;
}

/* What is open now: a request not yet answered, or an answer that has not come. Returns since when; 0: nothing. */
static __always_inline __u64 lt_turn_open_ns(struct sock *sk, const struct lt_socket *socket)
{
	if (socket->overlapped || sk->__sk_common.skc_flags & 1 << SOCK_DEAD_BIT)
		return 0;
	if (socket->role == LT_ROLE_SERVER)
		return socket->turn == LT_TURN_RECEIVED ? socket->turn_ns : socket->arrived_ns;
	if (socket->role == LT_ROLE_CLIENT && socket->turn == LT_TURN_SENT && !socket->arrived_ns)
		return socket->turn_ns;
	return 0;
}

#endif
