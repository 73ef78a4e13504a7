/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that were once wrong: calls that return as other calls, sleeps that continue after a stop, ages and latencies
 * of what began before it was seen. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lagtop.h"
#include "live.h"
#include "names.h"

#define PATIENCE 100 /* readings */
#define ROUNDS 20

static void test_execveat_returns_as_execve(void **state)
{
	(void)state;
	/* If the return were taken for another call's, it would be lost, not in a row. */
	live_claims(live_start("-d", "0.2", NULL), "fexecve", "50", "50", NULL);
	live_verdict();
}

/* The share of the last reading that a process spent in a state. */
static double share(struct live *l, int64_t pid, const char *state)
{
	struct json_object *p = live_process(l->reading[l->n - 1], pid);
	char path[40];

	if (!p)
		return 0;
	snprintf(path, sizeof(path), "time_ns.%s", state);
	return (double)live_get(p, path) / (double)live_get(p, "wall_ns");
}

/* After a stop and a continue, poll continues as restart_syscall, and is still the same kind of sleep. */
static void test_a_sleep_that_goes_on_after_a_stop(void **state)
{
	const char *ready;
	struct live *l;
	struct child *load;

	(void)state;
	live_need_bpf();
	l = live_start("-d", "0.2", NULL);
	load = live_load(&ready, "sleep", "poll", NULL);
	for (int readings = 0; readings < PATIENCE && share(l, load->pid, "poll") < 0.99; readings++)
		live_next(l);
	live_between(share(l, load->pid, "poll"), 0.99, 1.001, "poll before the stop");
	assert_int_equal(kill(load->pid, SIGSTOP), 0);
	for (int readings = 0; readings < PATIENCE && share(l, load->pid, "other") < 0.99; readings++)
		live_next(l);
	live_between(share(l, load->pid, "other"), 0.99, 1.001, "stopped");
	assert_int_equal(kill(load->pid, SIGCONT), 0);
	for (int readings = 0; readings < PATIENCE && share(l, load->pid, "poll") < 0.99; readings++)
		live_next(l);
	live_between(share(l, load->pid, "poll"), 0.99, 1.001, "poll after it");
	live_compare((double)live_sum_call(l, l->n - 1, load->pid, "restart_syscall", "in_flight"), 1, 0,
		     "restart_syscall in flight");
	live_verdict();
}

/* A connection's age, by whether its local end is the port: the listener's with remote 0, or the accepted one's. */
static double age_ms(struct json_object *reading, int64_t pid, int64_t port, bool listener, bool local)
{
	struct json_object *all = NULL;
	char end[16];

	snprintf(end, sizeof(end), ":%lld", (long long)port);
	json_object_object_get_ex(reading, "connections", &all);
	for (size_t i = 0; all && i < json_object_array_length(all); i++) {
		struct json_object *c = json_object_array_get_idx(all, i);
		const char *at = strrchr(live_text(c, local ? "local" : "remote"), ':');

		if (live_get(c, "pid") == pid && at && !strcmp(at, end) &&
		    listener == !strcmp(live_text(c, "state"), "LISTEN"))
			return (double)live_get(c, "age_ns") / 1e6;
	}
	return -1;
}

static void test_a_connection_is_younger_than_its_listener(void **state)
{
	const char *ready;
	struct live *l;
	struct child *load;
	struct json_object *last;
	int64_t port;

	(void)state;
	live_need_bpf();
	l = live_start("-d", "0.2", "-v", "connections", NULL);
	load = live_load(&ready, "late", NULL);
	port = child_value(ready, "port");
	live_past_now(l);
	live_next(l);
	live_next(l);
	live_round(load);
	live_past_now(l);
	last = l->reading[l->n - 1];
	live_between(age_ms(last, load->pid, port, true, true), 400, 60000, "ms: the listener");
	live_compare(age_ms(last, load->pid, port, false, true), age_ms(last, load->pid, port, false, false), 50,
		     "ms: both ends of its connection");
	live_verdict();
}

/* Accepts are counted at the call's return: without the syscall family they are not known, and 0 would be wrong. */
static void test_accepts_without_calls_are_not_known(void **state)
{
	struct live *l;

	(void)state;
	live_need_bpf();
	l = live_start("-d", "0.1", "--no-syscall", NULL);
	assert_int_equal(live_get(l->reading[0], "host.net.accepts"), LIVE_NULL);
	assert_int_not_equal(live_get(l->reading[0], "host.net.connects"), LIVE_NULL);
	assert_int_equal(live_get(live_process(l->reading[0], getpid()), "net.accept_p99_ns"), LIVE_NULL);
}

/* The greatest that a reading shows of a call. */
static double greatest(struct live *l, int64_t pid, const char *call, const char *field)
{
	double most = -1;

	for (size_t r = 0; r < l->n; r++) {
		struct json_object *p = live_process(l->reading[r], pid), *row = p ? live_call(p, call) : NULL;

		if (row && (double)live_get(row, field) > most)
			most = (double)live_get(row, field);
	}
	return most;
}

static void test_interrupted_calls(void **state)
{
	(void)state;
	live_claims(live_start("-d", "0.2", NULL), "signals", "interrupt", "2000", NULL);
	live_verdict();
}

/* The handler makes the call that it interrupted, and that one succeeds. */
static void test_handlers_that_call(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "signals", "call", "500", NULL);
	size_t from = live_mark(l);
	const char *done = live_round(load);

	(void)state;
	live_past_now(l);
	live_compare_claims(l, from, load->pid, done);
	live_compare((double)live_sum_call(l, from, load->pid, "readv", "count"),
		     500 + (double)child_value(done, "signals"), 0, "readv, also in handlers");
	live_compare((double)live_sum_call(l, from, load->pid, "readv", "errors"), 500, 0, "readv errors");
	live_compare((double)live_sum_call(l, from, load->pid, "readv", "errno.EINTR"), 500, 0, "readv EINTR");
	live_verdict();
}

/* Each restart is a call that returned, but none that failed. */
static void test_restarted_calls(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "signals", "restart", "500", NULL);
	size_t from = live_mark(l);
	const char *done = live_round(load);
	double wall_ns = (double)child_value(done, "wall_ns");

	(void)state;
	live_past_now(l);
	live_compare_claims(l, from, load->pid, done);
	live_between((double)live_sum_call(l, from, load->pid, "readv", "count"), 501,
		     500 + (double)child_value(done, "signals"), "restarted: readv");
	live_compare((double)live_sum_call(l, from, load->pid, "readv", "errors"), 0, 0, "restarted: readv errors");
	live_between((double)live_sum_call(l, from, load->pid, "readv", "total_ns"), 0, wall_ns, "restarted: time");
	live_between(greatest(l, load->pid, "rt_sigreturn", "max_ns"), 0, wall_ns, "restarted: longest rt_sigreturn");
	live_verdict();
}

static void test_refused_calls(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "refused", "200", NULL);
	size_t from = live_mark(l);
	const char *done = live_round(load);
	int64_t errnos = child_value(done, "errnos"), right = 0;
	char path[48];

	(void)state;
	live_past_now(l);
	live_compare_claims(l, from, load->pid, done);
	live_compare((double)live_sum_call(l, from, load->pid, "getpgid", "count"), 200.0 * (double)errnos, 0,
		     "refused: count");
	live_compare((double)live_sum_call(l, from, load->pid, "getpgid", "errors"), 200.0 * (double)errnos, 0,
		     "refused: errors");
	live_compare((double)live_sum_call(l, from, load->pid, "getpgid", "total_ns"), 0, 0, "refused: time");
	for (uint32_t e = 1; e <= errnos; e++) {
		snprintf(path, sizeof(path), "errno.%s", names_errno(e));
		right += live_sum_call(l, from, load->pid, "getpgid", path) == 200;
	}
	live_compare((double)right, (double)errnos, 0, "refused: errnos");
	live_verdict();
}

/* Calls that seccomp or a supervisor answers with success do not reach sys_enter either; the wait belongs to them. */
static void test_answered_calls(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "answered", "1000", NULL);
	size_t from = live_mark(l);
	const char *done = live_round(load), *const supervised[] = { "getsid", "gettid" };
	double waited_ns = (double)child_value(done, "waited_ns");

	(void)state;
	live_past_now(l);
	live_compare_claims(l, from, load->pid, done);
	live_compare((double)live_sum_call(l, from, load->pid, "getpgid", "total_ns"), 0, 0, "answered: time");
	for (int i = 0; i < 2; i++) {
		live_between((double)live_sum_call(l, from, load->pid, supervised[i], "wait_ns"), waited_ns, 1e12,
			     "supervised: %s waits", supervised[i]);
		live_between((double)live_sum_call(l, from, load->pid, supervised[i], "total_ns"), waited_ns, 1e12,
			     "supervised: %s takes", supervised[i]);
	}
	/* Others may lose something now and then, but not each time. */
	for (int i = 0; i < ROUNDS && live_lost(l, from); i++) {
		from = live_mark(l);
		live_round(load);
		live_past_now(l);
	}
	live_compare((double)live_lost(l, from), 0, 0, "answered: lost");
	live_verdict();
}

/* What counts is what the kernel did, not what was requested. */
static void test_traced_calls(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	const char *ready, *done;
	struct child *load = child_load(&ready, "traced", "300", NULL);
	int64_t pid;
	size_t from;

	(void)state;
	if (!load)
		live_skip("this kernel's registers are unknown to the workload");
	pid = child_value(ready, "pid");
	from = live_mark(l);
	done = live_round(load);
	live_past_now(l);
	live_compare_claims(l, from, pid, done);
	live_compare((double)live_sum_call(l, from, pid, "getuid", "count"), 0, 0, "traced: getuid, replaced");
	live_compare((double)live_sum_call(l, from, pid, "getgid", "count"), 0, 0, "traced: getgid, not made");
	live_between((double)live_sum(l, from, pid, "calls.total_ns"), 1, (double)child_value(done, "wall_ns"),
		     "traced: time of all calls");
	live_verdict();
}

/* Σ of a call's field over the processes that have this parent. */
static int64_t sum_children(struct live *l, int64_t ppid, const char *call, const char *field)
{
	int64_t sum = 0;

	for (size_t r = 0; r < l->n; r++) {
		struct json_object *all = json_object_object_get(l->reading[r], "processes");

		for (size_t i = 0; i < json_object_array_length(all); i++) {
			struct json_object *p = json_object_array_get_idx(all, i);
			struct json_object *row = live_get(p, "ppid") == ppid ? live_call(p, call) : NULL;

			sum += row ? live_get(row, field) : 0;
		}
	}
	return sum;
}

static void check_death_inside(const char *how)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "die-inside", how, "30", "50", NULL);
	int64_t map_bytes = 0, dead = 0, impossible = 0;

	for (int round = 0; round < 4; round++) {
		live_round(load);
		live_past_now(l);
		if (!round)
			map_bytes = live_get(l->reading[l->n - 1], "self.map_bytes");
	}
	for (size_t r = 0; r < l->n; r++) {
		struct json_object *all = json_object_object_get(l->reading[r], "processes");

		for (size_t i = 0; i < json_object_array_length(all); i++) {
			struct json_object *p = json_object_array_get_idx(all, i), *row;

			if (live_get(p, "ppid") != load->pid || strcmp(live_text(p, "state"), "exited"))
				continue;
			dead++;
			impossible += live_get(p, "calls.max_ns") > 30000000000 || live_get(p, "calls.errors") > 50;
			row = live_call(p, "readv");
			impossible += row && (live_get(row, "in_flight") || live_get(row, "errors"));
		}
	}
	live_compare((double)dead, 120, 0, "%s inside a call: processes", how);
	live_compare((double)impossible, 0, 0, "%s inside a call: in flight, failed or for ever", how);
	/* Lagtop keeps as many free as were just taken: two chunks of each kind may be added. */
	live_between((double)live_get(l->reading[l->n - 1], "self.map_bytes"), (double)map_bytes,
		     (double)map_bytes + 2 * (sizeof(struct lt_chunk) + sizeof(struct lt_call_chunk) + 8192),
		     "%s inside a call: memory", how);
	live_verdict();
}

static void test_death_inside_a_call(void **state)
{
	(void)state;
	check_death_inside("kill");
	live_end_test(NULL);
	check_death_inside("exit");
	live_end_test(NULL);
	check_death_inside("exec");
}

static void test_vfork(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_claims(l, "vfork", "1000", NULL);

	(void)state;
	live_compare((double)sum_children(l, load->pid, "vfork", "count"), 0, 0, "vfork: returns of children");
	/* A thousand at once: on a stalling machine some may find no record, but that is counted. */
	live_between((double)sum_children(l, load->pid, "exit_group", "count"), 1000 - (double)live_lost(l, 0), 1000,
		     "vfork: exits of children");
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest edges[] = {
		live_test(test_execveat_returns_as_execve),
		live_test(test_a_sleep_that_goes_on_after_a_stop),
		live_test(test_a_connection_is_younger_than_its_listener),
		live_test(test_accepts_without_calls_are_not_known),
		live_test(test_interrupted_calls),
		live_test(test_handlers_that_call),
		live_test(test_restarted_calls),
		live_test(test_refused_calls),
		live_test(test_answered_calls),
		live_test(test_traced_calls),
		live_test(test_death_inside_a_call),
		live_test(test_vfork),
	};

	return live_main(edges);
}
