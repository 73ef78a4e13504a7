/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler family: the time in each state, wake-up latency, switches, wakeups.
 *
 * A thread is in exactly one state; each program here moves it to another one and adds the time of
 * the state that ends. time_ns[] is written before the word, so that a reader that finds the word
 * unchanged and Σ time_ns == since − born has a consistent reading. Only these programs write `sched`,
 * under the run queue's lock (lt_wakeup also by the thread itself with interrupts off).
 */
#include "kernel.h"
#include "entry.bpf.h"
#include "state.bpf.h"
#include "throttle.bpf.h"
#include "focus.bpf.h"
#include "waker.bpf.h"
#include "whom.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Whether a wait in LT_LOCK is for a kernel lock or a file lock, which counts as part of the call's service time. */
static __always_inline bool kernels_lock(struct lt_record *record)
{
	enum lt_wait wait = lt_wait_of(record->calls.call);

	return record->sched.rt_lock || wait == LT_WAIT_FILE_LOCK || wait == LT_WAIT_FCNTL;
}

/* The first transition after a reading's T saves the thread's times at T: the reader may come much later. */
__noinline int lt_cut_save(struct lt_cut *cut, const struct lt_sched *sched, __u64 word, __u64 cut_ns,
			   __u64 throttled_ns)
{
	if (!cut || !sched)
		return 0;
	cut->at_ns = cut_ns;
	cut->throttled_ns = throttled_ns;
	cut->word = word;
	for (int i = 0; i < LT_STATES; i++)
		cut->time_ns[i] = sched->time_ns[i];
	return 0;
}

/* Rare, so not inlined. */
__noinline int lt_disk_wait_add(struct lt_record *record, struct lt_parts *parts, __u64 ns)
{
	if (!record || !parts)
		return 0;
	lt_dist_add(&record->calls, LT_DIST_DISK_WAIT, ns);
	if (record->sched.page_fault) {
		record->sched.uses_parts = true;
		parts->page_fault_disk_ns += ns;
	}
	return 0;
}

/* Ends the task's current state at now_ns and begins another. */
static __always_inline void move(struct lt_slot *s, struct task_struct *task, __u64 now_ns, enum lt_state to)
{
	struct lt_sched *sched = &s->record->sched;
	__u64 word = *s->word, since = LT_WORD_SINCE(word), cut_ns = lt_cut_ns, throttled_ns = 0, enter_ns, early_ns,
	      stay_ns;
	__u32 from = LT_WORD_STATE(word);
	struct rq *rq;

	if (now_ns < since)
		now_ns = since;
	stay_ns = now_ns - since;
	if (LT_FOR_CPU(from))
		throttled_ns = lt_throttle_end(sched, task, stay_ns);
	if (since < cut_ns && now_ns >= cut_ns)
		lt_cut_save(s->cut, sched, word, cut_ns, throttled_ns);
	if (from < LT_STATES)
		sched->time_ns[from] += stay_ns - throttled_ns;
	else if (from == LT_NEW)
		s->record->who.born_ns = now_ns;
	if (throttled_ns)
		sched->time_ns[LT_THROTTLED] += throttled_ns;
	if (sched->waits)
		lt_focus_leave(sched, focus_cpu(task), now_ns);
	if (LT_FOR_CPU(to)) {
		lt_throttle_begin(sched, task);
		if (sched->focus) {
			rq = task->se.cfs_rq->rq;
			lt_focus_enter(sched, focus_cpu(task), irq_ns_of(rq), steal_ns_of(rq), now_ns);
		}
	}
	lt_release();
	*s->word = LT_WORD(now_ns, to);
	if (from == LT_DISK)
		lt_disk_wait_add(s->record, s->parts, stay_ns);
	if (sched->focus && from < LT_STATES && LT_HAS_WHOM(from))
		lt_whom_slept(s->record, from, since, stay_ns);
	if (!lt_with_calls || from == LT_RUN || from >= LT_STATES)
		return;
	enter_ns = s->record->calls.enter_ns;
	if (!enter_ns || enter_ns == LT_UNTIMED)
		return;
	if (sched->call_enter_ns != enter_ns) {
		early_ns = since > enter_ns ? since - enter_ns : 0;
		sched->call_early_ns = early_ns < ~0U ? early_ns : ~0U;
		sched->call_enter_ns = enter_ns;
		sched->call_wait_ns = 0;
		sched->call_sleep_ns = 0;
	}
	sched->call_wait_ns += stay_ns;
	if (from > LT_LOCK || (from == LT_LOCK && !kernels_lock(s->record)))
		sched->call_sleep_ns += stay_ns;
}

/* How long ago a task got its CPU or was queued for it, by the run queue's clock, which is current only during a
 * switch. Needs CONFIG_FAIR_GROUP_SCHED and CONFIG_SCHED_INFO, which every distribution sets. */
static __always_inline __u64 rq_ago_ns(struct task_struct *task, bool queued)
{
	__u64 clock, then;

	if (!bpf_core_field_exists(task->se.cfs_rq->rq) || !bpf_core_field_exists(task->sched_info.last_arrival))
		return 0;
	clock = BPF_CORE_READ(task, se.cfs_rq, rq, clock);
	then = queued ? task->sched_info.last_queued : task->sched_info.last_arrival;
	return then && clock > then ? clock - then : 0;
}

static __always_inline __u64 since_plus(struct lt_slot *s, __u64 now_ns, __u64 ago_ns)
{
	__u64 since = LT_WORD_SINCE(*s->word);

	return now_ns < since || now_ns - since < ago_ns ? since : now_ns - ago_ns;
}

#define NOT_IN_CALL (TASK_STOPPED | TASK_TRACED | TASK_PARKED | TASK_FROZEN)

/* A thread leaves its CPU in a call that was not timed: its time is known from here on. */
static __always_inline void call_out(struct task_struct *task, struct lt_calls *calls, __u64 now_ns, __u32 task_state)
{
	__u32 call;

	if (calls->enter_ns == LT_UNTIMED) {
		calls->began = LT_BEGAN_LATE;
	} else if (lt_level == LT_LEVEL_EXITS && !calls->enter_ns && calls->call != LT_CALL_NONE &&
		   !(task_state & NOT_IN_CALL)) {
		call = lt_call_ahead(task);
		if (call == LT_CALL_NONE)
			return;
		calls->call = call;
		calls->began = LT_BEGAN_ASLEEP;
	} else {
		return;
	}
	lt_release();
	calls->enter_ns = now_ns;
}

/* No hook sees the call return: what is stored about it is valid only while the thread sleeps. */
static __always_inline __u32 call_unwatched(struct task_struct *task, struct lt_calls *calls, __u64 now_ns)
{
	__u32 call = lt_call_by_regs(task);

	calls->enter_ns = 0;
	lt_release();
	calls->call = call;
	calls->began = LT_BEGAN_ASLEEP;
	lt_release();
	calls->enter_ns = call == LT_CALL_NONE ? 0 : now_ns;
	return call;
}

/* The call in which a thread goes to sleep, if that says what it waits for. */
static __always_inline __u32 call_of(struct task_struct *task, struct lt_record *record, __u64 now_ns, __u32 task_state)
{
	struct lt_calls *calls = &record->calls;
	__u32 call;

	if (!lt_with_calls || lt_level == LT_LEVEL_OFF)
		return call_unwatched(task, calls, now_ns);
	if (calls->enter_ns) {
		if (lt_wait_of(calls->call) == LT_WAIT_RESTART && calls->interrupted != LT_CALL_NONE)
			return calls->interrupted;
		return calls->call;
	}
	/* Seeded on its CPU, perhaps inside a call, and has made no other since. */
	if (calls->call == LT_CALL_NONE && record->who.flags & LT_SEEDED)
		return lt_call_by_regs(task);
	if (calls->call == LT_CALL_NONE || task_state & NOT_IN_CALL)
		return LT_CALL_NONE;
	call = lt_call_ahead(task);
	if (call != LT_CALL_NONE) {
		calls->call = call;
		calls->began = LT_BEGAN_ASLEEP;
		lt_release();
		calls->enter_ns = now_ns;
	}
	return call;
}

/* The iterator at start sees only our pid namespace: threads outside get their record at their first switch. */
static __noinline bool adopt(struct task_struct *task, __u64 now_ns, enum lt_state state)
{
	struct lt_slot s;
	__s32 slot;

	slot = lt_pop(&s);
	if (slot < 0)
		return false;
	lt_introduce_old(s.record, task, now_ns);
	lt_release();
	*s.word = LT_WORD(now_ns, state);
	if (lt_index_add(task, slot))
		return true;
	*s.word = LT_WORD(now_ns, LT_VOID);
	return false;
}

/* A thread without a record leaves its CPU. */
static __always_inline void untracked_out(struct task_struct *task, __u64 now_ns, __u32 task_state, bool preempt)
{
	struct lt_cpu *cpu = lt_this_cpu();

	if (lt_pid_namespace && !(task_state & TASK_DEAD) && !lt_tgid(task)) {
		if (adopt(task, now_ns,
			  lt_is_put_off(task, task_state, preempt)
				  ? LT_PREEMPT
				  : lt_sleep_state(task, task_state, LT_CALL_NONE, false)))
			return;
	} else if (task_state & TASK_DEAD && (!lt_pid_namespace || lt_tgid(task))) {
		cpu->untracked_died++;
	}
	cpu->lost_switches++;
}

static __always_inline void switch_out(struct task_struct *task, __u64 now_ns, __u32 task_state, bool preempt,
				       bool can_cast)
{
	struct lt_slot s;
	enum lt_state to;
	__u64 began_ns;
	__u32 from, call;

	if (!lt_find(task, &s)) {
		lt_focus_charge(task, NULL, LT_BLAME_OTHERS, now_ns);
		untracked_out(task, now_ns, task_state, preempt);
		return;
	}
	from = LT_WORD_STATE(*s.word);
	if (from != LT_RUN) {
		/* Its switch-in was missed. Its previous state ended when it got the CPU. */
		if (!(s.record->who.flags & LT_SEEDED) || s.record->who.born_ns != LT_WORD_SINCE(*s.word))
			lt_this_cpu()->lost_switches++;
		began_ns = since_plus(&s, now_ns, rq_ago_ns(task, false));
		lt_focus_charge(task, NULL, LT_BLAME_OTHERS, began_ns);
		move(&s, task, began_ns, LT_RUN);
	}
	lt_focus_charge(task, s.record, 0, now_ns);
	if (s.record->who.cred != (__u64)task->cred) {
		lt_cred_read(&s.record->who, task);
		s.record->who.changes++;
	}
	lt_kernel_counters(s.record->sched.counter, task);
	if (lt_with_calls && lt_level)
		call_out(task, &s.record->calls, now_ns, task_state);
	if (task_state & TASK_DEAD) {
		lt_index_remove(task);
		to = LT_DEAD;
	} else if (lt_is_put_off(task, task_state, preempt)) {
		to = LT_PREEMPT;
	} else {
		s.record->sched.rt_lock = (task_state & TASK_RTLOCK_WAIT) != 0;
		call = call_of(task, s.record, now_ns, task_state);
		to = lt_sleep_state(task, task_state, call, can_cast);
		if (to == LT_DISK)
			s.record->sched.page_fault = lt_in_page_fault(task);
		if (s.record->sched.focus && LT_HAS_WHOM(to)) {
			/* As move does: the sleep is known by its beginning. */
			if (now_ns < LT_WORD_SINCE(*s.word))
				now_ns = LT_WORD_SINCE(*s.word);
			lt_whom_sleeps(&s.record->calls, to, call,
				       (s.record->sched.focus - 1) |
					       (task_state & TASK_RTLOCK_WAIT ? LT_WHOM_RT_LOCK : 0),
				       now_ns);
		}
	}
	move(&s, task, now_ns, to);
}

static __always_inline void switch_in(struct task_struct *task, __u64 now_ns)
{
	__u64 word, waited_ns, began_ns;
	struct lt_slot s;
	__u32 from;

	if (!lt_find(task, &s)) {
		/* Where pid 1 is hidden from BPF programs, they would never see it leave the CPU. */
		if (lt_pid_namespace && task->tgid != 1 && !lt_tgid(task))
			adopt(task, now_ns, LT_RUN);
		return;
	}
	word = *s.word;
	from = LT_WORD_STATE(word);
	if (!LT_FOR_CPU(from)) {
		/* A missed wakeup, or a missed switch-out: the run queue knows since when it was queued. */
		lt_this_cpu()->lost_switches++;
		began_ns = s.record->sched.waking_ns;
		if (from == LT_RUN || began_ns <= LT_WORD_SINCE(word))
			began_ns = since_plus(&s, now_ns, rq_ago_ns(task, true));
		if (from != LT_RUN)
			s.record->sched.wakeups++;
		move(&s, task, began_ns, from == LT_RUN ? LT_PREEMPT : LT_WAKEQ);
		word = *s.word;
		from = LT_WORD_STATE(word);
	}
	if (from == LT_WAKEQ) {
		waited_ns = now_ns > LT_WORD_SINCE(word) ? now_ns - LT_WORD_SINCE(word) : 0;
		lt_hist_add(&s.record->sched.wakeup, waited_ns);
		lt_max_add(&s.record->sched.wakeup_max, waited_ns);
	}
	move(&s, task, now_ns, LT_RUN);
}

/* Not static, so that the verifier does not walk what follows a switch-out once for each of its ways. At this hook the
 * current task is still the one that leaves. */
__noinline __weak int lt_switch_out(__u64 now_ns, __u32 task_state, bool preempt)
{
	switch_out(bpf_get_current_task_btf(), now_ns, task_state, preempt, true);
	return 0;
}

__noinline __weak int lt_switch_out_6_1(__u64 now_ns, __u32 task_state, bool preempt)
{
	switch_out(bpf_get_current_task_btf(), now_ns, task_state, preempt, false);
	return 0;
}

static __always_inline int on_switch(struct task_struct *prev, struct task_struct *next, __u32 prev_state, bool preempt,
				     bool can_cast)
{
	__u64 now_ns = bpf_ktime_get_ns();

	if (!prev->pid)
		lt_focus_charge(next, NULL, LT_BLAME_ASLEEP, now_ns);
	else if (can_cast)
		lt_switch_out(now_ns, prev_state, preempt);
	else
		lt_switch_out_6_1(now_ns, prev_state, preempt);
	if (next->pid)
		switch_in(next, now_ns);
	lt_self(LT_PROG_SWITCH, now_ns);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(lt_switch, bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int prev_state)
{
	return on_switch(prev, next, prev_state, preempt, true);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(lt_switch_6_1, bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int prev_state)
{
	return on_switch(prev, next, prev_state, preempt, false);
}

/* Before 5.18 the tracepoint did not pass the state that the scheduler's decision was based on. */
SEC("tp_btf/sched_switch")
int BPF_PROG(lt_switch_5_15, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return on_switch(prev, next, prev->__state, preempt, false);
}

static __always_inline bool sleeps(__u64 word)
{
	__u32 state = LT_WORD_STATE(word);

	return state < LT_STATES && state != LT_RUN && !LT_FOR_CPU(state);
}

/* Runs on the waker's CPU, before the sleeper is queued, perhaps on another CPU that an interrupt must first wake from
 * idle. */
SEC("tp_btf/sched_waking")
int BPF_PROG(lt_waking, struct task_struct *task)
{
	struct lt_slot s;
	__u64 now_ns;

	if (!lt_find(task, &s) || !sleeps(*s.word))
		return 0;
	now_ns = bpf_ktime_get_ns();
	s.record->sched.waking_ns = now_ns;
	s.record->sched.waker = s.record->sched.focus ? lt_waker(ctx) : 0;
	if (s.record->sched.focus && LT_HAS_WHOM(LT_WORD_STATE(*s.word)))
		lt_whom_wakes(&s.record->calls, LT_WORD_STATE(*s.word), !!s.record->sched.waker, now_ns);
	lt_self(LT_PROG_WAKING, now_ns);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(lt_wakeup, struct task_struct *task)
{
	__u64 now_ns, began_ns;
	struct lt_slot s;

	if (!lt_find(task, &s) || !sleeps(*s.word))
		return 0;
	now_ns = s.record->sched.waking_ns;
	/* Reading the clock costs more than the rest of this program: only if there is no stamp. */
	if (now_ns <= LT_WORD_SINCE(*s.word))
		now_ns = bpf_ktime_get_ns();
	began_ns = now_ns >> 3 & LT_SELF_MASK ? 0 : bpf_ktime_get_ns();
	move(&s, task, now_ns, LT_WAKEQ);
	s.record->sched.wakeups++;
	if (began_ns)
		lt_self_add(LT_PROG_WAKEUP, began_ns);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(lt_wakeup_new, struct task_struct *task)
{
	struct lt_slot s;

	if (lt_find(task, &s) && (LT_WORD_STATE(*s.word) == LT_NEW || sleeps(*s.word)))
		move(&s, task, bpf_ktime_get_ns(), LT_WAKEQ);
	return 0;
}

/* Runs under the lock of the run queue that the task leaves. Attached only while something is in focus. */
SEC("tp_btf/sched_migrate_task")
int BPF_PROG(lt_migrate, struct task_struct *task, int cpu)
{
	struct lt_slot s;

	if (lt_find(task, &s) && s.record->sched.waits)
		focus_move(&s.record->sched, task, LT_WORD_SINCE(*s.word));
	return 0;
}

/* Run by the front end for a wait that is open at a reading. */
SEC("syscall")
int lt_throttle(struct lt_throttle_look *look)
{
	struct task_struct *task = (struct task_struct *)look->task;
	struct cfs_rq *queue = lt_throttle_queue(look->queue, BPF_CORE_READ(task, se.cfs_rq));
	struct lt_throttle t;
	struct rq *rq;

	if (!queue)
		return 1;
	LT_THROTTLE_READ(queue, &t, BPF_CORE_READ);
	look->throttle = t;
	rq = BPF_CORE_READ(queue, rq);
	look->cpu = bpf_core_field_exists(rq->cpu) ? BPF_CORE_READ(rq, cpu) : 0;
	return 0;
}

/* The running thread's time on CPUs so far; 0: its word changed meanwhile, since a program can be preempted. */
static __always_inline __u64 run_ns_of(struct lt_slot *s)
{
	__u64 word = *(volatile __u64 *)s->word, ns = s->record->sched.time_ns[LT_RUN];

	if (LT_WORD_STATE(word) != LT_RUN || *(volatile __u64 *)s->word != word)
		return 0;
	return ns + bpf_ktime_get_ns() - LT_WORD_SINCE(word);
}

/* A thread frees memory for itself: its time on CPUs. Its waits meanwhile are counted as waits. */
static __always_inline int reclaim(bool ends)
{
	struct lt_parts *parts;
	__u64 began_ns, now_ns;
	struct lt_slot s;

	if (!lt_find(bpf_get_current_task_btf(), &s))
		return 0;
	now_ns = run_ns_of(&s);
	parts = lt_parts_of(&s);
	began_ns = parts->reclaim_run_ns;
	parts->reclaim_run_ns = ends ? 0 : now_ns;
	lt_release();
	if (ends && began_ns && now_ns > began_ns)
		parts->reclaim_ns += now_ns - began_ns;
	return 0;
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_begin")
int BPF_PROG(lt_reclaim_mb)
{
	return reclaim(false);
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_end")
int BPF_PROG(lt_reclaim_me)
{
	return reclaim(true);
}

SEC("tp_btf/mm_vmscan_direct_reclaim_begin")
int BPF_PROG(lt_reclaim_db)
{
	return reclaim(false);
}

SEC("tp_btf/mm_vmscan_direct_reclaim_end")
int BPF_PROG(lt_reclaim_de)
{
	return reclaim(true);
}
