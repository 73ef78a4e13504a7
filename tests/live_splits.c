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
#include <unistd.h>

#include "asleep.h"
#include "live.h"

static char group[80], child[96]; /* of this run's; the one within it, "": none */
static int version;		  /* of control groups */

static void write_file(const char *dir, const char *file, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		fail_msg("cannot write %s: %s", path, strerror(errno));
}

/* Version 2 has a controller in a group only if it is enabled for the groups below its parent. */
static void enable(const char *dir, const char *controller)
{
	char text[24];

	snprintf(text, sizeof(text), "+%s", controller);
	if (version == 2)
		write_file(dir, "cgroup.subtree_control", text);
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
	write_file(*child ? child : group, "cgroup.procs", text);
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

static int group_end(void **state)
{
	int left = live_end_test(state);

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

static double sum_ns(struct live *l, size_t from, int64_t pid, const char *state)
{
	char path[40];

	snprintf(path, sizeof(path), "time_ns.%s", state);
	return (double)live_sum(l, from, pid, path);
}

static double stalled_ns(void)
{
	return 1e3 * (double)number_behind("/proc/pressure/memory", "total=");
}

/* Only the thrashing process stalls here. The kernel counts its waits, which lagtop has, too, and its reclaim on the
 * CPU. */
static void test_memory(void **state)
{
	double some_ns, memory_ns;
	const char *ready;
	struct child *load;
	struct live *l;
	int64_t pid;
	size_t from;

	(void)state;
	live_need_real_time();
	if (access("/proc/pressure/memory", R_OK))
		live_skip("this kernel was booted without pressure information");
	group_make("memory");
	write_file(group, version == 1 ? "memory.limit_in_bytes" : "memory.max", "25165824");
	l = live_start("-d", "0.5", NULL);
	load = live_load(&ready, "thrash", "/var/tmp/lagtop-live-thrash", "28", "2000", "1", NULL);
	pid = child_value(ready, "pid");
	asleep_wait(pid);
	live_past_now(l);
	live_between(sum_ns(l, 0, pid, "memory"), 0, 0, "memory: enough of it");
	group_add(pid);
	from = live_mark(l);
	some_ns = stalled_ns();
	live_round(load);
	asleep_wait(pid);
	live_past_now(l);
	some_ns = stalled_ns() - some_ns;
	memory_ns = sum_ns(l, from, pid, "memory");
	live_between(memory_ns, some_ns * 0.02, some_ns * 1.05, "memory: a limit below the file, pressure");
	live_verdict();
}

static void quota_set(const char *percent)
{
	char text[40];

	if (version == 1) {
		snprintf(text, sizeof(text), "%s000", percent);
		write_file(group, "cpu.cfs_quota_us", text);
		return;
	}
	snprintf(text, sizeof(text), "%s000 100000", percent);
	write_file(group, "cpu.max", text);
}

/* Throttled time of the group's queues, until they last got quota again. */
static double queues_throttled_ns(void)
{
	char path[120];

	snprintf(path, sizeof(path), "%s/cpu.stat", group);
	return version == 1 ? (double)number_behind(path, "throttled_time ")
			    : 1e3 * (double)number_behind(path, "throttled_usec ");
}

/* Threads that burn CPU time on one CPU, in a group or the group within it; its one queue stops all of them. Each
 * reading has its part of the waits, most of which are open at a reading. */
static void quota(const char *threads, const char *quota_percent, bool hog, bool within)
{
	double throttled_ns, oracle_ns;
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
	load = live_load(NULL, "burn", "1", threads, "600", NULL);
	group_add(load->pid);
	from = live_mark(l);
	live_round(load);
	live_past_now(l);
	throttled_ns = sum_ns(l, from, load->pid, "throttled");
	oracle_ns = queues_throttled_ns() * (double)atoi(threads);
	if (*quota_percent)
		live_between(oracle_ns, 1e8, INFINITY, "%s threads: throttled at all", threads);
	live_compare(throttled_ns, oracle_ns, oracle_ns * 0.02, "%s threads%s%s: throttled, cpu.stat", threads,
		     hog ? " beside another" : "", within ? " in a group within" : "");
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
	write_file(group, version == 1 ? "cpu.shares" : "cpu.weight", version == 1 ? "262144" : "10000");
	quota_set("20");
	l = live_start("-d", "0.13", NULL);
	load = live_load(NULL, "burn", "-1", "1", "600", NULL);
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

int main(void)
{
	static const struct CMUnitTest splits[] = {
		cmocka_unit_test_teardown(test_memory, group_end),
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
