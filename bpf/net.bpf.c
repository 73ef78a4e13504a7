/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network family: payload bytes and operations, added to the calling thread's record.
 */
#include "kernel.h"
#include "record.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define TCP_SYN_SENT 2

static __always_inline enum lt_proto proto_of(struct sock *sk)
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

/* The flow that an operation counts for; NULL: it does not count. An empty datagram is one, an end of file none. */
static __always_inline struct lt_flow *flow_of(struct sock *sk, int ret)
{
	enum lt_proto proto = proto_of(sk);
	struct lt_slot s;

	if (ret < 0 || (ret == 0 && sk->sk_type != SOCK_DGRAM))
		return NULL;
	if (!lt_find(bpf_get_current_task_btf(), &s))
		return NULL;
	return &s.record->net.by[proto];
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(lt_send, struct sock *sk, int ret, int flags)
{
	__u64 began_ns = bpf_ktime_get_ns();
	struct lt_flow *flow = flow_of(sk, ret);

	if (!flow)
		return 0;
	flow->tx_bytes += ret;
	flow->tx_ops++;
	lt_self(LT_PROG_SEND, began_ns);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(lt_recv, struct sock *sk, int ret, int flags)
{
	__u64 began_ns = bpf_ktime_get_ns();
	struct lt_flow *flow;

	if (flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	flow = flow_of(sk, ret);
	if (!flow)
		return 0;
	flow->rx_bytes += ret;
	flow->rx_ops++;
	lt_self(LT_PROG_RECV, began_ns);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(lt_sock_state, struct sock *sk, int oldstate, int newstate)
{
	struct lt_slot s;

	if (sk->sk_protocol != IPPROTO_TCP || newstate != TCP_SYN_SENT)
		return 0;
	/* SYN is sent by connect(), in the caller's context. */
	if (lt_find(bpf_get_current_task_btf(), &s))
		s.record->net.connects++;
	return 0;
}

/* Segments, as RetransSegs counts them: those of the skb, when it could be sent. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(lt_retransmit, struct sock *sk, struct sk_buff *skb)
{
	struct skb_shared_info *shared = (struct skb_shared_info *)(skb->head + skb->end);
	__u16 segments = BPF_CORE_READ(shared, gso_segs);

	lt_this_cpu()->retransmits += segments ? segments : 1;
	return 0;
}
