/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs that go and come back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"

static long last_cpu(void)
{
	return sysconf(_SC_NPROCESSORS_CONF) - 1;
}

/* Takes it away; it is back when the child's input ends, also if this test dies. */
static struct child *take_away(long cpu)
{
	char script[160];
	char *argv[] = { (char *)"sh", (char *)"-c", script, NULL };
	struct child *c;
	char *line;

	snprintf(script, sizeof(script),
		 "F=/sys/devices/system/cpu/cpu%ld/online; echo 0 > $F && echo gone; read x; echo 1 > $F", cpu);
	c = child_start(argv, (uid_t)-1);
	line = child_line(c);
	if (!line || strcmp(line, "gone"))
		live_skip("this CPU cannot be taken away");
	return c;
}

static struct json_object *stopper(struct json_object *reading, long cpu)
{
	struct json_object *all = json_object_object_get(reading, "processes");
	char name[32];

	snprintf(name, sizeof(name), "migration/%ld", cpu);
	for (size_t i = 0; i < json_object_array_length(all); i++)
		if (!strcmp(live_text(json_object_array_get_idx(all, i), "comm"), name))
			return json_object_array_get_idx(all, i);
	return NULL;
}

/* Nothing runs on a CPU that is off; what runs on it again is counted again. */
static void test_a_cpu_off_and_back(void **state)
{
	enum { READINGS = 5 };
	long cpu = last_cpu();
	int64_t run_ns = 0, wall_ns = 0, all_ns = 0, interval_ns = 0;
	struct child *away, *load;
	char number[24];
	struct live *l;
	const char *done;
	size_t from;

	(void)state;
	if (cpu < 1)
		live_skip("this machine has one CPU");
	l = live_start("-d", "0.3", NULL);
	if (!stopper(l->reading[0], cpu))
		live_skip("the kernel's threads are not to be seen");
	away = take_away(cpu);
	live_past_now(l);
	live_next(l);
	for (int i = 0; i < READINGS; i++) {
		struct json_object *r = live_next(l), *p = stopper(r, cpu);

		assert_non_null(p);
		run_ns += live_get(p, "time_ns.run");
		wall_ns += live_get(p, "wall_ns");
		all_ns += live_get(r, "host.run_ns");
		interval_ns += live_get(r, "interval_ns") * live_get(r, "host.cpus");
		live_compare((double)live_get(r, "host.cpus"), (double)cpu, 0, "CPUs online");
	}
	live_between((double)run_ns / (double)wall_ns, 0, 0.1, "the stopper's time on its CPU");
	live_between((double)all_ns / (double)interval_ns, 0, 1.02, "all threads' time on the CPUs left");
	child_close_in(away);
	assert_int_equal(child_wait(away), 0);
	snprintf(number, sizeof(number), "%ld", cpu);
	load = live_load(NULL, "pipe", number, "1000", NULL);
	from = live_mark(l);
	done = live_round(load);
	live_past_now(l);
	live_compare_claims(l, from, load->pid, done);
	live_between((double)live_sum(l, from, load->pid, "time_ns.run"), 1, 1e12, "back: time on the CPU");
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest cpus[] = {
		live_test(test_a_cpu_off_and_back),
	};

	return live_main(cpus);
}
