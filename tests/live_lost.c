/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every event is in a row or in `lost`: what a workload did so many times, while records, call entries and the ring of
 * events are few; and on a machine that has no time for lagtop no number is above what the interval holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"

static int64_t sum_lost(struct live *l, size_t from, const char *what)
{
	int64_t sum = 0;

	for (size_t r = from; r < l->n; r++)
		sum += live_get(l->reading[r], what);
	return sum;
}

/* Not more in the rows than there were, and not fewer than lost says. */
static void in_a_row_or_lost(struct live *l, size_t from, int64_t in_rows, const char *lost, int64_t n,
			     const char *what)
{
	live_between((double)in_rows, (double)(n - sum_lost(l, from, lost)), (double)n, "%s, but %s", what, lost);
}

/* All of a workload's claims: none is more than it was, and together they are in rows or lost. */
static void calls_in_a_row_or_lost(struct live *l, size_t from, int64_t pid, const char *done)
{
	int64_t claimed = 0, in_rows = 0, too_many = 0;
	char name[64];

	for (const char *at = strstr(done, " call:"); at; at = strstr(at + 1, " call:")) {
		long long n;
		int64_t row;

		assert_int_equal(sscanf(at, " call:%63[^= ]=%lld", name, &n), 2);
		row = live_sum_call(l, from, pid, name, "count");
		too_many += row > n;
		in_rows += row;
		claimed += n;
	}
	live_compare((double)too_many, 0, 0, "rows with more calls than there were");
	in_a_row_or_lost(l, from, in_rows, "lost.calls", claimed, "calls");
}

static int64_t count_exited(struct live *l, size_t from, int64_t ppid)
{
	int64_t n = 0;

	for (size_t r = from; r < l->n; r++) {
		struct json_object *all = json_object_object_get(l->reading[r], "processes");

		for (size_t i = 0; i < json_object_array_length(all); i++) {
			struct json_object *p = json_object_array_get_idx(all, i);

			n += live_get(p, "ppid") == ppid && !strcmp(live_text(p, "state"), "exited");
		}
	}
	return n;
}

static void test_few_records(void **state)
{
	struct live *l = live_start("-d", "0.2", "--max-threads", "100", NULL);
	struct child *crowd = live_load(NULL, "crowd", "200", NULL); /* takes what is free */
	struct child *calls = live_load(NULL, "mixed", "3", "5000", NULL);
	struct child *forks = live_load(NULL, "forkexit", "300", NULL);
	struct child *trips = live_load(NULL, "tcp", "-1", "2000", NULL);
	size_t from = live_mark(l);
	const char *done = live_round(calls);

	(void)state;
	live_round(forks);
	live_round(trips);
	live_past_now(l);
	calls_in_a_row_or_lost(l, from, calls->pid, done);
	in_a_row_or_lost(l, from, count_exited(l, from, forks->pid), "lost.threads", 300, "processes");
	/* Each round trip is two messages, and a thread waits for each. */
	live_between((double)(live_sum(l, from, trips->pid, "net.tx_ops") + sum_lost(l, from, "lost.sockets")), 4000,
		     1e9, "messages, and lost.sockets");
	live_between((double)(live_sum(l, from, trips->pid, "switches.voluntary") + sum_lost(l, from, "lost.switches")),
		     2000, 1e9, "switches, and lost.switches");
	child_close_in(crowd);
	live_verdict();
}

static void test_few_entries(void **state)
{
	struct live *l;
	struct child *load;
	const char *done;
	size_t from;

	(void)state;
	setenv("LAGTOP_ENTRIES", "50", 1);
	l = live_start("-d", "0.2", NULL);
	unsetenv("LAGTOP_ENTRIES");
	load = live_load(NULL, "mixed", "3", "20000", NULL);
	from = live_mark(l);
	done = live_round(load);
	live_past_now(l);
	live_between((double)sum_lost(l, from, "lost.calls"), 1, 1e12, "few entries: lost.calls");
	calls_in_a_row_or_lost(l, from, load->pid, done);
	live_verdict();
}

static void test_small_ring(void **state)
{
	struct live *l;
	struct child *load;
	size_t from;

	(void)state;
	setenv("LAGTOP_RING", "4096", 1);
	l = live_start("-d", "0.2", NULL);
	unsetenv("LAGTOP_RING");
	live_need_net(l);
	load = live_load(NULL, "connect", "1000", "1000", NULL);
	from = live_mark(l);
	live_round(load);
	live_past_now(l);
	live_between((double)sum_lost(l, from, "lost.events"), 1, 1e12, "small ring: lost.events");
	in_a_row_or_lost(l, from, live_sum(l, from, load->pid, "net.connect_errors"), "lost.events", 1000,
			 "small ring: refused");
	live_compare((double)live_sum(l, from, load->pid, "net.connects"), 2000, 0, "small ring: connects");
	live_verdict();
}

/* A process of one thread cannot have lived longer than the interval. */
static int impossible(struct json_object *reading)
{
	struct json_object *all = json_object_object_get(reading, "processes");
	int64_t interval_ns = live_get(reading, "interval_ns");
	int n = 0;

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *p = json_object_array_get_idx(all, i);

		if (live_get(p, "threads") == 1 && !strcmp(live_text(p, "state"), "alive") &&
		    !strcmp(live_text(p, "comm"), "load"))
			n += live_get(p, "wall_ns") > interval_ns;
	}
	return n;
}

static void test_overload(void **state)
{
	struct live *l = live_start("-d", "0.5", NULL);
	char n[16];
	struct child *spin, *herd;
	int longer = 0;

	(void)state;
	snprintf(n, sizeof(n), "%ld", 30 * sysconf(_SC_NPROCESSORS_ONLN));
	herd = live_load(NULL, "busy", "200", "20", NULL);
	spin = live_load(NULL, "spin", "-1", n, "0", NULL);
	for (int i = 0; i < 6; i++) {
		struct json_object *reading = live_next(l);
		int64_t cpus_ns = live_get(reading, "host.cpus") * live_get(reading, "interval_ns");

		longer += impossible(reading);
		/* A switch that was missed is mended by the run queue's clock, which differs by some µs. */
		live_between((double)live_get(reading, "host.run_ns"), 0, 1.001 * (double)cpus_ns,
			     "overload: time on CPUs");
	}
	child_close_in(spin);
	child_close_in(herd);
	live_compare(longer, 0, 0, "overload: processes of one thread that lived longer than the interval");
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest lost[] = {
		live_test(test_few_records),
		live_test(test_few_entries),
		live_test(test_small_ring),
		live_test(test_overload),
	};

	return live_main(lost);
}
