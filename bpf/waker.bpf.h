/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who wakes a thread, asked in lt_waking: the current thread, or an interrupt that came while it ran.
 */
#ifndef WAKER_BPF_H
#define WAKER_BPF_H

#include "record.bpf.h"

#define STACK_BYTES 16384 /* of a thread, at least */

/* The arguments of a tracepoint are on the stack on which it was called. Interrupts have a stack of their own, except
 * those that interrupt user mode: they run on the thread's, and its registers are not those of a system call. */
static __always_inline bool lt_in_thread(struct task_struct *task, void *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	return lt_distance(regs, ctx) < STACK_BYTES && (task->flags & PF_KERNELS_OWN || lt_regs_nr(regs) >= 0);
}

/* struct lt_sched, waker. */
static __always_inline __u64 lt_waker(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!task->pid || !lt_in_thread(task, ctx))
		return 0;
	return lt_pid_namespace ? (__u64)lt_tgid(task) << 32 | lt_tid(task) : bpf_get_current_pid_tgid();
}

#endif
