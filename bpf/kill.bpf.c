/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who ended a process, and with which signal. The sender is noted when it sends a signal that can end the process, and
 * stored in the record of the process's last thread (killer_keep in life.bpf.c) if that signal did end it. Other
 * signals cost a look at the receiver's handler.
 */
#include "kernel.h"
#include "kill.bpf.h"
#include "state.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define SIGNAL(n) (1ULL << ((n)-1))
/* CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH: without a handler they are ignored, or stop or continue the
 * process. */
#define HARMLESS (SIGNAL(17) | SIGNAL(18) | SIGNAL(19) | SIGNAL(20) | SIGNAL(21) | SIGNAL(22) | SIGNAL(23) | SIGNAL(28))
#define DELIVERED 0 /* result of the tracepoint */
#define LOST_INFO 4
#define NO_INFO ((struct kernel_siginfo *)0) /* sent by current */
#define BY_KERNEL ((struct kernel_siginfo *)1)
#define SI_USER 0
#define SI_QUEUE (-1)
#define SI_TKILL (-6)

/* Whether it has no handler. */
static __always_inline bool by_default(struct task_struct *task, __u32 nr)
{
	struct sighand_struct *sighand = BPF_CORE_READ(task, sighand);
	struct k_sigaction *actions = (void *)sighand + bpf_core_field_offset(struct sighand_struct, action);
	void *handler = NULL;

	bpf_probe_read_kernel(&handler, sizeof(handler),
			      (void *)actions + nr * bpf_core_type_size(struct k_sigaction) +
				      bpf_core_field_offset(struct k_sigaction, sa.sa_handler));
	return !handler; /* SIG_DFL */
}

/* These calls let their caller choose si_code. */
static __always_inline bool queues_signals(struct task_struct *task)
{
	__u32 call = lt_call_by_regs(task), nr = LT_CALL_NR(call);

	if (call == LT_CALL_NONE)
		return false;
	if (LT_CALL_ABI(call) == LT_ABI_COMPAT)
		return nr == LT_NR32_RT_SIGQUEUEINFO || nr == LT_NR32_RT_TGSIGQUEUEINFO ||
		       nr == LT_NR_PIDFD_SEND_SIGNAL;
	return nr == LT_NR_RT_SIGQUEUEINFO || nr == LT_NR_RT_TGSIGQUEUEINFO || nr == LT_NR_PIDFD_SEND_SIGNAL;
}

/* Faults, timers and the like are sent by the kernel, whichever task is current. */
static __always_inline bool sent_by_current(struct task_struct *task, struct kernel_siginfo *info)
{
	int code;

	if (!task->pid || task->flags & PF_KTHREAD || info == BY_KERNEL)
		return false;
	if (info == NO_INFO)
		return true;
	code = BPF_CORE_READ(info, si_code);
	return code == SI_USER || code == SI_QUEUE || code == SI_TKILL || queues_signals(task);
}

SEC("tp_btf/signal_generate")
int BPF_PROG(lt_signal, int sig, struct kernel_siginfo *info, struct task_struct *task, int group, int result)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct lt_killer killer = { .signal = sig, .how = LT_BY_KERNEL };
	__u32 nr = sig - 1, tgid = task->tgid, ended_by;

	if (nr >= 64 || HARMLESS >> nr & 1 || (result != DELIVERED && result != LOST_INFO))
		return 0;
	if (sig != SIGKILL && !by_default(task, nr))
		return 0;
	if (!BPF_CORE_READ(task, signal, live.counter)) /* it has ended */
		return 0;
	/* Another signal is already ending it. */
	if (BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT) {
		ended_by = BPF_CORE_READ(task, signal, group_exit_code) & 0x7f;
		if (ended_by != killer.signal)
			return 0;
	}
	if (sent_by_current(current, info)) {
		killer.pid = lt_tgid(current);
		killer.how = killer.pid ? LT_BY_PROCESS : LT_BY_OUTSIDE;
		if (killer.pid)
			BPF_CORE_READ_INTO(&killer.comm, current, group_leader, comm);
	}
	bpf_map_update_elem(&lt_killers, &tgid, &killer, 0);
	return 0;
}

/* Chosen by the OOM killer: it was just sent SIGKILL; or it is exiting anyway, and may use the memory reserves. */
static __always_inline int is_victim(__u32 tgid)
{
	struct lt_killer *killer = bpf_map_lookup_elem(&lt_killers, &tgid);

	if (killer && killer->signal == SIGKILL && killer->how == LT_BY_KERNEL)
		killer->how = LT_BY_OOM;
	return 0;
}

SEC("tp_btf/mark_victim")
int BPF_PROG(lt_victim, struct task_struct *task)
{
	return is_victim(task->tgid);
}

/* Before 6.10. The number is a thread's: its leader's unless that one has exited. */
SEC("tp_btf/mark_victim")
int BPF_PROG(lt_victim_6_1, int pid)
{
	return is_victim(pid);
}
