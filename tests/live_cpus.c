/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs that go and come back. */
#include <inttypes.h>
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

/* What /proc counts of the machine now, in the order of `host`. */
enum { IRQ, SOFTIRQ, STEAL, CPU_SOME, MEMORY_SOME, MEMORY_FULL, IO_SOME, IO_FULL, COUNTED };
static const char *const paths[COUNTED] = { "host.irq_ns",
					    "host.softirq_ns",
					    "host.steal_ns",
					    "host.pressure.cpu.some_ns",
					    "host.pressure.memory.some_ns",
					    "host.pressure.memory.full_ns",
					    "host.pressure.io.some_ns",
					    "host.pressure.io.full_ns" };

static int64_t total_ns(const char *resource, const char *which)
{
	char path[64], line[256];
	int64_t us = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/pressure/%s", resource);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, which, 4) && strstr(line, "total="))
			us = strtoll(strstr(line, "total=") + 6, NULL, 10);
	if (f)
		fclose(f);
	return us < 0 ? LIVE_NULL : us * 1000;
}

static void count(int64_t n[COUNTED])
{
	int64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);
	FILE *f;

	f = fopen("/proc/stat", "r");
	assert_non_null(f);
	assert_int_equal(
		fscanf(f, "cpu %*d %*d %*d %*d %*d %" SCNd64 " %" SCNd64 " %" SCNd64, &n[IRQ], &n[SOFTIRQ], &n[STEAL]),
		3);
	fclose(f);
	for (int i = IRQ; i <= STEAL; i++)
		n[i] *= tick_ns;
	n[CPU_SOME] = total_ns("cpu", "some");
	n[MEMORY_SOME] = total_ns("memory", "some");
	n[MEMORY_FULL] = total_ns("memory", "full");
	n[IO_SOME] = total_ns("io", "some");
	n[IO_FULL] = total_ns("io", "full");
}

/* The kernel's own counters, read before and after lagtop reads them. The CPUs have more to do than they can. */
static void test_the_machines_counters(void **state)
{
	int64_t first[2][COUNTED], last[2][COUNTED], sum, known;
	struct child *load;
	struct live *l;
	size_t from;

	(void)state;
	l = live_start("-d", "0.3", NULL);
	load = live_load(NULL, "spin", "-1", "6", "10", NULL);
	live_past_now(l);
	count(first[0]);
	from = live_mark(l);
	count(first[1]);
	for (int i = 0; i < 3; i++)
		live_next(l);
	count(last[0]);
	live_past_now(l);
	count(last[1]);
	child_free(load);
	for (int k = 0; k < COUNTED; k++) {
		sum = known = 0;
		for (size_t i = from; i < l->n; i++) {
			int64_t n = live_get(l->reading[i], paths[k]);

			known += n != LIVE_NULL;
			sum += n == LIVE_NULL ? 0 : n;
		}
		live_compare((double)known, first[0][k] == LIVE_NULL ? 0 : (double)(l->n - from), 0, "%s known",
			     paths[k]);
		if (known)
			live_between((double)sum, (double)(last[0][k] - first[1][k]),
				     (double)(last[1][k] - first[0][k]), "%s", paths[k]);
		if (known && k == CPU_SOME)
			live_between((double)sum, 1, 1e18, "%s with more to do than CPUs", paths[k]);
	}
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest cpus[] = {
		live_test(test_a_cpu_off_and_back),
		live_test(test_the_machines_counters),
	};

	return live_main(cpus);
}
