/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding, allocating and releasing a thread's record; code that the programs of all families share.
 *
 * The key is the task's address: it stays the same when a non-leader execs, and cannot be reused
 * before the last switch has removed the record from the index. Records are in chunks, chunks in
 * an array of maps that the front end extends. Nothing here allocates memory or takes a lock.
 */
#ifndef RECORD_BPF_H
#define RECORD_BPF_H

#include "lagtop.h"
#include "calls.h"

/* Set before load, so that the verifier removes dead branches. */
const volatile bool lt_with_sched __weak = true;
const volatile bool lt_with_calls __weak = true;
const volatile bool lt_with_net __weak = true;
const volatile bool lt_with_turns __weak = true;
/* Inode of the pid namespace whose pids are shown; 0: the initial one. */
const volatile __u32 lt_pid_namespace __weak = 0;

/* enum lt_level; the front end sets it, and detaches the hooks that it does not need. */
volatile __u32 lt_level __weak = 0;
volatile __u32 lt_epoch __weak = 0;   /* number of the current interval; the front end increments it */
volatile __u32 lt_spilled __weak = 0; /* entries in lt_spill */
volatile __u64 lt_cut_ns __weak = 0;  /* T of the current or last reading; set shortly before it */
struct lt_stack lt_free __weak = {};
struct lt_stack lt_free_calls __weak = {};
static struct lt_cpu lt_no_cpu; /* never used, but the verifier cannot know that */

/* Inner maps: mmapable arrays of one struct lt_chunk or lt_call_chunk; the front end creates them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, LT_CHUNKS);
	__type(key, __u32);
	__uint(value_size, sizeof(__u32));
} lt_chunks __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, LT_CALL_CHUNKS);
	__type(key, __u32);
	__uint(value_size, sizeof(__u32));
} lt_call_chunks __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LT_INDEX_SETS);
	__type(key, __u32);
	__type(value, struct lt_index_set);
} lt_index __weak SEC(".maps");

/* Tasks whose set was full. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 17);
	__type(key, __u64);
	__type(value, __u32);
} lt_spill __weak SEC(".maps");

/* The kernel allocates one for each possible CPU, whatever their numbers. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lt_cpu);
} lt_cpus __weak SEC(".maps");

/* To the front end: records run low, connects that ended, sockets that closed. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, LT_EVENTS_BYTES);
} lt_events __weak SEC(".maps");

/* Other CPUs see earlier stores before later ones. Pairs with ledger_load in tui/ledger_thread.h. x86 keeps stores in
 * order by itself. Elsewhere: clang 14 has no release store for BPF, but an atomic operation that returns the old value
 * is fully ordered (Documentation/bpf: atomics with BPF_FETCH). */
static __always_inline void lt_release(void)
{
#if defined(__TARGET_ARCH_x86)
	asm volatile("" ::: "memory");
#else
	__u64 here = 0;

	__sync_lock_test_and_set(&here, 1);
	asm volatile("" ::: "memory");
#endif
}

struct lt_slot {
	struct lt_record *record;
	__u64 *word;
	struct lt_net *net;	/* write through lt_net_of */
	struct lt_parts *parts; /* write through lt_parts_of */
	struct lt_cut *cut;
};

static __always_inline struct lt_cpu *lt_this_cpu(void)
{
	__u32 zero = 0;
	struct lt_cpu *cpu = bpf_map_lookup_elem(&lt_cpus, &zero);

	return cpu ? cpu : &lt_no_cpu;
}

static __always_inline bool lt_slot_at(__u32 slot, struct lt_slot *s)
{
	__u32 chunk_nr = slot >> LT_CHUNK_SHIFT, zero = 0;
	struct lt_chunk *chunk;
	void *map;

	map = bpf_map_lookup_elem(&lt_chunks, &chunk_nr);
	if (!map)
		return false;
	chunk = bpf_map_lookup_elem(map, &zero);
	if (!chunk)
		return false;
	slot &= LT_CHUNK - 1;
	s->record = &chunk->record[slot];
	s->word = &chunk->word[slot];
	s->net = &chunk->net[slot];
	s->parts = &chunk->parts[slot];
	s->cut = &chunk->cut[slot];
	return true;
}

static __always_inline struct lt_net *lt_net_of(struct lt_slot *s)
{
	s->record->calls.uses_net = true;
	return s->net;
}

static __always_inline struct lt_parts *lt_parts_of(struct lt_slot *s)
{
	s->record->sched.uses_parts = true;
	return s->parts;
}

#define LT_KEY_MASK ((1ULL << 40) - 1)

/* The verifier turns a pointer into a number only by subtracting another pointer. */
static __always_inline __u64 lt_distance(void *pointer, void *from)
{
	__u64 number = (__u64)pointer, base = (__u64)from;

#ifdef __bpf__
	asm volatile("%0 -= %1" : "+r"(number) : "r"(base));
#else
	number -= base;
#endif
	return number;
}

/* A slot of the focus as an index, in a register of its own: the verifier then sees its bound. */
static __always_inline __u64 lt_focus_index(__u64 slot)
{
#ifdef __bpf__
	asm volatile("%0 &= %1" : "+r"(slot) : "i"(LT_FOCUS_SLOTS - 1));
#else
	slot &= LT_FOCUS_SLOTS - 1;
#endif
	return slot;
}

/* Bits 6 to 45 of the task's address, relative to one of ours: task_structs are 64-byte aligned and lie in at
 * most 64 TiB of direct map. */
static __always_inline __u64 lt_key(void *task)
{
	return lt_distance(task, &lt_free) >> 6 & LT_KEY_MASK;
}

#define GOLDEN_RATIO 0x9e3779b97f4a7c15ULL /* of 2^64: spreads keys that lie close together */

static __always_inline struct lt_index_set *lt_index_set_of(__u64 key)
{
	__u32 nr = key * GOLDEN_RATIO >> (64 - LT_INDEX_SET_BITS);

	return bpf_map_lookup_elem(&lt_index, &nr);
}

static __always_inline bool lt_find_key(__u64 key, struct lt_slot *s)
{
	__u64 way;
	struct lt_index_set *set;
	__u32 *spilled;

	set = lt_index_set_of(key);
	if (!set)
		return false;
#pragma unroll
	for (int i = 0; i < LT_INDEX_WAYS; i++) {
		way = set->way[i];
		if (way >> LT_SLOT_BITS == key && way)
			return lt_slot_at((way & ((1 << LT_SLOT_BITS) - 1)) - 1, s);
	}
	if (!lt_spilled)
		return false;
	spilled = bpf_map_lookup_elem(&lt_spill, &key);
	return spilled && lt_slot_at(*spilled, s);
}

static __always_inline bool lt_find(struct task_struct *task, struct lt_slot *s)
{
	return lt_find_key(lt_key(task), s);
}

/* Publishes a record. Only one writer at a time does so for a task: lt_newtask; then the iterator, which leaves a task
 * that is being created to it; for tasks outside of our pid namespace, which the iterator does not see, lt_switch.
 * False: there is no room. */
static __always_inline bool lt_index_add(struct task_struct *task, __u32 slot)
{
	__u64 key = lt_key(task), way, want = key << LT_SLOT_BITS | (slot + 1);
	struct lt_index_set *set;

	set = lt_index_set_of(key);
	if (!set)
		return false;
#pragma unroll
	for (int i = 0; i < LT_INDEX_WAYS; i++) {
		way = set->way[i];
		if (!way)
			way = __sync_val_compare_and_swap(&set->way[i], 0, want);
		if (!way)
			return true;
	}
	if (bpf_map_update_elem(&lt_spill, &key, &slot, BPF_NOEXIST))
		return false;
	__sync_fetch_and_add(&lt_spilled, 1);
	return true;
}

static __always_inline void lt_index_remove(struct task_struct *task)
{
	__u64 key = lt_key(task), way;
	struct lt_index_set *set;

	set = lt_index_set_of(key);
	if (!set)
		return;
#pragma unroll
	for (int i = 0; i < LT_INDEX_WAYS; i++) {
		way = set->way[i];
		if (way >> LT_SLOT_BITS == key) {
			/* The iterator may also remove a thread that ends, and another may take its place meanwhile. */
			__sync_val_compare_and_swap(&set->way[i], way, 0);
			return;
		}
	}
	/* lt_spilled is never decremented: a count that is too high only costs a lookup. */
	if (lt_spilled)
		bpf_map_delete_elem(&lt_spill, &key);
}

static __always_inline void lt_alarm_if_low(struct lt_stack *stack, __u64 taken)
{
	struct lt_event event = { .type = LT_EVENT_LOW };
	__u64 left = stack->given - taken;

	/* Repeatedly while below it: the first event may come while `low` is being set. */
	if (left <= stack->low && !(left & 15))
		bpf_ringbuf_output(&lt_events, &event, sizeof(event), BPF_RB_FORCE_WAKEUP);
}

/* Takes a record off the free list. Returns its slot + 1; 0: none is left. */
__weak __noinline __u32 lt_pop_slot(void)
{
	struct lt_slot s;
	__u64 head, next;

	for (int i = 0; i < 16; i++) {
		head = *(volatile __u64 *)&lt_free.head;
		if (!(__u32)head || !lt_slot_at((__u32)head - 1, &s))
			break;
		next = ((head >> 32) + 1) << 32 | s.record->who.next_free;
		if (__sync_val_compare_and_swap(&lt_free.head, head, next) == head) {
			lt_alarm_if_low(&lt_free, __sync_fetch_and_add(&lt_free.taken, 1) + 1);
			return (__u32)head;
		}
	}
	__sync_fetch_and_add(&lt_free.refused, 1);
	return 0;
}

/* A zeroed record. Returns its slot, or -1. */
static __always_inline __s32 lt_pop(struct lt_slot *s)
{
	__u32 slot = lt_pop_slot();

	return slot && lt_slot_at(slot - 1, s) ? (__s32)(slot - 1) : -1;
}

static __always_inline void lt_max_add(struct lt_max *max, __u64 ns)
{
	__u32 epoch = lt_epoch, i = epoch & 1;

	/* The epoch last: a reader that sees the epoch also sees its maximum (max_of in tui/ledger_thread.c). */
	if (max->epoch[i] != epoch) {
		max->ns[i] = ns;
		lt_release();
		max->epoch[i] = epoch;
	} else if (ns > max->ns[i]) {
		max->ns[i] = ns;
	}
}

static __always_inline void lt_hist_add(struct lt_hist *hist, __u64 ns)
{
	__u32 bucket = hist_bucket(ns);

	if (bucket < HIST_BUCKETS)
		hist->count[bucket]++;
}

static __always_inline void lt_self_add(enum lt_prog prog, __u64 began_ns)
{
	struct lt_cpu *cpu = lt_this_cpu();

	cpu->self[prog].runs++;
	cpu->self[prog].ns += bpf_ktime_get_ns() - began_ns;
}

/* One run in 1,024, chosen by the low bits of the clock, times itself. */
static __always_inline void lt_self(enum lt_prog prog, __u64 began_ns)
{
	if (!(began_ns >> 3 & LT_SELF_MASK))
		lt_self_add(prog, began_ns);
}

/* The same for a program that does not use the clock otherwise, which would cost more than the rest of it: every
 * 1,024th run reads it, the others get 0. */
static __always_inline __u64 lt_self_turn(enum lt_prog prog)
{
	return ++lt_this_cpu()->self[prog].turns & LT_SELF_MASK ? 0 : bpf_ktime_get_ns();
}

static __always_inline __u32 lt_abi(struct task_struct *task, long nr)
{
#if defined(__TARGET_ARCH_x86)
	if (task->thread_info.status & TS_COMPAT)
		return LT_ABI_COMPAT;
	if (nr > 0 && nr & X32_BIT)
		return LT_ABI_X32;
#elif defined(__TARGET_ARCH_arm64)
	if (task->thread_info.flags & 1UL << TIF_32BIT_ARM64)
		return LT_ABI_COMPAT;
#endif
	return LT_ABI_NATIVE;
}

static __always_inline __u32 lt_call_of(struct task_struct *task, long nr)
{
	__u32 abi = lt_abi(task, nr), n = nr;

	n &= ~X32_BIT;
	return LT_CALL(abi, n < LT_NR_FOLDED ? n : LT_NR_FOLDED);
}

static __always_inline long lt_regs_nr(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->orig_ax;
#elif defined(__TARGET_ARCH_arm64)
	return regs->syscallno;
#endif
}

static __always_inline __u64 lt_regs_sp(struct pt_regs *regs)
{
	return regs->sp;
}

#define PID_LEVELS 32 /* the kernel's MAX_PID_NS_LEVEL */

/* A pid's number in the pid namespace that is shown; 0: it is outside. */
static __always_inline __u32 lt_pid_number(struct pid *pid)
{
	__u32 level, size = bpf_core_type_size(struct upid);
	struct upid *numbers;

	if (!pid)
		return 0;
	level = BPF_CORE_READ(pid, level);
	numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	for (__u32 i = 0; i < PID_LEVELS; i++) {
		struct upid *number = (void *)numbers + i * size;

		if (!lt_pid_namespace || (i <= level && BPF_CORE_READ(number, ns, ns.inum) == lt_pid_namespace))
			return BPF_CORE_READ(number, nr);
	}
	return 0;
}

/* A task's number, likewise. */
static __always_inline __u32 lt_tid(struct task_struct *task)
{
	return lt_pid_namespace ? lt_pid_number(BPF_CORE_READ(task, thread_pid)) : (__u32)task->pid;
}

/* Its process's number, likewise. */
static __always_inline __u32 lt_tgid(struct task_struct *task)
{
	return lt_pid_namespace ? lt_tid(BPF_CORE_READ(task, group_leader)) : (__u32)task->tgid;
}

/* A process is identified by its start; all processes outside of the namespace are one. */
static __always_inline __u64 lt_process_start(struct task_struct *task, __u32 tgid)
{
	return tgid ? BPF_CORE_READ(task, group_leader, start_boottime) : 0;
}

/* Its parent's number, likewise. Read by a helper, like everything that is read rarely and through a pointer: for each
 * pointer that a program dereferences directly the verifier searches the names of all kernel types four times, some ms
 * each. */
static __always_inline __u32 lt_ppid(struct task_struct *task)
{
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	return lt_pid_namespace ? lt_tgid(parent) : (__u32)BPF_CORE_READ(parent, tgid);
}

static __always_inline void lt_cred_read(struct lt_who *who, struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);

	who->cred = (__u64)cred;
	who->uid = BPF_CORE_READ(cred, euid.val);
}

/* The unified hierarchy's root has the id 1. */
static __always_inline __u64 lt_cgroup(struct task_struct *task)
{
	struct css_set *css = BPF_CORE_READ(task, cgroups);
	__u64 id = BPF_CORE_READ(css, dfl_cgrp, kn, id);

	return id > 1 ? id : (__u64)css;
}

/* Fills in who a thread is, in a record that is not published yet. */
static __always_inline void lt_introduce(struct lt_record *record, struct task_struct *task)
{
	struct lt_who *who = &record->who;

	who->task = (__u64)task;
	who->start_ns = task->start_boottime;
	who->tid = lt_tid(task);
	who->ppid = who->birth_ppid = lt_ppid(task);
	who->flags = task->flags & PF_KTHREAD ? LT_KTHREAD : 0;
	__builtin_memcpy(who->comm, task->comm, sizeof(who->comm));
	record->calls.call = LT_CALL_NONE;
	record->calls.interrupted = LT_CALL_NONE;
}

/* Likewise, of which process it is. */
static __always_inline void lt_introduce_process(struct lt_who *who, struct task_struct *task)
{
	who->cgroup = lt_cgroup(task);
	who->tgid = lt_tgid(task);
	who->process_start_ns = lt_process_start(task, who->tgid);
	lt_cred_read(who, task);
}

/* The same for a new thread of an old process, by the record of the thread that created it. */
static __always_inline void lt_introduce_sibling(struct lt_who *who, const struct lt_who *creator,
						 struct task_struct *task)
{
	who->cgroup = creator->cgroup;
	who->tgid = creator->tgid;
	who->process_start_ns = creator->process_start_ns;
	who->cred = creator->cred;
	who->uid = creator->uid;
	if (who->cred != (__u64)task->cred)
		lt_cred_read(who, task);
}

/* The counters that the kernel itself keeps for a task; 0: it was built without (kernel_lacks in probe_load.c). */
static __always_inline void lt_kernel_counters(__u64 counter[LT_N_KERNEL], struct task_struct *task)
{
#define X(name, unit, since, field)                                                                                    \
	counter[COUNTER_##name - LT_SCHED_FIRST] = bpf_core_field_exists(task->field) ? task->field : 0;
	LT_COUNTERS_KERNEL(X)
#undef X
}

/* Likewise for a thread that existed before its record: the kernel's counters do not start at 0. */
static __always_inline void lt_introduce_old(struct lt_record *record, struct task_struct *task, __u64 now_ns)
{
	lt_introduce(record, task);
	lt_introduce_process(&record->who, task);
	record->who.flags |= LT_SEEDED;
	record->who.born_ns = now_ns;
	lt_kernel_counters(record->who.base, task);
	lt_kernel_counters(record->sched.counter, task);
}

#endif
