/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits for a quota and for memory: control groups with limits, compared with what the kernel counts. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "asleep.h"
#include "live.h"
#include "mounts.h"
#include "taskstats.h"

static char group[80], child[96]; /* of this run's; the one within it, "": none */
static int version;		  /* of control groups */

#define QUOTA_PERIOD_NS 1e8 /* the kernel's default; quota_set writes it */

/* Version 2 has a controller in a group only if it is enabled for the groups below its parent. */
static void enable(const char *dir, const char *controller)
{
	char text[24];

	snprintf(text, sizeof(text), "+%s", controller);
	if (version == 2)
		live_write(dir, "cgroup.subtree_control", text);
}

static void group_make(const char *controller)
{
	char place[64];

	snprintf(place, sizeof(place), "/sys/fs/cgroup/%s", controller);
	version = 1;
	if (access(place, W_OK)) {
		version = 2;
		strcpy(place, "/sys/fs/cgroup");
		if (access("/sys/fs/cgroup/cgroup.subtree_control", W_OK))
			live_skip("no control groups are mounted");
		enable(place, controller);
	}
	snprintf(group, sizeof(group), "%s/lagtop-live-%d", place, getpid());
	assert_int_equal(mkdir(group, 0755), 0);
}

static void child_make(const char *controller)
{
	enable(group, controller);
	snprintf(child, sizeof(child), "%s/child", group);
	assert_int_equal(mkdir(child, 0755), 0);
}

static void group_add(int64_t pid)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)pid);
	live_write(*child ? child : group, "cgroup.procs", text);
}

/* Its members were killed; the last of them leave it a little later. */
static int remove_soon(char *dir)
{
	for (int tries = 0; *dir && rmdir(dir) && errno == EBUSY && tries < 5000; tries++)
		usleep(1000);
	if (*dir && !access(dir, F_OK))
		return -1;
	*dir = '\0';
	return 0;
}

/* Settings of the kernel's, as the test of memory needs them. */
static struct knob {
	const char *path, *value;
	char before[16]; /* "": not changed */
} knobs[] = {
	/* Threads' delays are accounted for. */
	{ "/proc/sys/kernel/task_delayacct", "1", "" },
	/* MGLRU of Linux 6.12 rarely notices that a page is read again. */
	{ "/sys/kernel/mm/lru_gen/enabled", "n", "" },
};

static bool knob_write(const char *path, const char *value)
{
	FILE *f = fopen(path, "we");
	bool written = f && fputs(value, f) >= 0;

	return f && !fclose(f) && written;
}

/* False: this kernel does not have it. */
static bool knob_set(struct knob *k)
{
	FILE *f = fopen(k->path, "re");
	bool has = f && fgets(k->before, sizeof(k->before), f);

	if (f)
		fclose(f);
	return has && knob_write(k->path, k->value);
}

static int group_end(void **state)
{
	int left = live_end_test(state);

	for (size_t i = 0; i < sizeof(knobs) / sizeof(*knobs); i++) {
		if (*knobs[i].before)
			left |= !knob_write(knobs[i].path, knobs[i].before);
		*knobs[i].before = '\0';
	}
	left |= remove_soon(child);
	return left | remove_soon(group);
}

static int64_t number_behind(const char *path, const char *word)
{
	char line[256];
	FILE *f = fopen(path, "r");
	int64_t number = -1;

	assert_non_null(f);
	while (number < 0 && fgets(line, sizeof(line), f)) {
		char *at = strstr(line, word);

		if (at)
			number = strtoll(at + strlen(word), NULL, 10);
	}
	fclose(f);
	return number;
}

/* The time in a state, or in a part of one. */
static double sum_ns(struct live *l, size_t from, int64_t pid, const char *state)
{
	bool part = !strcmp(state, "reclaim") || !strcmp(state, "page_fault_disk");
	char path[40];

	snprintf(path, sizeof(path), "%s.%s", part ? "of_which_ns" : "time_ns", state);
	return (double)live_sum(l, from, pid, path);
}

/* By the pressure of the group, or with version 1 that of the machine. */
static double stalled_ns(void)
{
	char path[120] = "/proc/pressure/memory";

	if (version == 2)
		snprintf(path, sizeof(path), "%s/memory.pressure", group);
	return 1e3 * (double)number_behind(path, "total=");
}

/* So few reads a second of the group's that waiting for them is nearly all that it does: in an emulated machine what
 * begins and ends a wait takes as long as the disk. */
static void disk_slow_down(void)
{
	char text[64];
	struct stat st;

	if (version == 1)
		return;
	assert_int_equal(stat("/var/tmp", &st), 0);
	snprintf(text, sizeof(text), "%u:%u riops=10", major(st.st_dev), minor(st.st_dev));
	live_write(group, "io.max", text);
}

/* What the kernel counts of a process that waits for memory. */
struct stall {
	double some_ns, thrashing_ns, freeing_ns;
};

static struct stall stall_of(int64_t pid)
{
	struct taskstats stats = taskstats_of(pid);

	return (struct stall){ stalled_ns(), (double)stats.thrashing_delay_total, (double)stats.freepages_delay_total };
}

/* The accounting has a reclaim without our own programs, which are slow where they are emulated. */
static void compare_reclaim(struct live *l, size_t from, int64_t pid, const struct stall *before,
			    const struct stall *after)
{
	double freeing_ns = after->freeing_ns - before->freeing_ns, reclaim_ns = sum_ns(l, from, pid, "reclaim");

	live_between(reclaim_ns, 1e6, sum_ns(l, from, pid, "run"), "reclaim: a limit below the file");
	live_compare(reclaim_ns, freeing_ns, freeing_ns * atof(live_times("0.05", "0.2")), "reclaim, delay accounting");
}

/* The kernel's accounting includes the time until the thread runs again. The machine's pressure cannot be compared: it
 * includes other CPUs' time. */
static void compare_memory(struct live *l, size_t from, int64_t pid, const struct stall *before,
			   const struct stall *after)
{
	double some_ns = after->some_ns - before->some_ns, thrashing_ns = after->thrashing_ns - before->thrashing_ns;
	double memory_ns = sum_ns(l, from, pid, "memory"), both_ns = memory_ns + sum_ns(l, from, pid, "reclaim");

	live_between(memory_ns, 1e6, INFINITY, "memory: a limit below the file");
	live_between(thrashing_ns, memory_ns * 0.95, (memory_ns + sum_ns(l, from, pid, "wakeq")) * 1.05,
		     "delay accounting: memory");
	if (version == 2)
		live_compare(both_ns, some_ns, some_ns * 0.05, "memory + reclaim, the group's pressure");
}

/* It reads a mapped file of which only a part fits into its group: each read throws out pages and waits for one that
 * was thrown out. It has its CPU for itself, so that what it waits for is memory. */
static void test_memory(void **state)
{
	struct stall before, after;
	const char *ready;
	struct child *load;
	struct live *l;
	int64_t pid;
	size_t from;

	(void)state;
	live_need_bpf();
	live_need_disk();
	if (access("/proc/pressure/memory", R_OK))
		live_skip("this kernel was booted without pressure information");
	if (!knob_set(&knobs[0]))
		live_skip("this kernel has no delay accounting");
	knob_set(&knobs[1]);
	group_make("memory");
	if (version == 2)
		enable("/sys/fs/cgroup", "io");
	live_write(group, version == 1 ? "memory.limit_in_bytes" : "memory.max", "4194304");
	l = live_start("-d", "0.5", NULL);
	load = live_load(&ready, "thrash", "/var/tmp/lagtop-live-thrash", "5", "3000", "1", NULL);
	pid = child_value(ready, "pid");
	if (sched_setscheduler((pid_t)pid, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 }))
		live_skip("no real-time threads may run here");
	asleep_wait(pid);
	live_past_now(l);
	live_between(sum_ns(l, 0, pid, "memory"), 0, 0, "memory: enough of it");
	live_between(sum_ns(l, 0, pid, "reclaim"), 0, 0, "reclaim: enough memory");
	group_add(pid);
	from = live_mark(l);
	before = stall_of(pid);
	for (int i = 0; i < 3; i++)
		live_round(load); /* the kernel learns which pages are missed */
	live_past_now(l);
	after = stall_of(pid);
	compare_reclaim(l, from, pid, &before, &after);
	disk_slow_down();
	from = live_mark(l);
	before = after = stall_of(pid);
	/* Once, on a guest that hardly got the CPU, the kernel took no missed page for one that was in use before. */
	for (int i = 0; i < 3 && after.thrashing_ns == before.thrashing_ns; i++) {
		live_round(load);
		live_past_now(l);
		after = stall_of(pid);
	}
	compare_memory(l, from, pid, &before, &after);
	live_verdict();
}

/* What a process waits for its disk in page faults, and what in calls. */
static void test_page_faults(void **state)
{
	static const char *const loads[] = { "faults", "direct" };
	double disk_ns, fault_ns;
	struct child *load;
	const char *done;
	struct live *l;
	size_t from;

	(void)state;
	live_need_bpf();
	live_need_disk();
	l = live_start("-d", "0.3", NULL);
	for (int i = 0; i < 2; i++) {
		load = live_load(NULL, loads[i], "/var/tmp/lagtop-live-faults", "2000", NULL);
		asleep_wait(load->pid);
		from = live_mark(l);
		done = live_round(load);
		live_past_now(l);
		if (!i)
			live_compare((double)live_sum(l, from, load->pid, "disk.major_faults"),
				     (double)child_value(done, "faults"), 0, "major faults, getrusage");
		disk_ns = sum_ns(l, from, load->pid, "disk");
		fault_ns = sum_ns(l, from, load->pid, "page_fault_disk");
		live_between(disk_ns, 1, (double)child_value(done, "sum_ns"), "%s: disk, as long as it took", loads[i]);
		live_compare(fault_ns, i ? 0 : disk_ns, 0, "%s: of it in page faults", loads[i]);
	}
	live_verdict();
}

static void quota_set(const char *percent)
{
	char text[40];

	if (version == 1) {
		snprintf(text, sizeof(text), "%s000", percent);
		live_write(group, "cpu.cfs_quota_us", text);
		return;
	}
	snprintf(text, sizeof(text), "%s000 100000", percent);
	live_write(group, "cpu.max", text);
}

/* Throttled time of the group's queues, until they last got quota again. */
static double queues_throttled_ns(void)
{
	char path[120];

	snprintf(path, sizeof(path), "%s/cpu.stat", group);
	return version == 1 ? (double)number_behind(path, "throttled_time ")
			    : 1e3 * (double)number_behind(path, "throttled_usec ");
}

/* Where the burn happens to use up the quota just before it ends, Linux before 6.6 counts the rest of that period as
 * throttled, although nobody in the group wants to run any more. */
static bool counts_empty_groups(void)
{
	struct utsname kernel;
	int major, minor;

	assert_int_equal(uname(&kernel), 0);
	assert_int_equal(sscanf(kernel.release, "%d.%d", &major, &minor), 2);
	return major < 6 || (major == 6 && minor < 6);
}

/* The group is without quota in some readings, and in some not. Others' groups may be so, too, but not always. */
static void compare_groups(struct live *l, size_t from, bool quota)
{
	double least = INFINITY, most = 0;

	for (size_t r = from; r < l->n; r++) {
		struct json_object *cpus = json_object_object_get(l->reading[r], "cpus");

		for (size_t i = 0; i < json_object_array_length(cpus); i++) {
			struct json_object *cpu = json_object_array_get_idx(cpus, i);
			double n = (double)live_get(cpu, "throttled_groups");

			if (live_get(cpu, "cpu") != 1)
				continue;
			least = n < least ? n : least;
			most = n > most ? n : most;
		}
	}
	live_between(least, 0, 0, "groups without quota: least");
	if (quota && l->n - from >= 10) /* fewer where it is emulated */
		live_between(most, 1, INFINITY, "groups without quota: most");
}

/* Threads that burn CPU time on one CPU, in a group or the group within it; its one queue stops all of them. Each
 * reading has its part of the waits, most of which are open at a reading. */
static void quota(const char *threads, const char *quota_percent, bool hog, bool within)
{
	double throttled_ns, oracle_ns, empty_ns;
	struct child *load;
	struct live *l;
	size_t from;

	live_need_bpf();
	group_make("cpu");
	if (*quota_percent)
		quota_set(quota_percent);
	if (within)
		child_make("cpu");
	l = live_start("-d", "0.13", NULL);
	if (hog)
		live_load(NULL, "spin", "1", "1", "0", NULL);
	load = live_load(NULL, "burn", "1", threads, "610", NULL);
	group_add(load->pid);
	from = live_mark(l);
	live_round(load);
	live_past_now(l);
	throttled_ns = sum_ns(l, from, load->pid, "throttled");
	oracle_ns = queues_throttled_ns() * (double)atoi(threads);
	empty_ns = counts_empty_groups() ? QUOTA_PERIOD_NS * (double)atoi(threads) : 0;
	if (*quota_percent)
		live_between(oracle_ns, 1e8, INFINITY, "%s threads: throttled at all", threads);
	compare_groups(l, from, *quota_percent);
	live_between(throttled_ns, (oracle_ns - empty_ns) * 0.98, oracle_ns * 1.02,
		     "%s threads%s%s: throttled, cpu.stat", threads, hog ? " beside another" : "",
		     within ? " in a group within" : "");
	live_verdict();
}

static void test_quota(void **state)
{
	(void)state;
	quota("1", "20", false, false);
}

static void test_quota_beside_others(void **state)
{
	(void)state;
	quota("1", "20", true, false);
}

static void test_quota_of_four(void **state)
{
	(void)state;
	quota("4", "20", false, false);
}

static void test_quota_of_four_beside_others(void **state)
{
	(void)state;
	quota("4", "20", true, false);
}

static void test_quota_of_a_group_above(void **state)
{
	(void)state;
	quota("1", "20", false, true);
}

struct mover {
	int64_t pid;
	volatile bool stop;
};

/* Sends all threads of a process from one CPU to the other and back, also while they wait. */
static void *move_about(void *arg)
{
	struct mover *m = arg;
	char path[40];
	cpu_set_t set;

	snprintf(path, sizeof(path), "/proc/%lld/task", (long long)m->pid);
	for (size_t cpu = 0; !m->stop; cpu ^= 1) {
		DIR *dir = opendir(path);
		struct dirent *entry;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		while (dir && (entry = readdir(dir)))
			if (atoi(entry->d_name))
				sched_setaffinity(atoi(entry->d_name), sizeof(set), &set);
		if (dir)
			closedir(dir);
		usleep(13000);
	}
	return NULL;
}

/* It waits for its quota, wherever it waits: with that many shares it is the first on any CPU. */
static void test_quota_and_migrations(void **state)
{
	struct mover mover = { 0 };
	double wait_ns;
	struct child *load;
	pthread_t thread;
	const char *done;
	struct live *l;
	size_t from;

	(void)state;
	live_need_bpf();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		live_skip("there is one CPU only");
	group_make("cpu");
	live_write(group, version == 1 ? "cpu.shares" : "cpu.weight", version == 1 ? "262144" : "10000");
	quota_set("20");
	l = live_start("-d", "0.13", NULL);
	load = live_load(NULL, "burn", "-1", "1", "610", NULL);
	mover.pid = load->pid;
	group_add(load->pid);
	from = live_mark(l);
	assert_int_equal(pthread_create(&thread, NULL, move_about, &mover), 0);
	done = live_round(load);
	mover.stop = true;
	pthread_join(thread, NULL);
	live_past_now(l);
	wait_ns = (double)(child_value(done, "wall_ns") - child_value(done, "cpu_ns"));
	live_between(sum_ns(l, from, load->pid, "throttled"), wait_ns * 0.9, wait_ns * 1.001, "throttled, while moved");
	live_between((double)live_sum(l, from, load->pid, "migrations"), 20, INFINITY, "migrations");
	live_verdict();
}

/* It waits for a CPU, and for no quota. */
static void test_no_quota(void **state)
{
	(void)state;
	quota("4", "", true, false);
}

/* As where the kernel was booted with psi=0. */
static void without_pressure(void)
{
	if (!access("/proc/pressure", F_OK) && (!mounts_unshare() || mount("none", "/proc/pressure", "tmpfs", 0, NULL)))
		_exit(126);
}

/* Then nothing is known of stalls for memory, and that is said. */
static void test_no_pressure(void **state)
{
	bool known[2];
	struct json_object *probes, *sched, *reason;
	struct live *l;

	(void)state;
	live_need_bpf();
	for (int i = 0; i < 2; i++) {
		l = live_start_as(i ? without_pressure : NULL, NULL, "-d", "0.3", NULL);
		known[i] = live_get(live_process(l->reading[0], getpid()), "time_ns.memory") != LIVE_NULL;
		assert_int_not_equal(live_get(live_process(l->reading[0], getpid()), "time_ns.disk"), LIVE_NULL);
		assert_true(json_object_object_get_ex(l->reading[0], "probes", &probes));
		assert_true(json_object_object_get_ex(probes, "sched", &sched));
		assert_int_equal(known[i], !json_object_object_get_ex(sched, "reason", &reason) ||
						   !strstr(json_object_get_string(reason), "/proc/pressure"));
		live_end_test(NULL);
	}
	assert_int_equal(known[0], !access("/proc/pressure/memory", R_OK));
	assert_false(known[1]);
}

int main(void)
{
	static const struct CMUnitTest splits[] = {
		live_test(test_no_pressure),
		cmocka_unit_test_teardown(test_memory, group_end),
		live_test(test_page_faults),
		cmocka_unit_test_teardown(test_quota, group_end),
		cmocka_unit_test_teardown(test_quota_beside_others, group_end),
		cmocka_unit_test_teardown(test_quota_of_four, group_end),
		cmocka_unit_test_teardown(test_quota_of_four_beside_others, group_end),
		cmocka_unit_test_teardown(test_quota_of_a_group_above, group_end),
		cmocka_unit_test_teardown(test_quota_and_migrations, group_end),
		cmocka_unit_test_teardown(test_no_quota, group_end),
	};

	return live_main(splits);
}
