/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor: empty programs at lagtop's own hooks. No monitor at these hooks can cost less; and with the clock read
 * once wherever lagtop reads it, none that measures durations can.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>

const volatile bool read_clock = false;

#define TIMED(hook)                                                                                                    \
	SEC("tp_btf/" #hook) int floor_##hook(void *ctx)                                                               \
	{                                                                                                              \
		if (read_clock)                                                                                        \
			bpf_ktime_get_ns();                                                                            \
		return 0;                                                                                              \
	}

#define EMPTY(hook)                                                                                                    \
	SEC("tp_btf/" #hook) int floor_##hook(void *ctx)                                                               \
	{                                                                                                              \
		return 0;                                                                                              \
	}

TIMED(sched_switch)
TIMED(sched_waking)
TIMED(sched_wakeup)
TIMED(sched_wakeup_new)
TIMED(task_newtask)
EMPTY(sched_process_exec)
EMPTY(sched_process_exit)
EMPTY(task_rename)
TIMED(sys_enter)
TIMED(sys_exit)
EMPTY(sock_send_length)
EMPTY(sock_recv_length)
EMPTY(sk_data_ready)
EMPTY(inet_sock_set_state)
EMPTY(tcp_retransmit_skb)
EMPTY(tcp_destroy_sock)

char LICENSE[] SEC("license") = "GPL";
