/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits for a quota and for memory: control groups of version 1 with limits, held against what the kernel counts. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asleep.h"
#include "live.h"

static char group[80]; /* of this run's */

static void group_file(char path[120], const char *file)
{
	snprintf(path, 120, "%s/%s", group, file);
}

static void group_write(const char *file, const char *text)
{
	char path[120];
	FILE *f;

	group_file(path, file);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		fail_msg("cannot write %s", path);
}

static void group_make(const char *controller)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", controller);
	if (access(path, W_OK))
		live_skip("no such control group of version 1 is mounted");
	snprintf(group, sizeof(group), "%s/lagtop-live-%d", path, getpid());
	assert_int_equal(mkdir(group, 0755), 0);
}

static void group_add(int64_t pid)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)pid);
	group_write("cgroup.procs", text);
}

/* Its members are killed first; the last of them leave a moment later. */
static int group_end(void **state)
{
	int left = live_end_test(state);

	for (int tries = 0; *group && rmdir(group) && errno == EBUSY && tries < 5000; tries++)
		usleep(1000);
	return !access(group, F_OK) && *group ? -1 : left;
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

/* Only who thrashes stalls here. What the kernel counts is its waits, which lagtop has, and its reclaim on the CPU. */
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
	group_write("memory.limit_in_bytes", "25165824");
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

int main(void)
{
	static const struct CMUnitTest splits[] = {
		cmocka_unit_test_teardown(test_memory, group_end),
	};

	return live_main(splits);
}
