/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each level at which system calls are watched, and changes between them: what a level keeps is exact, what it leaves
 * out is null, estimates are near what another lagtop counts exactly at the same time, and no level touches what the
 * scheduler family says.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asleep.h"
#include "hist.h"
#include "lagtop.h"

#define CHANGES "012010210120210201201021"
#define TRIES 12

static struct live *start_at(const char *levels, const char *delay)
{
	struct live *l;

	setenv("LAGTOP_LEVELS", levels, 1);
	l = live_start("-d", delay, NULL);
	unsetenv("LAGTOP_LEVELS");
	if (strpbrk(levels, "23") && !strcmp(live_text(l->reading[0], "probes.syscall.state"), "on") &&
	    !strcmp(live_text(l->reading[0], "probes.syscall.by"), "perf")) {
		live_verdict();
		live_skip("this kernel has system calls by perf, which cannot be attached again");
	}
	return l;
}

static const char *level_of(struct live *l, size_t i)
{
	return live_text(l->reading[i], "probes.syscall.level");
}

/* No call was lost, of any thread that has a record. */
static void nothing_lost(struct live *l, size_t from, const char *levels)
{
	int64_t calls = 0;

	for (size_t i = from; i < l->n; i++)
		calls += live_get(l->reading[i], "lost.calls");
	live_compare((double)calls, 0, 0, "levels %s: lost calls", levels);
}

static void check_counts(const char *levels)
{
	static const char *const loads[][4] = {
		{ "mixed", "8", "5000" },
		{ "signals", "interrupt", "1000" },
		{ "vfork", "500" },
		{ "durations", "sleepy", "5000" },
	};
	struct live *l = start_at(levels, "0.1");
	size_t from = live_mark(l);

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
		live_claims(l, loads[i][0], loads[i][1], loads[i][2], NULL);
	nothing_lost(l, from, levels);
}

/* Calls, their errors, restarts and handlers, children's first returns, exits. */
static void test_counts(void **state)
{
	(void)state;
	check_counts("1");
	check_counts("2");
	check_counts(CHANGES);
	live_verdict();
}

/* On again, after a reading with which later ones are compared. */
static void test_counts_after_off(void **state)
{
	(void)state;
	check_counts("30");
	check_counts("32");
	live_verdict();
}

static void test_counts_of_int80(void **state)
{
	struct live *l;
	struct child *load;
	const char *done;
	size_t from;

	(void)state;
	for (int level = 1; level <= 2; level++) {
		l = start_at(level == 1 ? "1" : "2", "0.2");
		from = live_mark(l);
		done = live_round_int80("int80", "20000", &load);
		live_past_now(l);
		live_compare_claims(l, from, load->pid, done);
	}
	live_verdict();
}

/* A thread that ends is in a call that never returns, and that no exit shows. */
static void test_ends(void **state)
{
	struct child *load;
	struct live *l;
	size_t from;

	(void)state;
	for (int level = 1; level <= 2; level++) {
		l = start_at(level == 1 ? "1" : "2", "0.2");
		from = live_mark(l);
		load = live_load(NULL, "getppid", "1", "8", NULL);
		live_round(load);
		child_close_in(load);
		assert_int_equal(child_wait(load), 0);
		live_past_now(l);
		live_compare((double)live_sum_call(l, from, load->pid, "exit_group", "count"), 1, 0,
			     "level %d: exit_group", level);
	}
	live_verdict();
}

/* The reading after a change is no more exact than what its calls began with. */
static void test_changes_are_told(void **state)
{
	static const char *const names[] = { "exact", "1:16", "exits" };
	struct live *l = start_at("0110220", "0.1");
	static const int least[] = { 0, 1, 1, 1, 2, 2, 2, 0 };
	size_t n = sizeof(least) / sizeof(least[0]);

	(void)state;
	while (l->n < n)
		live_next(l);
	for (size_t i = 0; i < n; i++)
		if (strcmp(level_of(l, i), names[least[i]]))
			fail_msg("reading %zu is %s, not %s", i + 1, level_of(l, i), names[least[i]]);
	live_verdict();
}

/* The only process's reading that has the whole round. */
static struct json_object *whole(struct live *l, size_t from, int64_t pid, const char *name, double count)
{
	struct json_object *p, *call;

	for (size_t i = from; i < l->n; i++) {
		p = live_process(l->reading[i], pid);
		call = p ? live_call(p, name) : NULL;
		if (call && (double)live_get(call, "count") >= count)
			return call;
	}
	return NULL;
}

static bool near_bucket(struct json_object *a, struct json_object *b, const char *what)
{
	uint32_t x = hist_bucket((uint64_t)live_get(a, what)), y = hist_bucket((uint64_t)live_get(b, what));

	return x <= y + 1 && y <= x + 1;
}

/* One round is enough: a stall of the machine counts sixteen times, or not at all; and the round must be in one reading
 * of both, which takes fewer calls where the machine is busy. */
static void check_estimate(struct live *exact, struct live *sampled, const char *kind)
{
	struct child *load = live_load(NULL, "durations", kind, "100000", NULL),
		     *shorter = live_load(NULL, "durations", kind, "25000", NULL);
	bool good = false;

	for (int i = 0; i < TRIES && !good; i++) {
		size_t from[] = { live_mark(exact), live_mark(sampled) };
		struct json_object *a, *b;
		struct child *one = i < TRIES / 3 ? load : shorter;
		double count = (double)child_value(live_round(one), "call:getrandom"), off;

		live_past_now(exact);
		live_past_now(sampled);
		a = whole(exact, from[0], one->pid, "getrandom", count);
		b = whole(sampled, from[1], one->pid, "getrandom", count);
		if (!a || !b)
			continue;
		off = (double)live_get(b, "total_ns") / (double)live_get(a, "total_ns") - 1;
		printf("# %s: sum %+.1f %%, p50 %lld and %lld, p99 %lld and %lld\n", kind, off * 100,
		       (long long)live_get(b, "p50_ns"), (long long)live_get(a, "p50_ns"),
		       (long long)live_get(b, "p99_ns"), (long long)live_get(a, "p99_ns"));
		good = near_bucket(a, b, "p50_ns") && near_bucket(a, b, "p99_ns") && fabs(off) <= 0.05;
	}
	live_between(good, 1, 1, "estimates of %s durations", kind);
	child_free(load);
	child_free(shorter);
}

/* Of calls that sleep, what they do before is known from a sample only. */
static void check_drained(struct live *exact, struct live *sampled)
{
	struct child *load = live_load(NULL, "drained", "6000", NULL);
	bool good = false;

	for (int i = 0; i < TRIES && !good; i++) {
		size_t from[] = { live_mark(exact), live_mark(sampled) };
		struct json_object *a, *b;
		double count = (double)child_value(live_round(load), "call:write"), off;

		live_past_now(exact);
		live_past_now(sampled);
		a = whole(exact, from[0], load->pid, "write", count);
		b = whole(sampled, from[1], load->pid, "write", count);
		if (!a || !b)
			continue;
		off = (double)live_get(b, "total_ns") / (double)live_get(a, "total_ns") - 1;
		printf("# writes that sleep: sum %+.1f %%, %.0f %% of it waits\n", off * 100,
		       100 * (double)live_get(a, "wait_ns") / (double)live_get(a, "total_ns"));
		good = fabs(off) <= 0.05;
	}
	live_between(good, 1, 1, "estimate of calls that sleep");
	child_free(load);
}

static void test_estimates(void **state)
{
	static const char *const kinds[] = { "constant", "alternating", "sixteenth", "random" };
	struct live *exact, *sampled;

	(void)state;
	live_need_real_time();
	exact = live_start("-d", "4", NULL);
	sampled = start_at("1", "4");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		check_estimate(exact, sampled, kinds[i]);
	check_drained(exact, sampled);
	live_verdict();
}

/* Few calls: no sum and no percentile; what they waited is known all the same. */
static void test_few_calls(void **state)
{
	static const char *const unknown[] = { "total_ns", "time_ns", "p50_ns", "p99_ns", "max_ns" };
	struct json_object *p, *call;

	(void)state;
	for (int level = 1; level <= 2; level++) {
		struct live *l = start_at(level == 1 ? "1" : "2", "0.3");
		struct child *load = live_load(NULL, "durations", "sleepy", "500", NULL);
		size_t from = live_mark(l);
		double waited, slept, queued;

		live_round(load);
		live_past_now(l);
		for (size_t i = from; i < l->n; i++) {
			p = live_process(l->reading[i], load->pid);
			call = p ? live_call(p, "clock_nanosleep") : NULL;
			for (size_t f = 0; call && f < sizeof(unknown) / sizeof(unknown[0]); f++)
				if (live_get(call, unknown[f]) != LIVE_NULL)
					fail_msg("level %d: %s is known of few calls", level, unknown[f]);
			if (call)
				assert_int_equal(json_object_get_boolean(json_object_object_get(
							 json_object_object_get(p, "calls"), "estimated")),
						 level == 1);
		}
		waited = (double)live_sum_call(l, from, load->pid, "clock_nanosleep", "wait_ns");
		slept = (double)live_sum(l, from, load->pid, "time_ns.sleep");
		queued = (double)live_sum(l, from, load->pid, "time_ns.wakeq") +
			 (double)live_sum(l, from, load->pid, "time_ns.preempt");
		live_between(slept, 1, 1e12, "level %d: slept", level);
		live_between(waited, slept, slept + queued, "level %d: waited in nanosleep", level);
		child_free(load);
	}
	live_verdict();
}

static const struct {
	const char *kind, *call, *state;
} sleepers[] = {
	{ "futex", "futex", "lock" },	   { "pipe", "read", "io" },	 { "recv", "recvfrom", "net" },
	{ "epoll", "epoll_wait", "poll" }, { "flock", "flock", "lock" },
};
#define SLEEPERS (sizeof(sleepers) / sizeof(sleepers[0]))

static void check_sleeper(struct live *l, size_t from, int64_t pid, size_t i, const char *level)
{
	struct json_object *p = live_process(l->reading[l->n - 1], pid), *calls = NULL;
	int64_t time_ns = 0;

	assert_non_null(p);
	live_between(asleep_share(l, from, pid, sleepers[i].state), 0.95, 1.001, "level %s: %s is %s", level,
		     sleepers[i].kind, sleepers[i].state);
	json_object_object_get_ex(p, "syscalls", &calls);
	if (!calls || json_object_array_length(calls) != 1)
		fail_msg("level %s: %s is in no call", level, sleepers[i].kind);
	calls = json_object_array_get_idx(calls, 0);
	if (strncmp(live_text(calls, "name"), sleepers[i].call, 4) != 0)
		fail_msg("level %s: %s is in %s", level, sleepers[i].kind, live_text(calls, "name"));
	live_compare((double)live_get(calls, "in_flight"), 1, 0, "level %s: %s in flight", level, sleepers[i].kind);
	live_between((double)live_get(calls, "oldest_ns"), 1, 1e11, "level %s: %s has lasted", level, sleepers[i].kind);
	json_object_object_foreach(json_object_object_get(p, "time_ns"), state, ns)
	{
		(void)state;
		time_ns += json_object_get_int64(ns);
	}
	live_compare((double)time_ns, (double)live_get(p, "wall_ns"), 0, "level %s: time of %s adds up", level,
		     sleepers[i].kind);
}

/* Also where nothing watches calls: by the registers at the switch. */
static void test_in_flight(void **state)
{
	static const char *const levels[] = { "1", "2", "3", "30", "02", "03" };
	const char *ready;

	(void)state;
	for (size_t n = 0; n < sizeof(levels) / sizeof(levels[0]); n++) {
		struct live *l = start_at(levels[n], "0.3");
		int64_t pid[SLEEPERS];
		size_t from;

		for (size_t i = 0; i < SLEEPERS; i++) {
			live_load(&ready, "sleep", sleepers[i].kind, NULL);
			pid[i] = child_value(ready, "pid");
			asleep_wait(pid[i]);
		}
		live_past_now(l);
		from = l->n;
		while (l->n < from + 4)
			live_next(l);
		for (size_t i = 0; i < SLEEPERS; i++)
			check_sleeper(l, from, pid[i], i, levels[n]);
		live_verdict();
		live_end_test(state);
	}
}

int main(void)
{
	const struct CMUnitTest levels[] = {
		live_test(test_counts),	   live_test(test_counts_after_off), live_test(test_counts_of_int80),
		live_test(test_ends),	   live_test(test_changes_are_told), live_test(test_estimates),
		live_test(test_few_calls), live_test(test_in_flight),
	};

	return live_main(levels);
}
