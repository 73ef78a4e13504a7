/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPUs' run queues. Read from the kernel's own structures once per reading, so that context switches cost nothing
 * extra; without their locks, so that the numbers of one queue may be a few ns apart.
 */
#include "kernel.h"
#include "record.bpf.h"

char LICENSE[] SEC("license") = "GPL";

extern const struct rq runqueues __ksym __weak;

/* Indexed by CPU number; the front end sizes it for the highest possible one. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lt_runqueue);
} lt_runqueues SEC(".maps");

/* Threads that already sleep, but stay queued until they would have been picked (delayed dequeue, since 6.12). */
static __always_inline __u32 delayed(const struct rq *rq)
{
	if (!bpf_core_field_exists(rq->cfs.h_nr_runnable))
		return 0;
	return BPF_CORE_READ(rq, cfs.h_nr_queued) - BPF_CORE_READ(rq, cfs.h_nr_runnable);
}

/* Finds a task's record by the task's address. lt_key needs a pointer that the verifier knows, such as the current
 * task's. */
static __always_inline bool find(__u64 address, struct lt_slot *s)
{
	__u64 beyond = address - bpf_get_current_task();

	return lt_find_key((lt_distance(bpf_get_current_task_btf(), &lt_free) + beyond) >> 6 & LT_KEY_MASK, s);
}

static __always_inline void running(struct lt_runqueue *to, struct task_struct *task)
{
	struct lt_slot s;

	to->runs = LT_RUNS_THREAD;
	to->since_ns = 0;
	if (find((__u64)task, &s)) {
		to->tid = s.record->who.tid;
		to->tgid = s.record->who.tgid;
		__builtin_memcpy(to->comm, s.record->who.comm, sizeof(to->comm));
		if (lt_with_sched && LT_WORD_STATE(*s.word) == LT_RUN)
			to->since_ns = LT_WORD_SINCE(*s.word);
	} else {
		to->tid = lt_pid_namespace ? 0 : BPF_CORE_READ(task, pid);
		to->tgid = lt_pid_namespace ? 0 : BPF_CORE_READ(task, tgid);
		bpf_probe_read_kernel(to->comm, sizeof(to->comm), (void *)task + bpf_core_field_offset(task->comm));
	}
}

static __always_inline int copy(struct lt_runqueue *to, const struct rq *rq)
{
	struct task_struct *task = BPF_CORE_READ(rq, curr);
	__u32 queued = BPF_CORE_READ(rq, nr_running), out = delayed(rq);

	if (!task)
		return 0;
	to->switches = BPF_CORE_READ(rq, nr_switches);
	if (BPF_CORE_READ(task, pid)) {
		running(to, task);
		out += BPF_CORE_READ(task, on_rq) != 0;
	} else {
		to->runs = LT_RUNS_IDLE;
		to->since_ns = 0;
		to->tid = to->tgid = 0;
	}
	to->queued = queued > out ? queued - out : 0;
	return 0;
}

SEC("iter/bpf_map_elem")
int lt_runqueue(struct bpf_iter__bpf_map_elem *ctx)
{
	struct lt_runqueue *to = ctx->value;
	__u32 *cpu = ctx->key;
	const struct rq *rq;

	if (!to || !cpu)
		return 0;
	rq = bpf_per_cpu_ptr(&runqueues, *cpu);
	return rq ? copy(to, rq) : 0;
}

/* Where the kernel does not expose the variable's address (no CONFIG_KALLSYMS_ALL): through a task group, which has a
 * cfs_rq in every run queue. */
SEC("iter/bpf_map_elem")
int lt_runqueue_tg(struct bpf_iter__bpf_map_elem *ctx)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct cfs_rq **all, *part = NULL;
	struct lt_runqueue *to = ctx->value;
	__u32 *cpu = ctx->key;
	const struct rq *rq;

	if (!to || !cpu)
		return 0;
	all = BPF_CORE_READ(current, sched_task_group, cfs_rq);
	bpf_probe_read_kernel(&part, sizeof(part), &all[*cpu]);
	rq = part ? BPF_CORE_READ(part, rq) : NULL;
	return rq ? copy(to, rq) : 0;
}
