/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The throttle clock of a run queue: it runs while the CPU quota of the queue's control group, or of one above it, is
 * used up. The part of a wait by which it grew is LT_THROTTLED. One accessor per kernel. The `throttled` flags are no
 * substitute: a queue's covers only a part, a task's (6.18) also the wait for a CPU afterwards.
 */
#ifndef THROTTLE_BPF_H
#define THROTTLE_BPF_H

#include "lagtop.h"

#define MAX_RT_PRIO 100 /* below: real-time and deadline tasks, which no quota of this kind stops */

/* The clock's total so far, and since when it has been running. 6.6: on the run queue's clock, while a task is queued.
 * 5.19: on the load tracking (PELT) clock; before: on the task clock. get: how to read a field. */
#define LT_THROTTLE_READ(queue, t, get)                                                                                \
	do {                                                                                                           \
		(t)->total_ns = (t)->since_ns = 0;                                                                     \
		if (bpf_core_field_exists((queue)->throttled_clock_self_time)) {                                       \
			(t)->total_ns = get(queue, throttled_clock_self_time);                                         \
			(t)->since_ns = get(queue, throttled_clock_self);                                              \
		} else if (bpf_core_field_exists((queue)->throttled_clock_pelt_time)) {                                \
			(t)->total_ns = get(queue, throttled_clock_pelt_time);                                         \
			if (get(queue, throttle_count))                                                                \
				(t)->since_ns = get(queue, throttled_clock_pelt);                                      \
		} else if (bpf_core_field_exists((queue)->throttled_clock_task_time)) {                                \
			(t)->total_ns = get(queue, throttled_clock_task_time);                                         \
			if (get(queue, throttle_count))                                                                \
				(t)->since_ns = get(queue, throttled_clock_task);                                      \
		}                                                                                                      \
	} while (0)
#define LT_DIRECTLY(pointer, field) (pointer)->field

/* The clock that since_ns refers to; current during a switch or a wakeup on that CPU, stale otherwise. */
#define LT_THROTTLE_CLOCK(rq, get)                                                                                     \
	(bpf_core_field_exists(struct cfs_rq, throttled_clock_self_time) ? get(rq, clock)                              \
	 : bpf_core_field_exists(struct cfs_rq, throttled_clock_pelt_time)                                             \
		 ? get(rq, clock_pelt) - get(rq, lost_idle_time)                                                       \
		 : get(rq, clock_task))

static __always_inline __u64 lt_throttle_sum(const struct lt_throttle *t, __u64 clock_ns)
{
	return t->total_ns + (t->since_ns && clock_ns > t->since_ns ? clock_ns - t->since_ns : 0);
}

/* The queue at an address, in which a task once waited; NULL: it is gone (the memory may hold anything), or it is
 * another control group's than the task. */
static __always_inline struct cfs_rq *lt_throttle_queue(__u64 address, struct cfs_rq *now)
{
	struct cfs_rq *queue = (struct cfs_rq *)address;

	return queue == now || BPF_CORE_READ(queue, tg) == BPF_CORE_READ(now, tg) ? queue : NULL;
}

/* For a queue that the task has left for the queue `now`. Not static, so that the verifier checks it once. */
__noinline __weak __u64 lt_throttle_far(__u64 address, __u64 now)
{
	struct cfs_rq *queue = lt_throttle_queue(address, (struct cfs_rq *)now);
	struct lt_throttle t;
	struct rq *rq;

	if (!queue)
		return 0;
	LT_THROTTLE_READ(queue, &t, BPF_CORE_READ);
	rq = BPF_CORE_READ(queue, rq);
	return lt_throttle_sum(&t, LT_THROTTLE_CLOCK(rq, BPF_CORE_READ));
}

/* A wait for a CPU begins: when the waker called, which is a little earlier. Since 6.18 queued tasks are not throttled:
 * only a task that dequeued itself on its way to user space waits for quota. */
static __always_inline void lt_throttle_begin(struct lt_sched *sched, struct task_struct *task)
{
	struct cfs_rq *queue;
	struct lt_throttle t;
	__u64 clock_ns;

	if (bpf_core_field_exists(task->throttled) && !task->throttled) {
		sched->wait_queue = 0;
		return;
	}
	queue = task->se.cfs_rq;
	sched->wait_queue = (__u64)queue;
	sched->wait_throttle_ns = sched->wait_clock_ns = 0;
	LT_THROTTLE_READ(queue, &t, LT_DIRECTLY);
	if (!(t.total_ns | t.since_ns))
		return;
	clock_ns = LT_THROTTLE_CLOCK(queue->rq, LT_DIRECTLY);
	sched->wait_throttle_ns = lt_throttle_sum(&t, clock_ns);
	sched->wait_clock_ns = bpf_ktime_get_ns() - clock_ns;
}

/* How much of a wait that ends after wait_ns was throttled. If the task was moved to another queue of
 * its control group meanwhile, the first queue's clock still counts: all queues of a group get their quota at the same
 * time. If it was moved to another group, it is not known how much. */
static __always_inline __u64 lt_throttle_end(struct lt_sched *sched, struct task_struct *task, __u64 wait_ns)
{
	struct cfs_rq *queue;
	struct lt_throttle t;
	__u64 now_ns;

	if (!sched->wait_queue)
		return 0;
	queue = task->se.cfs_rq;
	if (sched->wait_queue == (__u64)queue) {
		LT_THROTTLE_READ(queue, &t, LT_DIRECTLY);
		if (!(t.total_ns | t.since_ns))
			return 0;
		now_ns = lt_throttle_sum(&t, t.since_ns ? LT_THROTTLE_CLOCK(queue->rq, LT_DIRECTLY) : 0);
	} else {
		now_ns = lt_throttle_far(sched->wait_queue, (__u64)BPF_CORE_READ(task, se.cfs_rq));
	}
	if (now_ns <= sched->wait_throttle_ns || task->prio < MAX_RT_PRIO)
		return 0;
	now_ns -= sched->wait_throttle_ns;
	return now_ns < wait_ns ? now_ns : wait_ns;
}

#endif
