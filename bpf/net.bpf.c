/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network family: payload bytes and operations, added to the calling thread's record. What
 * happens in softirq (retransmits, the end of a connect) goes to the socket's storage, or as an event
 * to the front end, because `current` is an unrelated task there. The storage holds the owner.
 */
#include "kernel.h"
#include "socket.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/sock_send_length")
int BPF_PROG(lt_send, struct sock *sk, int ret, int flags)
{
	return lt_count_send(sk, ret);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(lt_recv, struct sock *sk, int ret, int flags)
{
	return lt_count_recv(sk, ret, flags);
}

/* Bytes are in the socket's queue, put there by softirq or by the other end's thread. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(lt_ready, struct sock *sk)
{
	__u64 began_ns = lt_self_turn(LT_PROG_READY), now_ns = 0, create = 0;
	enum lt_proto proto = lt_proto_of(sk);
	struct lt_socket *socket;
	struct lt_slot s;

	if (!lt_has_turns(sk, proto) || sk->__sk_common.skc_state == TCP_LISTEN)
		return 0;
	if (proto == LT_UNIX) {
		/* The sender's thread: its own hook comes after the end of its call. */
		if (lt_find(bpf_get_current_task_btf(), &s) && !lt_net_of(&s)->unix_sent_ns)
			lt_net_of(&s)->unix_sent_ns = now_ns = bpf_ktime_get_ns();
		create = BPF_SK_STORAGE_GET_F_CREATE;
	}
	socket = bpf_sk_storage_get(&lt_sockets, sk, NULL, create);
	if (socket)
		lt_turn_arrive(sk, proto, socket, now_ns);
	if (began_ns)
		lt_self_add(LT_PROG_READY, began_ns);
	return 0;
}

static __always_inline void event(__u32 type, const struct lt_socket *socket, __u64 value)
{
	struct lt_event e = {
		.type = type,
		.tgid = socket->tgid,
		.process_start_ns = socket->process_start_ns,
		.value = value,
	};

	if (bpf_ringbuf_output(&lt_events, &e, sizeof(e), lt_events_wakeup()))
		lt_this_cpu()->lost_events++;
}

/* A connect that failed has left its error in the socket, or found no port and never sent its SYN. One that the program
 * abandons (close, shutdown, connect to AF_UNSPEC) has sent a SYN and has no error yet. */
static __always_inline bool connect_failed(struct sock *sk)
{
	struct tcp_sock *tcp = lt_tcp_of(sk);

	return sk->sk_err || (tcp && !tcp->packets_out && !sk->sk_shutdown);
}

/* A connect begins in its caller's context and ends in softirq or in its caller's context. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(lt_sock_state, struct sock *sk, int oldstate, int newstate)
{
	struct lt_socket *socket;
	__u64 now_ns;
	struct lt_slot s;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (newstate == TCP_SYN_SENT || newstate == TCP_LISTEN) {
		socket = lt_socket_used(sk, bpf_get_current_task_btf());
		if (newstate == TCP_LISTEN)
			return 0;
		if (socket) {
			socket->connect_ns = bpf_ktime_get_ns();
			lt_turn_begin(socket, LT_ROLE_CLIENT);
			/* tcp_disconnect() reset the kernel's counts if it was connected before. */
			socket->seen_tx_bytes = socket->seen_rx_bytes = 0;
		}
		if (lt_find(bpf_get_current_task_btf(), &s))
			lt_net_of(&s)->connects++;
		else
			lt_this_cpu()->lost_sockets++;
		return 0;
	}
	if (oldstate == TCP_SYN_RECV && newstate == TCP_ESTABLISHED) {
		/* About to be accepted: its storage is a copy of the listener's. */
		lt_owner_forget(sk);
		socket = bpf_sk_storage_get(&lt_sockets, sk, NULL, 0);
		if (socket) {
			socket->born_ns = bpf_ktime_get_ns();
			lt_turn_begin(socket, LT_ROLE_SERVER);
		}
		return 0;
	}
	if (oldstate != TCP_SYN_SENT)
		return 0;
	socket = bpf_sk_storage_get(&lt_sockets, sk, NULL, 0);
	if (!socket) {
		lt_this_cpu()->lost_sockets++;
		return 0;
	}
	now_ns = bpf_ktime_get_ns();
	/* Established, or both ends connected at once (SYN_RECV). Its duration is not known if it began before the
	 * probes. */
	if (newstate == TCP_CLOSE && connect_failed(sk))
		event(LT_EVENT_CONNECT_FAILED, socket, 0);
	else if (newstate != TCP_CLOSE && socket->connect_ns)
		event(LT_EVENT_CONNECTED, socket, now_ns > socket->connect_ns ? now_ns - socket->connect_ns : 0);
	return 0;
}

/* Segments, as RetransSegs counts them. */
static __always_inline int retransmitted(struct sock *sk, struct sk_buff *skb)
{
	__u32 segments = BPF_CORE_READ((struct tcp_skb_cb *)skb->cb, tcp_gso_segs);
	struct lt_socket *socket = bpf_sk_storage_get(&lt_sockets, sk, NULL, 0);

	lt_this_cpu()->retransmits += segments;
	if (!socket) {
		lt_this_cpu()->lost_sockets++;
		return 0;
	}
	__sync_fetch_and_add(&socket->retransmits, segments);
	event(LT_EVENT_RETRANSMITTED, socket, segments);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(lt_retransmit, struct sock *sk, struct sk_buff *skb, int err)
{
	return err ? 0 : retransmitted(sk, skb);
}

/* Before 6.15 the tracepoint fires only for segments that could be sent, and passes no error. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(lt_retransmit_6, struct sock *sk, struct sk_buff *skb)
{
	return retransmitted(sk, skb);
}

/* The last report of a TCP socket: what it did since the last iteration. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(lt_destroy, struct sock *sk)
{
	struct lt_socket *socket = bpf_sk_storage_get(&lt_sockets, sk, NULL, 0);
	struct tcp_sock *tcp = lt_tcp_of(sk);
	struct lt_closed_event *e;
	struct lt_moved moved;

	lt_owner_forget(sk);
	if (socket)
		lt_upstream_end(socket);
	if (!socket || !lt_want_connections)
		return 0;
	/* Without a remote end it never was a connection. */
	moved = lt_moved(sk, tcp, socket);
	if (!sk->__sk_common.skc_dport && !moved.retransmits && !moved.drops)
		return 0;
	e = bpf_ringbuf_reserve(&lt_events, sizeof(*e), 0);
	if (!e) {
		lt_this_cpu()->lost_events++;
		return 0;
	}
	e->type = LT_EVENT_CLOSED;
	moved.changed = true;
	lt_connection_fill(&e->connection, sk, tcp, socket, &moved);
	bpf_ringbuf_submit(e, lt_events_wakeup());
	/* The iterator may still meet it while somebody holds it: what was reported is not reported again. */
	lt_reported(socket, &moved, sk->__sk_common.skc_state);
	return 0;
}

/* A listener with connections that wait to be accepted. */
static __always_inline bool lt_is_asked(struct sock *sk)
{
	return sk->__sk_common.skc_state == TCP_LISTEN && BPF_CORE_READ(sk, sk_ack_backlog);
}

/* Where the iterator writes next; NULL: no room left. Those that found no room are counted, too. */
static __always_inline struct lt_connection *next_walked(void)
{
	__u32 zero = 0, n = lt_walking.n++;
	void *map = bpf_map_lookup_elem(&lt_walked, &zero);

	return map ? bpf_map_lookup_elem(map, &n) : NULL;
}

/* Reports what every socket did since the last iteration, in all network namespaces. */
SEC("iter/bpf_sk_storage_map")
int lt_walk(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct lt_socket *socket = ctx->value;
	struct lt_connection *c;
	struct sock *sk = ctx->sk;
	struct tcp_sock *tcp;
	struct lt_moved moved;
	bool open;

	if (!sk || !socket)
		return 0;
	/* The kernel iterates without a pause: return to user space, and visit this socket again. */
	if (!(++lt_walking.looked & (LT_WALK_STRETCH - 1)))
		return 1;
	if (socket->seen_walk == lt_walking.number || socket->process_start_ns > lt_walking.t_ns)
		return 0;
	tcp = lt_tcp_of(sk);
	moved = lt_moved(sk, tcp, socket);
	open = lt_with_turns && lt_turn_open_ns(sk, socket);
	if (!open && (!lt_is_inet(sk) || (!lt_walking.all && !moved.tx_bytes && !moved.rx_bytes && !moved.retransmits &&
					  !moved.drops && !moved.changed && !lt_is_asked(sk))))
		return 0;
	c = next_walked();
	if (!c)
		return 0;
	lt_connection_fill(c, sk, tcp, socket, &moved);
	if (c->proto == LT_UNIX && socket->role == LT_ROLE_CLIENT) {
		struct lt_peer peer = {};

		lt_peer_unix(&peer, sk);
		__builtin_memcpy(c->peer_address, peer.address, sizeof(c->peer_address));
		c->peer_pid = peer.pid;
	}
	lt_reported(socket, &moved, c->state);
	socket->seen_walk = lt_walking.number;
	return 0;
}

/* Gives sockets that were opened before the probes their owner. */
SEC("iter/task_file")
int lt_seed_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct lt_socket *socket;
	struct lt_moved moved;
	struct socket *sock;
	struct sock *sk;
	__u64 listening;
	__u8 one = 1;

	if (!task || !file)
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk || !lt_is_inet(sk))
		return 0;
	if (lt_with_turns && sk->__sk_common.skc_state == TCP_LISTEN) {
		listening = lt_listening_key(sk, sk->__sk_common.skc_num);
		if (bpf_map_update_elem(&lt_listening, &listening, &one, 0))
			__sync_fetch_and_add(&lt_listening_missed, 1);
	}
	socket = bpf_sk_storage_get(&lt_sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!socket)
		return 0;
	/* Its first use may have been seen already; its creation was not. */
	socket->born_ns = 0;
	if (!socket->task_group) {
		socket->task_group = task->tgid;
		socket->tgid = lt_tgid(task);
		socket->process_start_ns = lt_process_start(task, socket->tgid);
	}
	moved = lt_moved(sk, lt_tcp_of(sk), socket);
	lt_reported(socket, &moved, sk->__sk_common.skc_state);
	return 0;
}
