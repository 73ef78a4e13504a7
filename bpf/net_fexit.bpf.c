/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Payload before Linux 6.3, which introduced sock_send_length and sock_recv_length: the exits of the
 * protocols' sendmsg and recvmsg, and before 6.5 of sendpage (sendfile and splice into a socket).
 */
#include "kernel.h"
#include "socket.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct msghdr;
struct page;

#define SEND(name, function)                                                                                           \
	SEC("fexit/" #function)                                                                                        \
	int BPF_PROG(name, struct socket *sock, struct msghdr *msg, unsigned long size, int ret)                       \
	{                                                                                                              \
		return lt_count_send(sock->sk, ret);                                                                   \
	}

#define RECV(name, function)                                                                                           \
	SEC("fexit/" #function)                                                                                        \
	int BPF_PROG(name, struct socket *sock, struct msghdr *msg, unsigned long size, int flags, int ret)            \
	{                                                                                                              \
		return lt_count_recv(sock->sk, ret, flags);                                                            \
	}

#define SENDPAGE(name, function)                                                                                       \
	SEC("fexit/" #function)                                                                                        \
	int BPF_PROG(name, struct socket *sock, struct page *page, int offset, unsigned long size, int flags,          \
		     long ret)                                                                                         \
	{                                                                                                              \
		return lt_count_send(sock->sk, ret);                                                                   \
	}

SEND(lt_send4, inet_sendmsg)
SEND(lt_send6, inet6_sendmsg)
SEND(lt_send_us, unix_stream_sendmsg)
SEND(lt_send_ud, unix_dgram_sendmsg)
RECV(lt_recv4, inet_recvmsg)
RECV(lt_recv6, inet6_recvmsg)
RECV(lt_recv_us, unix_stream_recvmsg)
RECV(lt_recv_ud, unix_dgram_recvmsg)
SENDPAGE(lt_page4, inet_sendpage)
SENDPAGE(lt_page_us, unix_stream_sendpage)
