/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON from a reading made by hand: every field of the contract with its value, null where nothing is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "synthetic.h"

static void json_host(void **state)
{
	static const struct output_expected host[] = {
		{ "schema", 2 },
		{ "interval_ns", 1000000000 },
		{ "host.cpus", 2 },
		{ "host.threads", 4 },
		{ "host.processes", 3 },
		{ "host.run_ns", 301900001 },
		{ "host.switches", 113 },
		{ "host.wakeups", 102 },
		{ "host.forks", 42 },
		{ "host.execs", 43 },
		{ "host.exits", 44 },
		{ "host.wakeup.count", 100 },
		{ "host.wakeup.p50_ns", 36864 },
		{ "host.wakeup.p90_ns", 36864 },
		{ "host.wakeup.p99_ns", 11534336 },
		{ "host.wakeup.max_ns", 12000000 },
		{ "host.calls.count", 107 },
		{ "host.calls.errors", 3 },
		{ "host.calls.p50_ns", 1920 },
		{ "host.calls.p90_ns", 1920 },
		{ "host.calls.p99_ns", 1920 },
		{ "host.calls.max_ns", 310000 },
		{ "host.net.tx_bytes", 8008030 },
		{ "host.net.rx_bytes", 530 },
		{ "host.net.retransmits", 45 },
		{ "host.net.connects", 4 },
		{ "host.net.connect_errors", 1 },
		{ "host.net.accepts", 9 },
		{ "lost.threads", 51 },
		{ "lost.calls", 52 },
		{ "lost.sockets", 53 },
		{ "lost.exits", 54 },
		{ "lost.switches", 55 },
		{ "lost.torn", 56 },
		{ "lost.events", 57 },
		{ "lost.requests", 58 },
		{ "self.cpu_ns", 61 },
		{ "self.bpf_ns", 62 },
		{ "self.rss_bytes", 64 },
		{ "self.map_bytes", 65 },
		{ "self.per_call_ns", 66 },
		{ "self.per_switch_ns", 67 },
	};
	struct json_object *r = output_json("--json");

	(void)state;
	OUTPUT_COMPARE(r, host);
	assert_true(json_object_get_boolean(output_field(r, "self.over_budget")));
	assert_string_equal(json_object_to_json_string(output_field(r, "self.cost_percent")), "1.501");
	assert_string_equal(output_string(r, "time"), "2026-11-22T07:05:01.123456Z");
	assert_string_equal(output_string(r, "host.name"), "web-07");
	assert_string_equal(output_string(r, "host.kernel"), "6.1.0-56");
	assert_string_equal(output_string(r, "probes.sched.state"), "on");
	assert_string_equal(output_string(r, "probes.sched.by"), "tp_btf0");
	assert_string_equal(output_string(r, "probes.syscall.by"), "tp_btf1");
	assert_string_equal(output_string(r, "probes.net.by"), "tp_btf2");
	assert_int_equal(json_object_array_length(output_field(r, "processes")), 4);
}

/* What the kernel counts for the machine; null where it does not. */
static void json_gap(void **state)
{
	struct json_object *o;

	(void)state;
	assert_null(output_field(output_json("--json"), "gap"));
	output_sample.gap_ns = 7;
	snprintf(output_sample.gap_why, sizeof(output_sample.gap_why), "a \"file\" is damaged");
	o = output_json("--json");
	assert_int_equal(output_number(o, "gap.ns"), 7);
	assert_string_equal(output_string(o, "gap.reason"), "a \"file\" is damaged");
}

static void json_marks(void **state)
{
	struct json_object *marks, *m;

	(void)state;
	marks = output_field(output_json("--json"), "marks");
	assert_int_equal(json_object_array_length(marks), 2);
	m = json_object_array_get_idx(marks, 0);
	assert_string_equal(output_string(m, "time"), "2026-11-22T07:04:58.123456Z");
	assert_string_equal(output_string(m, "kind"), "hand");
	assert_null(output_field(m, "expr"));
	assert_null(output_field(m, "pid"));
	assert_null(output_field(m, "text"));
	m = json_object_array_get_idx(marks, 1);
	assert_string_equal(output_string(m, "time"), output_string(output_reading, "time"));
	assert_string_equal(output_string(m, "kind"), "when");
	assert_string_equal(output_string(m, "expr"), "wake99>5ms");
	assert_int_equal(output_number(m, "pid"), SYNTHETIC_SERVER);
	assert_string_equal(output_string(m, "text"), "server");
}

static void json_machine(void **state)
{
	static const struct output_expected known[] = {
		{ "host.irq_ns", 68 },
		{ "host.softirq_ns", 69 },
		{ "host.steal_ns", 70 },
		{ "host.pressure.cpu.some_ns", 71 },
		{ "host.pressure.cpu.full_ns", 72 },
		{ "host.pressure.memory.some_ns", 73 },
		{ "host.pressure.memory.full_ns", 74 },
		{ "host.pressure.io.some_ns", 75 },
		{ "host.pressure.io.full_ns", 76 },
		{ "host.net.own_namespace.listen_overflows", 81 },
		{ "host.net.own_namespace.listen_drops", 82 },
		{ "host.net.own_namespace.syn_queue_drops", 83 },
		{ "host.net.own_namespace.syn_queue_cookies", 84 },
		{ "host.net.own_namespace.syn_cookies_sent", 85 },
		{ "host.net.own_namespace.syn_cookies_received", 86 },
		{ "host.net.own_namespace.syn_cookies_failed", 87 },
		{ "host.net.own_namespace.tcp_receive_drops", 88 },
		{ "host.net.own_namespace.udp_receive_drops", 89 },
	};
	static const struct output_expected unknown[] = {
		{ "host.irq_ns", OUTPUT_NULL },
		{ "host.softirq_ns", OUTPUT_NULL },
		{ "host.steal_ns", OUTPUT_NULL },
		{ "host.pressure.cpu.some_ns", OUTPUT_NULL },
		{ "host.pressure.cpu.full_ns", OUTPUT_NULL },
		{ "host.pressure.memory.some_ns", OUTPUT_NULL },
		{ "host.pressure.memory.full_ns", OUTPUT_NULL },
		{ "host.pressure.io.some_ns", OUTPUT_NULL },
		{ "host.pressure.io.full_ns", OUTPUT_NULL },
		{ "host.net.own_namespace.listen_overflows", OUTPUT_NULL },
		{ "host.net.own_namespace.udp_receive_drops", OUTPUT_NULL },
	};

	(void)state;
	OUTPUT_COMPARE(output_json("--json"), known);
	memset(&output_sample.cpu_times, 0xff, sizeof(output_sample.cpu_times));
	memset(output_sample.pressure, 0xff, sizeof(output_sample.pressure));
	memset(output_sample.stack, 0xff, sizeof(output_sample.stack));
	OUTPUT_COMPARE(output_json("--json"), unknown);
}

static void json_cpus(void **state)
{
	static const struct output_expected busy[] = {
		{ "throttled_groups", 90 }, { "busy_ns", 85 },	  { "idle_ns", 86 },	   { "irq_ns", 87 },
		{ "softirq_ns", 88 },	    { "steal_ns", 89 },	  { "switches", 84 },	   { "queued", 81 },
		{ "queued_p99", 82 },	    { "running.ns", 83 }, { "running.pid", 1000 }, { "running.tid", 1001 },
	};
	static const struct output_expected back[] = {
		{ "busy_ns", OUTPUT_NULL },    { "idle_ns", OUTPUT_NULL },  { "irq_ns", OUTPUT_NULL },
		{ "softirq_ns", OUTPUT_NULL }, { "steal_ns", OUTPUT_NULL }, { "switches", OUTPUT_NULL },
		{ "queued_p99", OUTPUT_NULL }, { "queued", OUTPUT_NULL },   { "running", OUTPUT_NULL },
	};
	struct json_object *r = output_json("--json");

	(void)state;
	assert_int_equal(json_object_array_length(output_field(r, "cpus")), 2);
	OUTPUT_COMPARE(output_element(r, "cpus", "cpu", 3), busy);
	assert_string_equal(output_string(output_element(r, "cpus", "cpu", 3), "running.comm"), "worker");
	OUTPUT_COMPARE(output_element(r, "cpus", "cpu", 4095), back);
	assert_int_equal(json_object_array_length(output_field(output_json("--json -v cpus -f queued>50"), "cpus")), 1);
	output_sample.n_cpus = 0;
	assert_null(output_field(output_json("--json"), "cpus"));
}

/* Longer than a screen: the contract of a process, field by field. */
static void json_process(void **state)
{
	static const struct output_expected server[] = {
		{ "pid", 1000 },
		{ "ppid", 1 },
		{ "uid", 0 },
		{ "start_ns", 5000000000 },
		{ "threads", 2 },
		{ "exit_code", OUTPUT_NULL },
		{ "wall_ns", 2000000000 },
		{ "time_ns.run", 300000001 },
		{ "time_ns.wakeq", 20000002 },
		{ "time_ns.preempt", 30000003 },
		{ "time_ns.throttled", OUTPUT_NULL },
		{ "time_ns.disk", 40000004 },
		{ "time_ns.memory", 0 },
		{ "time_ns.block", 50000005 },
		{ "time_ns.lock", 1060000006 },
		{ "time_ns.net", 70000007 },
		{ "time_ns.poll", 80000008 },
		{ "time_ns.sleep", 90000009 },
		{ "time_ns.io", 100000010 },
		{ "time_ns.other", 159999945 },
		{ "wakeup.count", 100 },
		{ "wakeup.p50_ns", 36864 },
		{ "wakeup.p90_ns", 36864 },
		{ "wakeup.p99_ns", 11534336 },
		{ "wakeup.max_ns", 12000000 },
		{ "switches.voluntary", 101 },
		{ "switches.involuntary", 11 },
		{ "wakeups", 102 },
		{ "migrations", 5 },
		{ "calls.count", 107 },
		{ "calls.errors", 3 },
		{ "calls.total_ns", 987654321 },
		{ "calls.p50_ns", 1920 },
		{ "calls.p90_ns", 1920 },
		{ "calls.p99_ns", 1920 },
		{ "calls.max_ns", 310000 },
		{ "net.tx_bytes", 8008030 },
		{ "net.rx_bytes", 530 },
		{ "net.tx_ops", 1005 },
		{ "net.rx_ops", 11 },
		{ "net.tcp.tx_bytes", 8008000 },
		{ "net.tcp.rx_bytes", 12 },
		{ "net.udp.tx_bytes", 13 },
		{ "net.udp.rx_bytes", 500 },
		{ "net.unix.tx_bytes", 64 },
		{ "net.unix.rx_bytes", 65 },
		{ "net.connects", 4 },
		{ "net.connect_errors", 1 },
		{ "net.accepts", 9 },
		{ "net.connect_p99_ns", 851968 },
		{ "net.accept_p99_ns", 15000000 },
		{ "net.retransmits", 6 },
		{ "net.drops", 0 },
		{ "net.srtt_ns", 410000 },
	};
	static const struct output_expected exited[] = {
		{ "exit_code", -9 },
		{ "wall_ns", 2000000 },
		{ "time_ns.run", 1900000 },
		{ "time_ns.io", 0 },
		{ "calls.count", 0 },
		{ "calls.p99_ns", OUTPUT_NULL },
		{ "wakeup.count", 0 },
		{ "wakeup.max_ns", OUTPUT_NULL },
		{ "net.srtt_ns", OUTPUT_NULL },
		{ "net.connect_p99_ns", OUTPUT_NULL },
		{ "net.accept_p99_ns", OUTPUT_NULL },
		{ "killed_by.signal", 9 },
		{ "killed_by.pid", SYNTHETIC_SERVER },
	};
	struct json_object *p = output_element(output_json("-j"), "processes", "pid", SYNTHETIC_SERVER);

	(void)state;
	OUTPUT_COMPARE(p, server);
	assert_string_equal(output_string(p, "user"), "root");
	assert_string_equal(output_string(p, "comm"), "server");
	assert_string_equal(output_string(p, "cmdline"), "server --fast");
	assert_string_equal(output_string(p, "cgroup"), "/system.slice/server.service");
	assert_string_equal(output_string(p, "state"), "alive");
	p = output_element(output_reading, "processes", "pid", SYNTHETIC_EXITED);
	OUTPUT_COMPARE(p, exited);
	assert_string_equal(output_string(p, "state"), "exited");
	assert_string_equal(output_string(p, "comm"), "\"a,b\"\n\x1b[31m\xef\xbf\xbd\xc3\xa9");
}

/* A terminal also interprets DEL and U+0080 to U+009F: they are escaped, and a JSON reader gets them back. */
/* However many there are. */
static void json_has_every_column_with_a_path(void **state)
{
	struct json_object *process = json_object_array_get_idx(output_field(output_json("--json"), "processes"), 0);
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < columns_count; i++)
		if (columns[i].json && columns[i].kinds & 1U << MODEL_PROCESS) {
			output_field(process, columns[i].json);
			n++;
		}
	assert_in_range(n, 50, columns_count);
}

static void json_texts(void **state)
{
	static const char hostile[] = "\xc2\x9b\x7f\x01\\ \"\t\xc2\xa0\xe2\x82\xac";
	static const char broken[] = "\xc2";

	(void)state;
	output_sample.processes[0].comm = sample_add_text(&output_sample, hostile, strlen(hostile));
	output_sample.processes[0].cmdline = sample_add_text(&output_sample, broken, strlen(broken));
	output_json("-j -p 2");
	assert_null(strchr(output_written, 0x7f));
	assert_null(strstr(output_written, "\xc2\x9b"));
	assert_string_equal(output_string(output_element(output_reading, "processes", "pid", 2), "comm"), hostile);
	assert_string_equal(output_string(output_element(output_reading, "processes", "pid", 2), "cmdline"),
			    "\xef\xbf\xbd");
}

static void json_syscalls(void **state)
{
	static const struct output_expected reads[] = {
		{ "count", 100 },	   { "errors", 3 },
		{ "total_ns", 900000000 }, { "time_ns", 800000000 },
		{ "wait_ns", 700000000 },  { "p50_ns", 2816 },
		{ "p99_ns", 2816 },	   { "max_ns", 700000 },
		{ "in_flight", 1 },	   { "oldest_ns", 2000000000 },
		{ "errno.EAGAIN", 3 },
	};
	static const struct output_expected writes[] = {
		{ "count", 7 },
		{ "errors", 0 },
		{ "wait_ns", OUTPUT_NULL },
		{ "in_flight", 0 },
		{ "oldest_ns", OUTPUT_NULL },
	};
	struct json_object *p = output_element(output_json("-j"), "processes", "pid", SYNTHETIC_SERVER);
	struct json_object *call = output_element(p, "syscalls", "nr", 0);

	(void)state;
	assert_int_equal(json_object_array_length(output_field(p, "syscalls")), 2);
	OUTPUT_COMPARE(call, reads);
#ifdef __x86_64__
	assert_string_equal(output_string(call, "name"), "read");
	assert_string_equal(output_string(call, "abi"), "x86_64");
#endif
	call = output_element(p, "syscalls", "nr", 1);
	OUTPUT_COMPARE(call, writes);
	assert_int_equal(json_object_object_length(output_field(call, "errno")), 0);
	p = output_element(output_reading, "processes", "pid", SYNTHETIC_QUIET);
	assert_int_equal(json_object_array_length(output_field(p, "syscalls")), 0);
}

static void json_connections(void **state)
{
	static const struct output_expected first[] = {
		{ "pid", 1000 },
		{ "tx_bytes", 8008000 },
		{ "rx_bytes", 12 },
		{ "srtt_ns", 410000 },
		{ "retransmits", 6 },
		{ "age_ns", 7000000000 },
		{ "tx_queue_bytes", 31 },
		{ "rx_queue_bytes", 32 },
		{ "accept_queue", OUTPUT_NULL },
		{ "accept_queue_max", OUTPUT_NULL },
		{ "accept_oldest_ns", OUTPUT_NULL },
		{ "drops", OUTPUT_NULL },
	};
	static const struct output_expected listening[] = {
		{ "pid", OUTPUT_NULL },
		{ "srtt_ns", OUTPUT_NULL },
		{ "age_ns", OUTPUT_NULL },
		{ "tx_queue_bytes", OUTPUT_NULL },
		{ "rx_queue_bytes", OUTPUT_NULL },
		{ "accept_queue", 3 },
		{ "accept_queue_max", 2 },
		{ "accept_oldest_ns", 1234567 },
		{ "drops", 0 },
	};
	struct json_object *c = output_element(output_json("-j"), "connections", "pid", SYNTHETIC_SERVER);

	(void)state;
	OUTPUT_COMPARE(c, first);
	assert_string_equal(output_string(c, "proto"), "tcp");
	assert_string_equal(output_string(c, "local"), "1.2.3.4:80");
	assert_string_equal(output_string(c, "remote"), "5.6.7.8:43210");
	assert_string_equal(output_string(c, "state"), "ESTAB");
	/* An idle listener is reported only when all are asked for, or if connections wait in its queue. */
	assert_int_equal(json_object_array_length(output_field(output_reading, "connections")), 2);
	output_sample.connections[1].accept_queue = 0;
	output_json("-j");
	assert_int_equal(json_object_array_length(output_field(output_reading, "connections")), 1);
	output_sample.connections[1].accept_queue = 3;
	output_json("-j -v connections");
	assert_int_equal(json_object_array_length(output_field(output_reading, "connections")), 2);
	c = output_element(output_reading, "connections", "pid", 0);
	OUTPUT_COMPARE(c, listening);
	assert_string_equal(output_string(c, "local"), "[::1]:80");
	assert_string_equal(output_string(c, "state"), "LISTEN");
	output_sample.has_connections = false;
	output_json("-j");
	assert_null(output_field(output_reading, "connections"));
}

/* The two halves of a peer are one: what its answers took, and how its connections are. */
static void json_peers(void **state)
{
	static const struct output_expected tcp[] = {
		{ "pid", SYNTHETIC_EXITED }, { "count", 6 },	    { "overlapped", 91 },
		{ "max_ns", 7000000 },	     { "p99_ns", 6815744 }, { "open", 3 },
		{ "oldest_ns", 250000000 },  { "retransmits", 92 }, { "srtt_ns", 93000 },
	};
	static const struct output_expected un[] = {
		{ "pid", SYNTHETIC_QUIET },
		{ "count", 2 },
		{ "overlapped", 0 },
		{ "max_ns", 600000 },
		{ "open", 0 },
		{ "oldest_ns", OUTPUT_NULL },
		{ "retransmits", OUTPUT_NULL },
		{ "srtt_ns", OUTPUT_NULL },
	};
	struct json_object *p = output_element(output_json("-j"), "processes", "pid", SYNTHETIC_SERVER);
	struct json_object *peer = output_element(p, "peers", "pid", SYNTHETIC_EXITED);

	(void)state;
	assert_int_equal(json_object_array_length(output_field(p, "peers")), 2);
	OUTPUT_COMPARE(peer, tcp);
	assert_string_equal(output_string(peer, "remote"), "10.0.0.5:5432");
	assert_string_equal(output_string(peer, "proto"), "tcp");
	peer = output_element(p, "peers", "pid", SYNTHETIC_QUIET);
	OUTPUT_COMPARE(peer, un);
	assert_string_equal(output_string(peer, "remote"), "/run/db.sock");
	assert_string_equal(output_string(peer, "command"), "quiet");
	p = output_element(output_reading, "processes", "pid", SYNTHETIC_QUIET);
	assert_int_equal(json_object_array_length(output_field(p, "peers")), 0);
	output_sample.probe[SAMPLE_TURNS].on = 0;
	assert_null(output_field(output_element(output_json("-j"), "processes", "pid", SYNTHETIC_SERVER), "peers"));
}

static void json_disks(void **state)
{
	static const struct output_expected write[] = {
		{ "count", 81 },
		{ "bytes", 82 },
		{ "merged", 83 },
		{ "time_ns", 84 },
		{ "carriers", 85 },
		{ "in_flight", 86 },
		{ "busy_ns", 87 },
		{ "latency.count", 80 },
		{ "queue.count", 80 },
		{ "service.count", 80 },
		{ "latency.max_ns", 7169 },
		{ "queue.max_ns", 8193 },
		{ "service.max_ns", 10241 },
	};
	static const struct output_expected group[] = { { "count", 88 }, { "bytes", 89 } };
	static const struct output_expected off[] = {
		{ "count", 81 },
		{ "latency.count", OUTPUT_NULL },
		{ "queue.p50_ns", OUTPUT_NULL },
		{ "busy_ns", 87 },
	};
	struct json_object *d;

	(void)state;
	output_json("-j");
	assert_int_equal(json_object_array_length(output_field(output_reading, "disks")), 1);
	d = json_object_array_get_idx(output_field(output_reading, "disks"), 0);
	assert_string_equal(output_string(d, "device"), "nvme0n1");
	assert_string_equal(output_string(d, "op"), "write");
	OUTPUT_COMPARE(d, write);
	assert_int_equal(json_object_array_length(json_object_object_get(d, "groups")), 1);
	d = json_object_array_get_idx(json_object_object_get(d, "groups"), 0);
	assert_string_equal(output_string(d, "cgroup"), "/system.slice/x.service");
	OUTPUT_COMPARE(d, group);
	output_sample.disks[0].groups_known = false;
	output_json("-j");
	d = json_object_array_get_idx(output_field(output_reading, "disks"), 0);
	assert_null(json_object_object_get(d, "groups"));
	output_sample.probe[SAMPLE_DISK].on = 0;
	output_json("-j");
	d = json_object_array_get_idx(output_field(output_reading, "disks"), 0);
	OUTPUT_COMPARE(d, off);
	assert_null(output_field(output_reading, "probes.disk")); /* a recording that is older than the family */
	output_sample.has_disks = false;
	output_json("-j");
	assert_null(output_field(output_reading, "disks"));
}

/* A family that is off: null everywhere, never 0. Longer than a screen: the contract, field by field. */
static void json_families_off(void **state)
{
	static const struct output_expected off[SAMPLE_FAMILIES][13] = {
		{ { "wall_ns", OUTPUT_NULL },
		  { "time_ns.run", OUTPUT_NULL },
		  { "time_ns.other", OUTPUT_NULL },
		  { "wakeup.count", OUTPUT_NULL },
		  { "wakeup.p99_ns", OUTPUT_NULL },
		  { "switches.voluntary", OUTPUT_NULL },
		  { "switches.involuntary", OUTPUT_NULL },
		  { "wakeups", OUTPUT_NULL },
		  { "migrations", OUTPUT_NULL },
		  { "calls.p99_ns", OUTPUT_NULL },
		  { "calls.count", 107 },
		  { "net.tx_bytes", 8008030 } },
		{ { "calls.count", OUTPUT_NULL },
		  { "calls.errors", OUTPUT_NULL },
		  { "calls.total_ns", OUTPUT_NULL },
		  { "calls.p50_ns", OUTPUT_NULL },
		  { "calls.p90_ns", OUTPUT_NULL },
		  { "calls.p99_ns", OUTPUT_NULL },
		  { "calls.max_ns", OUTPUT_NULL },
		  { "calls.estimated", OUTPUT_NULL },
		  { "pid", 1000 },
		  { "wakeup.count", 100 },
		  { "wall_ns", 2000000000 },
		  { "net.tx_bytes", 8008030 } },
		{ { "net.tx_bytes", OUTPUT_NULL },
		  { "net.rx_ops", OUTPUT_NULL },
		  { "net.tcp.tx_bytes", OUTPUT_NULL },
		  { "net.udp.rx_bytes", OUTPUT_NULL },
		  { "net.unix.rx_bytes", OUTPUT_NULL },
		  { "net.connects", OUTPUT_NULL },
		  { "net.connect_errors", OUTPUT_NULL },
		  { "net.accepts", OUTPUT_NULL },
		  { "net.connect_p99_ns", OUTPUT_NULL },
		  { "net.accept_p99_ns", OUTPUT_NULL },
		  { "net.retransmits", OUTPUT_NULL },
		  { "net.srtt_ns", OUTPUT_NULL },
		  { "wall_ns", 2000000000 } },
		{ { "turns.count", OUTPUT_NULL },
		  { "turns.p50_ns", OUTPUT_NULL },
		  { "turns.max_ns", OUTPUT_NULL },
		  { "turns.late_p99_ns", OUTPUT_NULL },
		  { "turns.open", OUTPUT_NULL },
		  { "turns.oldest_ns", OUTPUT_NULL },
		  { "upstream.count", OUTPUT_NULL },
		  { "upstream.p99_ns", OUTPUT_NULL },
		  { "upstream.open", OUTPUT_NULL },
		  { "net.tx_bytes", 8008030 } },
		/* A process's own numbers do not need the family. */
		{ { "disk.count", 0 }, { "disk.read_bytes", 0 }, { "time_ns.disk", 40000004 } },
	};
	static const struct output_expected host[SAMPLE_FAMILIES][4] = {
		{ { "host.run_ns", OUTPUT_NULL },
		  { "host.wakeup.count", OUTPUT_NULL },
		  { "host.switches", OUTPUT_NULL },
		  { "host.calls.p99_ns", OUTPUT_NULL } },
		{ { "host.calls.count", OUTPUT_NULL },
		  { "host.calls.errors", OUTPUT_NULL },
		  { "host.calls.p50_ns", OUTPUT_NULL },
		  { "host.cpus", 2 } },
		{ { "host.net.tx_bytes", OUTPUT_NULL },
		  { "host.net.retransmits", OUTPUT_NULL },
		  { "host.net.accepts", OUTPUT_NULL },
		  { "host.cpus", 2 } },
	};
	static const char *const names[] = { "probes.sched", "probes.syscall", "probes.net", "probes.turns",
					     "probes.disk" };

	(void)state;
	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		output_refill(NULL);
		output_sample.probe[i].on = 0;
		strcpy(output_sample.probe[i].reason, "left off");
		output_json("-j");
		OUTPUT_COMPARE(output_element(output_reading, "processes", "pid", SYNTHETIC_SERVER), off[i]);
		OUTPUT_COMPARE(output_reading, host[i]);
		assert_string_equal(output_string(output_field(output_reading, names[i]), "state"), "off");
		assert_string_equal(output_string(output_field(output_reading, names[i]), "reason"), "left off");
	}
}
int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(json_host, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(json_gap, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(json_marks, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(json_machine, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(json_cpus, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(json_process, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(json_has_every_column_with_a_path, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(json_texts, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(json_syscalls, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(json_connections, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(json_peers, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(json_disks, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(json_families_off, output_refill, output_drop),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
