/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who keeps processes in focus waiting for a CPU, against workloads whose culprits are known. */
#include "live.h"
#include "sandbox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CPU "1"

/* Sleeps are charged, too. */
static bool for_cpu(struct json_object *b)
{
	return strcmp(live_text(b, "kind"), "lock") && strcmp(live_text(b, "kind"), "waker");
}

/* Σ of what a process was charged for, over the readings from the from-th on: of one kind, and of one pid if it is not
 * 0; kind NULL: all for a CPU. */
static int64_t because_ns(struct live *l, size_t from, int64_t pid, const char *kind, int64_t by)
{
	struct json_object *focus, *list, *b, *p;
	int64_t ns = 0;

	for (size_t i = from; i < l->n; i++) {
		p = live_process(l->reading[i], pid);
		if (!p || !json_object_object_get_ex(p, "focus", &focus) || !focus ||
		    !json_object_object_get_ex(focus, "because", &list))
			continue;
		for (size_t j = 0; j < json_object_array_length(list); j++) {
			b = json_object_array_get_idx(list, j);
			if ((kind ? !strcmp(live_text(b, "kind"), kind) : for_cpu(b)) &&
			    (!by || live_get(b, "pid") == by))
				ns += live_get(b, "ns");
		}
	}
	return ns;
}

static int64_t waited_ns(struct live *l, size_t from, int64_t pid)
{
	return live_sum(l, from, pid, "time_ns.wakeq") + live_sum(l, from, pid, "time_ns.preempt") +
	       live_sum(l, from, pid, "time_ns.throttled");
}

static bool in_focus(struct json_object *reading, int64_t pid)
{
	struct json_object *p = live_process(reading, pid), *focus;

	return p && json_object_object_get_ex(p, "focus", &focus) && focus;
}

/* Reads until all of them have been in focus, and then so many readings. Returns the first of these. */
static size_t read_in_focus(struct live *l, const int64_t *pids, int n, int readings)
{
	size_t from;
	int in = 0;

	while (in < n) {
		struct json_object *reading = live_next(l);

		in = 0;
		for (int i = 0; i < n; i++)
			in += in_focus(reading, pids[i]);
	}
	live_next(l); /* waits that began before it was in focus have ended */
	from = l->n;
	for (int i = 0; i < readings; i++)
		live_next(l);
	return from;
}

static int pids_of(const char *ready, int64_t *pids, int n)
{
	const char *at = ready ? strstr(ready, "pids=") : NULL;
	int i = 0;

	for (at = at ? at + 5 : NULL; at && i < n; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		pids[i++] = strtoll(at, NULL, 10);
	return i;
}

static void need_two_cpus(void)
{
	live_need_bpf();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		live_skip("there is one CPU only");
}

/* Each of them waits whenever another one runs: what it is charged for is how long that one ran. On a CPU of which
 * others have a part as well, and where a switch may be missed. */
static void compare_spinners(struct live *l, size_t from, const int64_t *pid, int n)
{
	for (int i = 0; i < n; i++) {
		int64_t waited = waited_ns(l, from, pid[i]), by_ns = 0, ran_ns = 0;

		for (int j = 0; j < n; j++) {
			by_ns += i == j ? 0 : because_ns(l, from, pid[i], "cpu", pid[j]);
			ran_ns += i == j ? 0 : live_sum(l, from, pid[j], "time_ns.run");
		}
		live_compare((double)because_ns(l, from, pid[i], NULL, 0), (double)waited, 0, "%d: charges, waits", i);
		live_compare((double)by_ns, (double)ran_ns, (double)ran_ns * 0.05, "%d: by the others, they ran", i);
		live_between((double)because_ns(l, from, pid[i], "others", 0), 0, (double)waited * 0.1, "%d: not known",
			     i);
		live_between((double)because_ns(l, from, pid[i], "cpu", pid[i]), 0, (double)waited * 0.001,
			     "%d: by itself", i);
	}
}

static void test_hogs(void **state)
{
	static const char *const nice_values[] = { "0", "3", "6" };
	enum { HOGS = 3 };
	int64_t pid[HOGS];
	const char *ready;
	struct live *l;
	size_t from;

	(void)state;
	need_two_cpus();
	l = live_start("-d", "0.5", "--focus", "command~\"load spin\"", NULL);
	for (int i = 0; i < HOGS; i++) {
		live_load(&ready, "spin", CPU, "1", nice_values[i], NULL);
		assert_int_equal(pids_of(ready, &pid[i], 1), 1);
	}
	from = read_in_focus(l, pid, HOGS, 8);
	compare_spinners(l, from, pid, HOGS);
	for (int i = 0; i < HOGS; i++) {
		int one = (i + 1) % HOGS, other = (i + 2) % HOGS;
		double by = (double)because_ns(l, from, pid[i], "cpu", pid[one]),
		       all = by + (double)because_ns(l, from, pid[i], "cpu", pid[other]),
		       ran = (double)live_sum(l, from, pid[one], "time_ns.run"),
		       both = ran + (double)live_sum(l, from, pid[other], "time_ns.run");

		live_compare(100 * by / all, 100 * ran / both, 1, "nice %s: %% of nice %s", nice_values[i],
			     nice_values[one]);
	}
	live_verdict();
}

static void test_many(void **state)
{
	enum { MANY = 12 };
	int64_t pid[MANY];
	const char *ready;
	struct live *l;

	(void)state;
	need_two_cpus();
	l = live_start("-d", "0.5", "--focus", "command~\"load spin\"", NULL);
	live_load(&ready, "spin", CPU, "12", "0", NULL);
	assert_int_equal(pids_of(ready, pid, MANY), MANY);
	compare_spinners(l, read_in_focus(l, pid, MANY, 6), pid, MANY);
	live_verdict();
}

/* Its threads wait for one another most of the time. */
static void test_threads(void **state)
{
	struct child *load;
	struct live *l;
	int64_t waited;
	size_t from;

	(void)state;
	need_two_cpus();
	l = live_start("-d", "0.5", "--focus", "command~\"load burn\"", NULL);
	load = live_load(NULL, "burn", CPU, "200", "1500", NULL);
	do
		live_next(l);
	while (!in_focus(l->reading[l->n - 1], load->pid));
	from = live_mark(l);
	live_round(load);
	live_past_now(l);
	waited = waited_ns(l, from, load->pid);
	live_between((double)waited, 1.4e9 * 150, INFINITY, "200 threads: waits");
	live_compare((double)because_ns(l, from, load->pid, NULL, 0), (double)waited, 0, "200 threads: charges, waits");
	live_between((double)because_ns(l, from, load->pid, "others", 0), 0, (double)waited * 0.1, "not known");
	live_between((double)because_ns(l, from, load->pid, "cpu", load->pid),
		     (double)live_sum(l, from, load->pid, "time_ns.run") * 100, (double)waited, "by its own threads");
	live_verdict();
}

/* In a pid namespace, three processes outside have the CPU of one inside. */
static void test_outside(void **state)
{
	static const char script[] = "exec 3<&0; build/tests/load spin " CPU " 1 0 <&3 >/dev/null & "
				     "exec \"${LAGTOP:-./lagtop}\" --json -d 0.5 --budget off --focus 'command~\"load "
				     "spin\"' </dev/null 3<&-";
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
	struct live l = {};
	int64_t pid[1], waited, outside = 0;
	size_t from;

	(void)state;
	need_two_cpus();
	live_load(NULL, "spin", CPU, "3", "0", NULL);
	l.child = child_start_in(sandbox_pid_namespace, argv);
	assert_non_null(l.child);
	pid[0] = 3; /* lagtop, the load, its spinner */
	from = read_in_focus(&l, pid, 1, 6);
	waited = waited_ns(&l, from, pid[0]);
	for (size_t i = from; i < l.n; i++) {
		struct json_object *list = NULL;

		json_object_object_get_ex(json_object_object_get(live_process(l.reading[i], pid[0]), "focus"),
					  "because", &list);
		for (size_t j = 0; list && j < json_object_array_length(list); j++) {
			struct json_object *b = json_object_array_get_idx(list, j);

			if (!strcmp(live_text(b, "kind"), "cpu") && !strcmp(live_text(b, "comm"), "outside"))
				outside += live_get(b, "ns");
		}
	}
	live_compare((double)because_ns(&l, from, pid[0], NULL, 0), (double)waited, 0, "charges, waits");
	live_between((double)outside, 0.8 * (double)waited, (double)waited, "by processes outside");
	for (size_t i = 0; i < l.n; i++)
		json_object_put(l.reading[i]);
	free(l.reading);
	live_verdict();
}

static const struct CMUnitTest focus[] = {
	live_test(test_outside),
	live_test(test_hogs),
	live_test(test_many),
	live_test(test_threads),
};

int main(void)
{
	return live_main(focus);
}
