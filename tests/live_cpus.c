/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs that go offline and come back. */
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

/* Takes a CPU offline; it is back when the child's input ends, also if this test dies. */
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
		live_skip("this CPU cannot be taken offline");
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

/* The row of a CPU, or NULL. */
static struct json_object *row_of(struct json_object *reading, long cpu)
{
	struct json_object *all = json_object_object_get(reading, "cpus");

	for (size_t i = 0; i < json_object_array_length(all); i++)
		if (live_get(json_object_array_get_idx(all, i), "cpu") == cpu)
			return json_object_array_get_idx(all, i);
	return NULL;
}

/* Nothing runs on an offline CPU; what runs on it afterwards is counted again. */
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
		live_compare(row_of(r, cpu) != NULL, 0, 0, "its row");
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
	for (size_t i = from; i-- > 0 && row_of(l->reading[i], cpu);)
		from = i;
	live_compare((double)live_get(row_of(l->reading[from], cpu), "busy_ns"), (double)LIVE_NULL, 0,
		     "back: what it did before is not known");
	live_between((double)live_get(row_of(l->reading[l->n - 1], cpu), "busy_ns"), 0, 1e12, "back: its time");
	live_verdict();
}

/* What /proc counts for the machine, in the order of `host`. */
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

/* The kernel's own counters, read before and after lagtop reads them. The CPUs are overloaded. */
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
			live_between((double)sum, 1, 1e18, "%s under overload", paths[k]);
	}
	live_verdict();
}

/* Lines of /proc/stat: what each CPU was busy, in ticks, and the switches of all. */
static int64_t stat_now(int64_t busy[], long n)
{
	int64_t f[8], switches = -1;
	char line[8192];
	long cpu;
	FILE *file = fopen("/proc/stat", "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line,
			   "cpu%ld %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64
			   " %" SCNd64,
			   &cpu, &f[0], &f[1], &f[2], &f[3], &f[4], &f[5], &f[6], &f[7]) == 9 &&
		    cpu < n)
			busy[cpu] = (f[0] + f[1] + f[2] + f[5] + f[6] + f[7]) * (1000000000 / sysconf(_SC_CLK_TCK));
		sscanf(line, "ctxt %" SCNd64, &switches);
	}
	fclose(file);
	return switches;
}

#define CPUS_MOST 64

/* Each CPU's time and all CPUs' switches, between readings of /proc/stat before and after lagtop's. */
static void test_the_sums_of_cpus(void **state)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);
	int64_t first[2][CPUS_MOST] = { 0 }, last[2][CPUS_MOST] = { 0 }, switches[4], sum = 0, steal = 0, irq = 0;
	int64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK), host_steal = 0, host_irq = 0;
	struct live *l;
	size_t from;

	(void)state;
	if (n > CPUS_MOST)
		live_skip("more CPUs than this test has room for");
	l = live_start("-d", "0.3", NULL);
	live_load(NULL, "spin", "0", "1", "0", NULL);
	live_past_now(l);
	switches[0] = stat_now(first[0], n);
	from = live_mark(l);
	switches[1] = stat_now(first[1], n);
	for (int i = 0; i < 3; i++)
		live_next(l);
	switches[2] = stat_now(last[0], n);
	live_past_now(l);
	switches[3] = stat_now(last[1], n);
	for (long cpu = 0; cpu < n; cpu++) {
		int64_t busy = 0;

		for (size_t i = from; i < l->n && row_of(l->reading[i], cpu); i++) {
			struct json_object *row = row_of(l->reading[i], cpu);

			busy += live_get(row, "busy_ns");
			sum += live_get(row, "switches");
			steal += live_get(row, "steal_ns");
			irq += live_get(row, "irq_ns") + live_get(row, "softirq_ns");
		}
		live_between((double)busy, (double)(last[0][cpu] - first[1][cpu]),
			     (double)(last[1][cpu] - first[0][cpu]), "busy time of CPU %ld", cpu);
	}
	for (size_t i = from; i < l->n; i++) {
		host_steal += live_get(l->reading[i], "host.steal_ns");
		host_irq += live_get(l->reading[i], "host.irq_ns") + live_get(l->reading[i], "host.softirq_ns");
	}
	live_between((double)sum, (double)(switches[2] - switches[1]), (double)(switches[3] - switches[0]),
		     "switches of all CPUs");
	/* The kernel rounds each line, and the total, down to whole ticks. */
	live_compare((double)host_steal, (double)steal, (double)(2 * n * tick_ns),
		     "steal of the host, and of its CPUs");
	live_compare((double)host_irq, (double)irq, (double)(4 * n * tick_ns), "irq of the host, and of its CPUs");
	live_verdict();
}

/* Three that never sleep, on one CPU: two wait, and others of the machine now and then. One of them runs. */
static void test_a_queue(void **state)
{
	enum { SPINNERS = 3, READINGS_MOST = 100 };
	int64_t least = INT64_MAX, least_p99 = INT64_MAX, busy = 0, interval = 0;
	long cpu = last_cpu();
	char number[24], pid[24];
	bool runs = false;
	const char *ready;
	struct live *l;

	(void)state;
	snprintf(number, sizeof(number), "%ld", cpu);
	l = live_start("-v", "cpus", "-d", "0.1", NULL);
	live_load(&ready, "spin", number, "3", "0", NULL);
	live_past_now(l);
	live_next(l);
	for (int i = 0; i < READINGS_MOST && (least >= SPINNERS || !runs || i < 10); i++) {
		struct json_object *r = live_next(l), *row = row_of(r, cpu);

		if (live_get(row, "queued") < least)
			least = live_get(row, "queued");
		if (live_get(row, "queued_p99") < least_p99)
			least_p99 = live_get(row, "queued_p99");
		if (json_object_object_get(row, "running")) {
			snprintf(pid, sizeof(pid), "%d", (int)live_get(row, "running.pid"));
			runs |= strstr(ready, pid) && !strcmp(live_text(row, "running.comm"), "load");
		}
		busy += live_get(row, "busy_ns");
		interval += live_get(r, "interval_ns");
	}
	live_compare((double)least, SPINNERS - 1, 0, "the fewest threads that waited");
	live_between((double)least_p99, SPINNERS - 1, 1e9, "threads that wait, in 99 %% of the samples");
	live_compare(runs, 1, 0, "one of them was seen to run");
	if (!getenv("LIVE_EMULATED")) /* whose ticks come late */
		live_between((double)busy / (double)interval, 0.9, 1.1, "how busy the CPU was");
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest cpus[] = {
		live_test(test_a_cpu_off_and_back),
		live_test(test_the_machines_counters),
		live_test(test_the_sums_of_cpus),
		live_test(test_a_queue),
	};

	return live_main(cpus);
}
