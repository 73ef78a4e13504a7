/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who runs while threads in focus wait for a CPU: struct lt_focus (include/lagtop.h). Everything here except gone_add
 * is called under the run queue lock of the CPU whose entry it writes. A thread that is not in focus costs its callers
 * a load and a branch.
 */
#ifndef FOCUS_BPF_H
#define FOCUS_BPF_H

#include "record.bpf.h"
#include "throttle.bpf.h"

volatile __u32 lt_focus_on __weak = 0; /* something is in focus, or still counted as waiting */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lt_focus);
} lt_focus __weak SEC(".maps");

/* The CPU where a task runs or is queued. Before 5.16 the number is elsewhere, and nothing is charged. */
static __always_inline __u32 focus_cpu(struct task_struct *task)
{
	return bpf_core_field_exists(task->thread_info.cpu) ? task->thread_info.cpu : ~0U;
}

static __always_inline void focus_begin(struct lt_focus *cpu)
{
	cpu->seq++;
	lt_release();
}

static __always_inline void focus_end(struct lt_focus *cpu)
{
	lt_release();
	cpu->seq++;
}

/* One thread fewer waits; its time is counted until end_ns. After the last one nothing is left over. */
static __always_inline void focus_less(struct lt_focus *cpu, __u64 slot, __u64 end_ns)
{
	slot = lt_focus_index(slot);
	cpu->sum_ns[slot] -= end_ns;
	if (--cpu->n[slot])
		return;
	cpu->quotas[slot] = 0;
	cpu->quota_sum_ns[slot] = 0;
	cpu->blame_ns[LT_BLAME_OTHERS][slot] -= cpu->sum_ns[slot];
	cpu->sum_ns[slot] = 0;
	cpu->busy &= ~(1U << slot);
}

/* A thread that is counted as waiting for this CPU, but got another one: its migration was missed. */
static __always_inline void gone_add(struct lt_focus *cpu, __u64 waits, __u64 end_ns)
{
	__u64 at = __sync_fetch_and_add(&cpu->gone_n, 1);

	at &= LT_FOCUS_GONE - 1;
	asm volatile("" : "+r"(at));
	at &= LT_FOCUS_GONE - 1;
	cpu->gone[at] = end_ns << LT_WAITS_SLOT_BITS | (waits & LT_WAITS_SLOT);
}

static __noinline int gone_take(struct lt_focus *cpu)
{
	cpu->gone_n = 0; /* first: what is added from here on is seen below, or counted again */
	for (int i = 0; i < LT_FOCUS_GONE; i++) {
		__u64 gone = __sync_lock_test_and_set(&cpu->gone[i], 0), slot = (gone & LT_WAITS_SLOT) - 1;

		if (gone && cpu->n[lt_focus_index(slot)])
			focus_less(cpu, slot, gone >> LT_WAITS_SLOT_BITS);
	}
	return 0;
}

/* The entry of the process that ran. */
static __noinline __u32 culprit_of(struct lt_focus *cpu, __u32 tgid, __u64 start_ns, __u64 now_ns)
{
	__u32 first = (tgid * GOLDEN_RATIO >> (64 - LT_CULPRIT_SET_BITS)) * LT_CULPRIT_WAYS, oldest = first;
	__u32 now = now_ns >> 20 | 1, age, most = 0; /* in ms, which wrap after 52 days */
	struct lt_culprit *c;

	for (__u32 i = first; i < first + LT_CULPRIT_WAYS; i++) {
		c = &cpu->culprit[i & (LT_CULPRITS - 1)];
		if (c->used && c->tgid == tgid && c->start_ns == start_ns) {
			c->used = now;
			return i;
		}
		age = c->used ? now - c->used : ~0U;
		if (age > most) {
			most = age;
			oldest = i;
		}
	}
	c = &cpu->culprit[oldest & (LT_CULPRITS - 1)];
	for (int i = 0; i < LT_FOCUS_SLOTS; i++) {
		cpu->blame_ns[LT_BLAME_OTHERS][i] += c->ns[i];
		c->ns[i] = 0;
	}
	c->tgid = tgid;
	c->start_ns = start_ns;
	c->used = now;
	return oldest;
}

/* How much time a run queue has lost to interrupts so far, and to the hypervisor. */
static __always_inline __u64 irq_ns_of(struct rq *rq)
{
	return bpf_core_field_exists(rq->prev_irq_time) ? rq->prev_irq_time : 0;
}

static __always_inline __u64 steal_ns_of(struct rq *rq)
{
	return bpf_core_field_exists(rq->prev_steal_time_rq) ? rq->prev_steal_time_rq : 0;
}

static __always_inline void stolen_note(struct lt_focus *cpu, __u64 irq_ns, __u64 steal_ns, __u64 now_ns)
{
	cpu->irq_ns = irq_ns;
	cpu->steal_ns = steal_ns;
	cpu->looked_ns = now_ns;
}

/* Shares are in 1/2^20. */
#define SHARE_BITS 20

static __always_inline __u64 share_of(__u64 part_ns, __u64 all_ns)
{
	if (!part_ns || (__s64)part_ns < 0)
		return 0;
	return part_ns < all_ns ? (part_ns << SHARE_BITS) / all_ns : 1 << SHARE_BITS;
}

/* In two steps: ns * share may exceed 64 bits. */
static __always_inline __u64 share_ns(__u64 ns, __u64 share)
{
	return (ns >> SHARE_BITS) * share + ((ns & ((1 << SHARE_BITS) - 1)) * share >> SHARE_BITS);
}

/* The throttle clock of the queue where threads of a slot wait. If it is gone, any number. */
static __noinline __u64 quota_clock(__u64 address)
{
	struct cfs_rq *queue = (struct cfs_rq *)address;
	struct lt_throttle t;
	struct rq *rq;

	LT_THROTTLE_READ(queue, &t, BPF_CORE_READ);
	rq = BPF_CORE_READ(queue, rq);
	return lt_throttle_sum(&t, LT_THROTTLE_CLOCK(rq, BPF_CORE_READ));
}

/* How much of what a slot has waited since the last charge was for lack of quota. */
static __noinline __u64 quota_part(struct lt_focus *cpu, __u64 slot, __u64 waited_ns)
{
	__u64 clock_ns, part_ns;

	slot = lt_focus_index(slot);
	clock_ns = quota_clock(cpu->quota_queue[slot]);
	part_ns = cpu->quotas[slot] * clock_ns - cpu->quota_sum_ns[slot];
	cpu->quota_sum_ns[slot] = cpu->quotas[slot] * clock_ns;
	cpu->quota_clock_ns[slot] = clock_ns;
	if ((__s64)part_ns < 0)
		return 0;
	return part_ns < waited_ns ? part_ns : waited_ns;
}

/* Charges one slot's waits, except for the shares of interrupts (the upper half of `shares`) and the hypervisor (the
 * lower), to the array of charges at that offset in *cpu. Not static, so that the verifier checks it once and not for
 * each slot. */
__noinline __weak int lt_focus_charge_slot(struct lt_focus *cpu, __u64 slot, __u64 now_ns, __u64 shares, __u64 charges)
{
	__u64 all, waited_ns, part_ns;

	if (!cpu)
		return 0;
	slot = lt_focus_index(slot);
	all = cpu->n[slot] * now_ns;
	waited_ns = all - cpu->sum_ns[slot];
	if ((__s64)waited_ns <= 0)
		return 0;
	cpu->sum_ns[slot] = all;
	if (cpu->quotas[slot]) {
		part_ns = quota_part(cpu, slot, waited_ns);
		cpu->blame_ns[LT_BLAME_QUOTA][slot] += part_ns;
		waited_ns -= part_ns;
	}
	if (shares) {
		part_ns = share_ns(waited_ns, shares >> 32);
		all = share_ns(waited_ns, (__u32)shares);
		if (part_ns + all > waited_ns)
			all = waited_ns - part_ns;
		cpu->blame_ns[LT_BLAME_IRQ][slot] += part_ns;
		cpu->blame_ns[LT_BLAME_STEAL][slot] += all;
		waited_ns -= part_ns + all;
	}
	charges += slot * sizeof(__u64);
	asm volatile("" : "+r"(charges));
	if (charges <= sizeof(*cpu) - sizeof(__u64))
		*(__u64 *)((void *)cpu + charges) += waited_ns;
	return 0;
}

/* Charges all waits for this CPU (cpu_number) until now_ns: to the process tgid, which ran and began at start_ns; or,
 * if tgid is 0, to start_ns, an enum lt_blame. Not static, so that the verifier checks it once and not at each call. */
__noinline __weak int lt_focus_charge_cpu(__u32 cpu_number, __u32 tgid, __u64 start_ns, __u64 now_ns)
{
	struct lt_focus *cpu = bpf_map_lookup_elem(&lt_focus, &cpu_number);
	__u64 charges, irq_ns, steal_ns, looked_ns, shares = 0;
	__u32 busy;
	struct rq *rq;

	if (!cpu || !cpu->busy)
		return 0;
	irq_ns = cpu->irq_ns;
	steal_ns = cpu->steal_ns;
	looked_ns = cpu->looked_ns;
	focus_begin(cpu);
	if (cpu->gone_n)
		gone_take(cpu);
	rq = bpf_get_current_task_btf()->se.cfs_rq->rq; /* of this CPU */
	stolen_note(cpu, irq_ns_of(rq), steal_ns_of(rq), now_ns);
	if (tgid) {
		charges = offsetof(struct lt_focus, culprit[0].ns) +
			  culprit_of(cpu, tgid, start_ns, now_ns) * sizeof(struct lt_culprit);
	} else {
		charges = offsetof(struct lt_focus, blame_ns) + start_ns * sizeof(cpu->blame_ns[0]);
	}
	if ((tgid || start_ns == LT_BLAME_OUTSIDE) && looked_ns && now_ns > looked_ns) {
		shares = share_of(cpu->irq_ns - irq_ns, now_ns - looked_ns) << 32 |
			 share_of(cpu->steal_ns - steal_ns, now_ns - looked_ns);
	}
	busy = cpu->busy;
	for (__u32 i = 0; i < LT_FOCUS_SLOTS; i++)
		if (busy >> i & 1)
			lt_focus_charge_slot(cpu, i, now_ns, shares, charges);
	cpu->charged_ns = now_ns;
	focus_end(cpu);
	return 0;
}

/* A thread has run until now_ns on the CPU of `task`. */
static __always_inline void lt_focus_charge(struct task_struct *task, struct lt_record *who, enum lt_blame blame,
					    __u64 now_ns)
{
	if (lt_focus_on)
		lt_focus_charge_cpu(focus_cpu(task), who ? who->who.tgid : 0, who ? who->who.process_start_ns : blame,
				    now_ns);
}

/* A thread in focus begins to wait for the CPU where it is queued, which has lost so much. */
__noinline __weak int lt_focus_enter(struct lt_sched *sched, __u32 cpu_number, __u64 irq_ns, __u64 steal_ns,
				     __u64 now_ns)
{
	struct lt_focus *cpu = bpf_map_lookup_elem(&lt_focus, &cpu_number);
	__u64 slot;

	if (!cpu || !sched)
		return 0;
	slot = lt_focus_index(sched->focus - 1U);
	focus_begin(cpu);
	if (!cpu->busy)
		stolen_note(cpu, irq_ns, steal_ns, now_ns);
	cpu->n[slot]++;
	cpu->sum_ns[slot] += now_ns;
	cpu->busy |= 1U << slot;
	sched->waits = slot + 1;
	if (sched->wait_queue && sched->wait_clock_ns &&
	    (!cpu->quotas[slot] || cpu->quota_queue[slot] == sched->wait_queue)) {
		cpu->quotas[slot]++;
		cpu->quota_queue[slot] = sched->wait_queue;
		cpu->quota_sum_ns[slot] += sched->wait_throttle_ns;
		cpu->quota_clock_ns[slot] = sched->wait_throttle_ns;
		sched->waits |= LT_WAITS_QUOTA;
	}
	sched->wait_cpu = cpu_number;
	focus_end(cpu);
	return 0;
}

static __always_inline void focus_quota_less(struct lt_focus *cpu, __u64 slot)
{
	slot = lt_focus_index(slot);
	if (!cpu->quotas[slot])
		return;
	cpu->quota_sum_ns[slot] -= cpu->quota_clock_ns[slot];
	if (!--cpu->quotas[slot])
		cpu->quota_sum_ns[slot] = 0;
}

/* Its wait has ended, and it is on that CPU. */
__noinline __weak int lt_focus_leave(struct lt_sched *sched, __u32 cpu_number, __u64 end_ns)
{
	struct lt_focus *cpu = bpf_map_lookup_elem(&lt_focus, &cpu_number), *counted;
	__u64 waits, slot;
	__u32 at;

	if (!sched)
		return 0;
	waits = sched->waits;
	slot = lt_focus_index((waits & LT_WAITS_SLOT) - 1);
	at = sched->wait_cpu;
	sched->waits = 0;
	if (!cpu)
		return 0;
	if (!(waits & LT_WAITS_MOVED) && at != cpu_number) {
		counted = bpf_map_lookup_elem(&lt_focus, &at);
		if (counted)
			gone_add(counted, waits, end_ns);
		return 0;
	}
	focus_begin(cpu);
	if (waits & LT_WAITS_MOVED) {
		cpu->blame_ns[LT_BLAME_MOVED][slot] += end_ns - sched->moved_ns;
	} else {
		/* The switch has already charged everything that it saw; the rest was missed. */
		lt_focus_charge_slot(cpu, slot, end_ns, 0,
				     offsetof(struct lt_focus, blame_ns) + LT_BLAME_OTHERS * sizeof(cpu->blame_ns[0]));
		if (waits & LT_WAITS_QUOTA)
			focus_quota_less(cpu, slot);
		focus_less(cpu, slot, end_ns);
	}
	focus_end(cpu);
	return 0;
}

/* It is moved from the queue where it waits to another CPU's. */
static __noinline int focus_move(struct lt_sched *sched, struct task_struct *task, __u64 since_ns)
{
	__u32 at = sched->wait_cpu;
	struct lt_focus *cpu = bpf_map_lookup_elem(&lt_focus, &at);
	__u64 waits = sched->waits, slot = lt_focus_index((waits & LT_WAITS_SLOT) - 1);

	if (!cpu || waits & LT_WAITS_MOVED || at != task->thread_info.cpu)
		return 0;
	focus_begin(cpu);
	if (since_ns < cpu->charged_ns)
		since_ns = cpu->charged_ns;
	if (waits & LT_WAITS_QUOTA)
		focus_quota_less(cpu, slot);
	focus_less(cpu, slot, since_ns);
	sched->moved_ns = since_ns;
	sched->waits = waits | LT_WAITS_MOVED;
	focus_end(cpu);
	return 0;
}

#endif
