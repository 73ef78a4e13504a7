/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: each by its name, abi and errno, exactly, as strace counts them; calls in flight count now. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "live.h"

#define PATIENCE 100 /* readings */

static void test_mixed_calls(void **state)
{
	(void)state;
	live_claims(live_start("-d", "0.2", NULL), "mixed", "8", live_times("20000", "500"), NULL);
	live_verdict();
}

/* Faster than the pool of entries grows: a call may be missing from its row, but not from the sum, and is counted in
 * lost. */
static void test_many_entries(void **state)
{
	static const char *const some[] = { "getppid", "uname", "close", "lseek", "dup3", "mprotect" };
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "mixed", "500", "20", NULL);
	size_t from = live_mark(l);
	double ops = (double)child_value(live_round(load), "ops"), lost;

	(void)state;
	live_past_now(l);
	lost = (double)live_lost(l, from);
	live_between((double)live_sum(l, from, load->pid, "calls.count"), ops, ops + 10000, "500 threads: calls");
	for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++)
		live_between((double)live_sum_call(l, from, load->pid, some[i], "count"), 10000 - lost, 10000,
			     "500 threads: %s", some[i]);
	/* The pool grows by as many entries as were refused; threads that have one keep it. */
	for (int i = 0; i < 4 && lost > 0; i++) {
		from = live_mark(l);
		live_round(load);
		live_past_now(l);
		lost = (double)live_lost(l, from);
	}
	for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++)
		live_compare((double)live_sum_call(l, from, load->pid, some[i], "count"), 10000, 0,
			     "500 threads: %s again", some[i]);
	live_verdict();
}

static void test_int80(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load;
	const char *done = live_round_int80("int80", "100000", &load);

	(void)state;
	live_past_now(l);
	live_compare_claims(l, 0, load->pid, done);
	live_verdict();
}

static void need_strace(void)
{
	live_need_bpf();
	if (access("/usr/bin/strace", X_OK))
		live_skip("strace is not installed");
}

/* A table of strace -c, compared row by row. strace does not count the calls (`asleep`) that threads slept in when it
 * attached or when the process ended. */
static void compare_with_strace(struct live *l, size_t from, int64_t pid, const char *path, double threads)
{
	char line[256], name[64], call[160];
	double all_calls = 0, all_errors = 0;
	struct utsname machine;
	bool compat = false;
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	unlink(path);
	assert_int_equal(uname(&machine), 0);
	while (fgets(line, sizeof(line), f)) {
		long long calls, errors = 0;
		double asleep;

		compat |= strstr(line, "summary for 32 bit mode") != NULL;
		if (sscanf(line, "%*f %*f %*d %lld %lld %63s", &calls, &errors, name) != 3 &&
		    sscanf(line, "%*f %*f %*d %lld %63s", &calls, name) != 2)
			continue;
		if (!strcmp(name, "total")) {
			all_calls += (double)calls;
			all_errors += (double)errors;
			continue;
		}
		asleep = !strcmp(name, "read") || !strcmp(name, "futex") ? 2 * threads : 0;
		snprintf(call, sizeof(call), "%s/%s", compat ? "i386" : machine.machine, name);
		live_between((double)live_sum_call(l, from, pid, call, "count"), (double)calls, (double)calls + asleep,
			     "strace: %s", call);
		if (errors || live_sum_call(l, from, pid, call, "errors"))
			live_compare((double)live_sum_call(l, from, pid, call, "errors"), (double)errors, 0,
				     "strace: %s errors", call);
	}
	fclose(f);
	live_between(all_calls, 1000, 1e9, "strace: calls in all");
	/* It does not count exit_group. */
	live_between((double)live_sum(l, from, pid, "calls.count"), all_calls, all_calls + 4 * threads + 1,
		     "strace: all calls");
	live_compare((double)live_sum(l, from, pid, "calls.errors"), all_errors, 0, "strace: all errors");
}

static void check_with_strace(struct live *l, struct child *load, double threads)
{
	char path[64], pid[16];
	char *argv[] = { (char *)"strace", (char *)"-fc", (char *)"-o", path, (char *)"-p", pid, NULL };
	struct child *strace;
	bool attached = false;
	size_t from;

	snprintf(path, sizeof(path), "/tmp/lagtop-strace-%d", getpid());
	snprintf(pid, sizeof(pid), "%d", load->pid);
	from = live_mark(l);
	strace = child_start(argv, (uid_t)-1);
	for (int readings = 0; readings < PATIENCE && !attached; readings++) {
		char *said = child_errors(strace);

		live_next(l);
		attached = said && strstr(said, "attached");
		free(said);
	}
	assert_true(attached);
	live_round(load);
	child_close_in(load);
	assert_int_equal(child_wait(load), 0);
	assert_int_equal(child_wait(strace), 0);
	live_past_now(l);
	compare_with_strace(l, from, load->pid, path, threads);
	live_verdict();
}

static void test_strace_agrees(void **state)
{
	struct live *l;

	(void)state;
	need_strace();
	l = live_start("-d", "0.2", NULL);
	check_with_strace(l, live_load(NULL, "mixed", "8", "100", NULL), 9);
}

static void test_strace_agrees_on_int80(void **state)
{
	struct child *load;
	struct live *l;

	(void)state;
	need_strace();
	l = live_start("-d", "0.2", NULL);
	live_round_int80("int80", "1", &load);
	load = child_load(NULL, "int80", "1000", NULL);
	check_with_strace(l, load, 1);
}

/* arm64 has only the newer calls, and glibc makes them. */
#if defined(__aarch64__)
#define EPOLL_WAIT "epoll_pwait"
#define VFORK "clone"
#else
#define EPOLL_WAIT "epoll_wait"
#define VFORK "vfork"
#endif

static const struct {
	const char *kind, *call;
} sleepers[] = {
	{ "futex", "futex" },
	{ "pipe", "read" },
	{ "socket", "read" },
	{ "epoll", EPOLL_WAIT },
	{ "recv", "recvfrom" },
	{ "accept", "accept" },
	{ "nanosleep", "clock_nanosleep" },
	{ "flock", "flock" },
	{ "vfork", VFORK },
	{ "wait4", "wait4" },
};
#define SLEEPERS (sizeof(sleepers) / sizeof(*sleepers))

/* Asleep in one call during all readings: one in flight, older each time, and its time is the whole interval. */
static void check_in_flight(bool before)
{
	struct live *l = before ? NULL : live_start("-d", "0.5", NULL);
	int64_t pid[SLEEPERS], age_ns[SLEEPERS] = {};
	double least[SLEEPERS], inside_ns = 0;

	for (size_t i = 0; i < SLEEPERS; i++) {
		const char *ready;

		live_load(&ready, "sleep", sleepers[i].kind, NULL);
		pid[i] = child_value(ready, "pid");
		least[i] = 1;
	}
	if (before)
		l = live_start("-d", "0.5", NULL);
	else
		live_past_now(l);
	for (int reading = 0; reading < 7; reading++) {
		struct json_object *now = live_next(l);

		inside_ns += (double)live_get(now, "interval_ns");
		for (size_t i = 0; i < SLEEPERS; i++) {
			struct json_object *p = live_process(now, pid[i]),
					   *row = p ? live_call(p, sleepers[i].call) : NULL;

			if (!row || live_get(row, "in_flight") != 1 || live_get(row, "oldest_ns") <= age_ns[i]) {
				least[i] = 0;
				continue;
			}
			age_ns[i] = live_get(row, "oldest_ns");
			least[i] =
				fmin(least[i], (double)live_get(row, "time_ns") / (double)live_get(now, "interval_ns"));
			least[i] =
				fmin(least[i], (double)live_get(row, "wait_ns") / (double)live_get(now, "interval_ns"));
		}
	}
	for (size_t i = 0; i < SLEEPERS; i++) {
		live_between(least[i], 0.95, 1.001, "%s: in %s all the time", before ? "before" : "after",
			     sleepers[i].call);
		/* It may have gone to sleep a twentieth into the first of seven readings, as above. */
		live_between((double)age_ns[i], inside_ns * (1 - 0.05 / 7), 6e10, "%s: age of %s",
			     before ? "before" : "after", sleepers[i].call);
	}
	live_verdict();
}

static void test_in_flight_before_lagtop(void **state)
{
	(void)state;
	check_in_flight(true);
}

static void test_in_flight_after_lagtop(void **state)
{
	(void)state;
	check_in_flight(false);
}

/* What hangs, the call that it hangs in, and its state. */
static const struct {
	const char *what, *call, *state;
} hangs[] = {
	{ "fsync", "fsync", "time_ns.disk" },	      { "write", "pwrite64", "time_ns.block" },
	{ "flock", "flock", "time_ns.lock" },	      { "fcntl", "fcntl", "time_ns.lock" },
	{ "ring", "io_uring_enter", "time_ns.disk" },
};
#define HANGS (sizeof(hangs) / sizeof(*hangs))

static bool kernel_has(const char *file_system)
{
	FILE *f = fopen("/proc/filesystems", "r");
	char line[64];
	bool has = false;

	while (f && fgets(line, sizeof(line), f))
		has |= strstr(line, file_system) != NULL;
	if (f)
		fclose(f);
	return has;
}

/* After it has returned: the call with its duration, per caller, and in the latency of its process. */
static void compare_hang(struct live *l, size_t i, int64_t pid, const char *done)
{
	const char *what = hangs[i].what;
	int64_t held_ns, service_ns = 0;
	char key[16];

	snprintf(key, sizeof(key), "%s_ns", what);
	held_ns = child_value(done, key);
	for (size_t r = 0; r < l->n; r++) {
		struct json_object *p = live_process(l->reading[r], pid);

		if (p && live_get(p, "calls.p99_ns") > service_ns)
			service_ns = live_get(p, "calls.p99_ns");
	}
	live_between((double)held_ns, 3e9, 6e10, "%s that hangs: ns", what);
	live_compare((double)live_sum_call(l, 0, pid, hangs[i].call, "total_ns"), (double)held_ns, 1e8,
		     "%s that hangs: its time", what);
	live_compare((double)service_ns, (double)held_ns, 0.13 * (double)held_ns, "%s that hangs: p99 of its process",
		     what);
}

/* Three seconds on a frozen file system: in every reading, and then in the latency of the process. */
static void test_a_disk_and_a_lock_that_hang(void **state)
{
	double least[HANGS], least_state[HANGS];
	int64_t pid[HANGS], youngest_ns = 0;
	const char *ready, *done;
	struct child *load;
	struct live *l;

	(void)state;
	live_need_bpf();
	if (access("/dev/loop-control", F_OK) || !kernel_has("ext4"))
		live_skip("this kernel has no loop devices or no ext4");
	if (access("/sbin/mkfs.ext4", X_OK))
		live_skip("mkfs.ext4 is not installed");
	l = live_start("-d", "0.5", NULL);
	load = live_load(&ready, "hang", NULL);
	for (size_t i = 0; i < HANGS; i++) {
		pid[i] = child_value(ready, hangs[i].what);
		least[i] = least_state[i] = 1;
	}
	for (int readings = 0; readings < PATIENCE && youngest_ns < 3000000000; readings++) {
		struct json_object *now = live_next(l);
		double interval_ns = (double)live_get(now, "interval_ns");
		bool since_before = youngest_ns > 0; /* all hung at the last reading */

		youngest_ns = INT64_MAX;
		for (size_t i = 0; i < HANGS; i++) {
			struct json_object *p = live_process(now, pid[i]);
			struct json_object *row = p ? live_call(p, hangs[i].call) : NULL;
			int64_t age_ns = row && live_get(row, "in_flight") == 1 ? live_get(row, "oldest_ns") : 0;

			youngest_ns = age_ns < youngest_ns ? age_ns : youngest_ns;
			if (!since_before)
				continue;
			least[i] = fmin(least[i], age_ns ? (double)live_get(row, "time_ns") / interval_ns : 0);
			least_state[i] =
				fmin(least_state[i], p ? (double)live_get(p, hangs[i].state) / interval_ns : 0);
		}
	}
	done = live_round(load);
	live_past_now(l);
	for (size_t i = 0; i < HANGS; i++) {
		live_between(least[i], 0.95, 1.001, "%s that hangs: in the call all the time", hangs[i].what);
		live_between(least_state[i], 0.95, 1.001, "%s that hangs: %s", hangs[i].what, hangs[i].state);
		compare_hang(l, i, pid[i], done);
	}
	live_verdict();
}

/* An idle server's sleep is not part of its call latency. */
static void test_service_time_leaves_sleep_out(void **state)
{
	struct json_object *p, *row;
	struct child *load;
	struct live *l;

	(void)state;
	live_need_real_time();
	l = live_start("-d", "2", NULL);
	load = live_load(NULL, "bursts", "-1", "400", "10", NULL);
	live_next(l);
	live_round(load);
	live_next(l);
	p = live_process(l->reading[l->n - 1], load->pid);
	assert_non_null(p);
	row = live_call(p, "clock_nanosleep");
	assert_non_null(row);
	live_between((double)live_get(row, "p50_ns"), 500000, 3000000, "nanosleep of 0.5 ms: p50 of the call");
	live_between((double)live_get(p, "calls.p50_ns"), 1, 200000, "nanosleep of 0.5 ms: p50 of service");
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest calls[] = {
		live_test(test_mixed_calls),
		live_test(test_many_entries),
		live_test(test_int80),
		live_test(test_strace_agrees),
		live_test(test_strace_agrees_on_int80),
		live_test(test_in_flight_before_lagtop),
		live_test(test_in_flight_after_lagtop),
		live_test(test_a_disk_and_a_lock_that_hang),
		live_test(test_service_time_leaves_sleep_out),
	};

	return live_main(calls);
}
