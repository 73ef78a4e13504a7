/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thread creation, names and exit: gives every thread its record, whichever families are on, and removes
 * the record from the index again. `iter/task` seeds the threads that exist at start.
 */
#include "kernel.h"
#include "entry.bpf.h"
#include "kill.bpf.h"
#include "state.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define MOVED_EVERY_NS 50000000 /* a process may change its group in a loop */
static __u64 moved_ns;

/* The only source for the name of a control group that a process was in only briefly. */
static __always_inline void tell_moved(struct task_struct *task)
{
	struct lt_event event = { .type = LT_EVENT_MOVED, .tgid = lt_tgid(task) };
	__u64 now_ns = bpf_ktime_get_ns();

	if (!event.tgid || now_ns - moved_ns < MOVED_EVERY_NS)
		return;
	moved_ns = now_ns;
	event.process_start_ns = lt_process_start(task, event.tgid);
	bpf_ringbuf_output(&lt_events, &event, sizeof(event), BPF_RB_FORCE_WAKEUP);
}

SEC("tp_btf/task_newtask")
int BPF_PROG(lt_newtask, struct task_struct *task, __u64 clone_flags)
{
	struct lt_cpu *cpu = lt_this_cpu();
	__u64 now_ns = bpf_ktime_get_ns();
	struct lt_slot s, creator;
	__s32 slot;

	if (!task->pid)
		return 0;
	if (!(clone_flags & CLONE_THREAD))
		cpu->forks++;
	if (lt_find(task, &s)) {
		/* The exit of the task that had this address before was missed. */
		lt_index_remove(task);
		*s.word = LT_WORD(LT_WORD_SINCE(*s.word), LT_DEAD);
		if (lt_with_sched)
			cpu->lost_switches++;
	}
	slot = lt_pop(&s);
	if (slot < 0) {
		cpu->untracked_born++;
		return 0;
	}
	lt_introduce(s.record, task);
	if (clone_flags & CLONE_THREAD && lt_find(bpf_get_current_task_btf(), &creator)) {
		lt_introduce_sibling(&s.record->who, &creator.record->who, task);
		if (clone_flags & CLONE_INTO_CGROUP)
			s.record->who.cgroup = lt_cgroup(task);
		s.record->sched.focus = creator.record->sched.focus;
	} else {
		lt_introduce_process(&s.record->who, task);
	}
	s.record->who.born_ns = now_ns;
	lt_release();
	/* Without the scheduler family no later event does this: its life begins here, its state is not known. */
	*s.word = LT_WORD(now_ns, lt_with_sched ? LT_NEW : LT_OTHER);
	if (!lt_index_add(task, slot)) {
		*s.word = LT_WORD(now_ns, LT_VOID);
		cpu->untracked_born++;
	} else if (clone_flags & CLONE_INTO_CGROUP) {
		tell_moved(task);
	}
	return 0;
}

/* The new program's command line: for processes that exit before /proc can be read. */
static __always_inline void args_keep(struct lt_record *record, struct task_struct *task)
{
	__u64 start = task->mm->arg_start, all = task->mm->arg_end - start, bytes = all;
	struct lt_call *entry = lt_entry(&record->calls, LT_CALL_ARGS);

	if (!entry)
		return;
	asm volatile("" : "+r"(bytes)); /* in its own register, or the verifier does not see its bound */
	if (bytes > LT_ARGS_BYTES)
		bytes = LT_ARGS_BYTES;
	entry->args_bytes = bpf_probe_read_user(entry->args, bytes, (void *)start) ? 0 : all;
	entry->args_exec = bpf_ktime_get_ns() >> 10 | 1;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(lt_exec, struct task_struct *task, int old_pid)
{
	struct lt_slot s;

	lt_this_cpu()->execs++;
	if (!lt_find(task, &s))
		return 0;
	/* After exec by a non-leader the task has its leader's pid and start. */
	s.record->who.tid = lt_tid(task);
	s.record->who.start_ns = task->start_boottime;
	lt_cred_read(&s.record->who, task);
	s.record->who.flags |= LT_EXECED;
	args_keep(s.record, task);
	s.record->who.changes++;
	return 0;
}

/* Threads renamed or moved by another thread: the only name changes that happen outside of the thread's context. */
__u32 lt_renames = 0;

/* Fires once per process, or for a thread that is moved alone. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(lt_attach, struct cgroup *to, const char *path, struct task_struct *task)
{
	struct lt_slot s;

	if (!lt_find(task, &s))
		return 0;
	s.record->who.cgroup = lt_cgroup(task);
	s.record->who.changes++;
	__sync_fetch_and_add(&lt_renames, 1);
	if (task->pid == task->tgid)
		tell_moved(task);
	return 0;
}

/* Fires before the new name is in place; for another thread too (/proc/PID/task/TID/comm). */
SEC("tp_btf/task_rename")
int BPF_PROG(lt_rename, struct task_struct *task, const char *comm)
{
	struct lt_slot s;

	if (!lt_find(task, &s))
		return 0;
	bpf_probe_read_kernel_str(s.record->who.comm, sizeof(s.record->who.comm), comm);
	s.record->who.changes++;
	if (task != bpf_get_current_task_btf())
		__sync_fetch_and_add(&lt_renames, 1);
	return 0;
}

#define GONE 256
static __u64 gone[GONE]; /* the processes that ended most recently, by start time */

/* For kernels before 6.16, where the tracepoint does not say it. signal->live is already decremented: 0 means that the
 * process is over. Threads that exit at the same time on several CPUs may all see 0. If another with the
 * same place in `gone` ends between two of them, the process counts twice. */
static __always_inline bool ends_process(struct task_struct *task)
{
	__u64 start_ns = task->group_leader->start_boottime;

	return task->signal->live.counter == 0 &&
	       __sync_lock_test_and_set(&gone[(start_ns ^ task->tgid) & (GONE - 1)], start_ns) != start_ns;
}

/* Who sent the signal that ended the process. record: NULL if it has none. */
static __always_inline void killer_keep(struct task_struct *task, struct lt_record *record)
{
	__u32 tgid = task->tgid;
	struct lt_killer *killer = bpf_map_lookup_elem(&lt_killers, &tgid);
	struct lt_call *entry;

	if (!killer)
		return;
	if (record && (record->who.exit_status & 0x7f) == killer->signal) {
		entry = lt_entry(&record->calls, LT_CALL_KILLER);
		if (entry)
			entry->killer = *killer;
	}
	bpf_map_delete_elem(&lt_killers, &tgid);
}

/* Without sys_enter: counts the call that ends a thread, which does not return. */
static __always_inline void exit_add(struct task_struct *task, struct lt_calls *calls)
{
	__u32 call = lt_call_by_regs(task);

	if (call == LT_CALL_NONE || !lt_call_exits(LT_CALL_ABI(call), LT_CALL_NR(call)))
		return;
	/* Reported before sys_enter was detached. */
	if (calls->enter_ns && calls->call == call && calls->began != LT_BEGAN_ASLEEP)
		return;
	calls->call = call;
	calls->began = LT_BEGAN_ASLEEP;
	lt_release();
	calls->enter_ns = bpf_ktime_get_ns();
	calls->calls++;
}

static __always_inline int exits(struct task_struct *task, bool ends_process)
{
	struct lt_slot s;

	if (ends_process)
		lt_this_cpu()->exits++;
	if (!lt_find(task, &s)) {
		if (!lt_with_sched)
			lt_this_cpu()->untracked_died++;
		if (ends_process)
			killer_keep(task, NULL);
		return 0;
	}
	if (ends_process)
		s.record->who.flags |= LT_LAST;
	if (lt_with_calls && lt_level == LT_LEVEL_EXITS)
		exit_add(task, &s.record->calls);
	s.record->who.ppid = lt_ppid(task);
	if (s.record->who.cred != (__u64)task->cred)
		lt_cred_read(&s.record->who, task);
	if (task->signal->flags & SIGNAL_GROUP_EXIT) {
		s.record->who.exit_status = task->signal->group_exit_code;
		s.record->who.flags |= LT_GROUP_EXIT;
	} else {
		s.record->who.exit_status = task->exit_code;
	}
	if (ends_process)
		killer_keep(task, s.record);
	if (!lt_with_sched) {
		lt_index_remove(task);
		lt_release();
		*s.word = LT_WORD(bpf_ktime_get_ns(), LT_DEAD);
	}
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(lt_pexit, struct task_struct *task, bool group_dead)
{
	return exits(task, group_dead);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(lt_pexit_5_15, struct task_struct *task)
{
	return exits(task, ends_process(task));
}

/* Its last event, the one that ends its record, may already have happened. */
static __always_inline bool is_over(struct task_struct *task)
{
	return lt_with_sched ? task->__state & TASK_DEAD : task->flags & PF_EXITING;
}

/* What a thread is doing right now, for its first word; in_call: its state if it sleeps in its call. */
static __always_inline enum lt_state present_state(struct task_struct *task, __u32 call, enum lt_state in_call)
{
	enum lt_state asleep;

	if (!lt_with_sched)
		return LT_OTHER;
	/* On its CPU but not runnable: about to go to sleep. */
	if (!lt_is_put_off(task, task->__state, false)) {
		asleep = lt_sleep_outside(task, task->__state, call);
		return asleep == LT_IN_CALL ? in_call : asleep;
	}
	return task->on_cpu ? LT_RUN : LT_PREEMPT;
}

/* A CPU that has gone offline runs no tracepoints: the last switch on it, away from its stopper thread, is missed,
 * and no other follows. A thread that is neither on a CPU nor queued for one does not run; how long it did run is not
 * known. */
static __always_inline void left_unseen(struct task_struct *task, struct lt_slot *s)
{
	__u64 word = *(volatile __u64 *)s->word;

	if (LT_WORD_STATE(word) == LT_RUN && !task->on_cpu && !task->on_rq)
		__sync_val_compare_and_swap(
			s->word, word,
			LT_WORD(LT_WORD_SINCE(word), lt_sleep_outside(task, task->__state, LT_CALL_NONE)));
}

/* Set by the front end: BEGIN before it reattaches the system call hooks, CHECK once they are attached. */
volatile __u32 lt_seed_calls = LT_SEED_CALLS_NOT;

/* The saved registers of a running thread are from its last call, those of a new one are its parent's: useless. */
static __always_inline __u32 call_in_flight(struct task_struct *task, __u64 switches)
{
	return (task->on_cpu && lt_runnable(task)) || !switches ? LT_CALL_NONE : lt_call_by_regs(task);
}

static __always_inline void calls_begin(struct lt_calls *calls, __u32 call, __u64 now_ns)
{
	calls->call = call;
	calls->began = call != LT_CALL_NONE ? LT_BEGAN_EARLIER : LT_BEGAN;
	calls->enter_ns = call != LT_CALL_NONE ? now_ns : 0;
}

/* As if the thread had just been found: its calls in the meantime were not seen. */
static __noinline int calls_again(struct task_struct *task, struct lt_record *record)
{
	__sync_fetch_and_or(&record->who.flags, LT_SEEDED); /* the thread itself may set another */
	record->calls.to_restart = 0;
	record->calls.interrupted = LT_CALL_NONE;
	calls_begin(&record->calls, call_in_flight(task, task->nvcsw + task->nivcsw), bpf_ktime_get_ns());
	return 0;
}

/* The thread may have returned from its call before the hooks were attached, or before its record was published. */
static __noinline int calls_check(struct task_struct *task, struct lt_calls *calls)
{
	__u64 enter_ns = calls->enter_ns;

	if (calls->began == LT_BEGAN_EARLIER && call_in_flight(task, task->nvcsw + task->nivcsw) != calls->call)
		__sync_val_compare_and_swap(&calls->enter_ns, enter_ns, 0);
	return 0;
}

/* A thread that has a record. */
static __always_inline int look_again(struct task_struct *task, struct lt_slot *s)
{
	left_unseen(task, s);
	if (lt_with_calls && lt_seed_calls == LT_SEED_CALLS_BEGIN)
		calls_again(task, s->record);
	else if (lt_with_calls && lt_seed_calls == LT_SEED_CALLS_CHECK)
		calls_check(task, &s->record->calls);
	return 0;
}

/* Threads without a record for which the last iteration had none left; the front end zeroes it beforehand. */
__u64 lt_seed_missed = 0;
/* Threads without a record that were being created: lt_newtask gives them theirs, unless it was not attached yet. The
 * front end iterates again. */
__u64 lt_seed_unborn = 0;

SEC("iter/task")
int lt_seed(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	__u64 now_ns, word, switches;
	enum lt_state in_call;
	struct lt_slot s;
	bool is_new;
	__u32 call;
	__s32 slot;

	if (!task || !task->pid || task->exit_state || is_over(task))
		return 0;
	is_new = task->__state & TASK_NEW_STATE;
	lt_release(); /* if it is not, what lt_newtask has published is seen below */
	if (lt_find(task, &s))
		return look_again(task, &s);
	if (is_new) {
		__sync_fetch_and_add(&lt_seed_unborn, 1);
		return 0;
	}
	/* Checked again: its record may just have been removed. */
	if (is_over(task))
		return 0;
	slot = lt_pop(&s);
	if (slot < 0) {
		__sync_fetch_and_add(&lt_seed_missed, 1);
		return 0;
	}
	switches = task->nvcsw + task->nivcsw;
	now_ns = bpf_ktime_get_ns();
	lt_introduce_old(s.record, task, now_ns);
	call = call_in_flight(task, switches);
	in_call = lt_sleep_in_call(task, call, false);
	s.record->sched.page_fault = lt_in_page_fault(task);
	if (lt_with_calls)
		calls_begin(&s.record->calls, call, now_ns);
	word = LT_WORD(now_ns, present_state(task, call, in_call));
	*s.word = word;
	if (!lt_index_add(task, slot)) {
		*s.word = LT_WORD(now_ns, LT_VOID);
		__sync_fetch_and_add(&lt_seed_missed, 1);
		return 0;
	}
	if (lt_with_calls)
		calls_check(task, &s.record->calls);
	/* It may have changed before its record was published: exited, or gone to sleep, which would not show until it
	 * wakes. */
	if (is_over(task)) {
		lt_index_remove(task);
		__sync_val_compare_and_swap(s.word, word, LT_WORD(now_ns, LT_DEAD));
	} else if (present_state(task, call, in_call) != LT_WORD_STATE(*(volatile __u64 *)s.word) ||
		   task->nvcsw + task->nivcsw != switches) {
		/* Read again: the verifier tracks the value in `word` and would check all pairs of states, 0.7 s. */
		__sync_val_compare_and_swap(s.word, word, LT_WORD(now_ns, present_state(task, call, in_call)));
	}
	return 0;
}

#define LOCKED 3 /* rw_semaphore.count: a writer has it, there are waiters */

/* One thread, by the iterator's parameter; before Linux 6.1, all threads. */
SEC("iter/task")
int lt_look(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct lt_look look = {};

	if (!task)
		return 0;
	look.tid = lt_tid(task);
	look.ppid = lt_ppid(task);
	if (task->mm && bpf_core_field_exists(task->mm->mmap_lock.count))
		look.memory_locked = (task->mm->mmap_lock.count.counter & LOCKED) != 0;
	bpf_seq_write(ctx->meta->seq, &look, sizeof(look));
	return 0;
}
