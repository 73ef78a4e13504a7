/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading and attaching: which program fits this kernel, and why a family is not available. One row
 * per program; all differences between kernels in what is attached are decided here.
 */
#include "probe_kernel.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "privileges.h"

#define ENOTSUPP 524		    /* internal to the kernel, but it is returned to user space */
#define LIFE SAMPLE_FAMILIES	    /* programs that every family needs */
#define RINGS (SAMPLE_FAMILIES + 1) /* those that sched and net need */

struct program {
	const char *name, *target; /* tracepoint or function */
	int family;
	bool (*fits)(const struct btf *btf, const struct program *prog); /* whether it is for this kernel */
	enum {
		OPTIONAL,
		NEEDED,
		IN_FOCUS
	} when; /* NEEDED: the family cannot work without its target; IN_FOCUS:
		   attached only while something is in focus */
};

/* The kernel's prototype of a tracepoint; NULL: no such tracepoint. */
static const struct btf_type *tracepoint_proto(const struct btf *btf, const char *tracepoint)
{
	const struct btf_type *t;
	char name[80];
	int id;

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	if (id < 0)
		return NULL;
	t = btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type);
	return btf__type_by_id(btf, t->type);
}

/* How many arguments a tracepoint passes (the prototype begins with a void pointer of its own). */
static int tracepoint_args(const struct btf *btf, const char *tracepoint)
{
	const struct btf_type *proto = tracepoint_proto(btf, tracepoint);

	return proto ? btf_vlen(proto) - 1 : 0;
}

static bool has_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/*
 * In Linux 7.2 (not yet in 6.18; trace_call_bpf_faultable shows it) the tp_btf programs of system calls can be
 * preempted, and until that thread runs again the kernel skips them for every other thread on its CPU: a
 * quarter of the calls of four busy threads on two CPUs. Perf's tracepoints skip none, but need tracefs.
 */
static bool calls_skipped(const struct btf *btf)
{
	return has_function(btf, "trace_call_bpf_faultable");
}

/* Opens it instead of access(): lockdown=confidentiality refuses to open files that root may read. */
static bool have_tracefs(void)
{
	int fd = open("/sys/kernel/tracing/events/raw_syscalls/sys_exit/id", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fd = open("/sys/kernel/debug/tracing/events/raw_syscalls/sys_exit/id", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool perf_counts_calls(const struct btf *btf)
{
	return calls_skipped(btf) && have_tracefs();
}

/* ---- whether a program fits a kernel ---- */

static bool has_tracepoint(const struct btf *btf, const struct program *prog)
{
	return tracepoint_proto(btf, prog->target);
}

static bool has_target(const struct btf *btf, const struct program *prog)
{
	return has_function(btf, prog->target);
}

/* fexit, if the kernel does not have the tracepoints sock_*_length. */
static bool replaces_lengths(const struct btf *btf, const struct program *prog)
{
	return !tracepoint_proto(btf, "sock_send_length") && has_function(btf, prog->target);
}

/* sched_switch passes prev_state since 5.18. */
static bool with_prev_state(const struct btf *btf, const struct program *prog)
{
	return tracepoint_args(btf, prog->target) >= 4;
}

static bool with_prev_state_and_cast(const struct btf *btf, const struct program *prog)
{
	return with_prev_state(btf, prog) && has_function(btf, "bpf_rdonly_cast");
}

static bool with_prev_state_no_cast(const struct btf *btf, const struct program *prog)
{
	return with_prev_state(btf, prog) && !has_function(btf, "bpf_rdonly_cast");
}

static bool without_prev_state(const struct btf *btf, const struct program *prog)
{
	return has_tracepoint(btf, prog) && !with_prev_state(btf, prog);
}

/* sched_process_exit passes group_dead since 6.16. */
static bool with_group_dead(const struct btf *btf, const struct program *prog)
{
	return tracepoint_args(btf, prog->target) >= 2;
}

static bool without_group_dead(const struct btf *btf, const struct program *prog)
{
	return has_tracepoint(btf, prog) && !with_group_dead(btf, prog);
}

/* mark_victim passes the task since 6.10, before that only its number. */
static bool with_victim(const struct btf *btf, const struct program *prog)
{
	return tracepoint_args(btf, prog->target) >= 2;
}

static bool without_victim(const struct btf *btf, const struct program *prog)
{
	return has_tracepoint(btf, prog) && !with_victim(btf, prog);
}

/* tcp_retransmit_skb has a third argument. */
static bool with_reason(const struct btf *btf, const struct program *prog)
{
	return tracepoint_args(btf, prog->target) >= 3;
}

static bool without_reason(const struct btf *btf, const struct program *prog)
{
	return has_tracepoint(btf, prog) && !with_reason(btf, prog);
}

/* io_uring_complete passes the completion since 6.15, before that its parts. The requests' tracepoints passed no
 * request before 5.19. */
static bool with_completion(const struct btf *btf, const struct program *prog)
{
	return tracepoint_args(btf, prog->target) == 3;
}

static bool without_completion(const struct btf *btf, const struct program *prog)
{
	return tracepoint_args(btf, prog->target) == 7;
}

static bool with_request(const struct btf *btf, const struct program *prog)
{
	return tracepoint_args(btf, prog->target) == 2;
}

static bool with_overflow(const struct btf *btf, const struct program *prog)
{
	return tracepoint_args(btf, prog->target) == 5;
}

static bool tells_requests(const struct btf *btf)
{
	static const struct program sqe = { .target = "io_uring_submit_sqe" };

	return tracepoint_proto(btf, "io_uring_submit_req") || with_request(btf, &sqe);
}

/* Whether requests are charged to control groups of version 2. */
static bool with_charges(const struct btf *btf, const struct program *prog)
{
	return has_tracepoint(btf, prog) && probe_disks_charged(btf);
}

static bool without_charges(const struct btf *btf, const struct program *prog)
{
	return has_tracepoint(btf, prog) && !probe_disks_charged(btf);
}

static bool calls_by_perf(const struct btf *btf, const struct program *prog)
{
	return has_tracepoint(btf, prog) && perf_counts_calls(btf);
}

static bool calls_by_btf(const struct btf *btf, const struct program *prog)
{
	return has_tracepoint(btf, prog) && !perf_counts_calls(btf);
}

static const struct program programs[] = {
	{ "lt_newtask", "task_newtask", LIFE, has_tracepoint, NEEDED },
	{ "lt_exec", "sched_process_exec", LIFE, has_tracepoint, NEEDED },
	{ "lt_rename", "task_rename", LIFE, has_tracepoint, NEEDED },
	{ "lt_attach", "cgroup_attach_task", LIFE, has_tracepoint, NEEDED },
	{ "lt_pexit", "sched_process_exit", LIFE, with_group_dead, NEEDED },
	{ "lt_pexit_5_15", "sched_process_exit", LIFE, without_group_dead, NEEDED },
	{ "lt_signal", "signal_generate", LIFE, has_tracepoint, OPTIONAL },
	{ "lt_victim", "mark_victim", LIFE, with_victim, OPTIONAL },
	{ "lt_victim_6_1", "mark_victim", LIFE, without_victim, OPTIONAL },
	{ "lt_ring_ask", "io_uring_submit_req", RINGS, has_tracepoint, OPTIONAL },
	{ "lt_ring_ask_6_1", "io_uring_submit_sqe", RINGS, with_request, OPTIONAL },
	{ "lt_ring_end", "io_uring_complete", RINGS, with_completion, OPTIONAL },
	{ "lt_ring_end_6_1", "io_uring_complete", RINGS, without_completion, OPTIONAL },
	{ "lt_ring_full", "io_uring_cqe_overflow", RINGS, with_overflow, OPTIONAL },
	{ "lt_switch", "sched_switch", SAMPLE_SCHED, with_prev_state_and_cast, NEEDED },
	{ "lt_switch_6_1", "sched_switch", SAMPLE_SCHED, with_prev_state_no_cast, NEEDED },
	{ "lt_switch_5_15", "sched_switch", SAMPLE_SCHED, without_prev_state, NEEDED },
	{ "lt_reclaim_mb", "mm_vmscan_memcg_reclaim_begin", SAMPLE_SCHED, has_tracepoint, OPTIONAL },
	{ "lt_reclaim_me", "mm_vmscan_memcg_reclaim_end", SAMPLE_SCHED, has_tracepoint, OPTIONAL },
	{ "lt_reclaim_db", "mm_vmscan_direct_reclaim_begin", SAMPLE_SCHED, has_tracepoint, OPTIONAL },
	{ "lt_reclaim_de", "mm_vmscan_direct_reclaim_end", SAMPLE_SCHED, has_tracepoint, OPTIONAL },
	{ "lt_waking", "sched_waking", SAMPLE_SCHED, has_tracepoint, NEEDED },
	{ "lt_wakeup", "sched_wakeup", SAMPLE_SCHED, has_tracepoint, NEEDED },
	{ "lt_wakeup_new", "sched_wakeup_new", SAMPLE_SCHED, has_tracepoint, NEEDED },
	{ "lt_migrate", "sched_migrate_task", SAMPLE_SCHED, has_tracepoint, IN_FOCUS },
	{ "lt_enter", "sys_enter", SAMPLE_SYSCALL, calls_by_btf, NEEDED },
	{ "lt_exit", "sys_exit", SAMPLE_SYSCALL, calls_by_btf, NEEDED },
	{ "lt_enter_perf", "sys_enter", SAMPLE_SYSCALL, calls_by_perf, NEEDED },
	{ "lt_exit_perf", "sys_exit", SAMPLE_SYSCALL, calls_by_perf, NEEDED },
	{ "lt_send", "sock_send_length", SAMPLE_NET, has_tracepoint, OPTIONAL },
	{ "lt_recv", "sock_recv_length", SAMPLE_NET, has_tracepoint, OPTIONAL },
	{ "lt_ready", "sk_data_ready", SAMPLE_TURNS, has_tracepoint, OPTIONAL },
	{ "lt_sock_state", "inet_sock_set_state", SAMPLE_NET, has_tracepoint, NEEDED },
	{ "lt_retransmit", "tcp_retransmit_skb", SAMPLE_NET, with_reason, NEEDED },
	{ "lt_retransmit_6", "tcp_retransmit_skb", SAMPLE_NET, without_reason, NEEDED },
	{ "lt_destroy", "tcp_destroy_sock", SAMPLE_NET, has_tracepoint, NEEDED },
	{ "lt_send4", "inet_sendmsg", SAMPLE_NET, replaces_lengths, OPTIONAL },
	{ "lt_send6", "inet6_sendmsg", SAMPLE_NET, replaces_lengths, OPTIONAL },
	{ "lt_send_us", "unix_stream_sendmsg", SAMPLE_NET, replaces_lengths, OPTIONAL },
	{ "lt_send_ud", "unix_dgram_sendmsg", SAMPLE_NET, replaces_lengths, OPTIONAL },
	{ "lt_recv4", "inet_recvmsg", SAMPLE_NET, replaces_lengths, OPTIONAL },
	{ "lt_recv6", "inet6_recvmsg", SAMPLE_NET, replaces_lengths, OPTIONAL },
	{ "lt_recv_us", "unix_stream_recvmsg", SAMPLE_NET, replaces_lengths, OPTIONAL },
	{ "lt_recv_ud", "unix_dgram_recvmsg", SAMPLE_NET, replaces_lengths, OPTIONAL },
	{ "lt_issue", "block_rq_issue", SAMPLE_DISK, has_tracepoint, NEEDED },
	{ "lt_complete", "block_rq_complete", SAMPLE_DISK, with_charges, NEEDED },
	{ "lt_complete_v1", "block_rq_complete", SAMPLE_DISK, without_charges, NEEDED },
	{ "lt_page4", "inet_sendpage", SAMPLE_NET, has_target, OPTIONAL },
	{ "lt_page_us", "unix_stream_sendpage", SAMPLE_NET, has_target, OPTIONAL },
};
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static bool verbose;

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	return verbose ? vfprintf(stderr, format, args) : 0;
}

int probe_fail(char *why, size_t size, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return err;
}

/* What to do about an error of bpf(). */
static const char *advice(int err)
{
	static char other[96];

	switch (-err) {
	case EPERM:
	case EACCES:
		return "not permitted (by seccomp or a security module: allow lagtop to use bpf() and "
		       "perf_event_open())";
	case ENOMEM:
		return "out of memory (raise the memory limit of lagtop's control group)";
	case ENOSYS:
		return "it was built without BPF (CONFIG_BPF_SYSCALL)";
	case ENOTSUPP:
	case EOPNOTSUPP:
		return "it cannot attach BPF programs to functions (arm64: before Linux 6.4)";
	default:
		snprintf(other, sizeof(other), "%s (--verbose shows more)", strerror(-err));
		return other;
	}
}

int probe_refused(char *why, size_t size, int err, const char *what)
{
	return probe_fail(why, size, err, "the kernel refuses %s: %s", what, advice(err));
}

static void __attribute__((format(printf, 2, 3))) family_off(struct family *f, const char *format, ...)
{
	va_list args;

	if (!f->on)
		return;
	f->on = false;
	f->by[0] = '\0';
	va_start(args, format);
	vsnprintf(f->reason, sizeof(f->reason), format, args);
	va_end(args);
}

/* bpf_task_pt_regs is the newest helper that lagtop needs: 5.15. */
static bool kernel_has_helpers(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *t;
	const struct btf_enum *e;

	if (id < 0)
		return false;
	t = btf__type_by_id(btf, (__u32)id);
	e = btf_enum(t);
	for (int i = 0; i < btf_vlen(t); i++) {
		if (!strcmp(btf__name_by_offset(btf, e[i].name_off), "BPF_FUNC_task_pt_regs"))
			return true;
	}
	return false;
}

/* The inode of our pid namespace; 0: the initial one, whose inode number is fixed. */
static uint32_t pid_namespace(void)
{
	enum { FIRST_PID_NAMESPACE = 0xEFFFFFFC }; /* PROC_PID_INIT_INO */
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino == FIRST_PID_NAMESPACE ? 0 : (uint32_t)st.st_ino;
}

/* 6.18 is the newest release on which this was seen. */
static bool tcp_stamps_copies(void)
{
	unsigned major = 0, minor = 0;
	struct utsname u;

	return !uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 6 || (major == 6 && minor <= 18));
}

/* Turns are counted by the network's hooks. */
static void choose_turns(struct probe *p, const struct btf *btf)
{
	const struct family *net = &p->family[SAMPLE_NET];
	struct family *turns = &p->family[SAMPLE_TURNS];

	if (!net->on)
		family_off(turns, "it needs the network probes");
	if (!turns->on)
		return;
	snprintf(turns->by, sizeof(turns->by), "%s", net->by);
	if (!tracepoint_proto(btf, "sk_data_ready"))
		snprintf(turns->reason, sizeof(turns->reason),
			 "this kernel does not report when bytes arrive: response times begin when they are read, "
			 "LATE99 "
			 "is not known");
}

/* In bytes; 0: there is no such member, or no such struct. */
static uint32_t member_offset(const struct btf *btf, const char *of, const char *name)
{
	int id = btf__find_by_name_kind(btf, of, BTF_KIND_STRUCT);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);

	for (int i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), name))
			return btf_member_bit_offset(t, (__u32)i) / 8;
	return 0;
}

static bool is_wanted(const struct probe *p, const struct program *prog)
{
	switch (prog->family) {
	case LIFE:
		return true;
	case RINGS:
		return p->family[SAMPLE_SCHED].on || p->family[SAMPLE_NET].on;
	default:
		return p->family[prog->family].on;
	}
}

static void choose_programs(struct probe *p, const struct btf *btf)
{
	uint32_t ring_bytes = probe_memory_bound("LAGTOP_RING");
	struct lagtop *skel = p->skel;
	struct family *net = &p->family[SAMPLE_NET], *calls = &p->family[SAMPLE_SYSCALL];

	for (size_t i = 0; i < PROGRAMS; i++) {
		const struct program *prog = &programs[i];

		if (prog->when == NEEDED && prog->family < LIFE && !tracepoint_proto(btf, prog->target))
			family_off(&p->family[prog->family], "this kernel has no tracepoint %s", prog->target);
	}
	if (net->on && !tracepoint_proto(btf, "sock_send_length"))
		snprintf(net->by, sizeof(net->by), "fexit");
	choose_turns(p, btf);
	calls->fixed = calls->on && perf_counts_calls(btf);
	if (calls->fixed)
		snprintf(calls->by, sizeof(calls->by), "perf");
	else if (calls->on && calls_skipped(btf))
		snprintf(calls->reason, sizeof(calls->reason),
			 "this kernel skips some calls (see lost) unless lagtop can read tracefs, as root can");
	for (size_t i = 0; i < PROGRAMS; i++) {
		const struct program *prog = &programs[i];

		bpf_program__set_autoload(bpf_object__find_program_by_name(skel->obj, prog->name),
					  is_wanted(p, prog) && prog->fits(btf, prog));
	}
	if (ring_bytes)
		bpf_map__set_max_entries(skel->maps.lt_events, ring_bytes);
	bpf_program__set_autoload(skel->progs.lt_throttle, p->family[SAMPLE_SCHED].on);
	probe_cpus_choose(p, btf);
	bpf_program__set_autoload(skel->progs.lt_walk, net->on);
	bpf_program__set_autoload(skel->progs.lt_seed_sockets, net->on);
	skel->rodata->lt_with_sched = p->memory.with_sched = p->family[SAMPLE_SCHED].on;
	skel->rodata->lt_with_calls = p->memory.with_calls = p->family[SAMPLE_SYSCALL].on;
	skel->rodata->lt_with_net = net->on;
	skel->rodata->lt_with_turns = p->family[SAMPLE_TURNS].on;
	skel->rodata->lt_tcp_stamps = tcp_stamps_copies();
	proc_ephemeral_ports((uint16_t *)&skel->rodata->lt_ephemeral_first,
			     (uint16_t *)&skel->rodata->lt_ephemeral_last);
	skel->rodata->lt_pid_namespace = pid_namespace();
	skel->rodata->lt_registered_rings = member_offset(btf, "io_uring_task", "registered_rings");
	bpf_map__set_autocreate(skel->maps.lt_ring_reqs, tells_requests(btf));
	probe_disks_choose(p, btf);
}

/* Without CONFIG_PSI, or booted with psi=0, the kernel counts no task as stalled for memory. */
static bool has_pressure(void)
{
	int fd = open("/proc/pressure/memory", O_RDONLY | O_CLOEXEC);
	char byte;
	bool has = fd >= 0 && read(fd, &byte, 1) == 1;

	if (fd >= 0)
		close(fd);
	return has;
}

/* The type of a member, also inside of anonymous structs; NULL: there is none. */
static const struct btf_type *member_type(const struct btf *btf, const struct btf_type *of, const char *name)
{
	const struct btf_member *m = btf_members(of);
	const struct btf_type *found = NULL;

	for (int i = 0; i < btf_vlen(of) && !found; i++) {
		const struct btf_type *t = btf__type_by_id(btf, (__u32)btf__resolve_type(btf, m[i].type));

		if (!strcmp(btf__name_by_offset(btf, m[i].name_off), name))
			found = t;
		else if (!m[i].name_off && t && btf_is_composite(t))
			found = member_type(btf, t, name);
	}
	return found;
}

/* Whether the kernel's struct has no such field, "se.nr_migrations". */
static bool kernel_lacks(const struct btf *btf, const char *of, const char *field)
{
	int id = btf__find_by_name_kind(btf, of, BTF_KIND_STRUCT);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);
	char path[64], *rest = path, *name;

	snprintf(path, sizeof(path), "%s", field);
	while (t && (name = strsep(&rest, ".")))
		t = btf_is_composite(t) ? member_type(btf, t, name) : NULL;
	return !t;
}

/* The fields that bpf/throttle.bpf.h reads, by version. */
static bool has_throttle_clock(const struct btf *btf)
{
	return !kernel_lacks(btf, "cfs_rq", "throttled_clock_self_time") ||
	       !kernel_lacks(btf, "cfs_rq", "throttled_clock_pelt_time") ||
	       !kernel_lacks(btf, "cfs_rq", "throttled_clock_task_time");
}

/* Notes what the scheduler family cannot know on this kernel, which it says if it is on; LT_COUNTERS: a part of one. */
static void lacks(struct probe *p, unsigned counter, const char *what)
{
	struct family *sched = &p->family[SAMPLE_SCHED];
	size_t n = strlen(sched->reason);

	if (counter < LT_COUNTERS)
		counter_put(&p->unknown, counter);
	if (sched->on)
		snprintf(sched->reason + n, sizeof(sched->reason) - n, "%s%s", n ? "; " : "", what);
}

/* The counters that this kernel does not feed. */
static void choose_counters(struct probe *p, const struct btf *btf)
{
	static const char *const fields[LT_N_KERNEL] = {
#define X(name, unit, since, field) #field,
		LT_COUNTERS_KERNEL(X)
#undef X
	};
	struct utsname u;

	uname(&u);
	p->unknown = counter_unknown(u.release);
	if (!p->family[SAMPLE_TURNS].on) {
		counter_put(&p->unknown, COUNTER_turns_overlapped);
		counter_put(&p->unknown, COUNTER_upstream_overlapped);
	}
	for (unsigned i = 0; i < LT_N_KERNEL; i++)
		if (kernel_lacks(btf, "task_struct", fields[i]))
			counter_put(&p->unknown, LT_SCHED_FIRST + i);
	if (!has_pressure())
		lacks(p, LT_MEMORY, "stalls for memory are not known: no /proc/pressure (CONFIG_PSI, psi=1)");
	if (!has_throttle_clock(btf))
		lacks(p, LT_THROTTLED, "waits for a CPU quota are not known: no CONFIG_CFS_BANDWIDTH");
	if (!tracepoint_proto(btf, "mm_vmscan_direct_reclaim_begin"))
		lacks(p, COUNTER_reclaim_ns, "reclaim is not known: no tracepoint mm_vmscan_direct_reclaim_begin");
	if (!tells_requests(btf))
		lacks(p, LT_COUNTERS, "waits for io_uring are all in poll: no tracepoint of its requests");
}

static struct bpf_link **link_of(const struct lagtop *skel, const char *name)
{
	for (int i = 0; i < skel->skeleton->prog_cnt; i++)
		if (!strcmp(skel->skeleton->progs[i].name, name))
			return skel->skeleton->progs[i].link;
	return NULL;
}

static bool is_of(const struct program *prog, int family, const char *target)
{
	return prog->family == family && (!target || !strcmp(prog->target, target));
}

void probe_detach(struct probe *p, int family, const char *target)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		struct bpf_link **link =
			is_of(&programs[i], family, target) ? link_of(p->skel, programs[i].name) : NULL;

		if (!link)
			continue;
		bpf_link__destroy(*link);
		*link = NULL;
	}
}

int probe_attach(struct probe *p, int family, const char *target)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		const struct program *prog = &programs[i];
		struct bpf_program *bpf = bpf_object__find_program_by_name(p->skel->obj, prog->name);
		struct bpf_link *link;
		int err;

		if (!is_of(prog, family, target) || prog->when == IN_FOCUS || !bpf_program__autoload(bpf))
			continue;
		link = bpf_program__attach(bpf);
		if (link) {
			*link_of(p->skel, prog->name) = link;
			continue;
		}
		err = -errno;
		if (family < LIFE)
			family_off(&p->family[family], "the kernel refuses to attach to %s: %s", prog->target,
				   advice(err));
		probe_detach(p, family, NULL);
		return err;
	}
	return 0;
}

void probe_attach_focus(struct probe *p, bool on)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		struct bpf_program *bpf = bpf_object__find_program_by_name(p->skel->obj, programs[i].name);
		struct bpf_link **link = programs[i].when == IN_FOCUS ? link_of(p->skel, programs[i].name) : NULL;

		if (!link || on == !!*link || !bpf_program__autoload(bpf))
			continue;
		if (!on)
			bpf_link__destroy(*link);
		*link = on ? bpf_program__attach(bpf) : NULL;
	}
}

/* 0; -EAGAIN: a family was refused and is now off: load again without it; another -errno: not even thread creation
 * works. */
static int attach(struct probe *p, char *why, size_t why_size)
{
	int err = probe_attach(p, LIFE, NULL);
	bool again = false;

	if (!err)
		err = probe_attach(p, RINGS, NULL);
	if (err)
		return probe_refused(why, why_size, err, "to attach lagtop's BPF programs");
	for (int i = 0; i < SAMPLE_FAMILIES; i++)
		again |= p->family[i].on && probe_attach(p, i, NULL);
	return again ? -EAGAIN : 0;
}

/* Runs that the kernel skipped because they interrupted the same program on that CPU. */
void probe_skipped(const struct probe *p, uint64_t skipped[SAMPLE_FAMILIES + 1])
{
	memset(skipped, 0, sizeof(*skipped) * (SAMPLE_FAMILIES + 1));
	for (size_t i = 0; i < PROGRAMS; i++) {
		const struct bpf_program *bpf = bpf_object__find_program_by_name(p->skel->obj, programs[i].name);
		struct bpf_prog_info info = { 0 };
		__u32 size = sizeof(info);

		if (bpf_program__fd(bpf) >= 0 && !bpf_obj_get_info_by_fd(bpf_program__fd(bpf), &info, &size))
			skipped[programs[i].family < LIFE ? programs[i].family : LIFE] += info.recursion_misses;
	}
}

/*
 * Tested with bpf(), since /sys/kernel/security may not be mounted: lockdown=confidentiality allows a program that does
 * nothing, but not one that reads memory.
 */
static bool locked_down(void)
{
	enum { NOTHING = 5 }; /* the index at which the part that does nothing starts */
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const size_t n = sizeof(insns) / sizeof(insns[0]);
	int reads = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "lt_reads", "GPL", insns, n, NULL);
	int nothing =
		bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "lt_nothing", "GPL", insns + NOTHING, n - NOTHING, NULL);
	bool locked = reads < 0 && nothing >= 0;

	if (reads >= 0)
		close(reads);
	if (nothing >= 0)
		close(nothing);
	return locked;
}

/* Without CAP_SYS_ADMIN the kernel does not list its modules' BTF, and libbpf then refuses an object with a function or
 * type that the kernel lacks. It tries to list them once per object: here, where failing changes nothing. */
static void give_up_module_btf(struct lagtop *skel)
{
	uint32_t id;

	if (bpf_btf_get_next_id(0, &id) == -EPERM)
		bpf_program__set_attach_target(skel->progs.lt_switch, 0, "lagtop_none");
}

/* The outer maps are loaded with the first inner ones as their prototypes. */
static int load(struct probe *p, char *why, size_t why_size)
{
	struct lagtop *skel = p->skel;
	struct probe_first first;
	int err = probe_memory_begin(p, &first);

	if (!err)
		err = probe_sockets_begin(p, &first);
	if (err) {
		probe_refused(why, why_size, err, "memory for lagtop's records");
		goto out;
	}
	bpf_map__set_inner_map_fd(skel->maps.lt_chunks, first.records_fd);
	bpf_map__set_inner_map_fd(skel->maps.lt_call_chunks, first.calls_fd);
	bpf_map__set_inner_map_fd(skel->maps.lt_walked, first.walked_fd);
	give_up_module_btf(skel);
	err = lagtop__load(skel);
	if (!err)
		err = probe_memory_publish(p, &first);
	if (!err)
		err = probe_sockets_publish(p, first.walked_fd);
	if (!err)
		err = probe_disks_map(p);
	if (err && locked_down())
		probe_fail(why, why_size, err,
			   "this kernel is in lockdown=confidentiality: no BPF program may read its memory; boot it "
			   "without lockdown=confidentiality");
	else if (err)
		probe_refused(why, why_size, err, "lagtop's BPF programs and maps");
out:
	probe_memory_close(&first);
	return err;
}

#define BTF_FILE "/sys/kernel/btf/vmlinux"

static enum { BTF_READABLE, BTF_UNREADABLE, BTF_NONE, BTF_NO_SYS } btf_state(void)
{
	struct statfs sys;

	if (!access(BTF_FILE, R_OK))
		return BTF_READABLE;
	if (statfs("/sys", &sys) || sys.f_type != SYSFS_MAGIC)
		return BTF_NO_SYS;
	return access(BTF_FILE, F_OK) ? BTF_NONE : BTF_UNREADABLE;
}

const char *probe_btf(void)
{
	static const char *const texts[] = { "yes", "not readable", "no", "unknown: /sys is not mounted" };

	return texts[btf_state()];
}

/* Why there is no BTF. err alone does not tell: libbpf has looked in other places, too. */
static int btf_missing(int err, char *why, size_t size)
{
	struct utsname u;

	uname(&u);
	switch (btf_state()) {
	case BTF_NO_SYS:
		return probe_fail(why, size, err,
				  "/sys is not mounted here, and lagtop reads the kernel's type information there "
				  "(" BTF_FILE "): mount -t sysfs sysfs /sys");
	case BTF_NONE:
		return probe_fail(why, size, err,
				  "this kernel (%s) has no BTF type information (" BTF_FILE "): "
				  "lagtop needs one built with CONFIG_DEBUG_INFO_BTF",
				  u.release);
	default:
		return probe_fail(why, size, err, "the kernel's type information (" BTF_FILE ") cannot be read: %s",
				  strerror(-err));
	}
}

static int kernel_check(struct btf **btf, char *why, size_t why_size)
{
	struct utsname u;
	int err;

	if (privileges_missing(why, why_size))
		return -EPERM;
	*btf = btf__load_vmlinux_btf();
	err = libbpf_get_error(*btf);
	if (err) {
		*btf = NULL;
		return btf_missing(err, why, why_size);
	}
	if (!kernel_has_helpers(*btf)) {
		btf__free(*btf);
		*btf = NULL;
		uname(&u);
		return probe_fail(
			why, why_size, -ENOSYS,
			"Linux %s is too old: its BPF cannot read another task's registers (bpf_task_pt_regs); "
			"lagtop needs 5.15 or newer",
			u.release);
	}
	return 0;
}

static void choose_families(struct probe *p, const struct probe_options *o)
{
	static const char *const option[SAMPLE_FAMILIES] = { "--no-sched", "--no-syscall", "--no-net", "--no-turns",
							     "--no-disk" };

	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		p->family[i].on = true;
		snprintf(p->family[i].by, sizeof(p->family[i].by), "tp_btf");
		if (o->off[i])
			family_off(&p->family[i], "left out by %s", option[i]);
	}
}

/* Opens, loads and attaches the families that are on. */
static int try_families(struct probe *p, const struct btf *btf, char *why, size_t why_size)
{
	int err;

	p->skel = lagtop__open();
	if (!p->skel)
		return probe_fail(why, why_size, -errno, "cannot open the BPF object: %s", strerror(errno));
	choose_programs(p, btf);
	err = load(p, why, why_size);
	probe_cost_loaded(p); /* before anything is attached */
	return err ? err : attach(p, why, why_size);
}

static void unload(struct probe *p)
{
	lagtop__destroy(p->skel);
	p->skel = NULL;
	probe_sockets_free(p);
	probe_disks_free(p);
	p->walked = NULL;
	p->cap_walked = 0;
	probe_memory_free(p);
	p->memory = (struct ledger_memory){ .limit = p->max_records };
	p->map_bytes = 0;
}

int probe_load(struct probe *p, const struct probe_options *o, char *why, size_t why_size)
{
	struct btf *btf = NULL;
	int err;

	verbose = o->verbose;
	libbpf_set_print(print_libbpf);
	err = kernel_check(&btf, why, why_size);
	if (err)
		return err;
	p->n_cpus = libbpf_num_possible_cpus();
	p->of_cpu = p->n_cpus > 0 ? calloc((size_t)p->n_cpus, sizeof(*p->of_cpu)) : NULL;
	if (!p->of_cpu) {
		btf__free(btf);
		return probe_fail(why, why_size, -ENOMEM, "out of memory");
	}
	choose_families(p, o);
	p->max_records = o->max_threads;
	p->memory.limit = o->max_threads;
	probe_cost_begin(p);
	while ((err = try_families(p, btf, why, why_size)) == -EAGAIN)
		unload(p);
	probe_cost_loaded(p);
	choose_counters(p, btf);
	btf__free(btf);
	return err;
}
