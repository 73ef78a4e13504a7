/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The circumstances in which a process waits, against what this test or a workload set for it. */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "live.h"

#define PATIENCE 100 /* readings */

/* The workload itself, or the one process of that name that it has started. */
static struct json_object *find(struct json_object *reading, const struct child *load, const char *comm)
{
	struct json_object *all = json_object_object_get(reading, "processes");

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *p = json_object_array_get_idx(all, i);

		if (!strcmp(live_text(p, "comm"), comm) && !strcmp(live_text(p, "state"), "alive") &&
		    (live_get(p, "pid") == load->pid || live_get(p, "ppid") == load->pid))
			return p;
	}
	return NULL;
}

/* The next reading in which they are known: the helper that reads them may be late. */
static struct json_object *known(struct live *l, const struct child *load, const char *comm)
{
	for (int i = 0; i < PATIENCE; i++) {
		struct json_object *p = find(live_next(l), load, comm);

		if (p && live_get(p, "context.cpu") != LIVE_NULL)
			return p;
	}
	fail_msg("nothing is known of %s", comm);
	return NULL;
}

/* What was set just before a reading may be seen in the next one only. */
static struct json_object *with_policy(struct live *l, const struct child *load, const char *comm, const char *policy)
{
	struct json_object *p = NULL;

	for (int i = 0; i < PATIENCE && (!p || strcmp(live_text(p, "context.policy"), policy) != 0); i++)
		p = known(l, load, comm);
	assert_string_equal(live_text(p, "context.policy"), policy);
	return p;
}

/* One that spins on CPU 1. */
static void test_scheduling(void **state)
{
	struct sched_param none = { 0 };
	struct json_object *p;
	struct child *load;
	struct live *l;
	pid_t pid;

	(void)state;
	live_need_bpf();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		live_skip("there is one CPU only");
	load = live_load(NULL, "sick", "neighbour", NULL);
	l = live_start("-d", "0.2", NULL);
	p = with_policy(l, load, "sick", "other");
	live_compare((double)live_get(p, "context.nice"), 0, 0, "nice value");
	live_compare((double)live_get(p, "context.rt_priority"), (double)LIVE_NULL, 0, "no priority");
	pid = (pid_t)live_get(p, "pid");
	assert_int_equal(setpriority(PRIO_PROCESS, (id_t)pid, 7), 0);
	assert_int_equal(sched_setscheduler(pid, SCHED_BATCH, &none), 0);
	p = with_policy(l, load, "sick", "batch");
	live_compare((double)live_get(p, "context.nice"), 7, 0, "nice value");
	live_compare((double)live_get(p, "context.cpu"), 1, 0, "the CPU that it is pinned to");
	live_compare(strtod(live_text(p, "context.cpus_allowed"), NULL), 1, 0, "the CPUs that it may use");
	assert_true(live_get(p, "context.rss_bytes") > 4096);
	live_stop(l, SIGINT);
	live_verdict();
}

static void test_real_time(void **state)
{
	struct sched_param first = { .sched_priority = 3 };
	struct child *load;
	struct live *l;

	(void)state;
	live_need_bpf();
	load = live_load(NULL, "sick", "idle", NULL);
	if (sched_setscheduler(load->pid, SCHED_RR, &first))
		live_skip("no real-time scheduling here");
	l = live_start("-d", "0.2", NULL);
	live_compare((double)live_get(with_policy(l, load, "load", "rr"), "context.rt_priority"), 3, 0, "priority");
	live_stop(l, SIGINT);
	live_verdict();
}

static void test_quota(void **state)
{
	struct json_object *p;
	struct child *load;
	struct live *l;

	(void)state;
	live_need_bpf();
	if (access("/sys/fs/cgroup/cpu", W_OK) && access("/sys/fs/cgroup/cgroup.subtree_control", W_OK))
		live_skip("no control groups are mounted");
	load = live_load(NULL, "sick", "quota", NULL);
	l = live_start("-d", "0.2", NULL);
	p = known(l, load, "sick");
	for (int i = 0; i < PATIENCE && live_get(p, "context.quota_percent") == LIVE_NULL; i++)
		p = known(l, load, "sick"); /* before it has entered its group */
	live_compare((double)live_get(p, "context.quota_percent"), 5, 0, "quota of one CPU");
	live_compare((double)live_get(p, "context.weight"), 100, 0, "weight");
	live_stop(l, SIGINT);
	live_verdict();
}

int main(void)
{
	const struct CMUnitTest context[] = {
		cmocka_unit_test_teardown(test_scheduling, live_end_test),
		cmocka_unit_test_teardown(test_real_time, live_end_test),
		cmocka_unit_test_teardown(test_quota, live_end_test),
	};

	return live_main(context);
}
