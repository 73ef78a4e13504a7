/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fields of a recording, one table row each; from it follow writing, reading and the file's
 * own description. A field may be added anywhere: older files read it as 0, a counter as not known.
 * A field's meaning and a name's spelling never change; a change of meaning is a new version of the
 * format. Fields with other names in version 1 are at the end.
 */
#include "record_fields.h"

/* clang-format off */
#define MEMBER(s, f) ((struct s *)0)->f
/* An integer; an array of integers; a nested struct's member. */
#define ONE(s, f) COUNTED(s, f, RECORD_NO_COUNTER)
#define COUNTED(s, f, counter) { #f, offsetof(struct s, f), 1, sizeof(MEMBER(s, f)), RECORD_PLAIN, counter }
#define MANY(s, f) { #f, offsetof(struct s, f), sizeof(MEMBER(s, f)) / sizeof(MEMBER(s, f)[0]), \
		     sizeof(MEMBER(s, f)[0]), RECORD_PLAIN, RECORD_NO_COUNTER }
#define BASED(s, f, base, name) { name, offsetof(struct s, f), 1, sizeof(MEMBER(s, f)), base, RECORD_NO_COUNTER }
#define LATER(s, f) BASED(s, f, RECORD_LATER, #f)
#define DIST(s, f) ONE(s, f.max_ns), ONE(s, f.first), ONE(s, f.n)
#define PRESSURE(name, i) BASED(sample, pressure[i].some_ns, RECORD_LATER, "pressure." #name ".some_ns"), \
			  BASED(sample, pressure[i].full_ns, RECORD_LATER, "pressure." #name ".full_ns")
#define PROBE(i) ONE(sample, probe[i].on), ONE(sample, probe[i].level), MANY(sample, probe[i].by), MANY(sample, probe[i].reason)

static const struct record_field sample_fields[] = {
	ONE(sample, t_ns),
	ONE(sample, interval_ns),
	ONE(sample, realtime_ns),
	ONE(sample, uptime_ns),
	ONE(sample, number),
	BASED(sample, cpus_online, RECORD_PLAIN, "cpus"),
	MANY(sample, host),
	MANY(sample, kernel),
	PROBE(SAMPLE_SCHED),
	PROBE(SAMPLE_SYSCALL),
	PROBE(SAMPLE_NET),
	PROBE(SAMPLE_TURNS),
	PROBE(SAMPLE_DISK),
	ONE(sample, forks),
	ONE(sample, execs),
	ONE(sample, exits),
	ONE(sample, retransmits),
	ONE(sample, lost.threads),
	ONE(sample, lost.calls),
	ONE(sample, lost.sockets),
	ONE(sample, lost.exits),
	ONE(sample, lost.switches),
	ONE(sample, lost.torn),
	ONE(sample, lost.events),
	LATER(sample, lost.requests),
	LATER(sample, lost.groups),
	ONE(sample, self.cpu_ns),
	ONE(sample, self.bpf_ns),
	ONE(sample, self.bpf_runs),
	ONE(sample, self.rss_bytes),
	ONE(sample, self.map_bytes),
	LATER(sample, self.cost_ns),
	LATER(sample, self.per_call_ns),
	LATER(sample, self.per_switch_ns),
	ONE(sample, self.over_budget),
	LATER(sample, cpu_times.busy_ns),
	LATER(sample, cpu_times.idle_ns),
	LATER(sample, cpu_times.irq_ns),
	LATER(sample, cpu_times.softirq_ns),
	LATER(sample, cpu_times.steal_ns),
#define X(name) BASED(sample, stack[STACK_##name], RECORD_LATER, "stack." #name),
	SAMPLE_STACK(X)
#undef X
	PRESSURE(cpu, SAMPLE_CPU),
	PRESSURE(memory, SAMPLE_MEMORY),
	PRESSURE(io, SAMPLE_IO),
	ONE(sample, drops_known),
	ONE(sample, has_connections),
	ONE(sample, has_disks),
};

static const struct record_field process_fields[] = {
	ONE(sample_process, pid),
	ONE(sample_process, ppid),
	ONE(sample_process, uid),
	ONE(sample_process, threads),
	ONE(sample_process, first_thread),
	ONE(sample_process, n_threads),
	ONE(sample_process, start_ns),
	ONE(sample_process, exit_code),
	ONE(sample_process, flags),
	ONE(sample_process, comm),
	ONE(sample_process, cmdline),
	ONE(sample_process, cgroup),
	ONE(sample_process, killed_by),
	ONE(sample_process, killer_pid),
	ONE(sample_process, killer_comm),
#define X(name, ...) COUNTED(sample_process, sockets.name, COUNTER_##name),
	LT_COUNTERS_SOCKET(X)
#undef X
	ONE(sample_process, sockets.srtt_ns),
	DIST(sample_process, sockets.connect),
	LATER(sample_process, sockets.answers.n),
	BASED(sample_process, sockets.answers.oldest_ns, RECORD_BEFORE, "answers_since_ns"),
	LATER(sample_process, sockets.upstream.n),
	BASED(sample_process, sockets.upstream.oldest_ns, RECORD_BEFORE, "upstream_since_ns"),
	ONE(sample_process, sockets.first_peer),
	ONE(sample_process, sockets.n_peers),
	LATER(sample_process, execs),
	ONE(sample_process, focus_since_ns),
	ONE(sample_process, moved_ns),
	ONE(sample_process, first_because),
	ONE(sample_process, n_because),
};

static const struct record_field thread_fields[] = {
	ONE(sample_thread, tid),
	ONE(sample_thread, process),
	ONE(sample_thread, work),
	ONE(sample_thread, call),
	BASED(sample_thread, call_age_ns, RECORD_BEFORE, "call_since_ns"),
	BASED(sample_thread, wall_ns, RECORD_BELOW, "wall_less_ns"),
	ONE(sample_thread, start_ns),
	ONE(sample_thread, state),
	ONE(sample_thread, flags),
	MANY(sample_thread, comm),
};

static const struct record_field work_fields[] = {
#define X(NAME, name, ...) { #name "_ns", offsetof(struct sample_work, time_ns[LT_##NAME]), 1, 8, RECORD_PLAIN, LT_##NAME },
	LT_STATE_TABLE(X)
#undef X
#define X(name, ...) COUNTED(sample_work, name, COUNTER_##name),
	LT_COUNTERS_KERNEL(X) LT_COUNTERS_SCHED(X) LT_COUNTERS_PARTS(X) LT_COUNTERS_CALLS(X) LT_COUNTERS_NET(X)
#undef X
#define X(NAME, name, ...) DIST(sample_work, name),
	LT_DISTS_THREAD(X)
#undef X
	ONE(sample_work, first_call),
	ONE(sample_work, n_calls),
	ONE(sample_work, first_peer),
	ONE(sample_work, n_peers),
	ONE(sample_work, waker),
	ONE(sample_work, first_because),
	ONE(sample_work, n_because),
};

static const struct record_field call_fields[] = {
	ONE(sample_call, call),
	ONE(sample_call, errors),
	ONE(sample_call, count),
	ONE(sample_call, total_ns),
	ONE(sample_call, time_ns),
	ONE(sample_call, wait_ns),
	DIST(sample_call, latency),
	ONE(sample_call, first_errno),
	ONE(sample_call, n_errnos),
};

static const struct record_field bucket_fields[] = {
	ONE(sample_bucket, bucket),
	ONE(sample_bucket, count),
};

static const struct record_field errno_fields[] = {
	ONE(sample_errno, error),
	ONE(sample_errno, count),
};

static const struct record_field connection_fields[] = {
	ONE(sample_connection, proto),
	ONE(sample_connection, family),
	ONE(sample_connection, state),
	ONE(sample_connection, changed),
	ONE(sample_connection, local_port),
	ONE(sample_connection, remote_port),
	MANY(sample_connection, local),
	MANY(sample_connection, remote),
	ONE(sample_connection, pid),
	ONE(sample_connection, tx_bytes),
	ONE(sample_connection, rx_bytes),
	ONE(sample_connection, retransmits),
	ONE(sample_connection, srtt_ns),
	BASED(sample_connection, age_ns, RECORD_BEFORE, "since_ns"),
	ONE(sample_connection, tx_queue_bytes),
	ONE(sample_connection, rx_queue_bytes),
	LATER(sample_connection, accept_queue),
	LATER(sample_connection, accept_queue_max),
	LATER(sample_connection, accept_oldest_ns),
	LATER(sample_connection, drops),
	LATER(sample_connection, open_ns),
	ONE(sample_connection, role),
	ONE(sample_connection, overlapped),
	LATER(sample_connection, turns),
	LATER(sample_connection, turns_ns),
	LATER(sample_connection, turn_max_ns),
	ONE(sample_connection, netns),
};

static const struct record_field peer_fields[] = {
	MANY(sample_peer, of.address),
	ONE(sample_peer, of.netns),
	ONE(sample_peer, of.pid),
	ONE(sample_peer, of.port),
	ONE(sample_peer, of.proto),
	ONE(sample_peer, of.family),
	ONE(sample_peer, pid),
	ONE(sample_peer, overlapped),
	DIST(sample_peer, upstream),
	ONE(sample_peer, open.n),
	BASED(sample_peer, open.oldest_ns, RECORD_BEFORE, "open_since_ns"),
	ONE(sample_peer, retransmits),
	ONE(sample_peer, srtt_ns),
};

static const struct record_field because_fields[] = {
	ONE(sample_because, kind), ONE(sample_because, pid),  ONE(sample_because, start_ns),
	ONE(sample_because, ns),   MANY(sample_because, comm), ONE(sample_because, count),
	ONE(sample_because, tid),  ONE(sample_because, state),
};

static const struct record_field mark_fields[] = {
	ONE(sample_mark, realtime_ns), ONE(sample_mark, kind),	ONE(sample_mark, pid),
	MANY(sample_mark, expr),       MANY(sample_mark, text),
};

static const struct record_field cpu_fields[] = {
	ONE(sample_cpu, cpu),
	ONE(sample_cpu, runs),
	MANY(sample_cpu, comm),
	ONE(sample_cpu, pid),
	ONE(sample_cpu, tid),
	ONE(sample_cpu, queued),
	ONE(sample_cpu, queued_p99),
	LATER(sample_cpu, throttled),
	ONE(sample_cpu, run_ns),
	ONE(sample_cpu, switches),
	ONE(sample_cpu, times.busy_ns),
	ONE(sample_cpu, times.idle_ns),
	ONE(sample_cpu, times.irq_ns),
	ONE(sample_cpu, times.softirq_ns),
	ONE(sample_cpu, times.steal_ns),
};

static const struct record_field disk_fields[] = {
	ONE(sample_disk, major),
	ONE(sample_disk, minor),
	ONE(sample_disk, name),
	ONE(sample_disk, op),
	ONE(sample_disk, count),
	ONE(sample_disk, bytes),
	ONE(sample_disk, merged),
	ONE(sample_disk, time_ns),
	ONE(sample_disk, carriers),
	ONE(sample_disk, in_flight),
	ONE(sample_disk, busy_ns),
	DIST(sample_disk, latency[LT_DISK_TOTAL]),
	DIST(sample_disk, latency[LT_DISK_QUEUE]),
	DIST(sample_disk, latency[LT_DISK_SERVICE]),
	ONE(sample_disk, groups_known),
	ONE(sample_disk, first_group),
	ONE(sample_disk, n_groups),
};

static const struct record_field disk_group_fields[] = {
	ONE(sample_disk_group, id),
	ONE(sample_disk_group, name),
	ONE(sample_disk_group, count),
	ONE(sample_disk_group, bytes),
};

static const struct record_field text_fields[] = {
	{ "byte", 0, 1, 1, RECORD_PLAIN, RECORD_NO_COUNTER },
};
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define ARRAY(plural, table)                                                                                           \
	{ #plural, table, COUNT(table), sizeof(*MEMBER(sample, plural)), false,                                        \
	  offsetof(struct sample, plural), offsetof(struct sample, n_##plural), offsetof(struct sample, cap_##plural) }

const struct record_section record_sections[RECORD_SECTIONS] = {
	{ "sample", sample_fields, COUNT(sample_fields), sizeof(struct sample), true, 0, 0, 0 },
	ARRAY(processes, process_fields),
	ARRAY(threads, thread_fields),
	ARRAY(works, work_fields),
	ARRAY(calls, call_fields),
	ARRAY(buckets, bucket_fields),
	ARRAY(errnos, errno_fields),
	ARRAY(connections, connection_fields),
	ARRAY(cpus, cpu_fields),
	ARRAY(disks, disk_fields),
	ARRAY(peers, peer_fields),
	ARRAY(disk_groups, disk_group_fields),
	ARRAY(because, because_fields),
	ARRAY(marks, mark_fields),
	ARRAY(text, text_fields),
};

/* Version 1: arrays that are fields of their own now, and other names. */
static const char *const v1_time[] = { "run_ns",  "wakeq_ns", "preempt_ns", "disk_ns", "block_ns", "lock_ns", "net_ns",
				       "poll_ns", "sleep_ns", "io_ns",	    "other_ns" };
static const char *const v1_flow[] = {
#define X(name, ...) #name,
	LT_COUNTERS_FLOW(X, tcp) LT_COUNTERS_FLOW(X, udp) LT_COUNTERS_FLOW(X, inet) LT_COUNTERS_FLOW(X, unix)
		LT_COUNTERS_FLOW(X, proto_other)
#undef X
};
static const char *const v1_max[] = { "wakeup.max_ns" }, *const v1_first[] = { "wakeup.first" },
			 *const v1_n[] = { "wakeup.n" };

const struct record_old record_olds[] = {
	{ "works", "time_ns", v1_time, COUNT(v1_time) },
	{ "works", "flow", v1_flow, COUNT(v1_flow) },
	{ "works", "runq.max_ns", v1_max, COUNT(v1_max) },
	{ "works", "runq.first", v1_first, COUNT(v1_first) },
	{ "works", "runq.n", v1_n, COUNT(v1_n) },
};
const size_t record_olds_count = COUNT(record_olds);

uint8_t record_state_of_v1(uint8_t state)
{
	static const uint8_t states[] = { LT_RUN, LT_WAKEQ, LT_PREEMPT, LT_DISK,  LT_BLOCK,   LT_LOCK, LT_NET,
					  LT_POLL, LT_SLEEP, LT_IO,	 LT_OTHER, UINT8_MAX, LT_NEW,  LT_DEAD };

	return state < COUNT(states) ? states[state] : UINT8_MAX;
}
