/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kind of a sleep: from the task's state bits, in_iowait and the system call it is in.
 * Used at the switch-out and, for threads that exist at start, by the seeding iterator.
 */
#ifndef STATE_BPF_H
#define STATE_BPF_H

#include "ring.bpf.h"

#define F_SETLKW_NR 7
#define F_SETLKW64_NR 14
#define F_OFD_SETLKW_NR 38
#define IPC_SEMOP 1
#define IPC_SEMTIMEDOP 4
#define ENOSYS 38

#define WAIT_ROWS 1024
#if defined(__TARGET_ARCH_arm64)
#define X32_ROWS
#define NATIVE_ROW(name, x86_64, i386, arm64, arm, kind) [(arm64) < 0 ? WAIT_ROWS : (arm64)] = LT_WAIT_##kind,
#define COMPAT_ROW(name, x86_64, i386, arm64, arm, kind) [(arm) < 0 ? WAIT_ROWS : (arm)] = LT_WAIT_##kind,
#else
#define NATIVE_ROW(name, x86_64, i386, arm64, arm, kind) [(x86_64) < 0 ? WAIT_ROWS : (x86_64)] = LT_WAIT_##kind,
#define COMPAT_ROW(name, x86_64, i386, arm64, arm, kind) [(i386) < 0 ? WAIT_ROWS : (i386)] = LT_WAIT_##kind,
#define X32_ROW(name, x32, kind) [x32] = LT_WAIT_##kind,
#define X32_ROWS LT_X32_TABLE(X32_ROW)
#endif

/* Calls that an architecture does not have share the row past the end. */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winitializer-overrides"
static const __u8 wait_native[WAIT_ROWS + 1] = { LT_CALL_TABLE(NATIVE_ROW) X32_ROWS[WAIT_ROWS] = LT_WAIT_OTHER };
static const __u8 wait_compat[WAIT_ROWS + 1] = { LT_CALL_TABLE(COMPAT_ROW)[WAIT_ROWS] = LT_WAIT_OTHER };
#pragma clang diagnostic pop

static __always_inline enum lt_wait lt_wait_of(__u32 call)
{
	__u32 nr = LT_CALL_NR(call);

	if (call == LT_CALL_NONE || nr >= WAIT_ROWS)
		return LT_WAIT_OTHER;
	/* Bounded again, hidden from the compiler, which would drop the check that the verifier needs. */
	asm volatile("" : "+r"(nr));
	nr &= WAIT_ROWS - 1;
	return LT_CALL_ABI(call) == LT_ABI_COMPAT ? wait_compat[nr] : wait_native[nr];
}

/* The first three arguments of a call, from the user's registers at its entry. */
static __always_inline void lt_regs_args(struct pt_regs *regs, bool compat, __u64 arg[3])
{
#if defined(__TARGET_ARCH_x86)
	arg[0] = compat ? (__u32)regs->bx : regs->di;
	arg[1] = compat ? (__u32)regs->cx : regs->si;
	arg[2] = compat ? (__u32)regs->dx : regs->dx;
#elif defined(__TARGET_ARCH_arm64)
	arg[0] = regs->orig_x0;
	arg[1] = regs->regs[1];
	arg[2] = regs->regs[2];
#endif
}

static __always_inline __u64 lt_regs_arg4(struct pt_regs *regs, bool compat)
{
#if defined(__TARGET_ARCH_x86)
	return compat ? regs->si : regs->r10;
#elif defined(__TARGET_ARCH_arm64)
	return regs->regs[3];
#endif
}

static __always_inline void lt_call_args(struct task_struct *task, bool compat, __u64 arg[3])
{
	lt_regs_args((struct pt_regs *)bpf_task_pt_regs(task), compat, arg);
}

/* A word of the kernel's memory; 0: there is no memory at the address. can_cast: this kernel has bpf_rdonly_cast (the
 * helper takes 20 ns); the type is just one that begins with a 64-bit number. */
static __always_inline __u64 lt_word_at(const void *address, bool can_cast)
{
	__u64 word = 0;

	if (can_cast)
		return ((struct timespec64 *)bpf_rdonly_cast(address, bpf_core_type_id_kernel(struct timespec64)))
			->tv_sec;
	bpf_probe_read_kernel(&word, sizeof(word), address);
	return word;
}

/* The open file of a descriptor number; NULL: none. files: a task's, read once per program (see lt_ppid). */
static __always_inline struct file *lt_fd_file(struct files_struct *files, __u64 fd, bool can_cast)
{
	struct fdtable *table;
	__u32 nr = fd;

	if (!files)
		return NULL;
	table = files->fdt;
	if (nr >= table->max_fds)
		return NULL;
	return (struct file *)lt_word_at(table->fd + nr, can_cast);
}

/* socket_ops: the kernel's socket_file_ops, once a socket has been seen; all sockets have it and nothing else does
 * (sock_from_file). other_ops: the last one seen on a file that is not a socket. */
static __u64 socket_ops, other_ops;

static __always_inline bool lt_fd_is_socket(struct files_struct *files, __u64 fd, bool can_cast)
{
	struct file *file = lt_fd_file(files, fd, can_cast);
	__u64 ops;

	if (!file)
		return false;
	ops = lt_word_at((void *)file + bpf_core_field_offset(struct file, f_op), can_cast);
	if (ops == socket_ops)
		return true;
	if (socket_ops || ops == other_ops)
		return false;
	/* A socket's name in a file system, opened with O_PATH, has other operations. */
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK || BPF_CORE_READ(file, f_mode) & FMODE_PATH) {
		other_ops = ops;
		return false;
	}
	socket_ops = ops;
	return true;
}

/* The internet or UNIX socket of an open file; NULL: none. */
static __always_inline struct sock *lt_file_sock(struct file *file)
{
	struct socket *socket;
	struct sock *sk;
	__u16 family;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;
	return family == AF_INET || family == AF_INET6 || family == AF_UNIX ? sk : NULL;
}

static __always_inline struct sock *lt_fd_sock(struct files_struct *files, __u64 fd)
{
	return lt_file_sock(lt_fd_file(files, fd, false));
}

/* Where a task keeps the files of registered rings: an offset in struct io_uring_task, set before load, since a kernel
 * without io_uring has no such type (see lt_drop_counters). 0: not known. */
const volatile __u32 lt_registered_rings __weak = 0;
#define REGISTERED_RINGS 16
#define IORING_ENTER_REGISTERED_RING 16

/* The ring of an io_uring_enter; NULL: not known. */
static __always_inline void *lt_ring_of(struct task_struct *task, bool compat)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	struct file *file = NULL;
	void *rings;
	__u64 arg[3];

	lt_regs_args(regs, compat, arg);
	if (!(lt_regs_arg4(regs, compat) & IORING_ENTER_REGISTERED_RING)) {
		file = lt_fd_file(task->files, arg[0], false);
	} else if (lt_registered_rings && bpf_core_field_exists(task->io_uring)) {
		rings = (void *)BPF_CORE_READ(task, io_uring) + lt_registered_rings;
		bpf_probe_read_kernel(&file, sizeof(file), rings + (arg[0] & (REGISTERED_RINGS - 1)) * sizeof(file));
	}
	return file ? BPF_CORE_READ(file, private_data) : NULL;
}

/* What a thread in io_uring_enter waits for. A disk answers by itself, and soon: as long as a request to one is in
 * flight, the wait is for the disk, although there may be a request to a socket all the time. */
static __noinline __u32 lt_ring_state(struct task_struct *task, bool compat)
{
	void *ring = lt_ring_of(task, compat);
	__u64 counts = ring ? lt_ring_counts((__u64)ring) : 0;

	if (LT_RING_COUNT(counts, LT_RING_DISK))
		return LT_DISK;
	if (LT_RING_COUNT(counts, LT_RING_NET))
		return LT_NET;
	return LT_RING_COUNT(counts, LT_RING_IO) ? LT_IO : LT_POLL;
}

/* Interruptible sleep inside a call. */
static __always_inline enum lt_state lt_sleep_in_call(struct task_struct *task, __u32 call, bool can_cast)
{
	enum lt_wait wait = lt_wait_of(call);
	struct files_struct *files;
	__u64 arg[3];

	switch (wait) {
	case LT_WAIT_LOCK:
	case LT_WAIT_FILE_LOCK:
		return LT_LOCK;
	case LT_WAIT_NET:
		return LT_NET;
	case LT_WAIT_POLL:
		return LT_POLL;
	case LT_WAIT_RING:
		return lt_ring_state(task, LT_CALL_ABI(call) == LT_ABI_COMPAT);
	case LT_WAIT_SLEEP:
	case LT_WAIT_CLONE:
	case LT_WAIT_RESTART:
		return LT_SLEEP;
	case LT_WAIT_IO:
		return LT_IO;
	case LT_WAIT_OTHER:
		return LT_OTHER;
	default:
		break;
	}
	lt_call_args(task, LT_CALL_ABI(call) == LT_ABI_COMPAT, arg);
	if (wait == LT_WAIT_FCNTL) {
		__u32 cmd = arg[1];

		return cmd == F_SETLKW_NR || cmd == F_SETLKW64_NR || cmd == F_OFD_SETLKW_NR ? LT_LOCK : LT_IO;
	}
	if (wait == LT_WAIT_IPC) {
		__u32 op = arg[0] & 0xffff;

		return op == IPC_SEMOP || op == IPC_SEMTIMEDOP ? LT_LOCK : LT_IO;
	}
	files = task->files;
	if (lt_fd_is_socket(files, arg[0], can_cast))
		return LT_NET;
	if (wait == LT_WAIT_FD_1_2 && lt_fd_is_socket(files, arg[1], can_cast))
		return LT_NET;
	if (wait == LT_WAIT_FD_1_3 && lt_fd_is_socket(files, arg[2], can_cast))
		return LT_NET;
	return LT_IO;
}

/* The freezer of cgroup 2 stops a task while it returns to user mode: it is in no call any more, although its registers
 * look so. (A parent in vfork also counts as frozen, but is not interruptible.) */
static __always_inline bool lt_is_frozen(struct task_struct *task)
{
	return task->__state & TASK_INTERRUPTIBLE && bpf_core_field_exists(task->frozen) &&
	       BPF_CORE_READ_BITFIELD(task, frozen);
}

/* Interruptible sleep outside of any call: a page fault on a mapped FUSE file or on memory that is handled by
 * userfaultfd; otherwise work while returning to user mode. */
static __always_inline enum lt_state lt_sleep_in_none(struct task_struct *task)
{
	if (lt_is_frozen(task))
		return LT_OTHER;
	return lt_regs_nr((struct pt_regs *)bpf_task_pt_regs(task)) < 0 ? LT_IO : LT_OTHER;
}

/* Between psi_memstall_enter and _leave: swap-in, refault, reclaim, memory.high. Never with psi=0. */
static __always_inline bool lt_in_memstall(struct task_struct *task)
{
	return bpf_core_field_exists(task->in_memstall) && BPF_CORE_READ_BITFIELD(task, in_memstall);
}

#define LT_IN_CALL (LT_VOID + 1)

/* The same for any sleep, but LT_IN_CALL if it is in a call. task_state: as sched_switch reports it. call: LT_CALL_NONE
 * if in none. */
static __always_inline enum lt_state lt_sleep_outside(struct task_struct *task, __u32 task_state, __u32 call)
{
	if (task_state & (TASK_STOPPED | TASK_TRACED | TASK_PARKED | TASK_FROZEN))
		return LT_OTHER;
	if (task_state & TASK_RTLOCK_WAIT)
		return LT_LOCK;
	if (task_state & TASK_UNINTERRUPTIBLE) {
		if (task_state & TASK_NOLOAD)
			return LT_SLEEP; /* TASK_IDLE */
		/* Checked before disk: waits for swap-in and refaults also have in_iowait set. */
		if (lt_in_memstall(task))
			return LT_MEMORY;
		if (BPF_CORE_READ_BITFIELD(task, in_iowait))
			return LT_DISK;
		/* vfork's parent is killable (and freezable since 6.1); waits for a lock in clone mostly are not. */
		if (task_state & TASK_WAKEKILL && call != LT_CALL_NONE && lt_wait_of(call) == LT_WAIT_CLONE)
			return LT_SLEEP;
		return LT_BLOCK;
	}
	if (task->flags & PF_KERNELS_OWN)
		return LT_SLEEP;
	return call == LT_CALL_NONE ? lt_sleep_in_none(task) : LT_IN_CALL;
}

/* The state that a task goes to sleep in. */
static __always_inline enum lt_state lt_sleep_state(struct task_struct *task, __u32 task_state, __u32 call,
						    bool can_cast)
{
	enum lt_state state = lt_sleep_outside(task, task_state, call);

	return state == LT_IN_CALL ? lt_sleep_in_call(task, call, can_cast) : state;
}

/* The call in which a thread leaves its CPU although no sys_enter was seen: the hook is detached, or seccomp asks a
 * supervisor first. LT_CALL_NONE: it is in no call. */
static __always_inline __u32 lt_call_ahead(struct task_struct *task)
{
	struct pt_regs *regs;
	long nr;

	if (task->flags & (PF_KTHREAD | PF_IO_WORKER))
		return LT_CALL_NONE;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	nr = lt_regs_nr(regs);
#if defined(__TARGET_ARCH_x86)
	/* A fault has a number there, too; only a call begins with this result. */
	if ((__s32)regs->ax != -ENOSYS)
		return LT_CALL_NONE;
#else
	/* arm64 keeps the number until the thread is in user mode again: entry and exit look the same. But it hardly
	 * ever sleeps on its way out. */
	if (lt_level != LT_LEVEL_EXITS || !task->__state)
		return LT_CALL_NONE;
#endif
	return nr < 0 ? LT_CALL_NONE : lt_call_of(task, nr);
}

/* Runnable, whatever its state says: since 6.12 a sleeper may stay queued (sched_delayed). */
static __always_inline bool lt_runnable(struct task_struct *task)
{
	if (!task->on_rq)
		return false;
	if (bpf_core_field_exists(task->se.sched_delayed))
		return !(task->se.sched_delayed & 1);
	return true;
}

/* With proxy execution a task that waits for a mutex stays queued, to run the mutex's owner in its place. */
static __always_inline bool lt_is_donor(struct task_struct *task, __u32 task_state)
{
	return task_state && bpf_core_field_exists(task->blocked_on) && task->blocked_on;
}

/* Whether a task that leaves its CPU could go on running; preempt: it was preempted. */
static __always_inline bool lt_is_put_off(struct task_struct *task, __u32 task_state, bool preempt)
{
	return lt_runnable(task) && (preempt || !lt_is_donor(task, task_state));
}

/* The call a task is in by its saved registers, for when the system call family has not seen it. */
static __always_inline __u32 lt_call_by_regs(struct task_struct *task)
{
	struct pt_regs *regs;
	int nr;

	if (task->flags & PF_KERNELS_OWN || lt_is_frozen(task))
		return LT_CALL_NONE;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	nr = lt_regs_nr(regs);
	return nr < 0 ? LT_CALL_NONE : lt_call_of(task, nr);
}

/* For a task in an uninterruptible sleep: it did not enter the kernel by a system call. */
static __always_inline bool lt_in_page_fault(struct task_struct *task)
{
	return !(task->flags & PF_KERNELS_OWN) && lt_call_by_regs(task) == LT_CALL_NONE;
}

#endif
