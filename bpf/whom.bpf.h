/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who keeps threads in focus asleep: struct lt_because (include/lagtop.h). Who holds the lock that a thread waits
 * for is looked up when it falls asleep, who wakes it when it is woken; the sleep is charged at its end. A thread that
 * is not in focus costs its callers a load and a branch.
 */
#ifndef WHOM_BPF_H
#define WHOM_BPF_H

#include "entry.bpf.h"
#include "state.bpf.h"
#include "upstream.bpf.h"

#if defined(__TARGET_ARCH_arm64)
#define FUTEX_CALL LT_CALL(LT_ABI_NATIVE, 98)
#else
#define FUTEX_CALL LT_CALL(LT_ABI_NATIVE, 202)
#endif
#define FUTEX_COMPAT_CALL LT_CALL(LT_ABI_COMPAT, 240)
#define FUTEX_WAIT_OP 0
#define FUTEX_LOCK_PI_OP 6
#define FUTEX_WAIT_BITSET_OP 9
#define FUTEX_LOCK_PI2_OP 13
#define FUTEX_OP 0x7f
#define FUTEX_PRIVATE 0x80
#define FUTEX_HAS_WAITERS 0x80000000U
#define FUTEX_TID 0x3fffffff

#define MUTEX_KIND 0x3ffU /* bits of __kind: the type, robust, PI, shared, with elision or without */

#define ID_SHIFTS 6 /* of 6 bits: levels of the tree of pids */
#define ID_SLOTS 64
#define ID_NODE 2 /* in the lower bits of an entry: it is a node */
#define ID_KIND 3

/* The address of the struct pid that has a number in the pid namespace of the task that runs; 0: there is none. */
__noinline __weak __u64 lt_pid_find(__u32 tid)
{
	struct task_struct *self = (struct task_struct *)bpf_get_current_task();
	struct pid *pid = BPF_CORE_READ(self, thread_pid);
	struct upid *own = (void *)pid + bpf_core_field_offset(struct pid, numbers) +
			   BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid);
	struct pid_namespace *ns = BPF_CORE_READ(own, ns);
	__u64 at = (__u64)BPF_CORE_READ(ns, idr.idr_rt.xa_head);

	for (int i = 0; i < ID_SHIFTS && (at & ID_KIND) == ID_NODE; i++) {
		struct xa_node *node = (struct xa_node *)(at & ~(__u64)ID_KIND);
		__u64 place = tid >> (BPF_CORE_READ(node, shift) & 31);

		if (!i && place >= ID_SLOTS)
			return 0;
		at = 0;
		bpf_probe_read_kernel(&at, sizeof(at),
				      (void *)node + bpf_core_field_offset(struct xa_node, slots) +
					      (place & (ID_SLOTS - 1)) * sizeof(at));
	}
	return at & ID_KIND ? 0 : at;
}

/* Any task, by its address. */
static __always_inline void whom_is(struct lt_whom *who, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	who->tid = lt_pid_namespace ? lt_pid_number(BPF_CORE_READ(task, thread_pid)) : (__u32)BPF_CORE_READ(task, pid);
	who->tgid =
		lt_pid_namespace ? lt_pid_number(BPF_CORE_READ(leader, thread_pid)) : (__u32)BPF_CORE_READ(task, tgid);
	who->start_ns = who->tgid ? BPF_CORE_READ(leader, start_boottime) : 0;
}

__noinline __weak int lt_whom_task(struct lt_whom *who, __u64 address)
{
	if (who && address)
		whom_is(who, (struct task_struct *)address);
	return 0;
}

/* The thread with that number holds a lock that the task that runs waits for. shared: the lock is shared with other
 * processes; else the holder is of the same process, and a number that is not is none. */
__noinline __weak int lt_whom_holds(struct lt_whom *who, __u32 tid, __u32 shared)
{
	struct task_struct *self = (struct task_struct *)bpf_get_current_task(), *task;
	struct hlist_node *first;
	struct pid *pid;

	if (!who || !tid)
		return 0;
	pid = (struct pid *)lt_pid_find(tid);
	first = pid ? BPF_CORE_READ(pid, tasks[0].first) : NULL;
	if (!first)
		return 0;
	task = (void *)first - bpf_core_field_offset(struct task_struct, pid_links);
	if (!shared && BPF_CORE_READ(task, tgid) != BPF_CORE_READ(self, tgid))
		return 0;
	lt_whom_task(who, (__u64)task);
	who->kind = LT_WHOM_HOLDER;
	return 1;
}

struct futex {
	__u32 before[2]; /* it */
	__u32 word[8];
};

/* glibc's pthread_rwlock_t, whose futexes are __wrphase_futex or __writers_futex: who writes. 0: it is none, or nobody
 * does. */
static __always_inline __u32 rwlock_writer(const __u32 *w)
{
	if (w[0] <= 3 && w[1] <= 3 && !w[2] && !w[3] && w[5] <= 1)
		return w[4];
	if ((w[0] == 1 || w[0] == 3) && !w[1] && !w[2] && w[4] <= 1)
		return w[3];
	return 0;
}

#define COND_WAITER 8 /* in __wrefs of pthread_cond_t */
#define COND_WAITERS_MAX (COND_WAITER << 16)

/* glibc's pthread_cond_t, in which the sleeper is counted just before its futex. */
static __always_inline bool is_condition(const struct futex *f, __u64 address, __u32 value)
{
	__u32 waiters = address & 4 ? f->before[0] : f->before[1];

	return !(value & 1) && waiters >= COND_WAITER && waiters < COND_WAITERS_MAX;
}

/* Who holds the mutex that a futex belongs to, by the ways in which libraries use the word. Only what cannot be
 * anything else has a holder. Returns enum lt_whom_kind: NONE for what may be no lock. */
static __always_inline __u32 futex_look(struct lt_whom *who, const struct futex *f, const __u64 arg[3], __u64 sp,
					bool native)
{
	__u32 op = arg[1] & FUTEX_OP, shared = !(arg[1] & FUTEX_PRIVATE), value = arg[2];
	const __u32 *w = f->word;

	if (op == FUTEX_LOCK_PI_OP || op == FUTEX_LOCK_PI2_OP)
		return lt_whom_holds(who, w[0] & FUTEX_TID, shared) ? LT_WHOM_HOLDER : LT_WHOM_CONTENDED;
	if (op != FUTEX_WAIT_OP && op != FUTEX_WAIT_BITSET_OP)
		return LT_WHOM_NONE;
	/* glibc's robust mutexes; musl's, but normal ones. */
	if (w[0] & value & FUTEX_HAS_WAITERS && lt_whom_holds(who, w[0] & FUTEX_TID, shared))
		return LT_WHOM_HOLDER;
	/* pthread_mutex_t of glibc: __lock, __count, __owner, __nusers, __kind. */
	if (native && w[0] == 2 && value == 2 && w[3] && !(w[4] & ~MUTEX_KIND) && lt_whom_holds(who, w[2], shared))
		return LT_WHOM_HOLDER;
	if (native && op == FUTEX_WAIT_BITSET_OP) {
		if (lt_whom_holds(who, rwlock_writer(w), shared))
			return LT_WHOM_HOLDER;
		if (is_condition(f, arg[0], value))
			return LT_WHOM_NONE;
	}
	if (value == 2) /* a word on its own stack: musl's condition variables */
		return arg[0] - sp < 65536 ? LT_WHOM_NONE : LT_WHOM_CONTENDED;
	return value == (FUTEX_HAS_WAITERS | 0x10) ? LT_WHOM_CONTENDED : LT_WHOM_NONE; /* musl, normal */
}

/* The task that runs goes to sleep in LT_LOCK, in a call. */
__noinline __weak int lt_whom_lock(struct lt_because *w, __u32 call)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	bool native = call != FUTEX_COMPAT_CALL;
	struct futex f = {};
	__u64 arg[3];

	if (!w)
		return 0;
	lt_regs_args(regs, !native, arg);
	/* What stands before it may be no memory. */
	if (bpf_probe_read_user(&f, sizeof(f), (void *)arg[0] - sizeof(f.before)) &&
	    bpf_probe_read_user(f.word, sizeof(f.word) / 8 * 5, (void *)arg[0]))
		return 0;
	w->lock.kind = futex_look(&w->lock, &f, arg, lt_regs_sp(regs), native);
	return 0;
}

#define BLOCKER_TYPE 3 /* in the lower bits of task->blocker */
#define BLOCKER_MUTEX 0
#define BLOCKER_SEMAPHORE 1
#define OWNER_FLAGS 7
#define RWSEM_READERS 1 /* in its owner: readers hold it */

/* Who holds the kernel's own lock that the task that runs waits for, where the kernel keeps it. */
__noinline __weak int lt_whom_kernel(struct lt_whom *who)
{
	struct task_struct *self = (struct task_struct *)bpf_get_current_task();
	__u64 blocker, type, owner = 0;
	void *lock;

	if (!who || !bpf_core_field_exists(self->blocker))
		return 0;
	blocker = BPF_CORE_READ(self, blocker);
	type = blocker & BLOCKER_TYPE;
	lock = (void *)(blocker & ~(__u64)BLOCKER_TYPE);
	if (!lock || type == BLOCKER_SEMAPHORE)
		return 0;
	if (type == BLOCKER_MUTEX) {
		if (bpf_core_field_exists(((struct mutex *)lock)->owner))
			owner = BPF_CORE_READ((struct mutex *)lock, owner.counter);
	} else if (bpf_core_field_exists(((struct rw_semaphore *)lock)->owner)) {
		owner = BPF_CORE_READ((struct rw_semaphore *)lock, owner.counter);
		if (owner & RWSEM_READERS)
			owner = 0;
	}
	who->kind = LT_WHOM_CONTENDED;
	owner &= ~(__u64)OWNER_FLAGS;
	if (owner) {
		lt_whom_task(who, owner);
		who->kind = LT_WHOM_HOLDER;
	}
	return 0;
}

static __always_inline void because_begin(struct lt_because *w)
{
	w->seq++;
	lt_release();
}

static __always_inline void because_end(struct lt_because *w)
{
	lt_release();
	w->seq++;
}

#define LT_WHOM_RT_LOCK 0x100 /* with a slot: it is for a lock of the kernel */

/* The task that runs goes to sleep, in that state and call. */
__noinline __weak int lt_whom_sleeps(struct lt_calls *calls, __u32 to, __u32 call, __u32 slot, __u64 now_ns)
{
	struct lt_call *entry;
	struct lt_because *w;
	enum lt_wait wait;

	if (!calls)
		return 0;
	entry = lt_entry(calls, LT_CALL_WHOM);
	if (!entry)
		return 0;
	w = &entry->because;
	because_begin(w);
	__builtin_memset(&w->lock, 0, sizeof(w->lock));
	w->since_ns = now_ns;
	w->upstream = 0;
	wait = lt_wait_of(call);
	if (to == LT_BLOCK)
		lt_whom_kernel(&w->lock);
	else if (to == LT_NET || to == LT_POLL)
		w->upstream = lt_upstream_waits(slot);
	else if (to == LT_LOCK && (slot & LT_WHOM_RT_LOCK || wait == LT_WAIT_FILE_LOCK || wait == LT_WAIT_FCNTL))
		w->lock.kind = LT_WHOM_CONTENDED;
	else if (to == LT_LOCK && (call == FUTEX_CALL || call == FUTEX_COMPAT_CALL))
		lt_whom_lock(w, call);
	because_end(w);
	return 0;
}

static __always_inline bool is_same(const struct lt_whom *a, const struct lt_whom *b)
{
	return a->start_ns == b->start_ns && a->tid == b->tid && a->tgid == b->tgid && a->kind == b->kind &&
	       a->state == b->state;
}

/* Where a sleep is charged: its own place, a free one, or that of the least, which goes to the others. */
static __always_inline struct lt_whom *whom_place(struct lt_because *w, const struct lt_whom *who)
{
	struct lt_whom *least = &w->of[0];

	for (int i = 0; i < LT_WHOMS; i++) {
		struct lt_whom *at = &w->of[i];

		if (is_same(at, who))
			return at;
		if (at->ns < least->ns)
			least = at;
	}
	w->others_ns += least->ns;
	w->others_count += least->count;
	*least = *who;
	least->ns = least->count = 0;
	return least;
}

/* It has slept for so long in that state. */
__noinline __weak int lt_whom_slept(struct lt_record *record, __u32 from, __u64 since_ns, __u64 stay_ns)
{
	struct lt_whom who = { .kind = LT_WHOM_UNKNOWN }, *at;
	struct lt_call *entry;
	struct lt_because *w;
	__u32 index;

	if (!record)
		return 0;
	index = lt_entry_find(&record->calls, LT_CALL_WHOM);
	entry = index ? lt_entry_at(index - 1) : NULL;
	if (!entry)
		return 0;
	w = &entry->because;
	because_begin(w);
	if (w->since_ns != since_ns) { /* it was not in focus when the sleep began */
		w->lock.kind = LT_WHOM_NONE;
		w->upstream = 0;
	}
	if (w->lock.kind)
		who = w->lock;
	else if (w->waker_ns && w->waker_ns == record->sched.waking_ns)
		who = w->waker;
	who.state = from;
	at = whom_place(w, &who);
	at->ns += stay_ns;
	at->count++;
	w->waker_ns = 0;
	if (w->upstream)
		w->upstream_ns += stay_ns;
	else if (w->lock.kind && from == LT_LOCK)
		w->contended_lock_ns += stay_ns;
	because_end(w);
	return 0;
}

/* Whether the call that a task is in may put bytes into another task's socket of the same machine: then the network's
 * softirq, on top of it, wakes that one because of it. */
static __always_inline bool may_send(struct task_struct *task)
{
	enum lt_wait wait = lt_wait_of(lt_call_by_regs(task));

	return wait == LT_WAIT_NET || wait == LT_WAIT_RING || (wait >= LT_WAIT_FD && wait <= LT_WAIT_FD_1_3);
}

/* Whether the task that runs is what wakes, and not an interrupt. in_thread: it is not on top of another one's stack.
 */
static __always_inline bool by_task(struct task_struct *task, __u32 state, bool in_thread)
{
	bool net = state == LT_NET || state == LT_POLL;

	if (in_thread)
		return state != LT_NET || !(task->flags & PF_KERNELS_OWN); /* ksoftirqd */
	return task->pid && net && may_send(task);
}

/* The task that runs, or what interrupts it, wakes the thread, which sleeps in that state. */
__noinline __weak int lt_whom_wakes(struct lt_calls *calls, __u32 state, __u32 in_thread, __u64 now_ns)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct lt_call *entry;
	struct lt_whom *who;
	__u32 index;

	index = calls ? lt_entry_find(calls, LT_CALL_WHOM) : 0;
	entry = index ? lt_entry_at(index - 1) : NULL;
	if (!entry)
		return 0;
	who = &entry->because.waker;
	because_begin(&entry->because);
	__builtin_memset(who, 0, sizeof(*who));
	entry->because.waker_ns = now_ns;
	if (by_task(task, state, in_thread)) {
		whom_is(who, task);
		who->tid = 0;
		who->kind = LT_WHOM_WAKER;
	} else {
		who->kind = state == LT_NET ? LT_WHOM_NETWORK : state == LT_LOCK ? LT_WHOM_TIMER : LT_WHOM_INTERRUPT;
	}
	because_end(&entry->because);
	return 0;
}

#endif
