/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who ends the sleeps of processes in focus, and whether they wait for an answer, against workloads that know. */
#include "live.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS 40

static struct json_object *because_of(struct json_object *reading, int64_t pid)
{
	struct json_object *p = live_process(reading, pid), *focus, *list;

	if (!p || !json_object_object_get_ex(p, "focus", &focus) || !focus ||
	    !json_object_object_get_ex(focus, "because", &list))
		return NULL;
	return list;
}

/* Σ of a field over the sleeps in a state that were ended by a process, over the readings from the from-th on; by 0: by
 * whomever. */
static int64_t woken(struct live *l, size_t from, int64_t pid, const char *state, int64_t by, const char *field)
{
	struct json_object *list, *b;
	int64_t sum = 0;

	for (size_t i = from; i < l->n; i++) {
		list = because_of(l->reading[i], pid);
		for (size_t j = 0; list && j < json_object_array_length(list); j++) {
			b = json_object_array_get_idx(list, j);
			if (!strcmp(live_text(b, "kind"), "waker") && !strcmp(live_text(b, "state"), state) &&
			    (!by || live_get(b, "pid") == by))
				sum += live_get(b, field);
		}
	}
	return sum;
}

static void await_focus(struct live *l, const int64_t *pids, int n)
{
	int in = 0;

	while (in < n) {
		struct json_object *reading = live_next(l);

		in = 0;
		for (int i = 0; i < n; i++)
			in += because_of(reading, pids[i]) != NULL;
	}
}

/* Each link of the chain sleeps until the one before has written. */
static void test_a_chain_of_pipes(void **state)
{
	enum { LINKS = 3 };
	int64_t pid[LINKS];
	struct child *load;
	const char *ready;
	struct live *l;
	size_t from;

	(void)state;
	live_need_bpf();
	l = live_start("-d", "0.5", "--focus", "command~\"load chain\"", NULL);
	load = live_load(&ready, "chain", "40", "3", NULL);
	assert_int_equal(sscanf(ready ? strstr(ready, "pids=") : "", "pids=%" SCNd64 ",%" SCNd64 ",%" SCNd64, &pid[0],
				&pid[1], &pid[2]),
			 LINKS);
	await_focus(l, pid, LINKS);
	from = live_mark(l);
	live_round(load);
	live_past_now(l);
	for (int i = 1; i < LINKS; i++) {
		int64_t n = woken(l, from, pid[i], "io", pid[i - 1], "count"),
			ns = woken(l, from, pid[i], "io", pid[i - 1], "ns"),
			io_ns = live_sum(l, from, pid[i], "time_ns.io");

		live_between((double)n, ROUNDS * 0.9, ROUNDS + 2, "link %d: woken by the one before", i);
		live_between((double)(woken(l, from, pid[i], "io", 0, "count") - n), 0, 2, "link %d: by another", i);
		live_between((double)ns, 3e6 * ROUNDS * 0.9, (double)io_ns, "link %d: asleep until then", i);
	}
	live_verdict();
}

/* Whether a reading says so of the process, whose greatest wait need not be this one in all of them. */
static bool is_said(struct live *l, size_t from, int64_t pid, const char *why)
{
	bool said = false;

	for (size_t r = from; r < l->n && !said; r++) {
		struct json_object *p = live_process(l->reading[r], pid);

		said = p && !strncmp(live_text(p, "why"), why, strlen(why));
		if (p && !said)
			print_message("# why: %s\n", live_text(p, "why"));
	}
	return said;
}

/* A client waits for a server's answers in each of its sleeps on the socket; the server for nobody's. */
static void test_upstream(void **state)
{
	struct child *load;
	int64_t pid[2], net_ns, by;
	const char *ready, *server;
	char address[64], expected[80];
	struct live *l;
	size_t from;

	(void)state;
	live_need_bpf();
	l = live_start("-d", "0.5", "--focus", "command~\"load turns\"", NULL);
	live_need_net(l);
	load = live_load(&ready, "turns", "tcp", "plain", NULL);
	server = ready ? strstr(ready, "server=") : NULL;
	assert_non_null(server);
	pid[0] = load->pid;
	assert_int_equal(sscanf(server, "server=%" SCNd64 " address=%63s", &pid[1], address), 2);
	await_focus(l, pid, 2);
	live_round(load); /* what was sent before it was in focus is not counted */
	from = live_mark(l);
	for (int i = 0; i < 4; i++)
		live_round(load);
	live_past_now(l);
	net_ns = live_sum(l, from, pid[0], "time_ns.net");
	by = woken(l, from, pid[0], "net", pid[1], "count");
	live_between((double)live_sum(l, from, pid[0], "of_which_ns.upstream"), 4 * 114e6 * 0.95, (double)net_ns,
		     "client: waits for answers");
	live_between((double)by, 4 * 10 * 0.9, 4 * 10 * 1.2, "client: woken by the server");
	snprintf(expected, sizeof(expected), "waits for %s ", address);
	assert_true(is_said(l, from, pid[0], expected));
	live_compare((double)live_sum(l, from, pid[1], "of_which_ns.upstream"), 0, 0, "server: waits for answers");
	live_verdict();
}

static const struct CMUnitTest wakers[] = {
	live_test(test_a_chain_of_pipes),
	live_test(test_upstream),
};

int main(void)
{
	return live_main(wakers);
}
