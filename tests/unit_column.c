/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of columns: complete, consistent, shows what is not known as such, and has a single order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "column.h"
#include "names.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A process whose every number is different. Longer than a screen: one field a line. */
static struct row busy_row(void)
{
	static struct row_net net = {
		.connects = 208,
		.connect_errors = 209,
		.accepts = 210,
		.retransmits = 211,
		.receive_drops = 213,
		.connect = { 321, 322, 323, 324, 325, false, false },
		.srtt_ns = 212,
		.turns_overlapped = 216,
		.upstream_overlapped = 217,
	};
	struct row r = {
		.kind = MODEL_PROCESS,
		.drops_known = true,
		.pid = 100,
		.tid = 100,
		.ppid = 101,
		.uid = 102,
		.start_ns = 103,
		.threads = 104,
		.forks = 221,
		.execs = 222,
		.exits = 223,
		.own_user = true,
		.in_focus = true,
		.exited = true,
		.exit_code = -9,
		.comm = "worker",
		.cmdline = "worker: all night",
		.cgroup = "/system.slice/worker.service",
		.interval_ns = 2000000000,
		.levels = 1 << LT_LEVEL_EXACT,
		.wall_ns = 4000000000,
		.voluntary = 201,
		.involuntary = 202,
		.wakeups = 203,
		.migrations = 204,
		.calls = 205,
		.call_errors = 206,
		.call_total_ns = 207,
		.disk_read_bytes = 213,
		.disk_write_bytes = 214,
		.major_faults = 215,
		.wakeup = { 301, 302, 303, 304, 305, false, false },
		.service = { 311, 312, 313, 314, 315, false, false },
		.accept = { 331, 332, 333, 334, 335, false, false },
		.disk_wait = { 341, 342, 343, 344, 345, false, false },
		.response = { 351, 352, 353, 354, 355, false, false },
		.late = { 361, 362, 363, 364, 365, false, false },
		.upstream = { 371, 372, 373, 374, 375, false, false },
		.open_answers = { 218, 219 },
		.open_upstream = { 220, 221 },
		.net = &net,
		.call = LT_CALL_NONE,
	};

	for (int i = 0; i < LT_STATES; i++)
		r.time_ns[i] = 400 + (uint64_t)i;
	for (int i = 0; i < LT_PROTOS; i++)
		net.flow[i] = (struct lt_flow){ 1000u << i, 10000u << i, 3u << i, 7u << i };
	return r;
}

static const struct column *find(const char *name)
{
	const struct column *c = column_find(name);

	if (!c)
		fail_msg("no column %s", name);
	return c;
}

static void table_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < columns_count; i++) {
		const struct column *c = &columns[i];

		assert_non_null(c->raw);
		assert_non_null(c->unit);
		assert_true(c->kinds != 0);
		assert_true(c->width >= strlen(c->title));
		assert_true(strlen(c->help) > 5 && c->help[strlen(c->help) - 1] == '.');
		assert_int_equal(strspn(c->name, "abcdefghijklmnopqrstuvwxyz0123456789"), strlen(c->name));
		assert_ptr_equal(column_find(c->name), c);
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(c->name, columns[j].name);
			assert_string_not_equal(c->title, columns[j].title);
			if (c->json && columns[j].json)
				assert_string_not_equal(c->json, columns[j].json);
		}
	}
	assert_ptr_equal(column_find("RunQ99"), find("wake99"));
	assert_ptr_equal(column_find("calls/s"), find("calls"));
	assert_null(column_find("nonsense"));
	assert_null(column_find(""));
}

/* A title that is another column's name would make --sort ambiguous. */
static void titles_are_no_other_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < columns_count; i++)
		for (size_t j = 0; j < columns_count; j++)
			if (i != j)
				assert_int_not_equal(strcasecmp(columns[i].title, columns[j].name), 0);
}

static void views_are_whole(void **state)
{
	static const char *const names[] = { "overview", "sched",	"syscalls", "net",
					     "calls",	 "connections", "disks",    "cpus" };

	(void)state;
	assert_int_equal(column_views_count, COUNT(names));
	for (size_t i = 0; i < column_views_count; i++) {
		const struct column_view *v = &column_views[i];
		char list[512], *rest = list, *name;
		const struct column *last = NULL;

		assert_string_equal(v->name, names[i]);
		assert_ptr_equal(column_view_find(names[i]), v);
		assert_true(find(v->sort)->kinds & 1 << v->kind);
		assert_true(strlen(v->columns) < sizeof(list));
		strcpy(list, v->columns);
		while ((name = strsep(&rest, " "))) {
			last = find(name);
			assert_true(last->kinds & 1 << v->kind);
		}
		assert_int_equal(last->show, SHOW_TEXT);
	}
	assert_null(column_view_find("nonsense"));
}

#define CONTEXTS 10
#define ANY INT64_MIN /* in the contract; its value in busy_row() is not checked here */

/* Every scalar of the contract's process object, with the number that the row holds. Longer than a screen: the
 * contract, path by path. */
static void json_is_complete(void **state)
{
	static const struct {
		const char *path;
		int64_t value;
	} numbers[] = {
		{ "pid", 100 },
		{ "ppid", 101 },
		{ "uid", 102 },
		{ "start_ns", 103 },
		{ "threads", 104 },
		{ "exit_code", -9 },
		{ "children.forks", 221 },
		{ "children.execs", 222 },
		{ "children.exits", 223 },
		{ "wall_ns", 4000000000 },
		{ "time_ns.run", 400 },
		{ "time_ns.wakeq", 401 },
		{ "time_ns.preempt", 402 },
		{ "time_ns.throttled", 403 },
		{ "time_ns.disk", 404 },
		{ "time_ns.memory", 405 },
		{ "time_ns.block", 406 },
		{ "time_ns.lock", 407 },
		{ "time_ns.net", 408 },
		{ "time_ns.poll", 409 },
		{ "time_ns.sleep", 410 },
		{ "time_ns.io", 411 },
		{ "time_ns.other", 412 },
		{ "switches.voluntary", 201 },
		{ "switches.involuntary", 202 },
		{ "wakeups", 203 },
		{ "migrations", 204 },
		{ "disk.read_bytes", 213 },
		{ "disk.write_bytes", 214 },
		{ "disk.major_faults", 215 },
		{ "disk.count", 341 },
		{ "disk.p50_ns", 342 },
		{ "disk.p90_ns", 343 },
		{ "disk.p99_ns", 344 },
		{ "disk.max_ns", 345 },
		{ "of_which_ns.reclaim", ANY },
		{ "of_which_ns.contended_lock", ANY },
		{ "of_which_ns.upstream", ANY },
		{ "of_which_ns.page_fault_disk", ANY },
		{ "wakeup.count", 301 },
		{ "wakeup.p50_ns", 302 },
		{ "wakeup.p90_ns", 303 },
		{ "wakeup.p99_ns", 304 },
		{ "wakeup.max_ns", 305 },
		{ "calls.count", 205 },
		{ "calls.errors", 206 },
		{ "calls.total_ns", 207 },
		{ "calls.p50_ns", 312 },
		{ "calls.p90_ns", 313 },
		{ "calls.p99_ns", 314 },
		{ "calls.max_ns", 315 },
		{ "net.tx_bytes", 7000 },
		{ "net.rx_bytes", 70000 },
		{ "net.tx_ops", 21 },
		{ "net.rx_ops", 49 },
		{ "net.tcp.tx_bytes", 1000 },
		{ "net.tcp.rx_bytes", 10000 },
		{ "net.udp.tx_bytes", 2000 },
		{ "net.udp.rx_bytes", 20000 },
		{ "net.unix.tx_bytes", 8000 },
		{ "net.unix.rx_bytes", 80000 },
		{ "net.connects", 208 },
		{ "net.connect_errors", 209 },
		{ "net.accepts", 210 },
		{ "net.connect_p99_ns", 324 },
		{ "net.accept_p99_ns", 334 },
		{ "net.retransmits", 211 },
		{ "net.drops", 213 },
		{ "net.srtt_ns", 212 },
		{ "turns.count", 351 },
		{ "turns.p50_ns", 352 },
		{ "turns.p90_ns", 353 },
		{ "turns.p99_ns", 354 },
		{ "turns.max_ns", 355 },
		{ "turns.late_p99_ns", 364 },
		{ "turns.overlapped", 216 },
		{ "turns.open", 218 },
		{ "turns.oldest_ns", 219 },
		{ "upstream.count", 371 },
		{ "upstream.p50_ns", 372 },
		{ "upstream.p99_ns", 374 },
		{ "upstream.max_ns", 375 },
		{ "upstream.overlapped", 217 },
		{ "upstream.open", 220 },
		{ "upstream.oldest_ns", 221 },
	};
	static const struct {
		const char *path, *value;
	} texts[] = {
		{ "user", "102" },
		{ "state", "exited" },
		{ "comm", "worker" },
		{ "cmdline", "worker: all night" },
		{ "cgroup", "/system.slice/worker.service" },
		{ "why", "waits for CPU 33%" },
	};
	struct row r = busy_row();
	size_t with_path = 0, expected = COUNT(texts) + CONTEXTS;

	(void)state;
	r.interval_ns = 1000; /* so that its lag is worth a reason */
	for (size_t i = 0; i < columns_count; i++) {
		const struct column *c = &columns[i];
		struct value v = c->raw(&r);
		bool found = false;

		if (!c->json)
			continue;
		assert_true(c->kinds & 1 << MODEL_PROCESS);
		if (!strncmp(c->json, "context.", 8)) {
			assert_int_equal(v.type, VALUE_NONE); /* it has exited */
			with_path++;
			continue;
		}
		for (size_t n = 0; n < COUNT(numbers); n++) {
			if (strcmp(numbers[n].path, c->json))
				continue;
			found = true;
			assert_int_equal(v.type, VALUE_INT);
			if (numbers[n].value != ANY) {
				assert_int_equal(v.i, numbers[n].value);
				with_path++;
			}
		}
		for (size_t n = 0; n < COUNT(texts); n++) {
			if (strcmp(texts[n].path, c->json))
				continue;
			found = true;
			with_path++;
			assert_int_equal(v.type, VALUE_TEXT);
			if (strcmp(c->json, "user"))
				assert_string_equal(v.text, texts[n].value);
		}
		if (!found)
			fail_msg("%s is not in the contract", c->json);
	}
	for (size_t n = 0; n < COUNT(numbers); n++)
		expected += numbers[n].value != ANY;
	assert_int_equal(with_path, expected);
}

/* What a family that is off would have measured is not known; what the others measured is. */
static void unknown_is_not_zero(void **state)
{
	static const struct {
		enum sample_family off;
		const char *unknown[8], *known[8];
	} cases[] = {
		{ SAMPLE_SCHED,
		  { "cpu", "lag", "wake99", "vol", "wakeups", "wall", "call99", "callmax" },
		  { "pid", "calls", "errors", "calltime", "tx", "comm", "retrans", "state" } },
		{ SAMPLE_SYSCALL,
		  { "calls", "errors", "calltime", "call50", "call90", "call99", "acc99", "avg" },
		  { "cpu", "lag", "wake99", "woken", "tx", "user", "retrans", "srtt" } },
		{ SAMPLE_NET,
		  { "tx", "rx", "tcptx", "unixrx", "acc99", "conn99", "retrans", "srtt" },
		  { "cpu", "lag", "wake99", "calls", "call99", "pid", "cmdline", "cgroup" } },
		{ SAMPLE_TURNS,
		  { "turns", "resp50", "resp99", "respmax", "late99", "ups", "upst99", "upstmax" },
		  { "cpu", "tx", "retrans", "srtt", "acc99", "conn99", "calls", "pid" } },
	};
	struct row r, none;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		r = busy_row();
		r.off = (uint8_t)(1 << cases[i].off);
		for (int n = 0; n < 8; n++) {
			assert_int_equal(column_value(find(cases[i].unknown[n]), &r).type, VALUE_NONE);
			assert_int_not_equal(column_value(find(cases[i].known[n]), &r).type, VALUE_NONE);
		}
	}
	/* Nothing happened: counts are zero, percentiles of nothing are not known. */
	none = (struct row){ .interval_ns = 1000000000,
			     .net = &row_no_net,
			     .comm = "",
			     .cmdline = "",
			     .cgroup = "",
			     .call = LT_CALL_NONE };
	assert_int_equal(find("woken")->raw(&none).type, VALUE_INT);
	assert_int_equal(find("calls")->raw(&none).i, 0);
	assert_int_equal(find("wake50")->raw(&none).type, VALUE_NONE);
	assert_int_equal(find("callmax")->raw(&none).type, VALUE_NONE);
	assert_int_equal(find("conn99")->raw(&none).type, VALUE_NONE);
	assert_int_equal(find("retrans")->raw(&none).i, 0);
	assert_int_equal(find("srtt")->raw(&none).type, VALUE_NONE);
	assert_int_equal(find("exit")->raw(&none).type, VALUE_NONE);
	assert_int_equal(find("user")->raw(&none).type, VALUE_NONE);
	assert_int_equal(find("uid")->raw(&none).type, VALUE_NONE);
	none.own_user = true;
	assert_int_equal(find("user")->raw(&none).type, VALUE_TEXT);
	/* The whole latency of a call needs the syscall family only. */
	r = busy_row();
	r.kind = MODEL_CALL;
	r.off = 1 << SAMPLE_SCHED;
	r.call_wait_ns = SAMPLE_UNKNOWN;
	assert_int_equal(find("p99")->raw(&r).i, 314);
	assert_int_equal(find("wait")->raw(&r).type, VALUE_NONE);
}

/* A counter that a recording or a kernel does not have is not known, and nothing else is affected. */
static void unknown_counters_are_not_zero(void **state)
{
	struct row r = busy_row();

	(void)state;
	counter_put(&r.unknown, LT_THROTTLED);
	counter_put(&r.unknown, COUNTER_migrations);
	counter_put(&r.unknown, COUNTER_tcp_tx_bytes);
	assert_int_equal(column_value(find("throttled"), &r).type, VALUE_NONE);
	assert_int_equal(column_value(find("migrations"), &r).type, VALUE_NONE);
	assert_int_equal(column_value(find("tcptx"), &r).type, VALUE_NONE);
	assert_int_equal(find("memory")->raw(&r).i, 405);
	assert_int_equal(find("tcprx")->raw(&r).i, 10000);
}

/* Names of version 1, and headers that have changed, still work. */
static void old_names_are_aliases(void **state)
{
	static const char *const names[][2] = {
		{ "runq50", "wake50" },	  { "runq90", "wake90" },	{ "RUNQ99", "wake99" },
		{ "runqmax", "wakemax" }, { "runqspark", "wakespark" }, { "waits", "woken" },
		{ "QUEUE99", "queue99" }, { "CALLED", "calltime" },	{ "WAITED%", "waited" },
		{ "UP/s", "ups" },	  { "ACC99", "acc99" },		{ "ACPTMX", "acceptmax" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_ptr_equal(column_find(names[i][0]), find(names[i][1]));
}

static void shares_and_rates(void **state)
{
	struct row r = busy_row();

	(void)state;
	r.time_ns[LT_RUN] = 1000000000;
	r.time_ns[LT_WAKEQ] = 100000000;
	r.time_ns[LT_PREEMPT] = 200000000;
	r.time_ns[LT_DISK] = 300000000;
	r.time_ns[LT_BLOCK] = 400000000;
	r.time_ns[LT_THROTTLED] = 100000000;
	r.time_ns[LT_MEMORY] = 200000000;
	assert_float_equal(column_value(find("cpu"), &r).real, 50, 1e-9);
	assert_float_equal(column_value(find("runq"), &r).real, 15, 1e-9);
	assert_float_equal(column_value(find("blk"), &r).real, 45, 1e-9);
	assert_float_equal(column_value(find("lag"), &r).real, 65, 1e-9);
	assert_float_equal(column_value(find("wall"), &r).real, 200, 1e-9);
	assert_float_equal(column_value(find("calls"), &r).real, 102.5, 1e-9);
	assert_float_equal(column_value(find("tx"), &r).real, 3500, 1e-9);
	assert_float_equal(column_value(find("traffic"), &r).real, 38500, 1e-9);
	assert_int_equal(column_value(find("wake99"), &r).i, 304);
	assert_int_equal(column_value(find("avg"), &r).i, 1);
	r.interval_ns = 0;
	assert_int_equal(column_value(find("cpu"), &r).type, VALUE_NONE);
	assert_int_equal(column_value(find("calls"), &r).type, VALUE_NONE);
}

static void assert_before(const char *column, bool reverse, const struct row *a, const struct row *b)
{
	assert_true(column_compare(find(column), reverse, a, b) < 0);
	assert_true(column_compare(find(column), reverse, b, a) > 0);
}

static void order(void **state)
{
	struct row a = busy_row(), b = busy_row();

	(void)state;
	/* Differences that do not fit an int, nor a double's 53 bits. */
	a.start_ns = (1ULL << 62) + 1;
	b.start_ns = 1ULL << 62;
	assert_before("start", false, &a, &b);
	assert_before("start", true, &b, &a);
	a.pid = 4000000000u;
	b.pid = 1;
	assert_before("pid", false, &a, &b);
	assert_before("pid", true, &b, &a);
	/* Texts a to z, whatever their case. */
	a.comm = "apache";
	b.comm = "Zsh";
	assert_before("comm", false, &a, &b);
	assert_before("comm", true, &b, &a);
	/* Unknown values come last, in both directions. */
	a.wakeup.count = 0;
	assert_before("wake99", false, &b, &a);
	assert_before("wake99", true, &b, &a);
	/* Equal values: by pid, then tid, then start, in both directions. */
	assert_before("cpu", false, &b, &a);
	assert_before("cpu", true, &b, &a);
	a.pid = b.pid;
	a.tid = 7;
	b.tid = 8;
	assert_before("cpu", false, &a, &b);
	assert_before("cpu", true, &a, &b);
	a.tid = 8;
	assert_before("cpu", false, &b, &a);
	/* Nothing distinguishes them. */
	a = b;
	for (size_t i = 0; i < columns_count; i++)
		assert_int_equal(column_compare(&columns[i], false, &a, &b), 0);
}

/* Rows with unknown values, and rows of other kinds, still have a single order. */
static void order_of_calls_and_connections(void **state)
{
	struct sample_connection x = { .local_port = 80, .remote_port = 1000 }, y = x;
	struct row a = busy_row(), b = busy_row();

	(void)state;
	a.call = 1;
	b.call = 2;
	assert_before("cpu", false, &a, &b);
	b.call = 1;
	a.connection = &x;
	b.connection = &y;
	y.remote_port = 999;
	assert_before("cpu", true, &b, &a);
	y.remote_port = 1000;
	y.remote[0] = 1;
	assert_before("cpu", true, &a, &b);
}

/* CPUs with equal values stay in the order of their numbers, whatever runs there. */
static void cpus_in_order(void **state)
{
	struct sample_cpu x = { .cpu = 9, .runs = LT_RUNS_THREAD }, y = { .cpu = 10, .runs = LT_RUNS_THREAD };
	struct row a = { .kind = MODEL_CPU, .pid = 77, .interval_ns = 1, .cpu = &x }, b = a;
	uint64_t key[2][COLUMN_KEY];

	(void)state;
	b.cpu = &y;
	b.pid = 5;
	assert_before("busy", false, &a, &b);
	assert_before("busy", true, &a, &b);
	assert_true(column_order_key(find("busy"), false, &a, key[0]) &&
		    column_order_key(find("busy"), false, &b, key[1]));
	assert_true(key[0][0] == key[1][0] && key[0][1] < key[1][1]);
}

static void assert_shows(const char *column, const struct row *r, bool utf8, const char *expected)
{
	const struct column *c = find(column);
	char buf[256];
	int cells = column_format(c, r, utf8, buf, sizeof(buf), 100);

	assert_string_equal(buf, expected);
	assert_int_equal(cells, mbstowcs(NULL, buf, 0));
}

/* What is not known about a CPU is not 0, and no thread runs on an idle one. */
static void cpus(void **state)
{
	struct sample_cpu c = { .cpu = 0,
				.queued = SAMPLE_NONE,
				.queued_p99 = SAMPLE_NONE,
				.throttled = SAMPLE_NONE,
				.run_ns = SAMPLE_UNKNOWN,
				.switches = SAMPLE_UNKNOWN };
	struct row r = { .kind = MODEL_CPU, .interval_ns = 1000, .comm = "", .cmdline = "", .cpu = &c };
	static const char *const numbers[] = { "busy",	 "idle",    "irq",	 "softirq", "steal", "switches",
					       "queued", "queue99", "thrgroups", "ran",	    "pid" };

	(void)state;
	memset(&c.times, 0xff, sizeof(c.times));
	assert_shows("cpunum", &r, true, "0");
	for (size_t i = 0; i < COUNT(numbers); i++)
		assert_shows(numbers[i], &r, true, "-");
	assert_shows("command", &r, true, "-");
	c.runs = LT_RUNS_IDLE;
	assert_shows("command", &r, true, "(idle)");
	assert_shows("pid", &r, true, "-");
	c = (struct sample_cpu){ .runs = LT_RUNS_THREAD, .times = { 500, 250, 10, 20, 30 }, .queued = 3 };
	r.comm = "worker";
	r.cmdline = "/srv/java -jar";
	r.pid = 8;
	r.tid = 9;
	assert_shows("busy", &r, true, "50.0");
	assert_shows("steal", &r, true, "3.0");
	assert_shows("queued", &r, true, "3");
	assert_shows("queue99", &r, true, "·");
	assert_shows("command", &r, true, "worker"); /* the thread's own name */
	r.tid = 8;
	assert_shows("command", &r, true, "java -jar");
}

/* How a process ended. */
static void ends(void **state)
{
	struct row r = busy_row();

	(void)state;
	assert_shows("ended", &r, true, "-9");
	r.killed_by = LT_BY_PROCESS;
	r.killer_pid = 812;
	r.killer_comm = "ba\x1bsh";
	assert_shows("ended", &r, true, "-9 by 812 (ba?sh)");
	r.killer_pid = r.pid;
	assert_shows("ended", &r, true, "-9 by itself");
	r.killed_by = LT_BY_OUTSIDE;
	assert_shows("ended", &r, true, "-9 by outside");
	r.killed_by = LT_BY_KERNEL;
	assert_shows("ended", &r, true, "-9 by the kernel");
	r.killed_by = LT_BY_OOM;
	assert_shows("ended", &r, true, "OOM");
	r.exit_code = 3;
	assert_shows("ended", &r, true, "exit 3");
	r.exited = false;
	assert_shows("ended", &r, true, "-");
}

static void formats(void **state)
{
	struct row r = busy_row();
	char buf[32];

	(void)state;
	assert_shows("pid", &r, true, "100");
	assert_shows("exit", &r, true, "-9");
	assert_shows("drops", &r, true, "106");
	r.drops_known = false;
	assert_shows("drops", &r, true, "-");
	assert_int_equal(column_format(find("pid"), &r, true, buf, sizeof(buf), 2), 2);
	assert_string_equal(buf, "##"); /* not "10" */
	assert_shows("command", &r, true, "worker: all night");
	r.time_ns[LT_RUN] = 1234567890;
	assert_shows("cpu", &r, true, "61.7");
	r.time_ns[LT_RUN] = 0;
	assert_shows("cpu", &r, true, "·");
	assert_shows("cpu", &r, false, ".");
	r.calls = 82468;
	assert_shows("calls", &r, true, "41.2k");
	r.wakeup.p99_ns = 3104000;
	assert_shows("wake99", &r, true, "3.10ms");
	r.wakeup.max_ns = 12000000;
	assert_shows("wakemax", &r, true, "12.0ms");
	r.wakeup.max_at_least = true;
	assert_shows("wakemax", &r, true, "≥12.0ms");
	assert_shows("wakemax", &r, false, ">12.0ms");
	r.wakeup.count = 0;
	assert_shows("wake99", &r, true, "-");
	r.exited = false;
	assert_shows("exit", &r, true, "-");
	assert_shows("state", &r, true, "alive");
	r.comm = "evil\x1b[2J";
	r.cmdline = "";
	assert_shows("command", &r, true, "evil?[2J");
	r.kernel = true;
	r.comm = "kworker/0:1";
	assert_shows("command", &r, true, "[kworker/0:1]");
	r.kind = MODEL_THREAD;
	r.kernel = false;
	r.cmdline = "the command line";
	assert_shows("command", &r, true, "the command line");
	r.cmdline = "/usr/bin/python3 /srv/shop.py";
	assert_shows("command", &r, true, "python3 /srv/shop.py");
	r.cmdline = "/opt/My Shop/shop";
	assert_shows("command", &r, true, "My Shop/shop");
	r.cmdline = "/ /tmp/x"; /* no name in it */
	assert_shows("command", &r, true, "/ /tmp/x");
	r.cmdline = "./shop /srv/shop.db";
	assert_shows("command", &r, true, "./shop /srv/shop.db");
	r.cmdline = "the command line";
	r.tid++;
	assert_shows("command", &r, true, "kworker/0:1");
	r.kind = MODEL_USER;
	r.uid = 0;
	assert_shows("comm", &r, true, "root");
}

/* Whatever a row holds, a cell is never wider than requested, nor than its column. */
static void cells_fit(void **state)
{
	struct row r = busy_row();
	struct model_sparkline spark[MODEL_SPARKS];
	struct sample_connection connection = { .proto = LT_TCP,
						.family = 6,
						.state = 1,
						.age_ns = UINT64_MAX - 1,
						.tx_queue_bytes = UINT32_MAX,
						.rx_queue_bytes = UINT32_MAX };
	char buf[256], name[4097];

	(void)state;
	memset(spark, 0xff, sizeof(spark));
	memset(name, '\x1b', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < MODEL_SPARKS; i++)
		spark[i].at = 30;
	r.spark = spark;
	r.connection = &connection;
	r.comm = r.cmdline = r.cgroup = name;
	r.call = LT_CALL(LT_ABI_X32, 4095);
	r.pid = r.tid = r.ppid = 4194304;
	r.uid = UINT32_MAX - 1;
	r.threads = 999999;
	r.calls = r.call_errors = r.in_flight = UINT64_MAX / 2;
	r.wakeup = (struct model_dist){ UINT64_MAX / 2, 1, 3599499999999, 86369499999999, 86369499999999, true, false };
	r.service = r.wakeup;
	r.oldest_ns = 86369499999999;
	r.oldest_at_least = true;
	for (int i = 0; i < LT_STATES; i++)
		r.time_ns[i] = UINT64_MAX / 8;
	for (size_t i = 0; i < columns_count; i++) {
		const struct column *c = &columns[i];

		for (int cells = 0; cells <= 40; cells++) {
			int used = column_format(c, &r, true, buf, sizeof(buf), cells);

			assert_true(used >= 0 && used <= cells);
			assert_int_equal(used, mbstowcs(NULL, buf, 0));
			column_format(c, &r, false, buf, sizeof(buf), cells);
			for (const char *p = buf; *p; p++)
				assert_in_range(*p, ' ', '~');
			column_format(c, &r, true, buf, 4, cells);
			assert_true(strlen(buf) < 4);
		}
		if (c->show != SHOW_TEXT)
			assert_true(column_format(c, &r, true, buf, sizeof(buf), 100) <=
				    (c->show == SHOW_SPARK ? MODEL_SPARK : c->width));
	}
}

static void sparklines(void **state)
{
	struct model_sparkline spark[MODEL_SPARKS] = { 0 };
	struct row r = busy_row();
	char buf[256];

	(void)state;
	assert_int_equal(column_format(find("wakespark"), &r, true, buf, sizeof(buf), 20), 0);
	r.spark = spark;
	spark[MODEL_SPARK_WAKE].at = 3; /* the newest is before it */
	spark[MODEL_SPARK_WAKE].level[0] = (uint8_t)(hist_bucket(1000) + 1);
	spark[MODEL_SPARK_WAKE].level[1] = (uint8_t)(hist_bucket(20000) + 1);
	spark[MODEL_SPARK_WAKE].level[2] = (uint8_t)(hist_bucket(1000000000) + 1);
	assert_int_equal(column_format(find("wakespark"), &r, true, buf, sizeof(buf), 5), 5);
	assert_string_equal(buf, "  ▁▂█");
	assert_int_equal(column_format(find("wakespark"), &r, false, buf, sizeof(buf), 4), 4);
	assert_string_equal(buf, " _.#");
	assert_int_equal(column_format(find("wakespark"), &r, true, buf, sizeof(buf), 100), MODEL_SPARK);
	assert_int_equal(column_value(find("wakespark"), &r).i, hist_bucket(1000000000) + 1);
}

static void calls_have_names(void **state)
{
	struct model_errno errnos[] = { { 11, 1200 }, { 4, 3 }, { 4242, 1 } };
	struct row r = busy_row();

	(void)state;
	r.kind = MODEL_CALL;
	r.call = LT_CALL(LT_ABI_NATIVE, 462);
	assert_shows("call", &r, true, "mseal");
	r.call = LT_CALL(LT_ABI_NATIVE, 4000);
	assert_shows("call", &r, true, "#4000");
	assert_shows("nr", &r, true, "4000");
#ifdef __x86_64__
	r.call = LT_CALL(LT_ABI_NATIVE, 0);
	assert_shows("call", &r, true, "read");
	assert_shows("abi", &r, true, "x86_64");
	r.call = LT_CALL(LT_ABI_COMPAT, 4);
	assert_shows("call", &r, true, "write");
	assert_shows("abi", &r, true, "i386");
	r.call = LT_CALL(LT_ABI_X32, 512);
	assert_shows("call", &r, true, "rt_sigaction");
	assert_shows("abi", &r, true, "x32");
#endif
	/* A thread's state shows when it is not certain. */
	r.kind = MODEL_THREAD;
	r.state = LT_POLL;
	r.call = LT_CALL(LT_ABI_NATIVE, SYS_io_getevents);
	assert_shows("call", &r, true, "io_getevents");
	assert_shows("state", &r, true, "poll disk?");
	r.call = LT_CALL(LT_ABI_NATIVE, 426);
	assert_shows("call", &r, true, "io_uring_enter");
	assert_shows("state", &r, true, "poll");
	r.call = LT_CALL(LT_ABI_NATIVE, 441);
	assert_shows("call", &r, true, "epoll_pwait2");
	assert_shows("state", &r, true, "poll");
	r.call = LT_CALL_NONE;
	assert_shows("state", &r, true, "poll");
	r.kind = MODEL_CALL;
	r.errnos = errnos;
	r.n_errnos = 3;
	assert_shows("errnos", &r, true, "EAGAIN 1.20k EINTR 3 E4242 1");
	r.n_errnos = 0;
	assert_shows("errnos", &r, true, "");
	r.call = LT_CALL_NONE;
	assert_shows("call", &r, true, "-");
	r.in_flight = 1;
	r.oldest_ns = 1200000000;
	assert_shows("oldest", &r, true, "1.20s");
	r.oldest_at_least = true;
	assert_shows("oldest", &r, true, ">1.20s");
	r.in_flight = 0;
	assert_shows("oldest", &r, true, "-");
	assert_string_equal(names_user(0), "root");
	assert_string_equal(names_user(3999999999u), "3999999999");
}

static void connections(void **state)
{
	struct sample_connection c = { .proto = LT_TCP,
				       .family = 4,
				       .state = 1,
				       .local_port = 80,
				       .remote_port = 54321,
				       .local = { 10, 0, 0, 1 },
				       .remote = { 192, 168, 1, 254 },
				       .age_ns = SAMPLE_UNKNOWN };
	struct row r = busy_row();

	(void)state;
	r.kind = MODEL_CONNECTION;
	r.connection = &c;
	assert_shows("proto", &r, true, "tcp");
	assert_shows("local", &r, true, "10.0.0.1:80");
	assert_shows("remote", &r, true, "192.168.1.254:54321");
	assert_shows("state", &r, true, "ESTAB");
	assert_shows("age", &r, true, "-");
	c.age_ns = 17200000000;
	assert_shows("age", &r, true, "17.2s");
	c.family = 6;
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", c.local), 1);
	assert_shows("local", &r, true, "[2001:db8::1]:80");
	c.rx_queue_bytes = 2048;
	c.accept_queue = c.accept_queue_max = c.drops = SAMPLE_UNKNOWN;
	assert_shows("rxq", &r, true, "2.05k");
	assert_shows("acceptq", &r, true, "-");
	assert_shows("drops", &r, true, "-");
	c.proto = LT_UDP;
	c.state = 7;
	c.drops = 12;
	assert_shows("state", &r, true, "-");
	assert_shows("drops", &r, true, "6");
	c.proto = LT_TCP;
	c.state = 10;
	c.accept_queue = 3;
	c.accept_queue_max = 2;
	assert_shows("state", &r, true, "LISTEN");
	assert_shows("rxq", &r, true, "-");
	assert_shows("txq", &r, true, "-");
	assert_shows("acceptq", &r, true, "3");
	assert_shows("acceptmax", &r, true, "2");
	c.accept_oldest_ns = 4100000;
	assert_shows("acceptage", &r, true, "4.10ms");
	c.accept_oldest_ns = SAMPLE_UNKNOWN;
	assert_shows("acceptage", &r, true, "-");
}

/* An estimate says so, and is not made from few calls; what is only known to be at least so much says that, too. */
static void estimates(void **state)
{
	struct row r = busy_row();

	(void)state;
	r.kind = MODEL_CALL;
	r.levels = 1 << LT_LEVEL_SAMPLED;
	r.calls = ROW_ESTIMATE_CALLS;
	r.interval_ns = 1000000000;
	r.call_total_ns = 31415 * r.calls;
	r.call_time_ns = 314000000;
	r.call_wait_ns = 70000000;
	r.service = (struct model_dist){ r.calls, 1234, 31415, 3141592, 12000000, .max_at_least = true, .about = true };
	assert_shows("calls", &r, true, "4.10k");
	assert_shows("avg", &r, true, "~31us");
	assert_shows("p50", &r, true, "~1.2us");
	assert_shows("p99", &r, true, "~3.1ms");
	assert_shows("call99", &r, true, "~3.1ms");
	assert_shows("max", &r, true, "≥12.0ms");
	assert_shows("time", &r, true, "~31");
	assert_shows("wait", &r, true, "7.0");
	r.calls--;
	for (size_t i = 0; i < 2; i++) {
		assert_shows("avg", &r, true, "-");
		assert_shows("calltime", &r, true, "-");
		assert_shows("time", &r, true, ">7.0");
		r.levels = 1 << LT_LEVEL_EXITS;
	}
	r.call_wait_ns = 0;
	assert_shows("time", &r, true, "-");
	r.in_flight = 1;
	r.oldest_ns = 0;
	r.oldest_at_least = true;
	assert_shows("oldest", &r, true, "-");
	/* Totals, partly without durations: percentiles of the rest, no sums. */
	r.levels |= 1 << LT_LEVEL_EXACT;
	r.service.about = false;
	assert_shows("p99", &r, true, "3.14ms");
	assert_shows("avg", &r, true, "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_whole),
		cmocka_unit_test(titles_are_no_other_names),
		cmocka_unit_test(views_are_whole),
		cmocka_unit_test(json_is_complete),
		cmocka_unit_test(unknown_is_not_zero),
		cmocka_unit_test(unknown_counters_are_not_zero),
		cmocka_unit_test(old_names_are_aliases),
		cmocka_unit_test(shares_and_rates),
		cmocka_unit_test(order),
		cmocka_unit_test(order_of_calls_and_connections),
		cmocka_unit_test(cpus_in_order),
		cmocka_unit_test(cpus),
		cmocka_unit_test(ends),
		cmocka_unit_test(formats),
		cmocka_unit_test(estimates),
		cmocka_unit_test(cells_fit),
		cmocka_unit_test(sparklines),
		cmocka_unit_test(calls_have_names),
		cmocka_unit_test(connections),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8") && !setlocale(LC_CTYPE, "en_US.UTF-8"))
		return 1;
	return cmocka_run_group_tests_name("column", tests, NULL, NULL);
}
