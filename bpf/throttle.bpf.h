/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The throttle clock of a run queue: it runs while the CPU quota of the queue's control group, or of one above it, is
 * used up. The part of a wait by which it grew is LT_THROTTLED. One accessor per kernel; the flags `throttled` of a
 * queue see a part only, that of a task (6.18) also the wait for a CPU afterwards.
 */
#ifndef THROTTLE_BPF_H
#define THROTTLE_BPF_H

#include "lagtop.h"

#define MAX_RT_PRIO 100 /* below: real-time and deadline tasks, which no quota of this kind stops */

/* What has run of the clock, and since when it runs now. 6.6: by the run queue's clock, while somebody is queued.
 * 5.19: by the clock of load tracking; before: of tasks. get: how to read a field. */
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

/* The clock that since_ns is of; current during a switch or a wakeup on that CPU, stale elsewhere. */
#define LT_THROTTLE_CLOCK(rq, get)                                                                                     \
	(bpf_core_field_exists(struct cfs_rq, throttled_clock_self_time) ? get(rq, clock)                              \
	 : bpf_core_field_exists(struct cfs_rq, throttled_clock_pelt_time)                                             \
		 ? get(rq, clock_pelt) - get(rq, lost_idle_time)                                                       \
		 : get(rq, clock_task))

static __always_inline __u64 lt_throttle_sum(const struct lt_throttle *t, __u64 clock_ns)
{
	return t->total_ns + (t->since_ns && clock_ns > t->since_ns ? clock_ns - t->since_ns : 0);
}

/* Of a queue that is not the task's, and may be gone: then the result is any number. */
static __noinline __u64 lt_throttle_far(__u64 address)
{
	struct cfs_rq *queue = (struct cfs_rq *)address;
	struct lt_throttle t;
	struct rq *rq;

	LT_THROTTLE_READ(queue, &t, BPF_CORE_READ);
	rq = BPF_CORE_READ(queue, rq);
	return lt_throttle_sum(&t, LT_THROTTLE_CLOCK(rq, BPF_CORE_READ));
}

/* A wait for a CPU begins. Since 6.18 a queued task is not stopped: only one that stopped itself on its way to user
 * space waits for quota. */
static __always_inline void lt_throttle_begin(struct lt_sched *sched, struct task_struct *task, __u64 now_ns)
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
	sched->wait_clock_ns = now_ns - clock_ns;
}

/* How much of the wait that ends, after wait_ns, was throttled. For a task that was moved to another queue meanwhile
 * the first one's clock: the queues of a group get their quota at the same time. */
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
		now_ns = lt_throttle_far(sched->wait_queue);
	}
	if (now_ns <= sched->wait_throttle_ns || task->prio < MAX_RT_PRIO)
		return 0;
	now_ns -= sched->wait_throttle_ns;
	return now_ns < wait_ns ? now_ns : wait_ns;
}

#endif
