/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: each by its name, abi and errno, exactly; those still going on count now. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"

static void test_mixed_calls(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "mixed", "8", "20000", NULL);
	size_t from = live_mark(l);
	const char *done = live_round(load);

	(void)state;
	live_past_now(l);
	live_compare_claims(l, from, load->pid, done);
	live_verdict();
}

static void test_int80(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = child_load(NULL, "int80", "100000", NULL);
	const char *done;

	(void)state;
	done = load ? child_round(load) : NULL;
	if (!done)
		live_skip("this kernel or machine has no int 0x80");
	live_past_now(l);
	live_compare_claims(l, 0, load->pid, done);
	live_verdict();
}

static const struct {
	const char *kind, *call;
} sleepers[] = {
	{ "futex", "futex" },
	{ "pipe", "read" },
	{ "socket", "read" },
	{ "epoll", "epoll_wait" },
	{ "recv", "recvfrom" },
	{ "accept", "accept" },
	{ "nanosleep", "clock_nanosleep" },
	{ "flock", "flock" },
	{ "vfork", "vfork" },
	{ "wait4", "wait4" },
};
#define SLEEPERS (sizeof(sleepers) / sizeof(*sleepers))

static struct json_object *call_row(struct json_object *process, const char *name)
{
	struct json_object *rows = json_object_object_get(process, "syscalls");

	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (!strcmp(live_text(row, "name"), name))
			return row;
	}
	return NULL;
}

/* Asleep in a call, all readings long: one in flight, older each time, its time the whole interval. */
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
	for (int reading = 0; reading < 5; reading++) {
		struct json_object *now = live_next(l);

		inside_ns += (double)live_get(now, "interval_ns");
		for (size_t i = 0; i < SLEEPERS; i++) {
			struct json_object *p = live_process(now, pid[i]),
					   *row = p ? call_row(p, sleepers[i].call) : NULL;

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
		live_between((double)age_ns[i], inside_ns, 6e10, "%s: age of %s", before ? "before" : "after",
			     sleepers[i].call);
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

/* What an idle server sleeps is not its call latency. */
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
	row = call_row(p, "clock_nanosleep");
	assert_non_null(row);
	live_between((double)live_get(row, "p50_ns"), 500000, 3000000, "nanosleep of 0.5 ms: p50 of the call");
	live_between((double)live_get(p, "calls.p50_ns"), 1, 200000, "nanosleep of 0.5 ms: p50 of service");
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest calls[] = {
		live_test(test_mixed_calls),
		live_test(test_int80),
		live_test(test_in_flight_before_lagtop),
		live_test(test_in_flight_after_lagtop),
		live_test(test_service_time_leaves_sleep_out),
	};

	return live_main(calls);
}
