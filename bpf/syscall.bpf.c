/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system call family: a call is an enter and the exit that follows it on that thread. Only
 * the thread itself writes `calls` and its call entries. An exit is written between two
 * increments of seq; the last store of an enter is enter_ns.
 *
 * Counts and errors are the same on each level (enum lt_level). Above exact the clock is read only for calls that are
 * timed, or that left their CPU: then lt_switch has stored the time in enter_ns.
 */
#include "kernel.h"
#include "entry.bpf.h"
#include "sample.bpf.h"
#include "state.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define MAX_ERRNO 4095
#define EINTR 4
#define SYS_ACCEPT 5 /* of socketcall */
#define SYS_ACCEPT4 18
#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516

/* Counts an errno in a table of n; false: the table is full of other errnos. */
static __always_inline bool errno_add(struct lt_errno_count *table, int n, __u32 error)
{
	for (int i = 0; i < n; i++) {
		if (!table[i].error)
			table[i].error = error;
		if (table[i].error == error) {
			table[i].count++;
			return true;
		}
	}
	return false;
}

/* Not static, so that the verifier checks it once and not at each call. */
__noinline int lt_error_add(struct lt_calls *calls, struct lt_call *entry, __u32 error)
{
	struct lt_call *more;

	if (!calls || !entry)
		return 0;
	entry->errors++;
	if (errno_add(entry->errors_by, LT_ERRNOS, error))
		return 0;
	more = lt_entry(calls, entry->call | LT_CALL_ERRNOS);
	if (more)
		errno_add(more->more_errors, LT_MORE_ERRNOS, error);
	return 0;
}

static __always_inline bool is_restart(long ret)
{
	return ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK;
}

static __always_inline bool is_error(long ret)
{
	return ret < 0 && ret >= -MAX_ERRNO && !is_restart(ret);
}

/* A signal handler returns. Whether the interrupted call failed or is restarted was decided after that call's exit:
 * the restored register shows it. */
__noinline int lt_handler_returned(struct lt_calls *calls, __u64 restored)
{
	struct lt_call *entry;

	if (!calls)
		return 0;
	if (calls->to_restart && (__s32)restored == -EINTR) {
		entry = lt_entry_of_counted(calls, calls->to_restart - 1);
		calls->call_errors++;
		if (entry)
			lt_error_add(calls, entry, EINTR);
	}
	calls->to_restart = 0;
	return 0;
}

/* Above exact: whether this run times itself, chosen by the number of the thread's calls, without reading the clock.
 * The threads take turns. */
static __always_inline __u64 self_turn(struct task_struct *task, const struct lt_calls *calls)
{
	return (lt_key(task) + calls->calls) & LT_SELF_MASK ? 0 : bpf_ktime_get_ns();
}

static __always_inline int enter(struct task_struct *task, long nr)
{
	bool exact = lt_level == LT_LEVEL_EXACT;
	__u64 now_ns = exact ? bpf_ktime_get_ns() : LT_UNTIMED, began_ns = 0;
	__u32 call = lt_call_of(task, nr), began = LT_BEGAN;
	struct lt_calls *calls;
	struct lt_slot s;

	if (!lt_find(task, &s)) {
		if (lt_call_exits(LT_CALL_ABI(call), LT_CALL_NR(call)))
			lt_this_cpu()->lost_calls++;
		return 0;
	}
	calls = &s.record->calls;
	if (!exact)
		began_ns = self_turn(task, calls);
	/* What it slept while entering was a wait of this call. */
	if (calls->began == LT_BEGAN_ASLEEP && calls->enter_ns && calls->call == call) {
		now_ns = calls->enter_ns;
	} else if (!exact && lt_level == LT_LEVEL_SAMPLED && lt_is_timed(calls)) {
		now_ns = bpf_ktime_get_ns();
		began = LT_BEGAN_SAMPLE;
	}
	calls->call = call;
	calls->began = began;
	/* Restarted, not called by a handler: a handler's calls have another stack pointer. */
	if (calls->to_restart && lt_regs_sp((struct pt_regs *)bpf_task_pt_regs(task)) == calls->restart_sp)
		calls->to_restart = 0;
	lt_release();
	calls->enter_ns = now_ns;
	if (lt_call_exits(LT_CALL_ABI(calls->call), LT_CALL_NR(calls->call)))
		calls->calls++;
	if (exact)
		lt_self(LT_PROG_ENTER, now_ns);
	else if (began_ns)
		lt_self_add(LT_PROG_ENTER, began_ns);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(lt_enter, struct pt_regs *regs, long nr)
{
	return enter(bpf_get_current_task_btf(), nr);
}

/* A new thread's first return to user space looks like the return of the call that created it. */
static __always_inline bool is_birth(struct task_struct *task, struct lt_record *record, long nr, long ret)
{
	if (record->calls.call != LT_CALL_NONE)
		return false;
	return !(record->who.flags & LT_SEEDED) || (!ret && lt_wait_of(lt_call_of(task, nr)) == LT_WAIT_CLONE);
}

/* The call from which a thread without a record returns. A new thread's first return to user space is not a call. */
static __always_inline void untracked_exit(struct task_struct *task, long nr, long ret)
{
	if (ret || nr < 0 || lt_wait_of(lt_call_of(task, nr)) != LT_WAIT_CLONE)
		lt_this_cpu()->lost_calls++;
}

static __always_inline bool is_accept(struct pt_regs *regs, __u32 call)
{
	__u32 nr = LT_CALL_NR(call);

	/* x32 has the native numbers. */
	if (LT_CALL_ABI(call) != LT_ABI_COMPAT)
		return nr == LT_NR_ACCEPT || nr == LT_NR_ACCEPT4;
#ifdef LT_NR32_SOCKETCALL
	if (nr == LT_NR32_SOCKETCALL) {
		__u64 arg[3];

		lt_regs_args(regs, true, arg);
		return arg[0] == SYS_ACCEPT || arg[0] == SYS_ACCEPT4;
	}
#else
	if (nr == LT_NR32_ACCEPT)
		return true;
#endif
	return nr == LT_NR32_ACCEPT4;
}

static __always_inline bool is_splice(__u32 call)
{
	return LT_CALL_NR(call) == (LT_CALL_ABI(call) == LT_ABI_COMPAT ? LT_NR32_SPLICE : LT_NR_SPLICE);
}

/* What the network family cannot see: accepted connections, and bytes spliced out of a socket. */
static __always_inline void socket_call(struct task_struct *task, struct lt_slot *s, struct pt_regs *regs, __u32 call,
					long ret)
{
	bool accepts = is_accept(regs, call);
	struct lt_flow *flow;
	enum lt_proto proto;
	struct sock *sk;
	__u64 arg[3] = { ret };

	if (!accepts && !is_splice(call))
		return;
	if (!accepts)
		lt_regs_args(regs, LT_CALL_ABI(call) == LT_ABI_COMPAT, arg);
	sk = lt_fd_sock(task->files, arg[0]);
	if (!sk)
		return;
	proto = BPF_CORE_READ(sk, __sk_common.skc_family) == AF_UNIX ? LT_UNIX : LT_TCP;
	if (accepts) {
		if (proto != LT_UNIX) {
			lt_net_of(s)->accepts++;
			lt_accept_wait(s, sk, bpf_ktime_get_ns());
		}
	} else if (ret && BPF_CORE_READ(sk, sk_type) == SOCK_STREAM) {
		/* Datagrams are spliced through recvmsg, which the network family sees. */
		flow = &lt_net_of(s)->flow[proto];
		flow->rx_bytes += ret;
		flow->rx_ops++;
	}
}

/* A successful exec returns as execve of the new program's ABI, also after execveat or from a program of another ABI.
 */
static __always_inline bool execs(long nr, long ret)
{
	return !ret && (nr == LT_NR_EXECVE || nr == LT_NR32_EXECVE);
}

static __always_inline void call_add(struct lt_calls *calls, struct lt_call *entry, __u64 total_ns, __u64 wait_ns)
{
	calls->enter_ns = 0;
	calls->calls++;
	calls->call_total_ns += total_ns;
	if (entry) {
		entry->count++;
		entry->total_ns += total_ns;
		entry->wait_ns += wait_ns;
	}
}

/* What a return value means: an error, or that the call will be restarted. */
static __always_inline void result_add(struct lt_calls *calls, struct lt_call *entry, __u32 call, struct pt_regs *regs,
				       long ret)
{
	if (is_error(ret)) {
		calls->call_errors++;
		if (entry)
			lt_error_add(calls, entry, -ret);
	} else if (is_restart(ret)) {
		calls->to_restart = call + 1;
		calls->restart_sp = lt_regs_sp(regs);
		if (ret == -ERESTART_RESTARTBLOCK && lt_wait_of(call) != LT_WAIT_RESTART)
			calls->interrupted = call;
	}
}

/* The call of an exit without a number, on LT_LEVEL_EXITS. It is sigreturn, which exits with -1 and a restored
 * register; but with -ENOSYS, which a restored register hardly ever holds, it is a number that no call has. Of the two
 * sigreturns of 32-bit programs the newer one is assumed. */
static __always_inline __u32 call_unnumbered(struct task_struct *task, long nr, long ret)
{
	__u32 abi = lt_abi(task, nr);

	if (nr != -1 || (__s32)ret == -ENOSYS)
		return LT_CALL(abi, LT_NR_FOLDED);
	return LT_CALL(abi, abi == LT_ABI_COMPAT ? LT_NR32_RT_SIGRETURN : LT_NR_RT_SIGRETURN);
}

/* An exit, but no enter: sys_enter is detached, seccomp answered the call, or it began on a seeded thread before the
 * probes. Its duration is not known. */
static __always_inline void answered(struct task_struct *task, struct lt_slot *s, struct pt_regs *regs, long nr,
				     long ret)
{
	struct lt_calls *calls = &s->record->calls;
	bool birth = is_birth(task, s->record, nr, ret);
	struct lt_call *entry;
	__u32 call;

	if (nr < 0 && lt_level != LT_LEVEL_EXITS) {
		lt_this_cpu()->lost_calls++;
		return;
	}
	call = nr < 0 ? call_unnumbered(task, nr, ret) : lt_call_of(task, nr);
	calls->call = call;
	if (birth)
		return;
	entry = lt_entry(calls, call);
	calls->seq++;
	lt_release();
	call_add(calls, entry, 0, 0);
	if (nr < 0 && LT_CALL_NR(call) != LT_NR_FOLDED) {
		lt_handler_returned(calls, ret);
		ret = 0;
	} else {
		if (calls->to_restart && lt_regs_sp(regs) == calls->restart_sp)
			calls->to_restart = 0; /* restarted, as in enter() */
		result_add(calls, entry, call, regs, ret);
	}
	lt_release();
	calls->seq++;
	if (lt_with_net && ret >= 0)
		socket_call(task, s, regs, call, ret);
}

/* The latency of the call is its whole duration; the service time of the thread's calls leaves out its sleep in them.
 */
static __always_inline void latency_add(struct lt_calls *calls, struct lt_call *entry, __u64 total_ns, __u64 sleep_ns,
					__u32 weight)
{
	__u32 bucket = hist_bucket(total_ns);

	if (entry && bucket < HIST_BUCKETS) {
		if (entry->count == 1 && weight == 1)
			entry->first = bucket + 1;
		else
			entry->latency.count[bucket] += weight;
		lt_max_add(&entry->max, total_ns);
	}
	if (sleep_ns) {
		total_ns = total_ns > sleep_ns ? total_ns - sleep_ns : 0;
		bucket = hist_bucket(total_ns);
	}
	if (bucket < HIST_BUCKETS)
		calls->service.count[bucket] += weight;
	lt_max_add(&calls->service_max, total_ns);
}

/* A call returns whose enter was seen. */
static __always_inline void returned(struct lt_record *record, struct pt_regs *regs, long nr, long ret, __u64 now_ns)
{
	struct lt_calls *calls = &record->calls;
	__u64 enter_ns = calls->enter_ns, total_ns = 0, sum_ns = 0, wait_ns = 0, sleep_ns = 0;
	__u32 call = calls->call, weight = 0;
	struct lt_call *entry;
	bool left = lt_with_sched && record->sched.call_enter_ns == enter_ns;

	if (left) {
		wait_ns = record->sched.call_wait_ns;
		sleep_ns = record->sched.call_sleep_ns;
	}
	if (enter_ns != LT_UNTIMED) {
		weight = 1;
		if (!now_ns)
			now_ns = bpf_ktime_get_ns();
		total_ns = sum_ns = now_ns > enter_ns ? now_ns - enter_ns : 0;
		if (calls->began == LT_BEGAN_SAMPLE && lt_level == LT_LEVEL_SAMPLED) {
			weight = left ? 1 : LT_SAMPLED;
			sum_ns = lt_sampled_sum(total_ns, left, record->sched.call_early_ns);
		}
	}
	entry = lt_entry(calls, call);
	calls->seq++;
	lt_release();
	call_add(calls, entry, sum_ns, wait_ns);
	/* sigreturn and rt_sigreturn exit with number -1, and a restored register as their result. */
	if (nr == -1 && LT_CALL_NR(call) != LT_NR_FOLDED)
		lt_handler_returned(calls, ret);
	else
		result_add(calls, entry, call, regs, ret);
	/* A call that began before lagtop has no known duration. */
	if (weight && calls->began <= LT_BEGAN_LATE)
		latency_add(calls, entry, total_ns, sleep_ns, weight);
	lt_release();
	calls->seq++;
}

static __always_inline bool is_same_call(__u32 call, long nr, long ret)
{
	return nr == -1 || (__u32)(nr & ~X32_BIT) == LT_CALL_NR(call) || LT_CALL_NR(call) == LT_NR_FOLDED ||
	       execs(nr, ret);
}

static __always_inline int leave(struct task_struct *task, struct pt_regs *regs, long ret)
{
	bool exact = lt_level == LT_LEVEL_EXACT, seen;
	__u64 now_ns = exact ? bpf_ktime_get_ns() : 0, began_ns = 0;
	long nr = lt_regs_nr(regs);
	struct lt_calls *calls;
	struct lt_slot s;
	__u32 call;

	if (!lt_find(task, &s)) {
		untracked_exit(task, nr, ret);
		return 0;
	}
	calls = &s.record->calls;
	if (!exact)
		began_ns = self_turn(task, calls);
	call = calls->call;
	seen = calls->enter_ns;
	if (seen && !is_same_call(call, nr, ret)) {
		calls->enter_ns = 0;
		seen = false;
		if (lt_level != LT_LEVEL_EXITS) {
			lt_this_cpu()->lost_calls++;
			return 0;
		}
	}
	if (seen) {
		returned(s.record, regs, nr, ret, now_ns);
		if (lt_with_net && ret >= 0 && nr >= 0)
			socket_call(task, &s, regs, call, ret);
	} else {
		answered(task, &s, regs, nr, ret);
	}
	if (exact && seen)
		lt_self(LT_PROG_EXIT, now_ns);
	else if (began_ns)
		lt_self_add(LT_PROG_EXIT, began_ns);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(lt_exit, struct pt_regs *regs, long ret)
{
	return leave(bpf_get_current_task_btf(), regs, ret);
}

/* Linux 7 (calls_by_perf in probe_load.c): the same through perf's tracepoints, with their layout of arguments. */
struct perf_sys_enter {
	__u64 common;
	long nr;
	unsigned long args[6];
};

struct perf_sys_exit {
	__u64 common;
	long nr;
	long ret;
};

SEC("tp/raw_syscalls/sys_enter")
int lt_enter_perf(struct perf_sys_enter *ctx)
{
	return enter(bpf_get_current_task_btf(), ctx->nr);
}

SEC("tp/raw_syscalls/sys_exit")
int lt_exit_perf(struct perf_sys_exit *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return leave(task, (struct pt_regs *)bpf_task_pt_regs(task), ctx->ret);
}
