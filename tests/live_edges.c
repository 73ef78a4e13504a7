/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that once were wrong: calls that return as others, sleeps that go on after a stop, ages and latencies of
 * what began before it was seen. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "live.h"

#define PATIENCE 100 /* readings */

static void test_execveat_returns_as_execve(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);

	(void)state;
	live_claims(l, "fexecve", "50", "50", NULL);
	live_compare((double)live_lost(l, 0), 0, 0, "lost with it");
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

/* Stopped and continued, poll goes on as restart_syscall, and it waits for what it waited for. */
static void test_a_sleep_that_goes_on_after_a_stop(void **state)
{
	const char *ready;
	struct live *l;
	struct child *load;
	int readings;

	(void)state;
	live_need_bpf();
	l = live_start("-d", "0.2", NULL);
	load = live_load(&ready, "sleep", "poll", NULL);
	for (readings = 0; readings < PATIENCE && share(l, load->pid, "poll") < 0.99; readings++)
		live_next(l);
	live_between(share(l, load->pid, "poll"), 0.99, 1.001, "poll before the stop");
	assert_int_equal(kill(load->pid, SIGSTOP), 0);
	for (readings = 0; readings < PATIENCE && share(l, load->pid, "other") < 0.99; readings++)
		live_next(l);
	live_between(share(l, load->pid, "other"), 0.99, 1.001, "stopped");
	assert_int_equal(kill(load->pid, SIGCONT), 0);
	live_past_now(l);
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

/* An accept is known by its return: without system calls nobody knows, and 0 would be a lie. */
static void test_accepts_without_calls_are_not_known(void **state)
{
	struct live *l;

	(void)state;
	live_need_bpf();
	l = live_start("-d", "0.1", "--no-syscall", NULL);
	assert_int_equal(live_get(l->reading[0], "host.net.accepts"), LIVE_NULL);
	assert_int_not_equal(live_get(l->reading[0], "host.net.connects"), LIVE_NULL);
}

int main(void)
{
	static const struct CMUnitTest edges[] = {
		live_test(test_execveat_returns_as_execve),
		live_test(test_a_sleep_that_goes_on_after_a_stop),
		live_test(test_a_connection_is_younger_than_its_listener),
		live_test(test_accepts_without_calls_are_not_known),
	};

	return live_main(edges);
}
