/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fields of a recording, one table row each; from it follow writing, reading and the file's
 * own description. A field may be added anywhere: older files read it as 0. A field's meaning and
 * a name's spelling never change; a change of meaning is a new version of the format.
 */
#include "record_fields.h"

_Static_assert(sizeof(struct lt_flow) == 4 * sizeof(uint64_t), "flow is written as four integers a protocol");

/* clang-format off */
#define MEMBER(s, f) ((struct s *)0)->f
/* An integer; an array of integers; a nested struct's member. */
#define ONE(s, f) { #f, offsetof(struct s, f), 1, sizeof(MEMBER(s, f)), RECORD_PLAIN }
#define MANY(s, f) { #f, offsetof(struct s, f), sizeof(MEMBER(s, f)) / sizeof(MEMBER(s, f)[0]), \
		     sizeof(MEMBER(s, f)[0]), RECORD_PLAIN }
#define BASED(s, f, base, name) { name, offsetof(struct s, f), 1, sizeof(MEMBER(s, f)), base }
#define DIST(s, f) ONE(s, f.max_ns), ONE(s, f.first), ONE(s, f.n)
#define FLOWS(s, f) { #f, offsetof(struct s, f), LT_PROTOS * 4, sizeof(uint64_t), RECORD_PLAIN }
#define PROBE(i) ONE(sample, probe[i].on), MANY(sample, probe[i].by), MANY(sample, probe[i].reason)

static const struct record_field sample_fields[] = {
	ONE(sample, t_ns),
	ONE(sample, interval_ns),
	ONE(sample, realtime_ns),
	ONE(sample, uptime_ns),
	ONE(sample, number),
	ONE(sample, cpus),
	MANY(sample, host),
	MANY(sample, kernel),
	PROBE(SAMPLE_SCHED),
	PROBE(SAMPLE_SYSCALL),
	PROBE(SAMPLE_NET),
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
	ONE(sample, self.cpu_ns),
	ONE(sample, self.bpf_ns),
	ONE(sample, self.bpf_runs),
	ONE(sample, self.rss_bytes),
	ONE(sample, self.map_bytes),
	ONE(sample, has_connections),
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
	ONE(sample_process, sockets.retransmits),
	ONE(sample_process, sockets.srtt_ns),
	DIST(sample_process, sockets.connect),
	ONE(sample_process, sockets.connect_errors),
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
	MANY(sample_work, time_ns),
	DIST(sample_work, runq),
	DIST(sample_work, service),
	ONE(sample_work, voluntary),
	ONE(sample_work, involuntary),
	ONE(sample_work, wakeups),
	ONE(sample_work, migrations),
	ONE(sample_work, calls),
	ONE(sample_work, call_errors),
	ONE(sample_work, call_total_ns),
	FLOWS(sample_work, flow),
	ONE(sample_work, connects),
	ONE(sample_work, accepts),
	ONE(sample_work, first_call),
	ONE(sample_work, n_calls),
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
	ONE(sample_connection, netns),
};

static const struct record_field text_fields[] = {
	{ "byte", 0, 1, 1, RECORD_PLAIN },
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
	ARRAY(text, text_fields),
};
