/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The outputs without a screen, from a reading made by hand: every field of the JSON contract with its value, null
 * where nothing is known, CSV that an RFC 4180 reader gets back, text without a hostile byte, and the rows that -p, -u,
 * -f, --active, -t, -g and -H select.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <json-c/json.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "synthetic.h"

static struct sample sample;
static struct model *model;
static char *output; /* of the last run */

typedef int writer(FILE *out, const struct options *o, struct model *m);

static int csv_with_header(FILE *out, const struct options *o, struct model *m)
{
	return batch_csv(out, o, m, true);
}

static int csv_without_header(FILE *out, const struct options *o, struct model *m)
{
	return batch_csv(out, o, m, false);
}

/* The output of `write` for the sample with these options, words separated by spaces. */
static const char *run(writer *write, const char *words)
{
	static char line[500];
	char *argv[32] = { "lagtop" }, *rest = line, *word;
	struct options o;
	size_t len = 0;
	int argc = 1;
	FILE *out;

	snprintf(line, sizeof(line), "%s", words);
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	assert_int_equal(options_parse(&o, argc, argv), 0);
	model_free(model);
	model = model_new();
	assert_non_null(model);
	assert_null(sample_check(&sample));
	assert_int_equal(model_update(model, &sample), 0);
	free(output);
	output = NULL;
	out = open_memstream(&output, &len);
	assert_non_null(out);
	assert_int_equal(write(out, &o, model), 0);
	fclose(out);
	options_free(&o);
	return output;
}

static int refill(void **state)
{
	(void)state;
	synthetic_fill(&sample, 1);
	return 0;
}

static struct json_object *reading;

static int drop(void **state)
{
	(void)state;
	json_object_put(reading);
	reading = NULL;
	free(output);
	output = NULL;
	model_free(model);
	model = NULL;
	sample_free(&sample);
	return 0;
}

static struct json_object *json(const char *words)
{
	const char *text = run(batch_json, words);

	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\n')
			fail_msg("a control character in JSON: %02x", (unsigned char)*c);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	json_object_put(reading);
	reading = json_tokener_parse(text);
	assert_non_null(reading);
	return reading;
}

/* The field at a path; its absence fails the test. NULL: null. */
static struct json_object *field(struct json_object *o, const char *path)
{
	char copy[100], *rest = copy, *key;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((key = strsep(&rest, ".")))
		if (!json_object_object_get_ex(o, key, &o))
			fail_msg("no field %s", path);
	return o;
}

static int64_t number(struct json_object *o, const char *path)
{
	struct json_object *n = field(o, path);

	if (!json_object_is_type(n, json_type_int))
		fail_msg("%s is not a number: %s", path, json_object_to_json_string(n));
	return json_object_get_int64(n);
}

static const char *text(struct json_object *o, const char *path)
{
	struct json_object *t = field(o, path);

	if (!json_object_is_type(t, json_type_string))
		fail_msg("%s is not a text: %s", path, json_object_to_json_string(t));
	return json_object_get_string(t);
}

static struct json_object *element(struct json_object *o, const char *list, const char *key, int64_t value)
{
	struct json_object *array = field(o, list), *e;

	for (size_t i = 0; i < json_object_array_length(array); i++) {
		e = json_object_array_get_idx(array, i);
		if (json_object_get_int64(field(e, key)) == value)
			return e;
	}
	fail_msg("no %s with %s %lld", list, key, (long long)value);
	return NULL;
}

struct expected {
	const char *path;
	int64_t value; /* UNKNOWN: null */
};

#define UNKNOWN INT64_MIN

static void assert_fields(struct json_object *o, const struct expected *e, size_t n)
{
	for (size_t i = 0; i < n && e[i].path; i++) {
		if (e[i].value == UNKNOWN) {
			if (field(o, e[i].path))
				fail_msg("%s is %s, not null", e[i].path,
					 json_object_to_json_string(field(o, e[i].path)));
		} else if (number(o, e[i].path) != e[i].value) {
			fail_msg("%s is %lld, not %lld", e[i].path, (long long)number(o, e[i].path),
				 (long long)e[i].value);
		}
	}
}

#define FIELDS(o, table) assert_fields(o, table, sizeof(table) / sizeof((table)[0]))

static void json_host(void **state)
{
	static const struct expected host[] = {
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
	struct json_object *r = json("--json");

	(void)state;
	FIELDS(r, host);
	assert_true(json_object_get_boolean(field(r, "self.over_budget")));
	assert_string_equal(json_object_to_json_string(field(r, "self.cost_percent")), "1.501");
	assert_string_equal(text(r, "time"), "2026-11-22T07:05:01.123456Z");
	assert_string_equal(text(r, "host.name"), "web-07");
	assert_string_equal(text(r, "host.kernel"), "6.1.0-56");
	assert_string_equal(text(r, "probes.sched.state"), "on");
	assert_string_equal(text(r, "probes.sched.by"), "tp_btf0");
	assert_string_equal(text(r, "probes.syscall.by"), "tp_btf1");
	assert_string_equal(text(r, "probes.net.by"), "tp_btf2");
	assert_int_equal(json_object_array_length(field(r, "processes")), 4);
}

/* What the kernel counts for the machine; null where it does not. */
static void json_machine(void **state)
{
	static const struct expected known[] = {
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
	static const struct expected unknown[] = {
		{ "host.irq_ns", UNKNOWN },
		{ "host.softirq_ns", UNKNOWN },
		{ "host.steal_ns", UNKNOWN },
		{ "host.pressure.cpu.some_ns", UNKNOWN },
		{ "host.pressure.cpu.full_ns", UNKNOWN },
		{ "host.pressure.memory.some_ns", UNKNOWN },
		{ "host.pressure.memory.full_ns", UNKNOWN },
		{ "host.pressure.io.some_ns", UNKNOWN },
		{ "host.pressure.io.full_ns", UNKNOWN },
		{ "host.net.own_namespace.listen_overflows", UNKNOWN },
		{ "host.net.own_namespace.udp_receive_drops", UNKNOWN },
	};

	(void)state;
	FIELDS(json("--json"), known);
	memset(&sample.cpu_times, 0xff, sizeof(sample.cpu_times));
	memset(sample.pressure, 0xff, sizeof(sample.pressure));
	memset(sample.stack, 0xff, sizeof(sample.stack));
	FIELDS(json("--json"), unknown);
}

static void json_cpus(void **state)
{
	static const struct expected busy[] = {
		{ "throttled_groups", 90 }, { "busy_ns", 85 },	  { "idle_ns", 86 },	   { "irq_ns", 87 },
		{ "softirq_ns", 88 },	    { "steal_ns", 89 },	  { "switches", 84 },	   { "queued", 81 },
		{ "queued_p99", 82 },	    { "running.ns", 83 }, { "running.pid", 1000 }, { "running.tid", 1001 },
	};
	static const struct expected back[] = {
		{ "busy_ns", UNKNOWN },	   { "idle_ns", UNKNOWN },  { "irq_ns", UNKNOWN },
		{ "softirq_ns", UNKNOWN }, { "steal_ns", UNKNOWN }, { "switches", UNKNOWN },
		{ "queued_p99", UNKNOWN }, { "queued", UNKNOWN },   { "running", UNKNOWN },
	};
	struct json_object *r = json("--json");

	(void)state;
	assert_int_equal(json_object_array_length(field(r, "cpus")), 2);
	FIELDS(element(r, "cpus", "cpu", 3), busy);
	assert_string_equal(text(element(r, "cpus", "cpu", 3), "running.comm"), "worker");
	FIELDS(element(r, "cpus", "cpu", 4095), back);
	assert_int_equal(json_object_array_length(field(json("--json -v cpus -f queued>50"), "cpus")), 1);
	sample.n_cpus = 0;
	assert_null(field(json("--json"), "cpus"));
}

/* Longer than a screen: the contract of a process, field by field. */
static void json_process(void **state)
{
	static const struct expected server[] = {
		{ "pid", 1000 },
		{ "ppid", 1 },
		{ "uid", 0 },
		{ "start_ns", 5000000000 },
		{ "threads", 2 },
		{ "exit_code", UNKNOWN },
		{ "wall_ns", 2000000000 },
		{ "time_ns.run", 300000001 },
		{ "time_ns.wakeq", 20000002 },
		{ "time_ns.preempt", 30000003 },
		{ "time_ns.throttled", UNKNOWN },
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
	static const struct expected exited[] = {
		{ "exit_code", -9 },
		{ "wall_ns", 2000000 },
		{ "time_ns.run", 1900000 },
		{ "time_ns.io", 0 },
		{ "calls.count", 0 },
		{ "calls.p99_ns", UNKNOWN },
		{ "wakeup.count", 0 },
		{ "wakeup.max_ns", UNKNOWN },
		{ "net.srtt_ns", UNKNOWN },
		{ "net.connect_p99_ns", UNKNOWN },
		{ "net.accept_p99_ns", UNKNOWN },
		{ "killed_by.signal", 9 },
		{ "killed_by.pid", SYNTHETIC_SERVER },
	};
	struct json_object *p = element(json("-j"), "processes", "pid", SYNTHETIC_SERVER);

	(void)state;
	FIELDS(p, server);
	assert_string_equal(text(p, "user"), "root");
	assert_string_equal(text(p, "comm"), "server");
	assert_string_equal(text(p, "cmdline"), "server --fast");
	assert_string_equal(text(p, "cgroup"), "/system.slice/server.service");
	assert_string_equal(text(p, "state"), "alive");
	p = element(reading, "processes", "pid", SYNTHETIC_EXITED);
	FIELDS(p, exited);
	assert_string_equal(text(p, "state"), "exited");
	assert_string_equal(text(p, "comm"), "\"a,b\"\n\x1b[31m\xef\xbf\xbd\xc3\xa9");
}

/* A terminal also interprets DEL and U+0080 to U+009F: they are escaped, and a JSON reader gets them back. */
/* However many there are. */
static void json_has_every_column_with_a_path(void **state)
{
	struct json_object *process = json_object_array_get_idx(field(json("--json"), "processes"), 0);
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < columns_count; i++)
		if (columns[i].json && columns[i].kinds & 1U << MODEL_PROCESS) {
			field(process, columns[i].json);
			n++;
		}
	assert_in_range(n, 50, columns_count);
}

static void json_texts(void **state)
{
	static const char hostile[] = "\xc2\x9b\x7f\x01\\ \"\t\xc2\xa0\xe2\x82\xac";
	static const char broken[] = "\xc2";

	(void)state;
	sample.processes[0].comm = sample_add_text(&sample, hostile, strlen(hostile));
	sample.processes[0].cmdline = sample_add_text(&sample, broken, strlen(broken));
	json("-j -p 2");
	assert_null(strchr(output, 0x7f));
	assert_null(strstr(output, "\xc2\x9b"));
	assert_string_equal(text(element(reading, "processes", "pid", 2), "comm"), hostile);
	assert_string_equal(text(element(reading, "processes", "pid", 2), "cmdline"), "\xef\xbf\xbd");
}

static void json_syscalls(void **state)
{
	static const struct expected reads[] = {
		{ "count", 100 },	   { "errors", 3 },
		{ "total_ns", 900000000 }, { "time_ns", 800000000 },
		{ "wait_ns", 700000000 },  { "p50_ns", 2816 },
		{ "p99_ns", 2816 },	   { "max_ns", 700000 },
		{ "in_flight", 1 },	   { "oldest_ns", 2000000000 },
		{ "errno.EAGAIN", 3 },
	};
	static const struct expected writes[] = {
		{ "count", 7 }, { "errors", 0 }, { "wait_ns", UNKNOWN }, { "in_flight", 0 }, { "oldest_ns", UNKNOWN },
	};
	struct json_object *p = element(json("-j"), "processes", "pid", SYNTHETIC_SERVER);
	struct json_object *call = element(p, "syscalls", "nr", 0);

	(void)state;
	assert_int_equal(json_object_array_length(field(p, "syscalls")), 2);
	FIELDS(call, reads);
#ifdef __x86_64__
	assert_string_equal(text(call, "name"), "read");
	assert_string_equal(text(call, "abi"), "x86_64");
#endif
	call = element(p, "syscalls", "nr", 1);
	FIELDS(call, writes);
	assert_int_equal(json_object_object_length(field(call, "errno")), 0);
	p = element(reading, "processes", "pid", SYNTHETIC_QUIET);
	assert_int_equal(json_object_array_length(field(p, "syscalls")), 0);
}

static void json_connections(void **state)
{
	static const struct expected first[] = {
		{ "pid", 1000 },
		{ "tx_bytes", 8008000 },
		{ "rx_bytes", 12 },
		{ "srtt_ns", 410000 },
		{ "retransmits", 6 },
		{ "age_ns", 7000000000 },
		{ "tx_queue_bytes", 31 },
		{ "rx_queue_bytes", 32 },
		{ "accept_queue", UNKNOWN },
		{ "accept_queue_max", UNKNOWN },
		{ "accept_oldest_ns", UNKNOWN },
		{ "drops", UNKNOWN },
	};
	static const struct expected listening[] = {
		{ "pid", UNKNOWN },
		{ "srtt_ns", UNKNOWN },
		{ "age_ns", UNKNOWN },
		{ "tx_queue_bytes", UNKNOWN },
		{ "rx_queue_bytes", UNKNOWN },
		{ "accept_queue", 3 },
		{ "accept_queue_max", 2 },
		{ "accept_oldest_ns", 1234567 },
		{ "drops", 0 },
	};
	struct json_object *c = element(json("-j"), "connections", "pid", SYNTHETIC_SERVER);

	(void)state;
	FIELDS(c, first);
	assert_string_equal(text(c, "proto"), "tcp");
	assert_string_equal(text(c, "local"), "1.2.3.4:80");
	assert_string_equal(text(c, "remote"), "5.6.7.8:43210");
	assert_string_equal(text(c, "state"), "ESTAB");
	/* An idle listener is reported only when all are asked for, or if connections wait in its queue. */
	assert_int_equal(json_object_array_length(field(reading, "connections")), 2);
	sample.connections[1].accept_queue = 0;
	json("-j");
	assert_int_equal(json_object_array_length(field(reading, "connections")), 1);
	sample.connections[1].accept_queue = 3;
	json("-j -v connections");
	assert_int_equal(json_object_array_length(field(reading, "connections")), 2);
	c = element(reading, "connections", "pid", 0);
	FIELDS(c, listening);
	assert_string_equal(text(c, "local"), "[::1]:80");
	assert_string_equal(text(c, "state"), "LISTEN");
	sample.has_connections = false;
	json("-j");
	assert_null(field(reading, "connections"));
}

/* The two halves of a peer are one: what its answers took, and how its connections are. */
static void json_peers(void **state)
{
	static const struct expected tcp[] = {
		{ "pid", SYNTHETIC_EXITED }, { "count", 6 },	    { "overlapped", 91 },
		{ "max_ns", 7000000 },	     { "p99_ns", 6815744 }, { "open", 3 },
		{ "oldest_ns", 250000000 },  { "retransmits", 92 }, { "srtt_ns", 93000 },
	};
	static const struct expected un[] = {
		{ "pid", SYNTHETIC_QUIET }, { "count", 2 },	    { "overlapped", 0 },
		{ "max_ns", 600000 },	    { "open", UNKNOWN },    { "oldest_ns", UNKNOWN },
		{ "retransmits", UNKNOWN }, { "srtt_ns", UNKNOWN },
	};
	struct json_object *p = element(json("-j"), "processes", "pid", SYNTHETIC_SERVER);
	struct json_object *peer = element(p, "peers", "pid", SYNTHETIC_EXITED);

	(void)state;
	assert_int_equal(json_object_array_length(field(p, "peers")), 2);
	FIELDS(peer, tcp);
	assert_string_equal(text(peer, "remote"), "10.0.0.5:5432");
	assert_string_equal(text(peer, "proto"), "tcp");
	peer = element(p, "peers", "pid", SYNTHETIC_QUIET);
	FIELDS(peer, un);
	assert_string_equal(text(peer, "remote"), "/run/db.sock");
	assert_string_equal(text(peer, "command"), "quiet");
	p = element(reading, "processes", "pid", SYNTHETIC_QUIET);
	assert_int_equal(json_object_array_length(field(p, "peers")), 0);
	sample.probe[SAMPLE_TURNS].on = 0;
	assert_null(field(element(json("-j"), "processes", "pid", SYNTHETIC_SERVER), "peers"));
}

static void json_disks(void **state)
{
	static const struct expected write[] = {
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
	static const struct expected group[] = { { "count", 88 }, { "bytes", 89 } };
	static const struct expected off[] = {
		{ "count", 81 },
		{ "latency.count", UNKNOWN },
		{ "queue.p50_ns", UNKNOWN },
		{ "busy_ns", 87 },
	};
	struct json_object *d;

	(void)state;
	json("-j");
	assert_int_equal(json_object_array_length(field(reading, "disks")), 1);
	d = json_object_array_get_idx(field(reading, "disks"), 0);
	assert_string_equal(text(d, "device"), "nvme0n1");
	assert_string_equal(text(d, "op"), "write");
	FIELDS(d, write);
	assert_int_equal(json_object_array_length(json_object_object_get(d, "groups")), 1);
	d = json_object_array_get_idx(json_object_object_get(d, "groups"), 0);
	assert_string_equal(text(d, "cgroup"), "/system.slice/x.service");
	FIELDS(d, group);
	sample.disks[0].groups_known = false;
	json("-j");
	d = json_object_array_get_idx(field(reading, "disks"), 0);
	assert_null(json_object_object_get(d, "groups"));
	sample.probe[SAMPLE_DISK].on = 0;
	json("-j");
	d = json_object_array_get_idx(field(reading, "disks"), 0);
	FIELDS(d, off);
	assert_null(field(reading, "probes.disk")); /* a recording that is older than the family */
	sample.has_disks = false;
	json("-j");
	assert_null(field(reading, "disks"));
}

/* A family that is off: null everywhere, never 0. Longer than a screen: the contract, field by field. */
static void json_families_off(void **state)
{
	static const struct expected off[SAMPLE_FAMILIES][13] = {
		{ { "wall_ns", UNKNOWN },
		  { "time_ns.run", UNKNOWN },
		  { "time_ns.other", UNKNOWN },
		  { "wakeup.count", UNKNOWN },
		  { "wakeup.p99_ns", UNKNOWN },
		  { "switches.voluntary", UNKNOWN },
		  { "switches.involuntary", UNKNOWN },
		  { "wakeups", UNKNOWN },
		  { "migrations", UNKNOWN },
		  { "calls.p99_ns", UNKNOWN },
		  { "calls.count", 107 },
		  { "net.tx_bytes", 8008030 } },
		{ { "calls.count", UNKNOWN },
		  { "calls.errors", UNKNOWN },
		  { "calls.total_ns", UNKNOWN },
		  { "calls.p50_ns", UNKNOWN },
		  { "calls.p90_ns", UNKNOWN },
		  { "calls.p99_ns", UNKNOWN },
		  { "calls.max_ns", UNKNOWN },
		  { "calls.estimated", UNKNOWN },
		  { "pid", 1000 },
		  { "wakeup.count", 100 },
		  { "wall_ns", 2000000000 },
		  { "net.tx_bytes", 8008030 } },
		{ { "net.tx_bytes", UNKNOWN },
		  { "net.rx_ops", UNKNOWN },
		  { "net.tcp.tx_bytes", UNKNOWN },
		  { "net.udp.rx_bytes", UNKNOWN },
		  { "net.unix.rx_bytes", UNKNOWN },
		  { "net.connects", UNKNOWN },
		  { "net.connect_errors", UNKNOWN },
		  { "net.accepts", UNKNOWN },
		  { "net.connect_p99_ns", UNKNOWN },
		  { "net.accept_p99_ns", UNKNOWN },
		  { "net.retransmits", UNKNOWN },
		  { "net.srtt_ns", UNKNOWN },
		  { "wall_ns", 2000000000 } },
		{ { "turns.count", UNKNOWN },
		  { "turns.p50_ns", UNKNOWN },
		  { "turns.max_ns", UNKNOWN },
		  { "turns.late_p99_ns", UNKNOWN },
		  { "turns.open", UNKNOWN },
		  { "turns.oldest_ns", UNKNOWN },
		  { "upstream.count", UNKNOWN },
		  { "upstream.p99_ns", UNKNOWN },
		  { "upstream.open", UNKNOWN },
		  { "net.tx_bytes", 8008030 } },
		/* A process's own numbers do not need the family. */
		{ { "disk.count", 0 }, { "disk.read_bytes", 0 }, { "time_ns.disk", 40000004 } },
	};
	static const struct expected host[SAMPLE_FAMILIES][4] = {
		{ { "host.run_ns", UNKNOWN },
		  { "host.wakeup.count", UNKNOWN },
		  { "host.switches", UNKNOWN },
		  { "host.calls.p99_ns", UNKNOWN } },
		{ { "host.calls.count", UNKNOWN },
		  { "host.calls.errors", UNKNOWN },
		  { "host.calls.p50_ns", UNKNOWN },
		  { "host.cpus", 2 } },
		{ { "host.net.tx_bytes", UNKNOWN },
		  { "host.net.retransmits", UNKNOWN },
		  { "host.net.accepts", UNKNOWN },
		  { "host.cpus", 2 } },
	};
	static const char *const names[] = { "probes.sched", "probes.syscall", "probes.net", "probes.turns",
					     "probes.disk" };

	(void)state;
	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		refill(NULL);
		sample.probe[i].on = 0;
		strcpy(sample.probe[i].reason, "left off");
		json("-j");
		FIELDS(element(reading, "processes", "pid", SYNTHETIC_SERVER), off[i]);
		FIELDS(reading, host[i]);
		assert_string_equal(text(field(reading, names[i]), "state"), "off");
		assert_string_equal(text(field(reading, names[i]), "reason"), "left off");
	}
}

static size_t processes(const char *words)
{
	return json_object_array_length(field(json(words), "processes"));
}

static void rows_that_are_asked_for(void **state)
{
	(void)state;
	assert_int_equal(processes("-j"), 4);
	assert_int_equal(processes("-j -p 1000"), 1);
	assert_int_equal(processes("-j -p 2,1000,77"), 2);
	assert_int_equal(processes("-j -u nobody"), 1);
	assert_int_equal(processes("-j -u 0"), 3);
	assert_int_equal(processes("-j --active"), 2);
	assert_int_equal(processes("-j --active -u 0"), 1);
	assert_int_equal(processes("-j -f cpu>5"), 1);
	assert_int_equal(processes("-j -f quiet"), 1);
	assert_int_equal(processes("-j -p 1000 -f quiet"), 0);
}

/* The next cell of CSV as RFC 4180 has it; *last: the record ends with it. */
static char *csv_cell(const char **at, bool *last)
{
	static char cell[1000];
	size_t n = 0;

	if (**at == '"') {
		for (++*at; **at != '"' || (*at)[1] == '"'; ++*at) {
			if (**at == '"')
				++*at;
			cell[n++] = **at;
		}
		++*at;
	} else {
		while (**at != ',' && **at != '\n')
			cell[n++] = *(*at)++;
	}
	cell[n] = '\0';
	*last = **at == '\n';
	assert_true(**at == ',' || **at == '\n');
	++*at;
	return cell;
}

static void csv(void **state)
{
	const char *at, *cell;
	int pid_at = -1, comm_at = -1, cpu_at = -1, exit_at = -1, columns_seen = 0, rows = 0, i;
	char pid[20] = "";
	bool last = false;

	(void)state;
	sample.processes[0].comm = sample_add_text(&sample, "line\nend", 8);
	at = run(csv_with_header, "--csv");
	for (i = 0; !last; i++) {
		cell = csv_cell(&at, &last);
		if (i == 0)
			assert_string_equal(cell, "timestamp");
		else
			assert_non_null(column_find(cell));
		pid_at = strcmp(cell, "pid") ? pid_at : i;
		comm_at = strcmp(cell, "comm") ? comm_at : i;
		cpu_at = strcmp(cell, "cpu") ? cpu_at : i;
		exit_at = strcmp(cell, "exit") ? exit_at : i;
	}
	columns_seen = i;
	assert_true(columns_seen > 50);
	while (*at) {
		last = false;
		for (i = 0; !last; i++) {
			cell = csv_cell(&at, &last);
			if (i == 0)
				assert_string_equal(cell, "2026-11-22T07:05:01.123456Z");
			if (i == pid_at)
				snprintf(pid, sizeof(pid), "%s", cell);
			if (i == comm_at && !strcmp(pid, "2000"))
				assert_string_equal(cell, "\"a,b\"\n\x1b[31m\xef\xbf\xbd\xc3\xa9");
			if (i == comm_at && !strcmp(pid, "2"))
				assert_string_equal(cell, "line\nend");
			if (i == cpu_at && !strcmp(pid, "1000"))
				assert_string_equal(cell, "30.0000001");
			if (i == exit_at)
				assert_string_equal(cell, strcmp(pid, "2000") ? "" : "-9");
		}
		assert_int_equal(i, columns_seen);
		rows++;
	}
	assert_int_equal(rows, 4);
	at = run(csv_without_header, "--csv -p 1000");
	assert_int_equal(strncmp(at, "2026-11-22T", 11), 0);
	at = run(csv_with_header, "--csv -v calls");
	assert_int_equal(strncmp(at, "timestamp,call,nr,abi,", 22), 0);
}

/* The line that holds a text, or NULL. */
static const char *line_with(const char *haystack, const char *needle)
{
	const char *found = strstr(haystack, needle);

	while (found && found > haystack && found[-1] != '\n')
		found--;
	return found;
}

static void text_is_clean(void **state)
{
	static const char *const lines[] = {
		"-b",	       "-b --ascii",	 "-b -H",     "-b -t",	     "-b -g command",
		"-b -v sched", "-b -v syscalls", "-b -v net", "-b -v calls", "-b -v connections"
	};
	const char *out;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		out = run(batch_text, lines[i]);
		assert_non_null(strstr(out, "lost 436"));
		for (const char *c = out; *c; c++)
			if (((unsigned char)*c < ' ' && *c != '\n') || *c == 127 || *c == (char)0xff ||
			    (strstr(lines[i], "ascii") && (unsigned char)*c > 126))
				fail_msg("%s prints byte %02x", lines[i], (unsigned char)*c);
	}
}

static void text_tables(void **state)
{
	const char *out = run(batch_text, "-b"), *server, *exited, *quiet;

	(void)state;
	assert_non_null(strstr(out, "cpu 15.1%  wake-up p99 11.5ms  107 calls/s  lost 436\n"));
	assert_non_null(strstr(out, "PID"));
	server = line_with(out, "server --fast");
	exited = line_with(out, "=evil");
	assert_non_null(server);
	assert_true(server < exited); /* the higher LAG% */
	assert_non_null(strstr(server, "30.0"));
	assert_non_null(strstr(server, "11.5ms"));
	out = run(batch_text, "-b -s -pid");
	assert_true(line_with(out, "[kthreadd]") < line_with(out, "server --fast"));
	assert_true(line_with(out, "server --fast") < line_with(out, "quiet"));
	out = run(batch_text, "-b -t -s pid");
	server = line_with(out, "server --fast");
	quiet = line_with(out, "  quiet");
	assert_non_null(quiet);
	assert_true(server < quiet && quiet < line_with(out, "  =evil"));
	assert_true(line_with(out, "  =evil") < line_with(out, "[kthreadd]"));
	out = run(batch_text, "-b -H -p 1000");
	assert_non_null(line_with(out, "worker"));
	assert_null(line_with(out, "quiet"));
	out = run(batch_text, "-b -g user");
	assert_non_null(line_with(out, "nobody"));
	assert_null(line_with(out, "server --fast"));
}

/* With -p and -u, groups and calls are those of the selected processes. */
static void sums_are_of_the_rows_chosen(void **state)
{
	const char *out;

	(void)state;
	out = run(batch_text, "-b -g user -p 1000,3000");
	assert_non_null(line_with(out, "root"));
	assert_null(line_with(out, "nobody"));
	out = run(batch_text, "-b -g command -u nobody");
	assert_null(line_with(out, "server"));
	out = run(batch_text, "-b -v calls -p 3000,2000");
	assert_null(line_with(out, "read"));
	out = run(batch_text, "-b -v calls -u nobody");
	assert_null(line_with(out, "read"));
	out = run(batch_text, "-b -v calls -p 1000");
	assert_non_null(line_with(out, "read"));
}

static void list_columns(void **state)
{
	size_t len = 0;
	FILE *out = open_memstream(&output, &len);

	(void)state;
	batch_list_columns(out);
	fclose(out);
	for (size_t i = 0; i < columns_count; i++) {
		assert_non_null(strstr(output, columns[i].name));
		assert_non_null(strstr(output, columns[i].help));
	}
}

static void a_stream_that_fails_is_told(void **state)
{
	FILE *full = fopen("/dev/full", "we");
	struct options o;
	char *argv[] = { "lagtop", "-b", NULL };

	(void)state;
	run(batch_text, "-b");
	assert_non_null(full);
	assert_int_equal(options_parse(&o, 2, argv), 0);
	assert_true(batch_text(full, &o, model) < 0);
	assert_true(batch_json(full, &o, model) < 0);
	assert_true(batch_csv(full, &o, model, true) < 0);
	options_free(&o);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(json_host, refill, drop),
		cmocka_unit_test_setup_teardown(json_machine, refill, drop),
		cmocka_unit_test_setup_teardown(json_cpus, refill, drop),
		cmocka_unit_test_setup_teardown(json_process, refill, drop),
		cmocka_unit_test_setup_teardown(json_has_every_column_with_a_path, refill, drop),
		cmocka_unit_test_setup_teardown(json_texts, refill, drop),
		cmocka_unit_test_setup_teardown(json_syscalls, refill, drop),
		cmocka_unit_test_setup_teardown(json_connections, refill, drop),
		cmocka_unit_test_setup_teardown(json_peers, refill, drop),
		cmocka_unit_test_setup_teardown(json_disks, refill, drop),
		cmocka_unit_test_setup_teardown(json_families_off, refill, drop),
		cmocka_unit_test_setup_teardown(rows_that_are_asked_for, refill, drop),
		cmocka_unit_test_setup_teardown(csv, refill, drop),
		cmocka_unit_test_setup_teardown(text_is_clean, refill, drop),
		cmocka_unit_test_setup_teardown(text_tables, refill, drop),
		cmocka_unit_test_setup_teardown(sums_are_of_the_rows_chosen, refill, drop),
		cmocka_unit_test_setup_teardown(list_columns, refill, drop),
		cmocka_unit_test_setup_teardown(a_stream_that_fails_is_told, refill, drop),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
